"""Which pictures are wanted."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from detector.sources.sampling import PATIENCE, Sampler


def taken(sampler: Sampler, times: list[float], *, keyframe: bool = False) -> list[float]:
    result = []
    for t in times:
        sampler.see(t, keyframe=keyframe)
        if sampler.due(t, keyframe=keyframe):
            sampler.take(t)
            result.append(t)
    return result


@given(
    interval=st.floats(0.5, 30),
    step=st.floats(0.02, 2),
    start=st.floats(0, 1e5),
    count=st.integers(100, 400),
)
def test_one_picture_each_interval_on_average(interval: float, step: float, start: float, count: int) -> None:
    times = [start + n * step for n in range(count)]
    got = taken(Sampler(interval), times)
    spacing = max(interval, step)
    assert len(got) <= (times[-1] - start) / (0.9 * interval) + 2
    assert len(got) >= (times[-1] - start) / (spacing + step) - 1 - PATIENCE
    for before, after in pairwise(got):
        assert after - before <= (1 + PATIENCE) * spacing + 2 * step + 1e-6


def test_the_grid_does_not_drift() -> None:
    got = taken(Sampler(3.0), [n * 2.0 for n in range(31)], keyframe=True)  # keyframes each 2 s, wanted each 3 s
    assert len(got) == 21  # 60 s / 3 s


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_any_jump_of_the_time_stamps_leaves_something_due_again(times: list[float]) -> None:
    sampler = Sampler(5.0)
    for t in times:
        sampler.see(t, keyframe=False)
        if sampler.due(t):
            sampler.take(t)
    assert sampler.due(times[-1] + 10.5)
    sampler.see(times[-1] - 1e4, keyframe=False)
    assert sampler.due(times[-1] - 1e4)


def test_keyframes_suffice_once_they_are_known_to_come_often_enough() -> None:
    sampler = Sampler(4.0)
    assert sampler.gop_s is None
    assert not sampler.keyframes_suffice
    sampler.see(0.0, keyframe=True)
    sampler.see(2.0, keyframe=True)
    assert sampler.gop_s == 2.0
    assert sampler.keyframes_suffice
    for n in range(60):  # a "smart" codec stretches its groups when nothing moves
        sampler.see(2.0 + n * 0.1, keyframe=False)
    assert not sampler.keyframes_suffice
    assert sampler.gop_s is not None
    assert sampler.gop_s > 4.0


def test_while_groups_are_unknown_a_keyframe_is_waited_for_a_little() -> None:
    sampler = Sampler(2.0)
    sampler.see(0.0, keyframe=True)
    sampler.take(0.0)
    sampler.see(1.96, keyframe=False)
    assert not sampler.due(1.96)  # all since the first keyframe would have to be decoded for it
    assert sampler.due(1.96, keyframe=True)
    assert not sampler.due(2.1)
    assert sampler.due(2.2)


def test_a_jump_is_no_group_of_pictures() -> None:
    sampler = Sampler(4.0)
    for t in (0.0, 2.0, 1000.0, 1002.0, 3.0, 5.0):
        sampler.see(t, keyframe=True)
    assert sampler.gop_s == 2.0


def test_an_undated_first_picture_is_taken_once() -> None:
    sampler = Sampler(4.0)
    assert sampler.due(None)
    sampler.take(None)
    assert not sampler.due(None)
    sampler.see(0.1, keyframe=False)
    assert not sampler.due(0.1)
    assert sampler.due(4.6)


def hastened(sampler: Sampler, ask_before: float, times: list[float], keyframe_each: int = 1) -> list[float]:
    """What is taken of a stream with a keyframe at every so many-th picture when somebody asks before that time."""
    result: list[float] = []
    for number, t in enumerate(times):
        if t >= ask_before and (number == 0 or times[number - 1] < ask_before):
            sampler.hasten()
        result += taken(sampler, [t], keyframe=number % keyframe_each == 0)
    return result


@given(
    interval=st.integers(40, 600),
    gop=st.integers(1, 10),
    ask_before=st.integers(1, 900),
)
def test_an_extra_picture_comes_with_the_next_keyframe_and_moves_no_other(
    interval: int, gop: int, ask_before: int
) -> None:
    times = [float(second) for second in range(1800)]
    usual = hastened(Sampler(interval), 1e9, times, gop)
    got = hastened(Sampler(interval), ask_before, times, gop)
    nearest = next(t for t in times if t >= ask_before and t % gop == 0)
    extra = set(got) - set(usual)
    assert set(usual) <= set(got)
    if any(ask_before <= t <= nearest for t in usual):
        assert not extra  # the usual one came first and answers
    else:
        assert extra == {nearest}


def test_two_wishes_are_one_picture_and_a_wish_before_the_first_is_none() -> None:
    sampler = Sampler(60.0)
    sampler.hasten()
    sampler.hasten()
    assert taken(sampler, [0.0, 1.0, 2.0], keyframe=True) == [0.0]
    sampler.hasten()
    sampler.hasten()
    assert taken(sampler, [3.0, 4.0], keyframe=True) == [3.0]
    assert taken(sampler, [59.0, 60.0, 61.0, 119.0, 120.0], keyframe=True) == [59.0, 119.0]
