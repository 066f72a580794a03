"""What can be told by day only is neither found nor cleared by night; everything else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from detector.assembly import Daylight
from detector.core.category import Category, ClearingPolicy, ConfirmationPolicy, Light
from detector.core.detection import BoundingBox, Detection
from detector.core.geo import GeoPoint, Pose
from detector.core.judging import labels_alone
from detector.core.look import Look, LookStatus
from detector.core.problem import ProblemStatus
from detector.store import Store, open_store
from detector.worker.deciding import Decider, Judging, Seen
from tests.worker.doubles import blind_herald, camera

BEIJING = GeoPoint(39.9042, 116.4074)
NOON = datetime(2026, 6, 21, 4, tzinfo=UTC)  # 12:00 there
NIGHT = datetime(2026, 6, 21, 15, tzinfo=UTC)  # 23:00 there
MINUTE = timedelta(minutes=1)
TWO_LOOKS = ConfirmationPolicy(looks=2, of=3, dwell=timedelta(0), forget_after=timedelta(days=1))
GONE = ClearingPolicy(looks=2, after=timedelta(0))
CATEGORIES = {
    "illegal_ad": Category("illegal_ad", {}, frozenset({"graffiti"}), TWO_LOOKS, GONE, light=Light.DAY),
    "exposed_garbage": Category("exposed_garbage", {}, frozenset({"garbage"}), TWO_LOOKS, GONE),
}
BOTH = (
    Detection("graffiti", BoundingBox(10, 10, 60, 60), 0.9),
    Detection("garbage", BoundingBox(100, 10, 160, 60), 0.9),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'street.db'}")
    assert opened.claim_cameras("w", ["placed", "unplaced"], NOON, timedelta(days=9), limit=2)
    yield opened
    opened.close()


def decider(store: Store) -> Decider:
    numbers = count(1)
    placed = camera("placed", position=BEIJING)
    daylight = Daylight({"placed": placed, "unplaced": camera("unplaced")})
    judging = Judging(CATEGORIES, lambda _look: labels_alone, daylight)
    return Decider(store, blind_herald(CATEGORIES), judging, lambda: NOON, lambda: f"p{next(numbers)}", worker_id="w")


def looks(name: str, start: datetime, many: int, detections: tuple[Detection, ...]) -> list[Look]:
    return [
        Look(name, start + n * MINUTE, LookStatus.OK, detections, model_version="m@1", size=(320, 240))
        for n in range(many)
    ]


def status(store: Store) -> dict[str, ProblemStatus]:
    return {problem.category: problem.status for problem in store.problems(limit=10)}


def test_by_night_it_is_not_found(store: Store) -> None:
    deciding = decider(store)
    for look in looks("placed", NIGHT, 4, BOTH):
        deciding.record([Seen(look, None)])
    assert status(store) == {"exposed_garbage": ProblemStatus.OPEN}


def test_by_night_it_is_not_cleared_and_in_the_morning_it_is(store: Store) -> None:
    deciding = decider(store)
    for look in [*looks("placed", NOON, 4, BOTH), *looks("placed", NIGHT, 12, ())]:
        deciding.record([Seen(look, None)])
    assert status(store) == {"illegal_ad": ProblemStatus.OPEN, "exposed_garbage": ProblemStatus.CLEARED}
    for look in looks("placed", NOON + timedelta(days=1), 12, ()):
        deciding.record([Seen(look, None)])
    assert status(store)["illegal_ad"] is ProblemStatus.CLEARED


def test_where_the_camera_stands_must_be_known(store: Store) -> None:
    deciding = decider(store)
    for look in looks("unplaced", NIGHT, 4, BOTH):
        deciding.record([Seen(look, None)])
    assert status(store)["illegal_ad"] is ProblemStatus.OPEN


@pytest.mark.parametrize(("position", "by_day"), [(BEIJING, False), (GeoPoint(39.9, -60.0), True)])
def test_over_a_moving_camera_the_sun_stands_where_it_is(position: GeoPoint, by_day: bool) -> None:
    judging = Judging(CATEGORIES, lambda _look: labels_alone, Daylight({}), frozenset({"moving"}))
    (look,) = looks("moving", NIGHT, 1, BOTH)
    assert ("illegal_ad" in judging.categories_at(look, Pose(position))) is by_day
    assert "illegal_ad" in judging.categories_at(look)
