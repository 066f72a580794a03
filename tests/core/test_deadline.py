"""Deadlines: worked examples on the calendar of 2026, and what holds for all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.config.workdays import workday_calendar
from detector.core.category import Clock, Deadline
from detector.core.deadline import Office, due

ZONE = ZoneInfo("Asia/Shanghai")
CHINA = workday_calendar("CN")
OFFICE = Office(ZONE, CHINA)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def hours(count: float) -> Deadline:
    return Deadline(timedelta(hours=count), Clock.WORKING_HOURS)


def days(count: float) -> Deadline:
    return Deadline(timedelta(days=count), Clock.WORKDAYS)


EMERGENCY = Deadline(timedelta(hours=2), Clock.EMERGENCY)


@pytest.mark.parametrize(
    ("start", "deadline", "expected"),
    [
        # emergency hours run at night, on Sundays and at the spring festival
        ("2026-03-03 10:00", EMERGENCY, "2026-03-03 12:00"),
        ("2026-02-16 23:30", EMERGENCY, "2026-02-17 01:30"),
        # Tuesday, 4 h: over the break at noon, over night, over the weekend
        ("2026-03-03 08:00", hours(4), "2026-03-03 12:00"),
        ("2026-03-03 10:00", hours(4), "2026-03-03 16:00"),
        ("2026-03-03 13:00", hours(4), "2026-03-03 18:00"),
        ("2026-03-03 16:00", hours(4), "2026-03-04 10:00"),
        ("2026-03-03 22:00", hours(4), "2026-03-04 12:00"),
        ("2026-03-06 17:00", hours(2), "2026-03-09 09:00"),
        ("2026-03-07 12:00", hours(1), "2026-03-09 09:00"),  # dispatched on a Saturday
        # spring festival 2026: 15 to 23 February off; Saturdays 14 and 28 February worked
        ("2026-02-13 17:00", hours(2), "2026-02-14 09:00"),
        ("2026-02-14 17:00", hours(2), "2026-02-24 09:00"),
        ("2026-02-14 10:00", days(1), "2026-02-24 18:00"),
        ("2026-02-27 10:00", days(1), "2026-02-28 18:00"),
        # national day 2026: 1 to 7 October off, Sunday 20 September and Saturday 10 October worked
        ("2026-09-18 09:00", days(1), "2026-09-20 18:00"),
        ("2026-09-30 17:30", hours(1), "2026-10-08 08:30"),
        ("2026-10-09 09:00", days(2), "2026-10-12 18:00"),
        # whole days: the day of dispatch is not counted, a part of a day is a whole one
        ("2026-03-02 09:00", days(5), "2026-03-09 18:00"),
        ("2026-03-02 03:00", days(1), "2026-03-03 18:00"),
        ("2026-03-02 09:00", days(0.5), "2026-03-03 18:00"),
    ],
)
def test_worked_examples(start: str, deadline: Deadline, expected: str) -> None:
    assert due(local(start), deadline, OFFICE) == local(expected)


def test_the_library_agrees_with_another_one_on_every_day_it_knows() -> None:
    """All days of 2006 to 2026; of 2005 the two differ in one make-up day."""
    other = pytest.importorskip("chinese_calendar")
    day, differing = date(2006, 1, 1), []
    while day.year < 2027:
        if other.is_workday(day) is not CHINA(day):
            differing.append(day)
        day += timedelta(days=1)
    assert differing == []


def test_days_of_the_city_come_before_the_library() -> None:
    known = workday_calendar("CN", days_off=[date(2027, 2, 8)], days_on=[date(2027, 2, 20)])
    assert (known(date(2027, 2, 8)), known(date(2027, 2, 20))) == (False, True)
    assert known(date(2026, 2, 14)) is True


def test_other_hours_and_a_zone_with_summer_time() -> None:
    """The clock is put forward at 02:00 on 29 March 2026: of the seven hours from midnight to 08:00 all count."""
    berlin = ZoneInfo("Europe/Berlin")
    office = Office(berlin, lambda _: True, ((time(0), time(8)),))
    start = datetime(2026, 3, 29, 0, 0, tzinfo=berlin)
    assert due(start, hours(7), office) == datetime(2026, 3, 29, 8, 0, tzinfo=berlin)


def test_senseless_offices_are_refused() -> None:
    for wrong in ((), ((time(12), time(8)),), ((time(8), time(12)), (time(11), time(18))), ((time(8), time(8)),)):
        with pytest.raises(ValueError, match="office hours"):
            Office(ZONE, CHINA, wrong)
    with pytest.raises(ValueError, match="no workday"):
        due(local("2026-03-02 09:00"), hours(1), Office(ZONE, lambda _: False))


starts = st.integers(0, 20 * 365 * 24 * 60).map(
    lambda minutes: datetime(2006, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
limits = st.timedeltas(timedelta(minutes=1), timedelta(days=40))


@given(start=starts, limit=limits, more=limits, clock=st.sampled_from(Clock))
def test_never_before_the_start_and_never_sooner_for_a_longer_limit(
    start: datetime, limit: timedelta, more: timedelta, clock: Clock
) -> None:
    first = due(start, Deadline(limit, clock), OFFICE)
    assert first >= start + (limit if clock is not Clock.WORKDAYS else timedelta(0))
    assert due(start, Deadline(limit + more, clock), OFFICE) >= first


@given(start=starts, limit=limits, clock=st.sampled_from([Clock.WORKING_HOURS, Clock.WORKDAYS]))
def test_it_ends_inside_working_time(start: datetime, limit: timedelta, clock: Clock) -> None:
    end = due(start, Deadline(limit, clock), OFFICE).astimezone(ZONE)
    assert CHINA(end.date())
    assert any(opens < end.time() <= closes for opens, closes in OFFICE.hours)


@given(start=starts, limit=st.timedeltas(timedelta(minutes=1), timedelta(days=3)))
def test_the_working_hours_between_start_and_deadline_are_the_limit(start: datetime, limit: timedelta) -> None:
    end = due(start, Deadline(limit, Clock.WORKING_HOURS), OFFICE)
    counted = timedelta(0)
    for begin, close in OFFICE.spans(start):
        if begin >= end:
            break
        counted += min(close, end) - begin
    assert counted == limit
