"""When pictures were taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from detector.sources.timing import FileClock, LiveClock
from tests.sources.clips import NOON


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@given(st.lists(st.floats(0, 0.8), min_size=20, max_size=200))
def test_jitter_of_the_network_does_not_reach_capture_times(delays: list[float]) -> None:
    clock = LiveClock(60)
    moments = []
    clock.observe(99.9, at(0.0), None)  # one packet came the short way
    for n, delay in enumerate(delays):
        pts = 100 + n * 0.04
        clock.observe(pts, at(0.1 + n * 0.04 + delay), None)
        moments.append(clock.moment(pts, at(0.1 + n * 0.04 + delay)))
    for n, moment in enumerate(moments):
        assert abs((moment - at(0.1 + n * 0.04)).total_seconds()) < 0.02


def test_the_streams_own_clock_is_preferred_when_it_is_near_ours() -> None:
    clock = LiveClock(60)
    clock.observe(10.0, at(3.0), at(1.0))
    assert clock.believed
    assert clock.offset_s == -2.0
    assert abs((clock.moment(10.0, at(3.0)) - at(1.0)).total_seconds()) < 1e-3


def test_a_camera_that_lives_in_1970_is_not_believed() -> None:
    clock = LiveClock(60)
    clock.observe(10.0, at(3.0), datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    assert not clock.believed
    assert clock.offset_s is not None
    assert clock.moment(10.0, at(3.0)) == at(3.0)


@given(
    st.lists(
        st.tuples(st.floats(-1e5, 1e5), st.floats(0, 10), st.none() | st.floats(-100, 100)),
        min_size=1,
        max_size=60,
    )
)
def test_time_never_runs_back_whatever_a_stream_sends(
    packets: list[tuple[float, float, float | None]],
) -> None:
    clock, files = LiveClock(60), FileClock(NOON)
    arrival, last, last_in_file = 0.0, None, None
    for pts, pause, offset in packets:
        arrival += pause
        clock.observe(pts, at(arrival), None if offset is None else at(arrival + offset))
        files.observe(pts, at(arrival), None)
        moment, in_file = clock.moment(pts, at(arrival)), files.moment(pts, at(arrival))
        assert last is None or moment > last
        assert last_in_file is None or in_file > last_in_file
        last, last_in_file = moment, in_file


def test_time_stamps_that_jump_start_a_new_line() -> None:
    clock = LiveClock(60)
    clock.observe(1000.0, at(0), None)
    clock.observe(3.0, at(1), None)  # the camera restarted its counter
    assert abs((clock.moment(3.0, at(1)) - at(1)).total_seconds()) < 0.01
    clock.observe(90_000.0, at(2), None)
    assert abs((clock.moment(90_000.0, at(2)) - at(2)).total_seconds()) < 0.01


def test_a_file_goes_on_where_its_time_stamps_break() -> None:
    clock = FileClock(NOON)
    for pts in (5.0, 7.0):
        clock.observe(pts, NOON, None)
    assert clock.moment(7.0, NOON) == at(2)
    clock.observe(0.0, NOON, None)
    clock.observe(2.0, NOON, None)
    assert clock.moment(2.0, NOON) == at(4)
