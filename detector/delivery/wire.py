"""What an event looks like to its receiver: a CloudEvents 1.0 document in structured JSON.

These models are the single source of docs/events/: descriptions here become the descriptions in the JSON Schemas.
A field is added freely; a field that changes its meaning or goes away makes a new version of the type (`.v2`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from detector.core.category import Doubt
from detector.core.event import CaseEventKind
from detector.core.look import LookStatus
from detector.core.problem import EventKind, ProblemStatus

TYPE_PREFIX = "org.street-detector."
TYPE_VERSION = ".v1"
CONTENT_TYPE = "application/cloudevents+json"
LARGEST = 64 * 1024
"""Bytes of a whole event; CloudEvents 1.0, "Size Limits": intermediaries must forward up to 64 KiB."""

Score = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


def cloud_type(event_type: str) -> str:
    """`problem.opened` -> `org.street-detector.problem.opened.v1`."""
    return f"{TYPE_PREFIX}{event_type}{TYPE_VERSION}"


def schema_id(event_type: str) -> str:
    """The `dataschema` of an event type and the `$id` of its JSON Schema; a name, not an address to fetch."""
    return f"urn:street-detector:events:{event_type}:v1"


class _Wire(BaseModel):
    # the schemas allow fields that they do not name: a receiver must not refuse what a later version adds
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Box(_Wire):
    """Upright rectangle in pixels of the original frame; x grows to the right, y down."""

    left: float
    top: float
    right: float
    bottom: float


class FrameSize(_Wire):
    """Pixels of the original frame."""

    width: Count
    height: Count


class Ground(_Wire):
    """A point on the ground, WGS-84, degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    error_m: Annotated[float, Field(ge=0)] | None = None
    """It truly lies within so many metres in about 95 of 100 cases, as worked out for cameras on drones and vehicles;
    null for places that were marked on the map."""


class PlaceData(_Wire):
    """Where it is: in the picture always, on the ground where the camera is placed on the map or tells where it is."""

    box: Box
    frame_size: FrameSize
    ground: Ground | None = None


class CameraData(_Wire):
    """The camera, as the configuration describes it."""

    name: str | None = None
    """For people; null where none is configured."""
    district: str | None = None
    position: Ground | None = None
    """Where the camera stands, not the problem."""


class Evidence(_Wire):
    """Link to the picture of the problem, with faces made unrecognisable, or the reason why there is none."""

    url: str | None = None
    reason: str | None = None


class ProblemData(_Wire):
    """One problem as it stands after the event."""

    problem_id: str
    """The same over the whole life of the problem, also when it is reopened."""
    revision: Count
    """Number of this event among those of the problem, starting at 1: an event with a higher one is newer."""
    status: ProblemStatus
    category: str
    """Category id, e.g. `exposed_garbage`."""
    category_names: dict[str, str]
    """Language tag to name."""
    codes: dict[str, str]
    """Version of the standard to the code under which this is a case."""
    rule: str
    """Id of the rule that made it a case."""
    label: str
    """What the model called its best sighting."""
    camera_id: str
    camera: CameraData | None = None
    place: PlaceData
    first_seen: AwareDatetime
    """Start of the present suspicion or case, capture time."""
    last_seen: AwareDatetime
    """Capture time of the newest look that saw it."""
    opened_at: AwareDatetime | None = None
    cleared_at: AwareDatetime | None = None
    cleared_reason: Literal["gone", "left", "allowed"] | None = None
    """Why it is cleared: `gone` (looked for and not seen), `left` (the same of what drives off: its picture proves the
    offence, so the case need not be over), or `allowed` (what was last seen there is no case any more: a permit began,
    a zone or a rule changed); null while it is not cleared."""
    cleared_rule: str | None = None
    """`allowed`: id of the permit, zone or rule by which it is no case any more."""
    reopened: Count
    """Times it came back after it had been cleared."""
    score: Score
    """Best score of all sightings."""
    looks: Count
    """Looks that judged it."""
    sightings: Count
    """Looks that saw it."""
    count: Annotated[int, Field(ge=1)]
    """Things that stood together in the newest look that saw it, where a category asks for several; else 1."""
    also: dict[str, Count] = {}
    """Other category that the model gave to the same thing, to the number of sightings in which it did: a heap that is
    now called garbage and now rubble. Tells that what another camera calls otherwise may be the same."""
    model_version: str | None
    """`name@first-12-digits-of-sha256` of the model that made the newest sighting."""
    review: bool
    """True: a person must look before anybody is sent."""
    review_because: list[Doubt] = []
    """Why: `always` (this kind of case always waits for a person), `synthetic` (the model has learned the label from
    rendered pictures only), `poor` (the model's own figures say that it is poor at the label); empty where nobody must
    look."""
    note: str | None = None
    """What a person wrote with the photo that showed the problem; null for what cameras saw."""
    evidence: Evidence


class CameraHealthData(_Wire):
    """A camera's condition changed."""

    camera_id: str
    camera: CameraData | None = None
    status: LookStatus
    """`ok`, or why the street cannot be seen. Problems are neither confirmed nor cleared while it is not ok."""
    previous: LookStatus | None
    """Null when the camera is new."""
    reason: str | None = None


class DetectionData(_Wire):
    """One detection in one look, before any rule or dwell time."""

    camera_id: str
    camera: CameraData | None = None
    label: str
    score: Score
    place: PlaceData
    model_version: str | None


class CaseData(_Wire):
    """A case of the desk whose deadline has passed."""

    case_id: str
    problem_id: str
    """The problem that it is a case of: that of the problem.* events."""
    status: Literal["open"]
    stage: str
    """Where it stands: `dispatch`, `handle`, `report`, `verify`."""
    category: str
    category_names: dict[str, str]
    """Language tag to name."""
    codes: dict[str, str]
    """Version of the standard to code."""
    camera_id: str
    camera: CameraData | None = None
    district: str | None = None
    street: str | None = None
    """Id of the street, where the desk knows streets."""
    department: str | None = None
    """Who was sent."""
    department_code: str | None = None
    """Its unified social credit code."""
    dispatched_at: AwareDatetime | None = None
    due_at: AwareDatetime
    """The deadline that has passed."""
    escalated: Count
    """How often it was escalated since it was dispatched."""
    escalated_to: str | None = None
    """To whom, the last time."""
    escalated_at: AwareDatetime | None = None


class CloudEvent(_Wire):
    """The envelope. `source` and `id` together name an event: a second one with the same pair is a repetition."""

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, Field(min_length=1)]
    """Equal to the header `webhook-id`, and the same in every retry."""
    source: Annotated[str, Field(min_length=1, json_schema_extra={"format": "uri-reference"})]
    """The installation that saw it."""
    subject: Annotated[str, Field(min_length=1)]
    """Problem id of problem.* and case.* events, camera id of the others; events of one subject arrive in order."""
    time: AwareDatetime
    """Capture time of the look that caused the event; of case.* the deadline or the escalation; UTC."""
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Annotated[str, Field(min_length=1, json_schema_extra={"format": "uri"})]


class ProblemOpened(CloudEvent):
    """A problem was confirmed: somebody should act."""

    type: Literal["org.street-detector.problem.opened.v1"] = "org.street-detector.problem.opened.v1"
    data: ProblemData


class ProblemUpdated(CloudEvent):
    """An open problem changed so much that the dispatcher should know."""

    type: Literal["org.street-detector.problem.updated.v1"] = "org.street-detector.problem.updated.v1"
    data: ProblemData


class ProblemCleared(CloudEvent):
    """The problem was seen to be gone, or to be none any more; `cleared_reason` tells which."""

    type: Literal["org.street-detector.problem.cleared.v1"] = "org.street-detector.problem.cleared.v1"
    data: ProblemData


class ProblemDismissed(CloudEvent):
    """A person said that it was no problem."""

    type: Literal["org.street-detector.problem.dismissed.v1"] = "org.street-detector.problem.dismissed.v1"
    data: ProblemData


class ProblemReopened(CloudEvent):
    """The problem came back to the place where it had been cleared."""

    type: Literal["org.street-detector.problem.reopened.v1"] = "org.street-detector.problem.reopened.v1"
    data: ProblemData


class CameraHealth(CloudEvent):
    """A camera can be seen through again, or can no longer."""

    type: Literal["org.street-detector.camera.health.v1"] = "org.street-detector.camera.health.v1"
    data: CameraHealthData


class DetectionObserved(CloudEvent):
    """A single detection; sent only to endpoints that ask for it."""

    type: Literal["org.street-detector.detection.observed.v1"] = "org.street-detector.detection.observed.v1"
    data: DetectionData


class CaseOverdue(CloudEvent):
    """The deadline of a case at the desk has passed, and nobody had reported it done."""

    type: Literal["org.street-detector.case.overdue.v1"] = "org.street-detector.case.overdue.v1"
    data: CaseData


class CaseEscalated(CloudEvent):
    """An overdue case was escalated at the desk; `data.escalated_to` is to be told."""

    type: Literal["org.street-detector.case.escalated.v1"] = "org.street-detector.case.escalated.v1"
    data: CaseData


CASE_EVENTS: dict[CaseEventKind, type[CaseOverdue | CaseEscalated]] = {
    CaseEventKind.OVERDUE: CaseOverdue,
    CaseEventKind.ESCALATED: CaseEscalated,
}

PROBLEM_EVENTS: dict[
    EventKind,
    type[ProblemOpened | ProblemUpdated | ProblemCleared | ProblemDismissed | ProblemReopened],
] = {
    EventKind.OPENED: ProblemOpened,
    EventKind.UPDATED: ProblemUpdated,
    EventKind.CLEARED: ProblemCleared,
    EventKind.DISMISSED: ProblemDismissed,
    EventKind.REOPENED: ProblemReopened,
}

MODELS: dict[str, type[CloudEvent]] = {
    **{f"problem.{kind.value}": model for kind, model in PROBLEM_EVENTS.items()},
    "camera.health": CameraHealth,
    "detection.observed": DetectionObserved,
    **{f"case.{kind.value}": model for kind, model in CASE_EVENTS.items()},
}
"""Short type, as endpoints subscribe to it, to the model of the whole event."""
