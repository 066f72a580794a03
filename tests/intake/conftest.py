"""An intake with a model that says what the test wants, and a real store."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from detector.core.category import Category, ConfirmationPolicy
from detector.core.detection import BoundingBox, Detection
from detector.core.event import Event, ProblemEvent
from detector.core.frame import Frame, Image, Picture
from detector.core.geo import GeoPoint
from detector.core.judging import Decide
from detector.core.look import Look
from detector.core.problem import Place
from detector.core.rules import Outcome
from detector.intake.judging import Intake, IntakeRules, Report
from detector.ports import Found
from detector.store import OutboxEntry, Store, open_store

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HERE = GeoPoint(35.0228, 110.9977)
HEAP = Detection("garbage", BoundingBox(40, 60, 200, 180), 0.8)
CATEGORIES = {
    one.id: one
    for one in (
        Category("exposed_garbage", {"zh": "暴露垃圾"}, frozenset({"garbage"}), codes={"2026": "06010"}),
        Category(
            "street_stall",
            {"zh": "无照游商"},
            frozenset({"street_stall"}),
            ConfirmationPolicy(min_score=0.6, dwell=timedelta(minutes=5)),
        ),
    )
}


def picture_bytes(kind: str = "JPEG", size: tuple[int, int] = (320, 240), seed: int = 1) -> bytes:
    """A picture of coloured noise in blocks, which passes for a street."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(20, 235, (size[1] // 8, size[0] // 8, 3)).repeat(8, 0).repeat(8, 1)
    noisy = blocks + rng.integers(-8, 9, blocks.shape)
    buffer = io.BytesIO()
    PIL.Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, kind)
    return buffer.getvalue()


PHOTO = picture_bytes()


@dataclass
class Model:
    """A Detector that finds what `found` says."""

    found: list[Detection] = field(default_factory=lambda: [HEAP])
    calls: int = 0
    model_version: str = "scripted@0"
    labels: tuple[str, ...] = ("garbage", "street_stall")

    def prepare(self, image: Image) -> Picture:
        return image

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        return self.infer(images)()

    def infer(self, images: Sequence[Picture]) -> Found:
        self.calls += 1
        return lambda: [list(self.found) for _ in images]


@dataclass
class Desk:
    """What was told, and what is allowed where."""

    told: list[tuple[ProblemEvent, Report]] = field(default_factory=list)
    outcome: Callable[[Category, Place], Outcome] = lambda category, _: Outcome(
        True, f"category:{category.id}", category.codes
    )

    def decide(self, _look: Look) -> Decide:
        return lambda category, place: self.outcome(category, place)

    def tell(self, events: Sequence[Event], look: Look, frame: Frame, report: Report) -> list[OutboxEntry]:
        entries = []
        for event in events:
            assert isinstance(event, ProblemEvent)
            self.told.append((event, report))
            body = b'{"data": {"evidence": {"url": "https://evidence.example/x.jpg", "reason": null}}}'
            entries.append(
                OutboxEntry(event.id, f"problem.{event.kind}", event.problem.id, event.occurred_at, body, ("desk",))
            )
        return entries


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "street.db"))
    yield opened
    opened.close()


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def intake(store: Store, model: Model, desk: Desk) -> Intake:
    rules = IntakeRules(2_000_000, 30.0, timedelta(days=14), timedelta(days=7))
    return Intake(lambda: model, store, lambda: CATEGORIES, desk.decide, desk.tell, rules, lambda: NOON)
