"""The outcome of one attempt to look at a street: what was seen, or why nothing could be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from detector.core.detection import Detection


class LookStatus(StrEnum):
    """`ok` looks judge; every other status says why the street could not be seen."""

    OK = "ok"
    UNREACHABLE = "unreachable"  # could not open, or no data in time
    STALE = "stale"  # the newest frame is too old
    DARK = "dark"  # too little light to see by
    FROZEN = "frozen"  # the same picture again and again
    COVERED = "covered"  # lens covered, or a picture without content (grey, logo)
    BLURRED = "blurred"  # out of focus or dirty
    MOVED = "moved"  # the camera points elsewhere than before


@dataclass(frozen=True, slots=True)
class Condition:
    """How well a camera's picture shows its street."""

    status: LookStatus
    reason: str | None = None  # one line for people; None when it is ok
    new_view: bool = False  # the camera has been turned for good: places in its old picture mean nothing any more


@dataclass(frozen=True, slots=True)
class Look:
    """One sampling of one camera."""

    camera_id: str
    at: datetime  # capture time, aware UTC (time of the attempt when there is no frame)
    status: LookStatus
    detections: tuple[Detection, ...] = ()  # empty unless status is ok
    model_version: str | None = None  # name@digest of the model that judged an ok look
    size: tuple[int, int] | None = None  # (width, height) of the frame in pixels
    reason: str | None = None  # one line for people, secrets removed; None for ok
    new_view: bool = False  # as in Condition; then the status is moved

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a look's time must be an aware datetime in UTC")
        if self.detections and self.status is not LookStatus.OK:
            raise ValueError(f"a look that is {self.status.value} cannot carry detections")
