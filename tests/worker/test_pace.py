"""What is suspected or open at a patrolled camera makes its visits more frequent, by how grave it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from detector.core.category import Category, ClearingPolicy, ConfirmationPolicy
from detector.core.detection import BoundingBox, Detection
from detector.core.judging import labels_alone
from detector.core.look import Look, LookStatus
from detector.errors import NotOwner
from detector.store import Store, open_store
from detector.worker.deciding import Decider, Judging, Seen
from tests.worker.doubles import blind_herald

NOON = datetime(2026, 6, 21, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SURE = ConfirmationPolicy(looks=1, of=1, dwell=timedelta(0), forget_after=timedelta(days=1))
GONE = ClearingPolicy(looks=1, after=timedelta(0))
CATEGORIES = {
    "graffiti": Category("graffiti", {}, frozenset({"graffiti"}), SURE, GONE, risk=1),
    "manhole": Category("manhole", {}, frozenset({"manhole"}), SURE, GONE, risk=3),
}
PAINT = Detection("graffiti", BoundingBox(10, 10, 60, 60), 0.9)
HOLE = Detection("manhole", BoundingBox(100, 100, 160, 160), 0.9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'street.db'}")
    assert opened.claim_cameras("w", ["c1", "c2"], NOON, timedelta(days=9), limit=2)
    yield opened
    opened.close()


@pytest.fixture
def decider(store: Store) -> Decider:
    numbers = count(1)
    judging = Judging(CATEGORIES, lambda _look: labels_alone)
    return Decider(store, blind_herald(CATEGORIES), judging, lambda: NOON, lambda: f"p{next(numbers)}", worker_id="w")


def seen(minute: int, *detections: Detection, status: LookStatus = LookStatus.OK, camera_id: str = "c1") -> Seen:
    at = NOON + minute * MINUTE
    return Seen(Look(camera_id, at, status, detections, model_version="m@1", size=(320, 240)), None)


def test_the_gravest_thing_at_a_camera_is_told_after_each_ok_look(decider: Decider) -> None:
    told: list[tuple[str, int]] = []
    decider.on_risk = lambda camera_id, risk: told.append((camera_id, risk))
    decider.record([seen(0), seen(0, HOLE, camera_id="c2")])
    decider.record([seen(1, PAINT)])
    decider.record([seen(2, PAINT, HOLE)])
    decider.record([seen(3, status=LookStatus.DARK)])
    decider.record([seen(4, PAINT)])
    decider.record([seen(5)])
    assert told == [("c1", 0), ("c2", 3), ("c1", 1), ("c1", 3), ("c1", 1), ("c1", 0)]


def test_what_is_known_from_before_counts(decider: Decider) -> None:
    decider.record([seen(0, HOLE)])
    told: list[tuple[str, int]] = []
    decider.on_risk = lambda camera_id, risk: told.append((camera_id, risk))
    decider.record([seen(1, HOLE)])
    assert told == [("c1", 3)]


def test_nothing_is_told_of_a_look_that_was_not_stored(decider: Decider, store: Store) -> None:
    decider.on_risk = lambda *_: pytest.fail("the look belongs to another worker")
    store.release("w")
    store.claim_cameras("other", ["c1"], NOON, timedelta(days=9), limit=1)
    with pytest.raises(NotOwner):
        decider.record([seen(0, HOLE)])
