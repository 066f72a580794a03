"""What the outside world is told, as values; the wire format is made in detector/delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from detector.core.detection import Detection
from detector.core.look import LookStatus
from detector.core.problem import EventKind, Problem

_NAMESPACE = UUID("6f1d7a52-4c39-5d0e-9d1c-0a4f5a1c6b7e")


def event_id(*parts: object) -> str:
    """A UUIDv5 over `parts`: the same happening always gets the same id, so a repeat can be recognised."""
    return str(uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)))


@dataclass(frozen=True, slots=True)
class ProblemEvent:
    """A problem moved; id = CloudEvents id = webhook id, stable over retries."""

    id: str
    kind: EventKind
    problem: Problem
    occurred_at: datetime  # capture time of the look that moved it, aware UTC


@dataclass(frozen=True, slots=True)
class CameraHealthEvent:
    """A camera's condition changed: it can be seen through again, or it cannot and why."""

    id: str
    camera_id: str
    status: LookStatus
    previous: LookStatus | None  # None when the camera is new
    occurred_at: datetime  # aware UTC
    reason: str | None = None  # one line for people, secrets removed


@dataclass(frozen=True, slots=True)
class DetectionEvent:
    """A single detection in a single look, for endpoints that want the raw observations."""

    id: str
    camera_id: str
    detection: Detection
    frame_size: tuple[int, int]  # (width, height), pixels
    model_version: str | None
    occurred_at: datetime  # capture time, aware UTC


Event = ProblemEvent | CameraHealthEvent | DetectionEvent


def type_of(event: Event) -> str:
    """Short type, e.g. `problem.opened`, `camera.health`, `detection.observed`; what endpoints subscribe to."""
    match event:
        case ProblemEvent():
            return f"problem.{event.kind.value}"
        case CameraHealthEvent():
            return "camera.health"
        case DetectionEvent():
            return "detection.observed"
