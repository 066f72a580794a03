"""Which days are workdays and holidays, asked of a library that knows Chinese holidays and make-up workdays (调休)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from functools import cache
from typing import Annotated

import holidays
from pydantic import Field

from detector.config.hours import Day
from detector.config.strict import Strict
from detector.core.calendar import DAY, DayKind, DayKinds
from detector.core.deadline import IsWorkday
from detector.errors import ConfigError

LONGEST_HOLIDAY = timedelta(days=31)
"""Days without work in a row after which the calendar is taken to be wrong."""


class CalendarSettings(Strict):
    """Whose calendar counts."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "CN"
    """Whose holidays and make-up workdays count, by its two letters."""
    days_off: tuple[Day, ...] = ()
    """Days without work that the calendar does not know, e.g. of a year that was arranged since."""
    days_on: tuple[Day, ...] = ()
    """Workdays that the calendar does not know."""


def workday_calendar(
    country: str = "CN", *, days_off: Collection[date] = (), days_on: Collection[date] = ()
) -> IsWorkday:
    """The function that tells workdays of `country` (ISO 3166-1 alpha-2).

    `days_off`, `days_on`: days the library does not know yet or that the city handles otherwise. The arrangement of
    a year is announced in the autumn before; beyond that the library works out the holidays and knows no make-up days.
    Raises ConfigError for a country that it does not know.
    """
    calendar = _calendar(country)
    off, on = frozenset(days_off), frozenset(days_on)

    def is_workday(day: date) -> bool:
        if day in off or day in on:
            return day in on
        return bool(calendar.is_working_day(day))

    return is_workday


def day_kinds(country: str = "CN", *, days_off: Collection[date] = (), days_on: Collection[date] = ()) -> DayKinds:
    """The function that tells public holidays and make-up workdays, by the same calendar as `workday_calendar`.

    Where holidays are arranged with make-up workdays, as in China, the weekend that adjoins one belongs to it: that is
    how the State Council announces them ("2 月 15 日至 23 日放假"). A day in `days_off` is a holiday.
    Raises ConfigError as `workday_calendar`.
    """
    is_workday = workday_calendar(country, days_off=days_off, days_on=days_on)
    calendar, off = _calendar(country), frozenset(days_off)
    arranged = bool(holidays.country_holidays(country, years=(2024, 2025)).weekend_workdays)

    def named(day: date) -> bool:
        return not is_workday(day) and (day in off or day in calendar)

    def adjoins(day: date, step: timedelta) -> bool:
        reached, end = day, day + LONGEST_HOLIDAY * (step // DAY)
        while reached != end and not is_workday(reached):
            if named(reached):
                return True
            reached += step
        return False

    @cache
    def kind_of(day: date) -> DayKind:
        weekend = day.weekday() >= 5
        if is_workday(day):
            return DayKind.MAKEUP if weekend else DayKind.USUAL
        if named(day) or (arranged and (adjoins(day, DAY) or adjoins(day, -DAY))):
            return DayKind.HOLIDAY
        return DayKind.USUAL

    return kind_of


def kinds_by(given: CalendarSettings) -> DayKinds:
    """The function that tells what the calendar of the settings makes of a day; the library is read when first asked.

    Raises ConfigError, when it is asked, for a country that the library does not know.
    """

    @cache
    def kinds() -> DayKinds:
        return day_kinds(given.country, days_off=given.days_off, days_on=given.days_on)

    return lambda day: kinds()(day)


def calendar_fault(given: CalendarSettings, today: date, section: str) -> str | None:
    """What the calendar cannot know soon, in words; None while it knows this year and, from November on, the next.

    section: where the settings of the calendar stand, e.g. `office`.
    """
    needed = today.year + (today.month >= 11)
    known = arranged_until(given.country, from_year=today.year)
    told = {day.year for day in (*given.days_off, *given.days_on)}
    if known >= needed or needed in told:
        return None
    return (
        f"the make-up workdays of {needed} are not in the calendar: update the package `holidays`, "
        f"or name them in `{section}.days_on` and `{section}.days_off`"
    )


def arranged_until(country: str = "CN", *, from_year: int) -> int:
    """The last year, `from_year` or the two after it, with make-up workdays in the library; `from_year` - 1 when none.

    Always `from_year` + 2 for countries that make up for no holiday.
    """
    calendar = holidays.country_holidays(country, years=range(from_year - 3, from_year + 3))
    years = {day.year for day in calendar.weekend_workdays}
    if not years:
        return from_year + 2
    return max([year for year in years if year >= from_year], default=from_year - 1)


def _calendar(country: str) -> holidays.HolidayBase:
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        raise ConfigError(f"no calendar for the country {country!r}; give its two letters, e.g. CN") from None
