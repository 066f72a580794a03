"""Which cameras a worker reads is a row in the database that other workers share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from detector.core.camera import Camera
from detector.errors import StoreError
from detector.store import Store, open_store
from detector.worker.loop import Loop
from detector.worker.mailbox import Mailbox
from detector.worker.patrol import Patrol
from detector.worker.roster import Roster
from detector.worker.worker import Worker
from tests.worker.doubles import START, camera, until

LEASE = timedelta(seconds=0.3)


class Quiet:
    """In place of loop, patrol and roster: starts nothing, and remembers what is to be read."""

    def __init__(self) -> None:
        self.read: dict[str, Camera] = {}

    def start(self) -> None:
        pass

    def apply(self, wanted: Mapping[str, Camera]) -> None:
        self.read = dict(wanted)

    def cameras(self) -> dict[str, Camera]:
        return self.read

    def stop(self, _timeout_s: float) -> bool:
        return True

    def join(self, _timeout_s: float) -> bool:
        return True


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at: datetime = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'street.db'}")
    yield opened
    opened.close()


Made = tuple[Worker, Quiet]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def made(store: Store, watch: Watch) -> Iterator[Callable[[str], Made]]:
    workers: list[Worker] = []

    def make(name: str) -> Made:
        quiet = Quiet()
        worker = Worker(
            *(name, store, Mailbox(), cast(Patrol, quiet), cast(Roster, quiet), cast(Loop, quiet), watch), lease=LEASE
        )
        workers.append(worker)
        return worker, quiet

    yield make
    for worker in workers:
        worker.stop(1)


def fleet(*names: str) -> dict[str, Camera]:
    return {name: camera(name) for name in names}


def test_the_second_worker_stands_by_and_takes_what_the_first_gives_back(made: Callable[[str], Made]) -> None:
    (first, mine), (second, its) = made("first"), made("second")
    first.start(fleet("a", "b"))
    second.start(fleet("a", "b", "c"))
    assert mine.read.keys() == {"a", "b"}
    assert its.read.keys() == {"c"}
    first.change(fleet("b"))
    assert until(lambda: mine.read.keys() == {"b"} and its.read.keys() == {"a", "c"})
    first.stop(1)
    assert until(lambda: its.read.keys() == {"a", "b", "c"})


def test_what_a_dead_worker_had_is_free_after_its_lease(
    made: Callable[[str], Made], store: Store, watch: Watch
) -> None:
    store.claim_cameras("dead", ["a"], START, LEASE)
    worker, read = made("alive")
    worker.start(fleet("a"))
    assert read.read == {}
    watch.at = START + 2 * LEASE
    assert until(lambda: read.read.keys() == {"a"})


def test_a_database_that_fails_takes_no_camera_away(
    made: Callable[[str], Made], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, read = made("alone")
    worker.start(fleet("a"))
    tries: list[int] = []

    def fail(*_: object) -> frozenset[str]:
        tries.append(1)
        raise StoreError("no database")

    with monkeypatch.context() as broken:
        broken.setattr(store, "claim_cameras", fail)
        assert until(lambda: len(tries) >= 3)
        assert read.read.keys() == {"a"}
        worker.change(fleet("a", "b"))
        assert until(lambda: len(tries) >= 5)
        assert read.read.keys() == {"a"}
    assert until(lambda: read.read.keys() == {"a", "b"})
