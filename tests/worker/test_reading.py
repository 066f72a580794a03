"""Readers, patrol and roster: failures become looks, cameras come and go without touching another."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from detector.core.camera import Camera, SamplingMode
from detector.core.frame import Frame
from detector.core.look import Condition, Look, LookStatus
from detector.core.schedule import Agenda
from detector.errors import SourceUnreachable
from detector.worker.gate import OpenGate
from detector.worker.mailbox import Mailbox
from detector.worker.patrol import Patrol
from detector.worker.reader import HASTENED_ABOVE_S, STALE_LOOKS, Judgement, StreamReader
from detector.worker.roster import Roster
from tests.worker.doubles import Script, always_ok, camera, frame, now, until


def reader(source: Script, mailbox: Mailbox, condition: Judgement = always_ok) -> StreamReader:
    return StreamReader(camera("a"), lambda _c: source, condition, mailbox, OpenGate(1000), now)


def test_a_failure_becomes_a_look_and_the_reader_comes_back() -> None:
    mailbox = Mailbox()
    mailbox.put = mailbox.put_in_turn  # type: ignore[method-assign]  # nothing may be replaced here
    sources = iter(
        [
            Script([SourceUnreachable("no answer")]),
            Script([ValueError("decoder")]),
            Script([frame("a")]),
        ]
    )
    thread = StreamReader(
        camera("a", interval_s=0.02),
        lambda _c: next(sources),
        always_ok,
        mailbox,
        OpenGate(1000),
        now,
    )
    thread.start()
    got = [mailbox.take(1, 0)[0] for _ in range(3)]
    thread.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert [type(s) for s in got] == [Look, Look, Frame]
    assert [s.status for s in got if isinstance(s, Look)] == [LookStatus.UNREACHABLE] * 2
    assert [s.reason for s in got if isinstance(s, Look)] == ["no answer", "decoder"]


def test_a_picture_in_bad_condition_never_leaves_as_a_frame() -> None:
    mailbox = Mailbox()
    thread = reader(Script([frame("a")]), mailbox, lambda _f: Condition(LookStatus.DARK, "night"))
    thread.start()
    (sighting,) = mailbox.take(1, 0)
    thread.stop()
    thread.join(10)
    assert isinstance(sighting, Look)
    assert (sighting.status, sighting.reason) == (LookStatus.DARK, "night")


def test_a_stream_that_stays_stale_is_opened_anew_and_one_stale_picture_is_not() -> None:
    mailbox = Mailbox()
    conditions = [LookStatus.STALE, LookStatus.OK, *[LookStatus.STALE] * STALE_LOOKS, LookStatus.OK]
    judged = iter(conditions)
    opened: list[Script] = []

    def open_source(_camera: Camera) -> Script:
        opened.append(Script([frame("a", len(opened))] * (len(conditions) - 1 if not opened else 1)))
        return opened[-1]

    thread = StreamReader(
        *(camera("a"), open_source, lambda _f: Condition(next(judged), "old"), mailbox, OpenGate(1000), now)
    )
    put, got = mailbox.put, []

    def keep(sighting: Frame | Look) -> None:
        got.append(sighting)
        put(sighting)

    thread._put = keep
    thread.start()
    assert until(lambda: len(got) == len(conditions))
    thread.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert len(opened) == 2
    assert all(source.closed.is_set() for source in opened)
    assert [isinstance(sighting, Frame) for sighting in got] == [c is LookStatus.OK for c in conditions]


@pytest.mark.parametrize(
    ("changes", "hastened"),
    [
        ({"interval_s": HASTENED_ABOVE_S + 1}, 1),
        ({"interval_s": HASTENED_ABOVE_S}, 0),  # the next look is soon enough
        ({"interval_s": HASTENED_ABOVE_S + 1, "realtime": False}, 0),  # a file is read as it was filmed
    ],
)
def test_an_extra_look_is_asked_of_the_open_stream(changes: dict[str, object], hastened: int) -> None:
    source = Script([])
    thread = StreamReader(camera("a", **changes), lambda _c: source, always_ok, Mailbox(), OpenGate(1000), now)
    thread.hasten()  # nothing is open: the first picture comes at once anyway
    assert source.hastened == 0
    thread.start()
    assert until(lambda: thread.connected)
    thread.hasten()
    thread.stop()
    thread.join(10)
    assert source.hastened == hastened


def test_the_roster_hastens_streams_and_visits_and_nothing_that_is_not_its_own() -> None:
    mailbox, sources, visited = Mailbox(), {}, []

    def open_source(cam: Camera) -> Script:
        sources[cam.id] = Script([])
        return sources[cam.id]

    def visit(cam: Camera) -> Frame:
        visited.append(cam.id)
        return frame(cam.id)

    patrol = Patrol(visit, mailbox, OpenGate(10_000), now, concurrent=1)

    def new_reader(cam: Camera, condition: Judgement) -> StreamReader:
        return StreamReader(cam, open_source, condition, mailbox, OpenGate(10_000), now)

    roster = Roster(new_reader, lambda _c: always_ok, patrol)
    streams = [camera(name, interval_s=600.0) for name in ("one", "other")]
    called_on = [camera(name, mode=SamplingMode.PATROL, interval_s=86_400.0) for name in ("first", "second")]
    roster.apply({one.id: one for one in [*streams, *called_on]})
    assert until(lambda: roster.open_streams() == 2)
    for name in ("one", "first", "nobody"):
        roster.hasten(name)
    patrol.start()
    assert until(lambda: visited == ["first"])
    assert {name: source.hastened for name, source in sources.items()} == {"one": 1, "other": 0}
    assert roster.stop(10)
    patrol.stop()
    assert visited == ["first"]


def test_stop_interrupts_a_blocked_read() -> None:
    source = Script([])
    thread = reader(source, Mailbox())
    thread.start()
    assert until(lambda: thread.connected)
    thread.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert source.closed.is_set()


def test_patrol_visits_all_within_the_cap_and_a_dead_camera_stops_nobody() -> None:
    mailbox, running, most = Mailbox(), Counter[str](), 0
    lock = threading.Lock()

    def visit(cam: Camera) -> Frame:
        nonlocal most
        with lock:
            running[cam.id] += 1
            most = max(most, sum(running.values()))
            assert running[cam.id] == 1, "never twice at once"
        try:
            if cam.id == "c3":
                raise SourceUnreachable("dead")
            return frame(cam.id)
        finally:
            with lock:
                running[cam.id] -= 1

    patrol = Patrol(visit, mailbox, OpenGate(10_000), now, concurrent=3)
    patrol.start()
    for n in range(12):
        patrol.put(camera(f"c{n}", mode=SamplingMode.PATROL, interval_s=1.0), always_ok)
    seen: dict[str, list[object]] = {}
    while len(seen) < 12 or any(len(s) < 3 for s in seen.values()):
        for sighting in mailbox.take(4, 0):
            seen.setdefault(sighting.camera_id, []).append(sighting)
    assert all(isinstance(s, Look) for s in seen["c3"])
    assert all(isinstance(s, Frame) for camera_id in seen if camera_id != "c3" for s in seen[camera_id])
    assert 1 <= most <= 3
    assert until(lambda: abs(patrol.coverage() - 11 / 12) < 1e-9)
    patrol.stop()
    assert not [t for t in threading.enumerate() if t.name.startswith("patrol-")]


def test_a_visit_that_throws_anything_is_a_failed_look_and_the_patrol_walks_on() -> None:
    mailbox = Mailbox()

    def visit(_camera: Camera) -> Frame:
        raise ZeroDivisionError("decoder")

    patrol = Patrol(visit, mailbox, OpenGate(10_000), now, concurrent=1)
    patrol.start()
    patrol.put(camera("p", mode=SamplingMode.PATROL, interval_s=0.02), always_ok)
    for _ in range(3):
        (look,) = mailbox.take(1, 0)
        assert isinstance(look, Look)
        assert (look.status, look.reason) == (LookStatus.UNREACHABLE, "decoder")
    patrol.stop()


def test_a_camera_that_goes_or_changes_during_its_visit_leaves_nothing() -> None:
    mailbox, under_way, free = Mailbox(), threading.Semaphore(0), threading.Semaphore(0)
    visited: list[Camera] = []

    def visit(cam: Camera) -> Frame:
        visited.append(cam)
        under_way.release()
        free.acquire()
        return frame(cam.id)

    patrol = Patrol(visit, mailbox, OpenGate(10_000), now, concurrent=1)
    patrol.start()
    first = camera("changes", mode=SamplingMode.PATROL, interval_s=0.02)
    second = camera("changes", mode=SamplingMode.PATROL, interval_s=0.03)
    patrol.put(first, always_ok)
    under_way.acquire()
    patrol.put(second, always_ok)
    free.release()
    under_way.acquire()
    assert visited[-1] is second
    patrol.remove("changes")
    free.release()
    patrol.put(camera("stays", mode=SamplingMode.PATROL, interval_s=0.02), always_ok)
    under_way.acquire()
    free.release()
    (sighting,) = mailbox.take(8, 0)  # the oldest first: nothing by the old settings, nothing of what is gone
    assert sighting.camera_id == "stays"
    free.release(1000)
    patrol.stop()


@pytest.mark.parametrize("removed_first", [True, False])
def test_a_camera_replaced_during_its_visit_is_not_visited_twice_at_once(removed_first: bool) -> None:
    mailbox, under_way = Mailbox(), threading.Semaphore(0)
    visited: list[Camera] = []
    old = camera("changes", mode=SamplingMode.PATROL, interval_s=86_400.0)
    new = camera("changes", mode=SamplingMode.PATROL, interval_s=43_200.0)
    other = camera("other", mode=SamplingMode.PATROL, interval_s=86_400.0)
    free = {cam.interval_s: threading.Event() for cam in (old, new)}

    def visit(cam: Camera) -> Frame:
        visited.append(cam)
        under_way.release()
        if cam is not other:
            free[cam.interval_s].wait()
        return frame(cam.id)

    patrol = Patrol(visit, mailbox, OpenGate(10_000), now, concurrent=2)
    patrol.put(old, always_ok)
    patrol.hasten("changes")
    patrol.start()
    under_way.acquire()
    if removed_first:
        patrol.remove("changes")  # as the roster does
    patrol.put(new, always_ok)
    patrol.hasten("changes")
    patrol.put(other, always_ok)
    patrol.hasten("other")
    under_way.acquire()  # who is free passes by the one that has been due longer
    assert visited == [old, other]
    assert mailbox.take(1, 0)[0].camera_id == "other"
    free[old.interval_s].set()
    under_way.acquire()
    assert visited[-1] is new
    assert until(lambda: patrol.coverage() == 0.5), "the old visit gave a good picture, the new one none yet"
    free[new.interval_s].set()
    assert mailbox.take(1, 0)[0].camera_id == "changes"
    assert until(lambda: patrol.coverage() == 1.0)
    patrol.stop()
    assert len(visited) == 3


def test_coverage_counts_good_pictures_only() -> None:
    mailbox = Mailbox()

    def visit(cam: Camera) -> Frame:
        if cam.id == "dead":
            raise SourceUnreachable("no answer")
        return frame(cam.id)

    def condition(found: Frame) -> Condition:
        return Condition(LookStatus.DARK if found.camera_id == "dark" else LookStatus.OK)

    patrol = Patrol(visit, mailbox, OpenGate(10_000), now, concurrent=2)
    patrol.start()
    names = ("well", "fine", "dark", "dead")
    for name in names:
        patrol.put(camera(name, mode=SamplingMode.PATROL, interval_s=86_400.0), condition)
        patrol.hasten(name)
    assert {mailbox.take(1, 0)[0].camera_id for _ in names} == set(names)
    assert until(lambda: patrol.visiting == 0)
    assert patrol.coverage() == 0.5
    assert patrol.patrolled == 4
    patrol.remove("dead")
    assert patrol.patrolled == 3
    patrol.stop()


def test_the_agenda_is_told_who_gave_a_good_picture_and_who_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, tuple[bool, bool]] = {}
    lock = threading.Lock()
    done = Agenda.done

    def note(agenda: Agenda, camera_id: str, *times: float, ok: bool, answered: bool, chance: float) -> None:
        with lock:
            told[camera_id] = (ok, answered)
        done(agenda, camera_id, *times, ok=ok, answered=answered, chance=chance)

    def visit(cam: Camera) -> Frame:
        if cam.id == "dead":
            raise SourceUnreachable("no answer")
        if cam.id == "odd":
            raise ValueError("decoder")
        return frame(cam.id)

    def condition(found: Frame) -> Condition:
        return Condition(LookStatus.DARK if found.camera_id == "dark" else LookStatus.OK)

    monkeypatch.setattr(Agenda, "done", note)
    patrol = Patrol(visit, Mailbox(), OpenGate(10_000), now, concurrent=2)
    patrol.start()
    for name in ("well", "dark", "dead", "odd"):
        patrol.put(camera(name, mode=SamplingMode.PATROL, interval_s=86_400.0), condition)
        patrol.hasten(name)
    assert until(lambda: len(told) == 4)
    patrol.stop()
    assert told == {"well": (True, True), "dark": (False, True), "dead": (False, False), "odd": (False, False)}


def test_the_patrol_grows_and_shrinks_while_it_walks_and_cuts_no_visit_short() -> None:
    mailbox, free = Mailbox(), threading.Semaphore(0)
    visited: list[str] = []

    def visit(cam: Camera) -> Frame:
        free.acquire()
        visited.append(cam.id)
        return frame(cam.id)

    def walking() -> int:
        return sum(thread.name.startswith("patrol-") for thread in threading.enumerate())

    patrol = Patrol(visit, mailbox, OpenGate(10_000), now, concurrent=1)
    patrol.start()
    for n in range(8):
        patrol.put(camera(f"c{n}", mode=SamplingMode.PATROL, interval_s=0.05), always_ok)
    assert until(lambda: patrol.visiting == 1)
    patrol.change(5, 0.0)
    assert until(lambda: patrol.visiting == 5)
    patrol.change(2, 0.0)
    assert patrol.visiting == 5, "nobody is called off"
    free.release(5)
    assert until(lambda: len(visited) == 5 and walking() == 2 and patrol.visiting == 2)
    patrol.change(3, 0.0)
    assert until(lambda: patrol.visiting == 3 and walking() == 3)
    free.release(1000)
    assert until(lambda: len(set(visited)) == 8), "all cameras still get their turn"
    patrol.stop()
    assert walking() == 0


@pytest.mark.parametrize("told", ["to stop", "to be fewer"])
def test_who_is_told_just_before_it_would_wait_does_not_wait(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patrol = Patrol(lambda one: frame(one.id), Mailbox(), OpenGate(10_000), now, concurrent=2)
    look, once = patrol._too_many, iter([True])

    def just_after() -> bool:
        leaves = look()
        for _ in once:
            tell = threading.Thread(target=lambda: patrol.stop(0) if told == "to stop" else patrol.change(0, 0.0))
            tell.start()
            tell.join()
        return leaves

    monkeypatch.setattr(patrol, "_too_many", just_after)
    patrol.start()  # with no camera, so that nothing ever falls due
    threads = list(patrol._threads)
    for thread in threads:
        thread.join(20)
    assert not [thread for thread in threads if thread.is_alive()]


def test_a_roster_that_was_stopped_reads_nothing_more() -> None:
    """The ownership of cameras is renewed on another thread, which may be in the middle of it."""
    opened: list[str] = []

    def open_source(cam: Camera) -> Script:
        opened.append(cam.id)
        return Script([])

    mailbox = Mailbox()
    roster = Roster(
        lambda cam, cond: StreamReader(cam, open_source, cond, mailbox, OpenGate(1000), now),
        lambda _cam: always_ok,
        Patrol(lambda cam: frame(cam.id), mailbox, OpenGate(1000), now),
    )
    assert roster.stop(10)
    roster.apply({"a": camera("a")})
    assert roster.cameras() == {}
    assert not [t for t in threading.enumerate() if t.name == "reader-a"]
    assert opened == []


def test_roster_restarts_only_what_changed() -> None:
    mailbox = Mailbox()
    opened: list[str] = []

    def open_source(cam: Camera) -> Script:
        opened.append(cam.id)
        return Script([])

    patrol = Patrol(lambda cam: frame(cam.id), mailbox, OpenGate(1000), now, concurrent=1)
    patrol.start()
    roster = Roster(
        lambda cam, cond: StreamReader(cam, open_source, cond, mailbox, OpenGate(1000), now),
        lambda _cam: always_ok,
        patrol,
    )
    first = {"a": camera("a"), "b": camera("b"), "p": camera("p", mode=SamplingMode.PATROL)}
    roster.apply(first)
    assert until(lambda: sorted(opened) == ["a", "b"])
    roster.apply({"a": camera("a"), "b": camera("b", interval_s=3.0), "c": camera("c")})
    assert until(lambda: sorted(opened) == ["a", "b", "b", "c"])
    assert set(roster.cameras()) == {"a", "b", "c"}
    assert until(lambda: roster.open_streams() == 3)
    roster.stop(10)
    patrol.stop()
    assert not [t for t in threading.enumerate() if t.name.startswith(("reader-", "patrol-"))]
