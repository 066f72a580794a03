"""When pictures were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.sources.timing import AHEAD_S, DRIFT, JUMP_S, SLEW, FileClock, LiveClock
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
    clock = LiveClock(5)
    clock.observe(10.0, at(3.0), at(1.0))
    assert clock.believed
    assert clock.offset_s == -2.0
    assert abs((clock.moment(10.0, at(3.0)) - at(1.0)).total_seconds()) < 1e-3


@pytest.mark.parametrize("offset_s", [-60.0, -20.0, 20.0, 60.0, -1e9])
def test_a_wrong_clock_is_not_believed(offset_s: float) -> None:
    clock = LiveClock(5)
    clock.observe(10.0, at(3.0), at(3.0 + offset_s))
    assert not clock.believed
    assert clock.offset_s == offset_s
    assert clock.moment(10.0, at(3.0)) == at(3.0)


def test_no_picture_is_taken_after_it_came() -> None:
    clock = LiveClock(5)
    clock.observe(10.0, at(3.0), at(4.0))
    assert clock.believed
    assert clock.moment(10.0, at(3.0)) == at(3.0)


@dataclass(frozen=True)
class Stream:
    """A camera as it might be: one picture a packet, held up for some time, with a clock that is told some time on."""

    spacings: list[float]  # between pictures, seconds
    delays: list[float]  # of each picture on its way, seconds
    offset_s: float  # of the camera's clock
    told_after_s: float

    def packets(self) -> list[tuple[float, float, float | None]]:
        """(presentation time, arrival, what the camera's clock says), seconds; nothing overtakes on its way."""
        taken = list(accumulate(self.spacings))
        came = accumulate((t + delay for t, delay in zip(taken, self.delays, strict=True)), max)
        told = [t + self.offset_s if t >= self.told_after_s else None for t in taken]
        return [(1000 + t, arrival, clock) for t, arrival, clock in zip(taken, came, told, strict=True)]


streams = st.integers(2, 80).flatmap(
    lambda count: st.builds(
        Stream,
        st.lists(st.floats(0.04, 12), min_size=count, max_size=count),
        st.lists(st.floats(0, 4.9), min_size=count, max_size=count),
        st.floats(-90, 90),
        st.floats(0, 60),
    )
)


def moments(clock: LiveClock, packets: Sequence[tuple[float, float, float | None]]) -> list[float]:
    """The capture time of each picture, seconds."""
    found = []
    for pts, came, told in packets:
        clock.observe(pts, at(came), None if told is None else at(told))
        found.append((clock.moment(pts, at(came)) - NOON).total_seconds())
    return found


ROUNDING_S = 1e-4


@given(streams)
def test_times_keep_the_streams_spacing_whenever_its_clock_comes_and_however_wrong_it_is(stream: Stream) -> None:
    packets = stream.packets()
    found = moments(LiveClock(5), packets)
    for (pts, came, _), moment in zip(packets, found, strict=True):
        assert moment <= came + AHEAD_S + ROUNDING_S
        # late by what the server held back at first, early by what the clock tells: both are bounded
        assert abs(moment - (pts - 1000)) <= 4.9 + 5 + DRIFT * pts
    for spacing, (before, after) in zip(stream.spacings[1:], pairwise(found), strict=True):
        assert (1 - SLEW) * spacing - ROUNDING_S <= after - before <= (1 + SLEW) * spacing + ROUNDING_S


@given(streams, st.floats(0, 30), st.floats(6, 30))
def test_a_burst_after_the_opening_never_stops_time(stream: Stream, held_s: float, gap_s: float) -> None:
    # all of the first seconds comes at once, as from a server that keeps the last group of pictures
    packets = [(pts, max(came, held_s), told) for pts, came, told in stream.packets()]
    packets += [(packets[-1][0] + gap_s, packets[-1][1] + gap_s, None)]
    found = moments(LiveClock(5), packets)
    for (one, other), (before, after) in zip(pairwise(packets), pairwise(found), strict=True):
        assert after > before
        assert after <= other[1] + AHEAD_S + 1e-3 * len(packets)
        passed = min(other[0] - one[0], (other[1] - one[1]) / (1 - SLEW))
        assert after - before >= (1 - SLEW) * passed - 1e-3 * len(packets)


@pytest.mark.parametrize("offset_s", [-3.0, -20.0, -90.0, 20.0])
def test_a_clock_that_is_told_late_moves_times_little_by_little(offset_s: float) -> None:
    packets = Stream([0.5] * 200, [0.0] * 200, offset_s, 5.0).packets()
    found = moments(LiveClock(5), packets)
    taken = [pts - 1000 for pts, _, _ in packets]
    assert found[:9] == pytest.approx(taken[:9], abs=0.01)
    steps = [after - before for before, after in pairwise(found)]
    assert min(steps) >= 0.5 * (1 - SLEW) - ROUNDING_S
    assert found[-1] - taken[-1] == pytest.approx(-3.0 if offset_s == -3.0 else 0.0, abs=0.1)


@pytest.mark.parametrize("offset_s", [0.0, -3600.0])
def test_pictures_that_are_held_up_for_long_are_old_if_the_streams_clock_says_so(offset_s: float) -> None:
    clock = LiveClock(5)
    moments(clock, Stream([1.0] * 20, [0.0] * 20, offset_s, 0.0).packets())
    late = [(1000.0 + t, t + 40.0, t + offset_s) for t in range(21, 30)]
    assert moments(clock, late) == pytest.approx(list(range(21, 30)), abs=0.1)


def test_without_a_clock_a_gap_is_taken_for_a_jump() -> None:
    clock = LiveClock(5)
    moments(clock, Stream([1.0] * 20, [0.0] * 20, 0.0, 1e9).packets())
    assert moments(clock, [(1021.0, 21 + JUMP_S + 1, None)]) == pytest.approx([21 + JUMP_S + 1], abs=0.01)


def test_our_own_clock_may_be_set_back_or_forward() -> None:
    clock = LiveClock(5)
    moments(clock, Stream([1.0] * 20, [0.0] * 20, 0.0, 1e9).packets())
    back = moments(clock, [(1020.0 + t, t - 3580.0, None) for t in range(1, 100)])
    steps = [after - before for before, after in pairwise([20.0, *back])]
    assert min(steps) >= 1 - SLEW - ROUNDING_S
    assert max(steps) <= 1.0 + ROUNDING_S
    assert back[-1] - (99 - 3580.0) == pytest.approx(3600 - 99 * SLEW, abs=0.5)  # it is being caught up
    forward = moments(clock, [(1120.0 + t, t + 7200.0, None) for t in range(3)])
    assert forward == pytest.approx([7200.0, 7201.0, 7202.0], abs=0.5)


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
