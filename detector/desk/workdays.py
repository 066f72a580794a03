"""Which days are workdays, asked of a library that knows Chinese holidays and make-up workdays (调休)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import holidays

from detector.core.deadline import IsWorkday
from detector.errors import ConfigError


def workday_calendar(
    country: str = "CN", *, days_off: Collection[date] = (), days_on: Collection[date] = ()
) -> IsWorkday:
    """The function that tells workdays of `country` (ISO 3166-1 alpha-2).

    `days_off`, `days_on`: days the library does not know yet or that the city handles otherwise. The arrangement of
    a year is announced in the autumn before; beyond that the library works out the holidays and knows no make-up days.
    Raises ConfigError for a country that it does not know.
    """
    try:
        calendar = holidays.country_holidays(country)
    except NotImplementedError:
        raise ConfigError(f"no calendar for the country {country!r}; give its two letters, e.g. CN") from None
    off, on = frozenset(days_off), frozenset(days_on)

    def is_workday(day: date) -> bool:
        if day in off or day in on:
            return day in on
        return bool(calendar.is_working_day(day))

    return is_workday


def arranged_until(country: str = "CN", *, from_year: int) -> int:
    """The last year, `from_year` or the two after it, with make-up workdays in the library; `from_year` - 1 when none.

    Always `from_year` + 2 for countries that make up for no holiday.
    """
    calendar = holidays.country_holidays(country, years=range(from_year - 3, from_year + 3))
    years = {day.year for day in calendar.weekend_workdays}
    if not years:
        return from_year + 2
    return max([year for year in years if year >= from_year], default=from_year - 1)
