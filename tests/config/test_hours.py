"""Weekdays, hours and dates as people write them."""

from __future__ import annotations

import contextlib
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from detector.config.hours import Times, WindowSettings, parse_days, parse_hours
from detector.core.calendar import ALL_WEEK, TimeWindow


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon", {0}),
        ("Mon-Fri", {0, 1, 2, 3, 4}),
        ("sat - mon", {5, 6, 0}),
        ("fri, sat", {4, 5}),
        ("Tuesday Thursday", {1, 3}),
        ("thurs", {3}),
        (["mon-tue", "周日"], {0, 1, 6}),
        ("周一至周五", {0, 1, 2, 3, 4}),
        ("一至五", {0, 1, 2, 3, 4}),
        ("周六、周日", {5, 6}),
        ("星期天", {6}),
        ("六，日", {5, 6}),
        ("周末", {5, 6}),
        ("weekdays", {0, 1, 2, 3, 4}),
        ("all", set(range(7))),
    ],
)
def test_weekdays(written: object, days: set[int]) -> None:
    assert parse_days(written) == days


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("fry", '"fry" is no weekday; did you mean "fri'),
        ("周八", "is no weekday"),
        ("mon-wed-fri", "is no range"),
        ("", "is no weekday"),
        ("t", "is no weekday"),
        (5, "must be weekdays"),
        (["mon", 3], "must be weekdays"),
    ],
)
def test_what_is_no_weekday(written: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_days(written)


@pytest.mark.parametrize(
    ("written", "spans"),
    [
        ("18:00-02:00", [(time(18), time(2))]),
        ("8:00 - 12:30", [(time(8), time(12, 30))]),
        ("18：00～23：30", [(time(18), time(23, 30))]),
        ("06:00至24:00", [(time(6), time(0))]),
        ("00:00-24:00", [(time(0), time(0))]),
        (["06:00-09:00", "17:00-21:00"], [(time(6), time(9)), (time(17), time(21))]),
    ],
)
def test_hours(written: object, spans: list[tuple[time, time]]) -> None:
    assert list(parse_hours(written)) == spans


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("18:00", "must be hours"),
        ("18-20", "is no time of day"),
        ("24:00-02:00", "is no time of day"),
        ("08:60-09:00", "is no time of day"),
        ("18:00-25:00", "is no time of day"),
        ("18:00-18:00", "begins where it ends"),
        ([], "at least one"),
        (7, "must be hours"),
    ],
)
def test_what_are_no_hours(written: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_hours(written)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_days, parse_hours):
        with contextlib.suppress(ValueError):
            assert parse(text)


def test_a_window_for_each_span_of_hours() -> None:
    given_hours = WindowSettings.model_validate({"days": "fri", "hours": ["06:00-09:00", "18:00-02:00"]})
    friday = frozenset({4})
    assert given_hours.windows == (TimeWindow(time(6), time(9), friday), TimeWindow(time(18), time(2), friday))
    assert WindowSettings().windows == (TimeWindow(time(0), time(0), ALL_WEEK),)


@pytest.mark.parametrize("day", ["2026-13-01", "1.5.2026", "20260501x", "1999-12-31", "2100-01-01", 5])
def test_what_is_no_date(day: object) -> None:
    with pytest.raises(ValidationError, match=r"is no date|not between"):
        Times.model_validate({"first_day": day})
