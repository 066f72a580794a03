"""A camera as the worker needs to know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from detector.core.geo import GeoPoint
from detector.core.ground import GroundMark
from detector.core.track import Mount


class SamplingMode(StrEnum):
    """How pictures are taken from a camera."""

    STREAM = "stream"  # stays connected, one look each interval
    PATROL = "patrol"  # 轮巡: connects, takes one good picture, leaves; once each interval


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera. Equal cameras need no restart when the configuration is read again."""

    id: str
    url: str = field(repr=False)  # may carry a password: never shown, logged or stored
    name: str = ""
    mode: SamplingMode = SamplingMode.STREAM
    interval_s: float = 10.0  # wanted time between two looks, seconds
    timezone: str = "UTC"  # IANA name, for evidence pictures and rules
    position: GeoPoint | None = None
    district: str = ""
    marks: tuple[GroundMark, ...] = ()  # match its picture with the map; empty: places on the ground are unknown
    realtime: bool = True  # files: at the speed they were filmed, or as fast as they can be read
    moving: bool = False  # on a drone or a vehicle: places are on the ground, not in the picture
    telemetry: str = "auto"  # moving: where its positions come from: auto, none, or the path of a file
    mount: Mount = field(default_factory=Mount)  # moving: what is known of it beside its telemetry
    started_at: datetime | None = None  # files: when the first picture was taken, aware; now when not given
