"""Windows and dates against worked examples, and against a count of every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.config.workdays import day_kinds
from detector.core.calendar import (
    HolidayPlan,
    Holidays,
    TimeWindow,
    Validity,
    first_occurrence,
    first_overlap,
    holds,
    occurrences,
    why_not,
)

MAY = (date(2026, 5, 1), date(2026, 5, 31))  # 2026-05-01 is a Friday
NIGHT = TimeWindow(time(18), time(2))
NEW_YEAR = Validity(extra=frozenset({date(2030, 1, 1)}))  # a Tuesday
FRIDAY_NIGHT = TimeWindow(time(18), time(2), frozenset({4}))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("2026-05-01T17:59:59", "outside its hours"),
        ("2026-05-01T18:00", None),
        ("2026-05-02T01:59", None),
        ("2026-05-02T02:00", "outside its hours"),
        ("2026-05-02T20:00", "not on a Saturday"),
        ("2026-05-01T01:00", "not before 2026-05-01"),  # the night of 30 April
        ("2026-05-08T01:00", "not on a Thursday"),
        ("2026-05-08T20:00", "not on 2026-05-08"),
        ("2026-05-09T01:00", "not on 2026-05-08"),  # the night of the 8th
        ("2026-05-10T20:00", None),  # a Sunday put in
        ("2026-05-11T01:00", None),
        ("2026-04-24T20:00", "not before 2026-05-01"),
        ("2026-06-05T20:00", "over since 2026-05-31"),
        ("2026-05-30T01:30", None),
    ],
)
def test_friday_nights_in_may(moment: str, reason: str | None) -> None:
    validity = Validity(*MAY, frozenset({date(2026, 5, 8)}), frozenset({date(2026, 5, 10)}))
    assert why_not((FRIDAY_NIGHT,), validity, at(moment)) == reason
    assert holds((FRIDAY_NIGHT,), validity, at(moment)) == (reason is None)


def test_the_last_night_runs_into_the_day_after() -> None:
    validity = Validity(last=date(2026, 5, 31))
    assert holds((NIGHT,), validity, at("2026-06-01T01:59"))
    assert not holds((NIGHT,), validity, at("2026-06-01T18:00"))


def test_without_windows_days_alone_count() -> None:
    day = Validity(date(2026, 5, 1), date(2026, 5, 1))
    assert not holds((), day, at("2026-04-30T23:59"))
    assert holds((), day, at("2026-05-01T00:00"))
    assert holds((), day, at("2026-05-01T23:59"))
    assert not holds((), day, at("2026-05-02T00:00"))


def test_the_wall_clock_counts_when_clocks_change() -> None:
    """Berlin, 2026-10-25: 02:00 to 03:00 comes twice; 2026-03-29: it does not come at all."""
    berlin = ZoneInfo("Europe/Berlin")
    window = (TimeWindow(time(2), time(3)),)
    autumn = [datetime(2026, 10, 24, 23, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(8)]
    assert [holds(window, Validity(), moment.astimezone(berlin)) for moment in autumn] == [
        *(False, False),  # 01:00, 01:30
        *(True, True, True, True),  # 02:00, 02:30, and again
        *(False, False),
    ]
    spring = [datetime(2026, 3, 29, 0, 30, tzinfo=UTC) + timedelta(minutes=15 * n) for n in range(6)]
    assert not any(holds(window, Validity(), moment.astimezone(berlin)) for moment in spring)
    over = (TimeWindow(time(22), time(2, 30), frozenset({5})),)  # Saturday evening into the changed night
    assert holds(over, Validity(), datetime(2026, 10, 25, 0, 29, tzinfo=UTC).astimezone(berlin))
    assert holds(over, Validity(), datetime(2026, 10, 25, 1, 29, tzinfo=UTC).astimezone(berlin))
    assert not holds(over, Validity(), datetime(2026, 10, 25, 1, 30, tzinfo=UTC).astimezone(berlin))


def test_the_street_and_not_the_server_has_the_time() -> None:
    moment = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert holds((NIGHT,), Validity(), moment.astimezone(ZoneInfo("Asia/Shanghai")))  # 20:00
    assert not holds((NIGHT,), Validity(), moment.astimezone(ZoneInfo("Asia/Dhaka")) - timedelta(minutes=1))  # 17:59
    assert holds((NIGHT,), Validity(), moment.astimezone(ZoneInfo("Asia/Dhaka")))  # 18:00


def test_what_can_never_hold() -> None:
    one_day = Validity(date(2026, 5, 2), date(2026, 5, 2))  # a Saturday
    assert first_occurrence((FRIDAY_NIGHT,), one_day) is None
    assert first_occurrence((NIGHT,), one_day) == at("2026-05-02T18:00")
    assert first_occurrence((), Validity(*MAY, frozenset(date(2026, 5, d) for d in range(1, 32)))) is None
    extra = Validity(date(2026, 5, 2), date(2026, 5, 2), extra=frozenset({date(2026, 5, 2)}))
    assert first_occurrence((FRIDAY_NIGHT,), extra) == at("2026-05-02T18:00")
    assert first_occurrence((), Validity(last=date(1999, 1, 1))) is not None


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ((NIGHT, Validity()), (TimeWindow(time(1), time(5)), Validity()), True),
        ((NIGHT, Validity()), (TimeWindow(time(2), time(18)), Validity()), False),
        ((FRIDAY_NIGHT, Validity()), (TimeWindow(time(1), time(5), frozenset({5})), Validity()), True),
        ((FRIDAY_NIGHT, Validity()), (TimeWindow(time(1), time(5), frozenset({4})), Validity()), False),
        ((NIGHT, Validity(last=date(2026, 4, 30))), (NIGHT, Validity(first=date(2026, 5, 1))), False),
        ((NIGHT, Validity(last=date(2026, 4, 30))), (TimeWindow(), Validity(first=date(2026, 5, 1))), True),
        ((NIGHT, Validity(first=date(2026, 5, 1))), (NIGHT, Validity()), True),
        ((FRIDAY_NIGHT, NEW_YEAR), (TimeWindow(time(18), time(19), frozenset({1})), Validity()), True),
    ],
)
def test_overlaps_in_time(one: tuple[TimeWindow, Validity], other: tuple[TimeWindow, Validity], overlap: bool) -> None:
    first, second = ((one[0],), one[1]), ((other[0],), other[1])
    for moment in (first_overlap(first, second), first_overlap(second, first)):
        assert (moment is not None) == overlap
        assert moment is None or (holds(*first, moment) and holds(*second, moment))


hours = st.integers(0, 23).map(time)
some_windows = st.lists(
    st.builds(TimeWindow, hours, hours, st.frozensets(st.integers(0, 6), min_size=1)), max_size=2
).map(tuple)
days = st.integers(0, 9).map(lambda n: date(2026, 5, 1) + timedelta(days=n))
CHINA = day_kinds("CN")  # 1 to 5 May 2026 are a holiday, people work on Saturday the 9th
plans = st.none() | st.sampled_from([p for p in Holidays if p is not Holidays.AS_WEEKDAY]).map(
    lambda policy: HolidayPlan(policy, CHINA)
)
singles = st.frozensets(days, max_size=2)
validities = st.builds(Validity, days, days, singles, singles, plans)
START = datetime(2026, 4, 29)  # noqa: DTZ001 - wall-clock time


@settings(max_examples=60, deadline=None)
@given(some_windows, validities, some_windows, validities, days)
def test_occurrences_and_overlaps_are_what_an_hourly_count_finds(
    windows: tuple[TimeWindow, ...],
    validity: Validity,
    other_windows: tuple[TimeWindow, ...],
    other_validity: Validity,
    since: date,
) -> None:
    clock = [START + timedelta(hours=n) for n in range(24 * 16)]
    spans = list(occurrences(windows, validity, date(2026, 4, 28), date(2026, 5, 15)))
    counted = {moment for moment in clock if holds(windows, validity, moment)}
    assert counted == {moment for moment in clock if any(begin <= moment < end for begin, end in spans)}
    assert all((why_not(windows, validity, moment) is None) == (moment in counted) for moment in clock)
    assert (first_occurrence(windows, validity) is None) == (not counted)
    both = {moment for moment in counted if holds(other_windows, other_validity, moment)}
    overlap = first_overlap((windows, validity), (other_windows, other_validity))
    assert (overlap is None) == (not both)
    assert overlap is None or overlap in both
    later = {moment for moment in both if moment.date() >= since}
    overlap = first_overlap((windows, validity), (other_windows, other_validity), since)
    assert (overlap is None) == (not later)
    assert overlap is None or overlap in later
