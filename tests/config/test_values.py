from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.config.values import fill_in, parse_duration, written_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("10 min", 600),
        ("2h", 7200),
        ("1h 30min", 5400),
        ("5 days", 432000),
        ("250ms", 0.25),
        ("1.5 h", 5400),
        (90, 90),
        ("90", 90),
        (0.5, 0.5),
        ("2 Hours", 7200),
        ("0 s", 0),
    ],
)
def test_durations(written: object, seconds: float) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", "soon", "10 m", "10 months", "-5", "-5s", -1, True, None, "5 s!", "s", [1], "1e400", "9" * 30]
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"duration|unit of time"):
        parse_duration(written)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_written_duration_reads_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(written_duration(duration)) == duration


def test_references_are_filled_from_the_environment() -> None:
    assert fill_in("a-${X}-${Y}", {"X": "1", "Y": "${X}"}) == "a-1-${X}"


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ValueError, match="PASSWORD is not set"):
        fill_in("${PASSWORD}", {})
