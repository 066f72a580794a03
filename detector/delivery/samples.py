"""One valid event of each type: for the docs, for `detector events sample`, and for an integrator's first test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from detector.core.camera import Camera
from detector.core.category import Category
from detector.core.detection import BoundingBox, Detection
from detector.core.event import (
    CameraHealthEvent,
    DetectionEvent,
    Event,
    LateCase,
    ProblemEvent,
    event_id,
    events_of_late,
    type_of,
)
from detector.core.geo import GeoPoint
from detector.core.look import LookStatus
from detector.core.problem import EventKind, Place, Problem, ProblemStatus
from detector.delivery.cloudevent import cloud_event

_SEEN = datetime(2026, 7, 1, 8, 30, 0, tzinfo=UTC)
_CAMERA = Camera("east-gate-2", "", name="东门二号", position=GeoPoint(34.2583, 108.9286), district="莲湖区")
_CATEGORY = Category(
    "exposed_garbage",
    names={"zh-CN": "暴露垃圾", "en": "Exposed garbage"},
    labels=frozenset({"garbage"}),
    codes={"GB/T 47678.5-2026": "06010"},
)
_OPEN = Problem(
    id="0198f3c2-6d2e-7c41-9b0a-3f5d1c8e7a10",
    category="exposed_garbage",
    label="garbage",
    camera_id="east-gate-2",
    place=Place(BoundingBox(612.4, 388.1, 790.0, 521.75), (1920, 1080), GeoPoint(34.25841, 108.92875)),
    status=ProblemStatus.OPEN,
    first_seen=_SEEN,
    last_seen=_SEEN + timedelta(minutes=10),
    last_looked=_SEEN + timedelta(minutes=10),
    looks=21,
    sightings=19,
    best_score=0.8731,
    opened_at=_SEEN + timedelta(minutes=10),
    revision=1,
    model_version="street-14@0123456789ab",
    rule="category:exposed_garbage",
    codes={"GB/T 47678.5-2026": "06010"},
)
_CLEARED = replace(
    _OPEN, status=ProblemStatus.CLEARED, cleared_at=_SEEN + timedelta(hours=2), looks=240, revision=3, sightings=200
)
_BACK = replace(_CLEARED, status=ProblemStatus.OPEN, cleared_at=None, reopened=1, revision=4)


def samples() -> dict[str, bytes]:
    """Short type to a whole event, in the order of `detector.delivery.wire.MODELS`."""
    return {type_of(event): _encoded(event) for event in _events()}


def _events() -> list[Event]:
    moves = [
        (EventKind.OPENED, _OPEN),
        (EventKind.UPDATED, replace(_OPEN, revision=2, best_score=0.9312, looks=60, sightings=55)),
        (EventKind.CLEARED, _CLEARED),
        (EventKind.DISMISSED, replace(_BACK, status=ProblemStatus.DISMISSED, revision=5)),
        (EventKind.REOPENED, _BACK),
    ]
    events: list[Event] = [
        ProblemEvent(
            event_id(problem.id, problem.revision), kind, problem, _SEEN + timedelta(minutes=10 * problem.revision)
        )
        for kind, problem in moves
    ]
    dark = CameraHealthEvent(
        id=event_id(_CAMERA.id, "dark"),
        camera_id=_CAMERA.id,
        status=LookStatus.DARK,
        previous=LookStatus.OK,
        occurred_at=_SEEN + timedelta(hours=12),
        reason="mean brightness 3 of 255",
    )
    seen = DetectionEvent(
        id=event_id(_CAMERA.id, "detection"),
        camera_id=_CAMERA.id,
        detection=Detection("garbage", _OPEN.place.box, 0.6402, _OPEN.place.ground),
        frame_size=_OPEN.place.frame_size,
        model_version=_OPEN.model_version,
        occurred_at=_SEEN,
    )
    late = LateCase(
        case_id=event_id("case", _OPEN.id),
        problem_id=_OPEN.id,
        camera_id=_OPEN.camera_id,
        category=_OPEN.category,
        due_at=_SEEN + timedelta(hours=5),
        codes=_OPEN.codes,
        stage="handle",
        department="环卫所",
        department_code="12610104MB2A000176",
        dispatched_at=_SEEN + timedelta(minutes=10),
        escalated=1,
        escalated_to="区督查科",
        escalated_at=_SEEN + timedelta(hours=6),
        district=_CAMERA.district,
        street="renmin-road",
    )
    return [*events, dark, seen, *events_of_late(late)]


def _encoded(event: Event) -> bytes:
    picture = f"https://evidence.example/2026/07/01/{event.id}.jpg" if isinstance(event, ProblemEvent) else None
    return cloud_event(
        event, source="urn:street-detector:example", category=_CATEGORY, camera=_CAMERA, evidence_url=picture
    )
