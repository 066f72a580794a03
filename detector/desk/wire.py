"""What arrives at the desk: a CloudEvent in JSON, read tolerantly.

The desk is another system than the detector, so it has its own picture of the message: unknown fields are
ignored and unknown event types are kept without being understood. A type that is understood must carry what
a case needs, or it is malformed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    field_validator,
)

from detector.errors import EventRefused

_TYPE = re.compile(r"org\.street-detector\.(?P<topic>problem|camera|detection)\.(?P<kind>[a-z]+)\.v1")

Name = Annotated[str, Field(min_length=1, max_length=200)]
Score = Annotated[FiniteFloat, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Kind(StrEnum):
    """What an understood event says."""

    OPENED = "opened"
    UPDATED = "updated"
    CLEARED = "cleared"
    DISMISSED = "dismissed"
    REOPENED = "reopened"
    HEALTH = "health"


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Ground(_Tolerant):
    """WGS-84, degrees."""

    latitude: Annotated[FiniteFloat, Field(ge=-90, le=90)]
    longitude: Annotated[FiniteFloat, Field(ge=-180, le=180)]
    error_m: Annotated[FiniteFloat, Field(ge=0)] | None = None  # metres within which it is in about 95 of 100 cases


class PlaceData(_Tolerant):
    """Where it is: in the picture (pixels of the original frame) and, where known, on the ground."""

    box: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None  # left, top, right, bottom
    frame_size: tuple[Count, Count] | None = None  # width, height
    ground: Ground | None = None

    @field_validator("box", "frame_size", mode="before")
    @classmethod
    def _from_object(cls, value: Any) -> Any:
        """Accept {left, top, right, bottom} and {width, height} as well as lists."""
        if not isinstance(value, dict):
            return value
        keys: Sequence[str] = ("left", "top", "right", "bottom") if "left" in value else ("width", "height")
        return tuple(value.get(key) for key in keys)


class EvidenceData(_Tolerant):
    """Link to the picture, or why there is none."""

    url: Annotated[str, Field(max_length=2000)] | None = None
    reason: Annotated[str, Field(max_length=500)] | None = None


class CameraData(_Tolerant):
    """The camera as its owner describes it."""

    name: Annotated[str, Field(max_length=200)] | None = None
    district: Annotated[str, Field(max_length=200)] | None = None


class ProblemData(_Tolerant):
    """The `data` of problem.* events."""

    problem_id: Name
    revision: Count
    category: Name
    category_names: dict[str, str] = {}
    codes: dict[str, str] = {}
    label: str | None = None
    rule: Annotated[str, Field(max_length=200)] | None = None  # what made it a case
    camera_id: Name
    camera: CameraData | None = None
    place: PlaceData = PlaceData()
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    score: Score | None = None
    looks: Count | None = None
    sightings: Count | None = None
    also: dict[str, Count] = {}  # other category that the model gave to the same thing -> sightings with it
    model_version: str | None = None
    cleared_reason: Annotated[str, Field(max_length=40)] | None = None  # gone, left, or allowed: no case any more
    cleared_rule: Annotated[str, Field(max_length=200)] | None = None  # permit, zone or rule that allows it now
    evidence: EvidenceData = EvidenceData()
    review: bool = False
    review_because: tuple[Annotated[str, Field(max_length=40)], ...] = ()  # always, synthetic, poor


class CameraHealthData(_Tolerant):
    """The `data` of camera.health events."""

    camera_id: Name
    camera: CameraData | None = None
    status: Name
    reason: Annotated[str, Field(max_length=500)] | None = None


class _Envelope(_Tolerant):
    specversion: str
    id: Name
    source: Name
    type: Name
    subject: Annotated[str, Field(max_length=500)] | None = None
    time: AwareDatetime | None = None
    data: Any = None


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """One event as the desk understands it."""

    id: str
    source: str
    type: str
    subject: str | None
    time: datetime  # when it happened, aware UTC
    body: str  # the document as it arrived
    kind: Kind | None = None  # None: kept, not understood
    data: ProblemData | CameraHealthData | None = None


def read_event(body: bytes, now: datetime) -> IncomingEvent:
    """Read one CloudEvents 1.0 document in structured JSON.

    `now` (aware UTC) stands in for the time of an event that is not understood and carries none.
    Raises EventRefused when it is no CloudEvent, or one whose known type lacks what the type needs.
    """
    try:
        envelope = _Envelope.model_validate_json(body)
    except ValidationError as error:
        raise EventRefused(f"not a CloudEvent: {_first(error)}") from error
    if envelope.specversion != "1.0":
        raise EventRefused("not a CloudEvent: specversion must be '1.0'")
    kind, model = _understood(envelope.type)
    if kind is not None and envelope.time is None:
        raise EventRefused(f"{envelope.type}: time is missing")
    try:
        data = model.model_validate(envelope.data) if model else None
    except ValidationError as error:
        raise EventRefused(f"{envelope.type}: data: {_first(error)}") from error
    return IncomingEvent(
        id=envelope.id,
        source=envelope.source,
        type=envelope.type,
        subject=envelope.subject,
        time=(envelope.time or now).astimezone(UTC),
        body=body.decode(),
        kind=kind,
        data=data,
    )


def _understood(
    event_type: str,
) -> tuple[Kind | None, type[ProblemData] | type[CameraHealthData] | None]:
    match = _TYPE.fullmatch(event_type)
    kinds = {kind.value: kind for kind in Kind}
    if match is None or match["kind"] not in kinds:
        return None, None
    kind = kinds[match["kind"]]
    if match["topic"] == "problem" and kind is not Kind.HEALTH:
        return kind, ProblemData
    if match["topic"] == "camera" and kind is Kind.HEALTH:
        return kind, CameraHealthData
    return None, None


def _first(error: ValidationError) -> str:
    """Name the first wrong field without repeating its value."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else problem["msg"]
