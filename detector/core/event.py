"""What the outside world is told, as values; the wire format is made in detector/delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
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


class CaseEventKind(StrEnum):
    """What a dispatch system is told about its own cases, where the desk that comes with the product keeps them."""

    OVERDUE = "overdue"  # the deadline passed and nobody reported it done
    ESCALATED = "escalated"  # and whoever is named for that was told


@dataclass(frozen=True, slots=True)
class LateCase:
    """A case whose deadline has passed, as the desk tells it. Times are aware UTC."""

    case_id: str
    problem_id: str
    camera_id: str
    category: str
    due_at: datetime
    codes: Mapping[str, str] = field(default_factory=dict)  # standard version -> code
    stage: str = ""  # where the case stands
    department: str | None = None  # who is late
    department_code: str | None = None  # unified social credit code
    dispatched_at: datetime | None = None
    escalated: int = 0  # times since it was dispatched
    escalated_to: str | None = None  # the last time
    escalated_at: datetime | None = None
    district: str | None = None
    street: str | None = None  # id of the street, where the desk knows streets


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """A case became overdue, or was escalated. The id follows from the case, its deadline and the escalation."""

    id: str
    kind: CaseEventKind
    case: LateCase
    occurred_at: datetime  # the deadline, or the escalation; aware UTC


def events_of_late(case: LateCase) -> list[CaseEvent]:
    """What is to be told of a case that is late: the same events, by id, however often it is asked."""
    due = case.due_at.astimezone(UTC).isoformat()
    overdue = event_id("case.overdue", case.case_id, due)
    events = [CaseEvent(overdue, CaseEventKind.OVERDUE, case, case.due_at)]
    if case.escalated:
        escalated = event_id("case.escalated", case.case_id, due, case.escalated)
        events.append(CaseEvent(escalated, CaseEventKind.ESCALATED, case, case.escalated_at or case.due_at))
    return events


Event = ProblemEvent | CameraHealthEvent | DetectionEvent | CaseEvent


def type_of(event: Event) -> str:
    """Short type, e.g. `problem.opened`, `camera.health`, `detection.observed`; what endpoints subscribe to."""
    match event:
        case ProblemEvent():
            return f"problem.{event.kind.value}"
        case CameraHealthEvent():
            return "camera.health"
        case DetectionEvent():
            return "detection.observed"
        case CaseEvent():
            return f"case.{event.kind.value}"
