"""A good frame is made ready by the thread that read it; the loop looks at what was prepared, or begins anew."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from detector.api.metrics import Metrics
from detector.assembly import prepared_by
from detector.core.camera import SamplingMode
from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Frame, Image, Picture, Prepared, plain
from detector.core.look import Condition, Look, LookStatus
from detector.inference.swap import HotSwap
from detector.ports import Found
from detector.worker.cores import READING, give_way
from detector.worker.deciding import Decider, Seen
from detector.worker.gate import OpenGate
from detector.worker.loop import Loop
from detector.worker.mailbox import Mailbox
from detector.worker.patrol import Patrol
from detector.worker.reader import StreamReader
from tests.worker.doubles import Script, always_ok, camera, frame, now


class Noted:
    """What was prepared, and on which thread."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    def __call__(self, good: Frame) -> Frame:
        self.threads.append(threading.current_thread().name)
        return replace(good, prepared=Prepared(good.image, "form", np.ones(1)))


def test_a_reader_prepares_good_frames_only() -> None:
    mailbox, noted = Mailbox(), Noted()
    conditions = iter([Condition(LookStatus.DARK, "night"), Condition(LookStatus.OK)])
    source = Script([frame("a", 1), frame("a", 2)])
    reader = StreamReader(
        *(camera("a"), lambda _c: source, lambda _f: next(conditions), mailbox, OpenGate(1000), now), prepare=noted
    )
    reader._put = mailbox.put_in_turn  # nothing may be replaced here
    reader.start()
    dark, good = (mailbox.take(1, 0)[0] for _ in range(2))
    reader.stop()
    reader.join(10)
    assert isinstance(dark, Look)
    assert isinstance(good, Frame)
    assert isinstance(good.picture, Prepared)
    assert plain(good.picture) is good.image
    assert noted.threads == ["reader-a"]


def test_a_visit_prepares_what_it_brings() -> None:
    mailbox, noted = Mailbox(), Noted()
    patrol = Patrol(lambda one: frame(one.id), mailbox, OpenGate(1000), now, concurrent=1, prepare=noted)
    patrol.put(camera("p", mode=SamplingMode.PATROL, interval_s=60.0), always_ok)
    patrol.start()
    (brought,) = mailbox.take(1, 0)
    patrol.stop()
    assert isinstance(brought, Frame)
    assert isinstance(brought.picture, Prepared)
    assert noted.threads == ["patrol-0"]


def test_a_frame_that_nobody_prepared_is_its_picture() -> None:
    plainly = frame("a")
    assert plainly.picture is plainly.image


HEAP = Detection("garbage", BoundingBox(1, 1, 5, 5), 0.8)


class Formed:
    """A Detector with a form of its own; remembers what it was given."""

    labels: tuple[str, ...] = ()

    def __init__(self, form: str) -> None:
        self.form = self.model_version = form
        self.given: list[Picture] = []

    def prepare(self, image: Image) -> Picture:
        return Prepared(image, self.form, np.zeros(1))

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        return self.infer(images)()

    def infer(self, images: Sequence[Picture]) -> Found:
        self.given += images
        return lambda: [[] for _ in images]


def test_the_loop_looks_at_what_was_prepared_and_tells_of_the_frame() -> None:
    model = Formed("now")
    loop = Loop(Mailbox(), lambda: model, cast(Decider, None), Metrics(), now)
    plainly, ready = frame("a"), replace(frame("b"), prepared=Prepared(frame("b").image, "now", np.ones(1)))
    seen = loop._seen_in(loop._look_at([plainly, ready]))
    assert [id(picture) for picture in model.given] == [id(plainly.image), id(ready.prepared)]
    assert [(one.look.camera_id, one.look.model_version, one.frame) for one in seen] == [
        ("a", "now", plainly),
        ("b", "now", ready),
    ]


class Decided:
    """A Decider that remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []

    def take_up(self) -> None:
        pass

    def record(self, batch: Sequence[Seen]) -> None:
        self.seen += batch

    def heed_verdicts(self) -> None:
        pass


def test_what_the_network_found_is_read_by_the_thread_that_decides() -> None:
    class Lazy(Formed):
        def infer(self, images: Sequence[Picture]) -> Found:
            ran.append(threading.current_thread().name)
            return self.read

        def read(self) -> list[list[Detection]]:
            read.append(threading.current_thread().name)
            return [[HEAP]]

    ran: list[str] = []
    read: list[str] = []
    decided, mailbox = Decided(), Mailbox()
    loop = Loop(mailbox, lambda: Lazy("now"), cast(Decider, decided), Metrics(), now)
    mailbox.put(frame("a"))
    mailbox.close()
    loop.start()
    assert loop.join(30)
    assert (ran, read) == (["loop-see"], ["loop-decide"])
    assert [(one.look.camera_id, one.look.detections) for one in decided.seen] == [("a", (HEAP,))]


def test_frames_wait_in_the_form_of_the_model_in_force() -> None:
    old, new = Formed("old"), Formed("new")
    swap = HotSwap(old, lambda _path: new)
    prepare = prepared_by(swap)
    before = prepare(frame("a"))
    swap._current = new
    after = prepare(frame("a"))
    assert [one.prepared.form for one in (before, after) if one.prepared] == ["old", "new"]
    assert before.image.shape == (8, 8, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux only")
def test_readers_stand_back_and_nobody_else() -> None:
    mailbox, nice = Mailbox(), [0]

    def measured(good: Frame) -> Frame:
        nice[0] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        return good

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    reader = StreamReader(
        *(camera("a"), lambda _c: Script([frame("a")]), always_ok, mailbox, OpenGate(1000), now), prepare=measured
    )
    reader.start()
    mailbox.take(1, 0)
    reader.stop()
    reader.join(10)
    assert nice[0] == min(19, before + READING)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_a_system_that_forbids_it_is_lived_with(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: int) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(os, "setpriority", forbidden)
    give_way(5)
