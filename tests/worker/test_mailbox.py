"""One slot per camera, newest wins, drops counted, batches bounded by size and by time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from detector.core.frame import Frame
from detector.core.look import Look, LookStatus
from detector.worker import mailbox as module
from detector.worker.mailbox import Mailbox
from tests.worker.doubles import until

AT = datetime(2026, 5, 1, tzinfo=UTC)


def frame(camera: str, value: int = 0) -> Frame:
    return Frame(camera, AT, np.full((2, 2, 3), value, np.uint8))


def test_newest_wins_and_the_drop_is_counted() -> None:
    drops: list[str] = []
    mailbox = Mailbox(drops.append)
    mailbox.put(frame("a", 1))
    mailbox.put(frame("b", 1))
    mailbox.put(frame("a", 2))
    taken = mailbox.take(10, 0)
    assert [(s.camera_id, int(s.image[0, 0, 0])) for s in taken if isinstance(s, Frame)] == [
        ("a", 2),
        ("b", 1),
    ]
    assert drops == ["a"]


def test_a_replaced_failure_is_no_drop() -> None:
    drops: list[str] = []
    mailbox = Mailbox(drops.append)
    mailbox.put(Look("a", AT, LookStatus.UNREACHABLE))
    mailbox.put(frame("a"))
    assert len(mailbox.take(10, 0)) == 1
    assert drops == []


def test_a_fast_camera_does_not_push_others_back() -> None:
    mailbox = Mailbox()
    for camera in ("a", "b", "c"):
        mailbox.put(frame(camera))
    order = []
    for _ in range(6):
        (sighting,) = mailbox.take(1, 0)
        order.append(sighting.camera_id)
        mailbox.put(frame("a"))
        mailbox.put(frame(sighting.camera_id))
    assert set(order[:3]) == {"a", "b", "c"}
    assert set(order[3:]) == {"a", "b", "c"}


def test_a_batch_never_waits_for_all_cameras() -> None:
    mailbox = Mailbox()
    mailbox.put(frame("a"))
    assert len(mailbox.take(8, 0.01)) == 1
    for n in range(20):
        mailbox.put(frame(f"c{n}"))
    assert len(mailbox.take(8, 60)) == 8


def test_a_batch_waits_for_others_up_to_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, mailbox = [100.0], Mailbox()
    waits: list[float] = []
    mailbox.put(frame("a"))

    def another_comes(left_s: float) -> bool:
        waits.append(left_s)
        now[0] += 0.03
        mailbox._slots[f"c{len(waits)}"] = frame(f"c{len(waits)}")
        return True

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(mailbox._filled, "wait", another_comes)
    assert [s.camera_id for s in mailbox.take(8, 0.05)] == ["a", "c1", "c2"]
    assert waits == pytest.approx([0.05, 0.02]), "the time is the whole batch's, not each frame's"
    mailbox.put(frame("b"))
    assert [s.camera_id for s in mailbox.take(2, 60)] == ["b", "c3"]


def test_close_lets_the_rest_be_taken_and_then_ends() -> None:
    mailbox = Mailbox()
    mailbox.put(frame("a"))
    mailbox.close()
    mailbox.put(frame("b"))
    assert [s.camera_id for s in mailbox.take(8, 60)] == ["a"]
    assert mailbox.take(8, 60) == []


def test_a_file_waits_for_its_turn_and_loses_nothing() -> None:
    drops: list[str] = []
    mailbox = Mailbox(drops.append)
    thread = threading.Thread(target=lambda: [mailbox.put_in_turn(frame("a", n)) for n in range(5)])
    thread.start()
    taken = [mailbox.take(4, 0)[0] for _ in range(5)]
    thread.join(10)
    assert [int(s.image[0, 0, 0]) for s in taken if isinstance(s, Frame)] == [0, 1, 2, 3, 4]
    assert drops == []


def test_a_camera_that_nobody_reads_any_more_leaves_nothing_behind() -> None:
    mailbox = Mailbox()

    def read() -> None:
        for n in range(3):
            mailbox.put_in_turn(frame("a", n))

    readers = [threading.Thread(target=read) for _ in range(2)]  # the one that ends and the one that was opened anew
    for reader in readers:
        reader.start()
    assert until(lambda: "a" in mailbox._turns and mailbox._turns["a"].readers == 2)
    assert len([mailbox.take(1, 0) for _ in range(6)]) == 6
    for reader in readers:
        reader.join(10)
        assert not reader.is_alive()
    assert mailbox._turns == {}


def test_close_wakes_a_waiting_taker() -> None:
    mailbox = Mailbox()
    taken: list[list[object]] = []
    thread = threading.Thread(target=lambda: taken.append(list(mailbox.take(8, 60))))
    thread.start()
    mailbox.close()
    thread.join(10)
    assert taken == [[]]


def test_an_emptied_slot_lets_its_own_reader_go_on_and_closing_lets_all() -> None:
    mailbox = Mailbox()
    woken: list[str] = []

    def read(camera: str) -> None:
        for n in range(2):
            mailbox.put_in_turn(frame(camera, n))
        woken.append(camera)

    threads = [threading.Thread(target=read, args=(camera,)) for camera in ("a", "b")]
    for number, thread in enumerate(threads, 1):
        thread.start()
        assert until(lambda number=number: len(mailbox._slots) == number)
    (taken,) = mailbox.take(1, 0)
    threads[0].join(10)
    assert taken.camera_id == "a"
    assert woken == ["a"]
    assert threads[1].is_alive()
    mailbox.close()
    threads[1].join(10)
    assert sorted(woken) == ["a", "b"]
