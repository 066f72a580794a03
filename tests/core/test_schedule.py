"""Patrol due times: spread, fair, capped by who asks; back-off: full jitter within its ceiling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.core.schedule import LONGEST_EXTRA_S, Agenda, Ramp, backoff, phase


@given(st.integers(1, 2000), st.floats(0, 1, exclude_max=True))
def test_backoff_stays_under_a_growing_capped_ceiling(failures: int, chance: float) -> None:
    wait = backoff(failures, chance, base_s=1, cap_s=60)
    assert 0 <= wait < 60
    assert wait <= 2.0 ** min(failures - 1, 6)


def test_backoff_ceiling_grows_until_the_cap() -> None:
    ceilings = [backoff(n, 0.999999, base_s=1, cap_s=60) for n in range(1, 10)]
    assert ceilings == sorted(ceilings)
    assert 59.9 < ceilings[-1] < 60


def test_first_visits_are_spread_over_the_period() -> None:
    points = [phase(f"camera-{n}") for n in range(10_000)]
    for tenth in range(10):
        share = sum(tenth / 10 <= point < (tenth + 1) / 10 for point in points) / len(points)
        assert 0.08 < share < 0.12


@settings(max_examples=60, deadline=None)
@given(
    cameras=st.integers(1, 40),
    slots=st.integers(1, 6),
    period=st.floats(5, 100),
    visit=st.floats(0.1, 20),
    jitter=st.floats(0, 0.5),
    rnd=st.randoms(use_true_random=False),
)
def test_never_more_visits_than_slots_none_twice_and_nobody_starves(
    cameras: int, slots: int, period: float, visit: float, jitter: float, rnd: object
) -> None:
    agenda = Agenda(jitter)
    for n in range(cameras):
        agenda.put(f"c{n}", period, 0.0)
    running: list[tuple[float, float, str]] = []  # end, start, camera
    visits = dict.fromkeys((f"c{n}" for n in range(cameras)), 0)
    now = 0.0
    rounds = max(period, visit * cameras / slots)
    horizon = rounds * 6
    while now < horizon:
        while len(running) < slots and (camera := agenda.take(now)) is not None:
            assert all(camera != other for _, _, other in running)
            running.append((now + visit, now, camera))
        assert len(running) <= slots
        ends = [end for end, _, _ in running]
        due = agenda.next_due() if len(running) < slots else None
        now = min([*ends, *([due] if due is not None else [])])
        for item in [item for item in running if item[0] <= now]:
            running.remove(item)
            visits[item[2]] += 1
            agenda.done(item[2], item[1], now, ok=True, chance=rnd.random())  # type: ignore[attr-defined]
    fewest, most = min(visits.values()), max(visits.values())
    assert fewest >= 2
    assert most <= fewest * (1 / (1 - jitter)) + 3


def test_a_period_can_change_and_a_camera_can_leave_while_it_is_visited() -> None:
    agenda = Agenda(0)
    agenda.put("a", 10, now=0)
    assert agenda.take(20) == "a"
    assert agenda.take(20) is None
    agenda.put("a", 5, now=20)
    assert agenda.take(26) is None, "still being visited"
    agenda.done("a", 20, 26, ok=True, chance=0)
    assert agenda.take(26) == "a"
    agenda.remove("a")
    agenda.done("a", 26, 27, ok=True, chance=0)
    assert len(agenda) == 0
    assert agenda.next_due() is None


@pytest.mark.parametrize("removed_first", [True, False])
def test_a_camera_put_again_during_a_visit_waits_for_its_end_and_owes_nothing_to_it(removed_first: bool) -> None:
    agenda = Agenda(0)
    agenda.put("a", 10, now=0)
    assert agenda.take(20) == "a"
    for _ in range(2):  # settings may change twice while a slow camera is being visited
        if removed_first:
            agenda.remove("a")
        agenda.put("a", 100, now=20)
    assert agenda.take(500) is None, "never twice at once"
    assert agenda.next_due() is None
    agenda.done("a", 20, 500, ok=True, chance=0)
    assert agenda.coverage(500) == 0, "the good look was the old one's"
    assert agenda.next_due() == pytest.approx(20 + phase("a") * 100), "its own due time, not one counted from the old"
    assert agenda.take(500) == "a"
    assert agenda.take(500) is None
    agenda.done("a", 500, 501, ok=True, chance=0)
    assert agenda.coverage(501) == 1
    assert agenda.next_due() == 600


def test_failures_of_an_old_visit_put_off_no_fresh_camera() -> None:
    agenda = Agenda(0)
    agenda.put("a", 10, now=0)
    assert agenda.take(10) == "a"
    agenda.put("a", 10, now=10)
    agenda.done("a", 10, 20, ok=False, answered=False, chance=0.5)
    assert agenda.take(20) == "a"
    agenda.done("a", 20, 21, ok=False, answered=False, chance=0.5)
    assert agenda.next_due() == 30, "its first failure: no longer wait yet"


def test_a_fresh_camera_hastened_during_an_old_visit_is_due_at_its_end() -> None:
    agenda = Agenda(0)
    agenda.put("a", 1000, now=0)
    assert agenda.take(1000) == "a"
    agenda.put("a", 1000, now=1000)
    agenda.hasten("a", 1001)
    assert agenda.take(1002) is None
    agenda.done("a", 1000, 1002, ok=True, chance=0)
    assert agenda.take(1002) == "a"


def test_coverage_counts_cameras_looked_at_within_their_period() -> None:
    agenda = Agenda(0)
    assert agenda.coverage(0) == 1.0
    for name in ("a", "b"):
        agenda.put(name, 100, now=0)
    assert agenda.coverage(0) == 0.0
    for _ in range(2):
        camera = agenda.take(100)
        assert camera is not None
        agenda.done(camera, 100, 101, ok=camera == "a", chance=0)
    assert agenda.coverage(150) == 0.5
    assert agenda.coverage(300) == 0.0


@given(st.floats(0, 0.5), st.floats(0, 1, exclude_max=True))
def test_a_visit_comes_early_by_its_share_of_the_jitter_and_never_late(jitter: float, chance: float) -> None:
    agenda = Agenda(0.3)
    agenda.put("a", 100, now=0)
    assert agenda.take(100) == "a"
    agenda.jitter = jitter
    agenda.done("a", 100, 103, ok=True, chance=chance)
    assert agenda.next_due() == pytest.approx(200 - 100 * jitter * chance)


@given(st.floats(1, 3600), st.integers(2, 60), st.floats(0, 1, exclude_max=True))
def test_who_does_not_answer_is_called_on_later_and_later_until_a_good_look(
    period: float, failures: int, chance: float
) -> None:
    agenda, now = Agenda(0), period
    agenda.put("a", period, now=0)

    def gap(*, ok: bool, answered: bool) -> float:
        nonlocal now
        assert agenda.take(now) == "a"
        agenda.done("a", now, now, ok=ok, chance=chance, answered=answered)
        due = agenda.next_due()
        assert due is not None
        before, now = now, due
        return due - before

    lost = [gap(ok=False, answered=False) for _ in range(failures)]
    longest = max(LONGEST_EXTRA_S, period)
    wanted = [period + chance * min(longest, period * 2.0**n) for n in range(failures - 1)]
    assert lost == pytest.approx([period, *wanted], rel=1e-6, abs=1e-6)
    assert gap(ok=False, answered=True) == pytest.approx(period, rel=1e-6), "a dark street is no dead camera"
    assert gap(ok=False, answered=False) >= lost[-1] * (1 - 1e-6), "but no good look either"
    assert gap(ok=True, answered=True) == pytest.approx(period, rel=1e-6)
    assert gap(ok=False, answered=False) == pytest.approx(period, rel=1e-6)


def test_a_jitter_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="jitter"):
        Agenda(0.6)


def test_opens_are_spaced() -> None:
    ramp = Ramp(4)
    assert [ramp.reserve(10.0) for _ in range(3)] == [0.0, 0.25, 0.5]
    assert ramp.reserve(20.0) == 0.0
    ramp.change(1)
    assert [ramp.reserve(20.0) for _ in range(3)] == [0.25, 1.25, 2.25]
    with pytest.raises(ValueError, match="positive"):
        ramp.change(0)


def test_a_hastened_camera_is_next_and_keeps_its_period() -> None:
    agenda = Agenda(0)
    agenda.put("a", 100, now=0)
    agenda.put("b", 100, now=0)
    first = agenda.next_due()
    assert first is not None
    agenda.hasten("a", 0.0)
    agenda.hasten("nobody", 0.0)
    assert agenda.take(0.0) == "a"
    agenda.hasten("a", 0.0)
    assert agenda.take(0.0) is None, "never twice at once"
    agenda.done("a", 0.0, 1.0, ok=True, chance=0)
    assert agenda.take(1.0) is None
    assert agenda.take(99.9) in {"b", None}
    assert agenda.take(100.0) in {"a", "b"}


def test_a_paced_camera_comes_sooner_and_is_measured_by_its_whole_period() -> None:
    agenda = Agenda(jitter=0.0)
    agenda.put("c", 100.0, 0.0)
    first = agenda.next_due()
    assert first is not None
    assert agenda.take(first) == "c"
    agenda.pace("c", 0.25, first)
    agenda.done("c", first, first + 1, ok=True, chance=0.0)
    assert agenda.next_due() == first + 25
    agenda.pace("c", 1.0, first + 1)
    assert agenda.next_due() == first + 25, "a visit that is planned is not put off"
    assert agenda.take(first + 25) == "c"
    agenda.done("c", first + 25, first + 26, ok=True, chance=0.0)
    assert agenda.next_due() == first + 125
    agenda.pace("c", 0.5, first + 30)
    assert agenda.next_due() == first + 80, "one that waits comes forward"
    assert agenda.coverage(first + 120) == 1.0
    agenda.pace("unknown", 0.5, 0.0)
