"""What was seen is stored, whatever the database does: tried again, one by one if need be, and never without end."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import cast

import pytest

from detector.api.metrics import Metrics
from detector.core.frame import Picture
from detector.core.look import Look, LookStatus
from detector.errors import DetectorError, NotOwner, StoreError
from detector.ports import Detector, Found
from detector.worker import loop as looping
from detector.worker.deciding import Decider, Seen
from detector.worker.loop import TRIES_TOGETHER, Loop
from detector.worker.mailbox import Mailbox
from tests.worker.doubles import START, frame, now, until


class Book:
    """A Decider that only writes down; `refuse` raises for what it cannot store."""

    def __init__(self, refuse: Callable[[list[str]], None]) -> None:
        self._refuse = refuse
        self.tries: list[list[str]] = []
        self.stored: list[str] = []

    def take_up(self) -> None:
        pass

    def record(self, batch: Sequence[Seen]) -> None:
        names = [seen.look.camera_id for seen in batch]
        self.tries.append(names)
        self._refuse(names)
        self.stored += names

    def heed_verdicts(self) -> None:
        pass


class Blind:
    """A model that sees nothing, or fails."""

    labels: tuple[str, ...] = ()
    model_version = "blind@1"

    def __init__(self, *, fails: bool = False) -> None:
        self._fails = fails

    def infer(self, images: Sequence[Picture]) -> Found:
        if self._fails:
            raise DetectorError("out of memory")
        return lambda: [[] for _ in images]


def seen(*names: str) -> list[Seen]:
    return [Seen(Look(name, START, LookStatus.DARK, reason="night"), None) for name in names]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looping, "STORE_RETRY_S", 0.001)


def loop_with(
    book: Book, metrics: Metrics | None = None, mailbox: Mailbox | None = None, *, fails: bool = False
) -> Loop:
    model = cast(Detector, Blind(fails=fails))
    return Loop(mailbox or Mailbox(), lambda: model, cast(Decider, book), metrics or Metrics(), now)


def test_a_database_that_fails_for_a_while_costs_nothing() -> None:
    failures = iter([StoreError("disk full")] * 3)

    def refuse(_names: list[str]) -> None:
        for failure in failures:
            raise failure

    book, metrics = Book(refuse), Metrics()
    loop_with(book, metrics)._store_what_follows(seen("a", "b"))
    assert book.stored == ["a", "b"]
    assert len(book.tries) == 4
    assert metrics.looks_by_status() == {"dark": 2}


def test_a_look_that_is_stored_tells_how_old_its_picture_is() -> None:
    metrics = Metrics()
    loop = Loop(
        *(Mailbox(), lambda: cast(Detector, Blind()), cast(Decider, Book(lambda _names: None)), metrics),
        lambda: START + timedelta(seconds=100),
    )
    loop._store_what_follows(seen("a"))
    told = re.search(r'detector_frame_age_seconds\{camera="a"\} ([\d.]+)', metrics.text().decode())
    assert told is not None
    assert float(told[1]) >= 100  # and grows from then on


def test_one_look_that_can_never_be_stored_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(names: list[str]) -> None:
        if "b" in names:
            raise StoreError("cannot be written")

    book = Book(refuse)
    loop_with(book)._store_what_follows(seen("a", "b", "c"))
    assert book.stored == ["a", "c"]
    assert book.tries[:TRIES_TOGETHER] == [["a", "b", "c"]] * TRIES_TOGETHER
    [given_up] = [record for record in caplog.records if "given up" in record.message]
    assert (given_up.levelno, given_up.camera_id) == (logging.ERROR, "b")  # type: ignore[attr-defined]


def test_a_camera_that_another_worker_has_taken_over_costs_the_others_nothing() -> None:
    def refuse(names: list[str]) -> None:
        if "lost" in names:
            raise NotOwner("this worker no longer owns lost")

    book = Book(refuse)
    loop_with(book)._store_what_follows(seen("a", "lost", "b"))
    assert book.stored == ["a", "b"]
    assert book.tries == [["a", "lost", "b"], ["a"], ["lost"], ["b"]]


def test_when_nothing_can_be_stored_it_is_tried_until_the_end_and_the_end_tells() -> None:
    def refuse(_names: list[str]) -> None:
        raise StoreError("no database")

    book, mailbox = Book(refuse), Mailbox()
    loop = loop_with(book, mailbox=mailbox)
    loop.start()
    for name in ("a", "b"):
        mailbox.put(Look(name, START, LookStatus.DARK, reason="night"))
    assert until(lambda: len(book.tries) > 3 * TRIES_TOGETHER)
    mailbox.close()
    assert not loop.join(0.05)
    assert until(lambda: not any(t.name.startswith("loop-") for t in threading.enumerate()))
    assert book.stored == []


def test_a_model_that_fails_loses_its_batch_and_nothing_else() -> None:
    book, metrics = Book(lambda _names: None), Metrics()
    mailbox = Mailbox(metrics.dropped)
    loop = loop_with(book, metrics, mailbox, fails=True)
    mailbox.put(frame("street"))
    mailbox.put(Look("dead", START, LookStatus.UNREACHABLE, reason="no answer"))
    mailbox.close()
    loop.start()
    assert loop.join(20)
    assert book.stored == ["dead"]
    assert 'detector_frames_dropped_total{camera="street"} 1.0' in metrics.text().decode()
