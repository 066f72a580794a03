"""What the calendar makes of a day, against the announcement of a year and against another library."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import pytest

from detector.config.workdays import CalendarSettings, day_kinds, kinds_by, workday_calendar
from detector.core.calendar import ALL_WEEK, DayKind, HolidayPlan, Holidays, TimeWindow, Validity, holds, why_not
from detector.errors import ConfigError

CHINA = day_kinds("CN")
WEEKDAYS, WEEKEND, SUNDAY = frozenset(range(5)), frozenset({5, 6}), frozenset({6})
EVENING = (time(18), time(2))


def days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


ANNOUNCED = [  # the State Council's notice for 2026: holidays with the weekends in them, and days worked for them
    ("2026-01-01", "2026-01-03"),
    ("2026-02-15", "2026-02-23"),
    ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"),
    ("2026-06-19", "2026-06-21"),
    ("2026-09-25", "2026-09-27"),
    ("2026-10-01", "2026-10-07"),
]
WORKED = {"2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"}


def test_the_year_2026_as_it_was_announced() -> None:
    year = list(days(date(2026, 1, 1), date(2026, 12, 31)))
    announced = {day for a, b in ANNOUNCED for day in days(date.fromisoformat(a), date.fromisoformat(b))}
    assert {day for day in year if CHINA(day) is DayKind.HOLIDAY} == announced
    assert {str(day) for day in year if CHINA(day) is DayKind.MAKEUP} == WORKED


def test_another_library_names_the_same_days() -> None:
    """Every holiday and every make-up workday; it leaves some weekends unnamed that were announced as adjoining one."""
    other = pytest.importorskip("chinese_calendar")
    for day in days(date(2006, 1, 1), date(2026, 12, 31)):
        free, name = other.get_holiday_detail(day)
        weekend = day.weekday() >= 5
        if not free:
            assert CHINA(day) is (DayKind.MAKEUP if weekend else DayKind.USUAL), day
        elif name:
            assert CHINA(day) is DayKind.HOLIDAY, day
        elif CHINA(day) is DayKind.HOLIDAY:
            near = [other.get_holiday_detail(day + timedelta(days=n))[1] for n in (-2, -1, 1, 2)]
            assert weekend, day
            assert any(near), day


def test_it_is_the_calendar_of_the_deadlines() -> None:
    is_workday = workday_calendar("CN")
    for day in days(date(2024, 1, 1), date(2026, 12, 31)):
        kind, weekend = CHINA(day), day.weekday() >= 5
        assert is_workday(day) is (kind is DayKind.MAKEUP or (kind is DayKind.USUAL and not weekend)), day


def test_where_nothing_is_made_up_for_a_weekend_is_none_of_the_holiday() -> None:
    germany = day_kinds("DE")
    assert germany(date(2026, 4, 3)) is DayKind.HOLIDAY  # Good Friday
    assert germany(date(2026, 4, 4)) is DayKind.USUAL
    assert germany(date(2026, 4, 6)) is DayKind.HOLIDAY


def test_days_of_the_city_come_first() -> None:
    known = kinds_by(CalendarSettings(days_off=(date(2026, 6, 10),), days_on=(date(2026, 6, 13), date(2026, 5, 4))))
    assert [known(date(2026, 6, day)) for day in (10, 13)] == [DayKind.HOLIDAY, DayKind.MAKEUP]
    assert known(date(2026, 5, 4)) is DayKind.USUAL


def test_an_unknown_country_is_told_when_it_is_asked() -> None:
    kinds = kinds_by(CalendarSettings(country="XX"))
    with pytest.raises(ConfigError, match="no calendar for the country 'XX'"):
        kinds(date(2026, 1, 1))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def plan(policy: Holidays, extra: frozenset[date] = frozenset(), never: frozenset[date] = frozenset()) -> Validity:
    return Validity(None, None, never, extra, HolidayPlan(policy, CHINA))


@pytest.mark.parametrize(
    ("weekdays", "policy", "moment", "expected"),
    [
        # 1 October 2026 is a Thursday and a holiday
        (WEEKDAYS, Holidays.CLOSED, "2026-09-30T20:00", True),
        (WEEKDAYS, Holidays.CLOSED, "2026-10-01T01:59", True),  # the night before it
        (WEEKDAYS, Holidays.CLOSED, "2026-10-01T20:00", False),
        (WEEKDAYS, Holidays.CLOSED, "2026-10-02T01:00", False),  # the night of the holiday runs into the next day
        (WEEKDAYS, Holidays.OPEN, "2026-10-01T20:00", True),
        (WEEKDAYS, Holidays.OPEN, "2026-10-03T20:00", True),  # a Saturday in the holiday
        (WEEKDAYS, Holidays.OPEN, "2026-10-17T20:00", False),  # any other Saturday
        (WEEKDAYS, Holidays.LIKE_SUNDAY, "2026-10-01T20:00", False),
        (SUNDAY, Holidays.LIKE_SUNDAY, "2026-10-01T20:00", True),
        (SUNDAY, Holidays.LIKE_SUNDAY, "2026-10-03T20:00", True),
        (SUNDAY, Holidays.CLOSED, "2026-02-15T20:00", False),  # a Sunday in the Spring Festival
        # 10 October is a Saturday, 20 September a Sunday, and people work
        (WEEKDAYS, Holidays.CLOSED, "2026-10-10T20:00", True),
        (frozenset({4}), Holidays.CLOSED, "2026-10-10T20:00", True),
        (frozenset({0}), Holidays.OPEN, "2026-09-20T20:00", True),
        (frozenset({4}), Holidays.OPEN, "2026-09-20T20:00", False),
        (WEEKEND, Holidays.OPEN, "2026-10-10T20:00", False),
        (WEEKEND, Holidays.LIKE_SUNDAY, "2026-09-20T20:00", False),
    ],
)
def test_hours_on_holidays(weekdays: frozenset[int], policy: Holidays, moment: str, expected: bool) -> None:
    assert holds((TimeWindow(*EVENING, weekdays),), plan(policy), at(moment)) is expected


def test_single_days_come_before_the_calendar_and_as_weekday_asks_it_nothing() -> None:
    window = (TimeWindow(*EVENING, WEEKDAYS),)
    extra = plan(Holidays.CLOSED, extra=frozenset({date(2026, 10, 1)}))
    never = plan(Holidays.OPEN, never=frozenset({date(2026, 10, 1)}))
    assert holds(window, extra, at("2026-10-01T20:00"))
    assert not holds(window, never, at("2026-10-01T20:00"))
    assert holds(window, Validity(), at("2026-10-01T20:00"))
    assert not holds(window, Validity(), at("2026-10-10T20:00"))


def test_the_reason_names_the_holiday() -> None:
    window = (TimeWindow(*EVENING, ALL_WEEK),)
    assert why_not(window, plan(Holidays.CLOSED), at("2026-10-01T20:00")) == "not on 2026-10-01, a public holiday"
    weekend = (TimeWindow(*EVENING, WEEKEND),)
    assert why_not(weekend, plan(Holidays.OPEN), at("2026-10-10T20:00")) == "not on 2026-10-10, a make-up workday"
    assert why_not(weekend, plan(Holidays.OPEN), at("2026-10-12T20:00")) == "not on a Monday"
