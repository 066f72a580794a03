"""What is remembered of a view outlives a restart, a change of worker, and a change of the camera's settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from detector.assembly import Lenses, Memories
from detector.config import Settings
from detector.core.frame import Frame, Image
from detector.core.look import LookStatus
from detector.errors import StoreError
from detector.sources.condition import ConditionWatch
from detector.store import Store, open_store
from detector.worker.reader import Judgement
from tests.sources.clips import now
from tests.worker.doubles import camera

LOOKS = 8


def street(seed: int, number: int) -> Image:
    """A view of its own per `seed`, with some noise in each picture."""
    cells = np.random.default_rng(seed).integers(40, 215, (45, 80, 3))
    noise = np.random.default_rng(number).integers(-9, 10, (360, 640, 3))
    return (cells.repeat(8, 0).repeat(8, 1) + noise).astype(np.uint8)


def looks(judge: Judgement, seed: int, count: int = LOOKS) -> list[LookStatus]:
    return [judge(Frame("a", now(), street(seed, number))).status for number in range(count)]


class Watch:
    def __init__(self) -> None:
        self.later = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.later


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'street.db'}")
    yield opened
    opened.close()


@pytest.fixture
def started(store: Store, watch: Watch) -> Callable[[], tuple[Lenses, Memories]]:
    """A worker, as it starts."""

    def start() -> tuple[Lenses, Memories]:
        memories = Memories(store, watch)
        return Lenses(Settings(), memories), memories

    return start


Started = Callable[[], tuple[Lenses, Memories]]
SAME, TURNED = [LookStatus.OK] * LOOKS, [LookStatus.OK] * 2 + [LookStatus.MOVED] * (LOOKS - 2)
"""Another view is told from the third look on: a lorry may fill the picture for two."""


def test_a_camera_that_was_turned_during_a_restart_is_noticed(started: Started) -> None:
    lenses, memories = started()
    assert looks(lenses.condition(camera("a")), 1) == SAME
    memories.close()
    for seed, expected in ((2, TURNED), (1, SAME)):
        again, _ = started()
        assert looks(again.condition(camera("a")), seed) == expected
    other, _ = started()
    assert looks(other.condition(camera("b")), 2) == SAME, "another camera has another view"


def test_so_it_is_when_its_settings_change_and_forgotten_when_it_is_removed(started: Started) -> None:
    lenses, memories = started()
    assert looks(lenses.condition(camera("a")), 1) == SAME
    assert looks(lenses.condition(camera("a", interval_s=3.0)), 2) == TURNED
    memories.forget("a")
    assert looks(lenses.condition(camera("a")), 2) == SAME


def test_what_is_old_is_not_taken_up_and_goes(started: Started, store: Store, watch: Watch) -> None:
    lenses, memories = started()
    looks(lenses.condition(camera("a")), 1)
    assert memories.write() == 1
    watch.later = timedelta(hours=3)
    again, later = started()
    assert looks(again.condition(camera("a")), 2) == SAME
    assert looks(again.condition(camera("b")), 3) == SAME
    assert later.write() == 2
    long_ago = now() - timedelta(days=1)
    assert store.memory("a", long_ago) is not None
    watch.later = timedelta(hours=9)
    store.remember({"b": "{}"}, watch(), watch() - timedelta(hours=2))
    assert store.memory("a", long_ago) is None


def test_only_what_was_learnt_anew_is_written(started: Started) -> None:
    lenses, memories = started()
    judge = lenses.condition(camera("a"))
    assert memories.write() == 0
    looks(judge, 1, 1)
    assert memories.write() == 1
    assert memories.write() == 0
    judge(Frame("a", now(), np.zeros((360, 640, 3), np.uint8)))  # dark: nothing is learnt from it
    assert memories.write() == 0
    looks(judge, 1, 1)
    assert memories.write() == 1


def test_recordings_remember_nothing(started: Started) -> None:
    lenses, memories = started()
    looks(lenses.condition(camera("a", realtime=False)), 1)
    assert memories.write() == 0


def test_a_database_that_fails_costs_the_memory_and_no_look(
    started: Started, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("no database")

    lenses, memories = started()
    monkeypatch.setattr(store, "memory", fail)
    monkeypatch.setattr(store, "remember", fail)
    assert looks(lenses.condition(camera("a")), 1) == SAME
    memories.close()
    assert [record.message for record in caplog.records] == [
        "its view could not be remembered: no database",
        "what the cameras' views are like is not kept: no database",
    ]


@pytest.mark.parametrize("state", ["{}", "[]", "no json", '{"view": {"edges": "!"}, "sharpness": []}'])
def test_a_memory_that_cannot_be_read_is_none(started: Started, store: Store, state: str) -> None:
    store.remember({"a": state}, now(), now() - timedelta(hours=1))
    lenses, _ = started()
    assert looks(lenses.condition(camera("a")), 1) == SAME


def test_a_reader_that_is_learning_just_now_is_written_next_time(
    started: Started, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    lenses, memories = started()
    looks(lenses.condition(camera("a")), 1)

    def busy(_self: ConditionWatch) -> dict[str, object]:
        raise RuntimeError("deque mutated during iteration")

    with monkeypatch.context() as learning:
        learning.setattr(ConditionWatch, "dump", busy)
        memories.write()
        assert store.memory("a", now() - timedelta(hours=1)) is None
    memories.write()
    assert store.memory("a", now() - timedelta(hours=1)) is not None
