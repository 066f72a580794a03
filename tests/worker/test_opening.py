"""Opens are spaced whoever opens, waits grow until a good picture comes, and a wait ends with the worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from detector.core.camera import Camera, SamplingMode
from detector.core.frame import Frame
from detector.core.look import Condition, LookStatus
from detector.errors import SourceUnreachable
from detector.worker import reader as reading
from detector.worker.gate import OpenGate
from detector.worker.mailbox import Mailbox
from detector.worker.patrol import Patrol
from detector.worker.reader import LATELY_LOST, LATELY_LOST_CAP_S, LONG_LOST_CAP_S, StreamReader
from tests.worker.doubles import Script, always_ok, camera, frame, now, until

PER_SECOND = 20.0


class Waits:
    """In place of `backoff`: notes what is asked and waits for hardly anything."""

    def __init__(self) -> None:
        self.failures: list[int] = []
        self.caps: list[float] = []

    def __call__(self, failures: int, chance: float, *, cap_s: float) -> float:
        assert 0 <= chance < 1
        self.failures.append(failures)
        self.caps.append(cap_s)
        return 0.0


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    made = Waits()
    monkeypatch.setattr(reading, "backoff", made)
    return made


def test_after_a_restart_streams_and_visits_together_are_opened_one_by_one() -> None:
    opened: list[float] = []
    lock = threading.Lock()

    def note() -> None:
        with lock:
            opened.append(time.monotonic())

    def open_source(_camera: Camera) -> Script:
        note()
        return Script([])

    def visit(one: Camera) -> Frame:
        note()
        return frame(one.id)

    mailbox, gate = Mailbox(), OpenGate(PER_SECOND)
    patrol = Patrol(visit, mailbox, gate, now, concurrent=8)
    for n in range(8):
        patrol.put(camera(f"p{n}", mode=SamplingMode.PATROL, interval_s=0.001), always_ok)
    started = time.monotonic()
    readers = [StreamReader(camera(f"s{n}"), open_source, always_ok, mailbox, gate, now) for n in range(8)]
    for thread in readers:
        thread.start()
    patrol.start()
    assert until(lambda: len(opened) >= 16)
    for thread in readers:
        thread.stop()
    patrol.stop()
    # the n-th of all may come late, on a machine that is busy, but never before its place in the row
    assert all(at - started >= n / PER_SECOND for n, at in enumerate(sorted(opened)))


@pytest.mark.parametrize("kind", ["reader", "patrol"])
def test_who_waits_for_its_turn_ends_with_the_worker(kind: str) -> None:
    gate = OpenGate(0.001)
    assert gate.wait(threading.Event())  # the next turn is in a quarter of an hour
    if kind == "reader":
        thread = StreamReader(camera("a"), lambda _c: Script([]), always_ok, Mailbox(), gate, now)
        thread.start()
        thread.stop()
        thread.join(20)
        assert not thread.is_alive()
    else:
        patrol = Patrol(lambda one: frame(one.id), Mailbox(), gate, now, concurrent=1)
        patrol.put(camera("p", mode=SamplingMode.PATROL, interval_s=0.001), always_ok)
        patrol.start()
        assert until(lambda: patrol.visiting == 1)
        patrol.stop(20)
        assert patrol.visiting == 0


def run(scripts: list[Script], enough: Callable[[], bool], *conditions: LookStatus) -> None:
    """Let a reader open one script after the other until `enough`; pictures are as `conditions` say, then good."""
    sources, found = iter(scripts), iter(conditions)

    def open_source(_camera: Camera) -> Script:
        return next(sources, Script([SourceUnreachable("no more")]))

    def condition(_frame: Frame) -> Condition:
        return Condition(next(found, LookStatus.OK))

    thread = StreamReader(camera("a"), open_source, condition, Mailbox(), OpenGate(1e6), now)
    thread.start()
    assert until(enough)
    thread.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_a_good_picture_ends_the_growing_of_waits_and_a_bad_one_does_not(waits: Waits) -> None:
    lost = SourceUnreachable("no answer")
    scripts = [Script([lost]), Script([lost]), Script([frame("a"), lost]), Script([frame("a"), lost])]
    run(scripts, lambda: len(waits.failures) >= 6, LookStatus.DARK, LookStatus.OK)
    assert waits.failures[:6] == [1, 2, 3, 1, 2, 3]


def test_who_is_gone_for_long_is_called_on_less_often(waits: Waits) -> None:
    run([], lambda: len(waits.failures) > LATELY_LOST + 3)
    assert set(waits.caps[:LATELY_LOST]) == {LATELY_LOST_CAP_S}
    assert set(waits.caps[LATELY_LOST:]) == {LONG_LOST_CAP_S}
