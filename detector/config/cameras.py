"""The cameras of a fleet and how each is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator

from detector.config.strict import Strict
from detector.config.values import CameraAddress, Location, PositiveDuration, Timezone
from detector.core.geo import GeoPoint
from detector.core.ground import GroundMark, GroundPlane
from detector.core.track import Mount

Mode = Literal["stream", "patrol"]

Mark = tuple[float, float, float, float]
"""x, y, latitude, longitude."""

CameraId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$", examples=["east-gate-2"])]
"""Letters, digits and `_ . : -`, at most 64: it appears in file names, metrics and events."""


class SamplingSettings(Strict):
    """How cameras are looked at, unless a camera says otherwise."""

    mode: Mode = "stream"
    """`stream` stays connected; `patrol` opens, takes one good picture and leaves."""
    interval: PositiveDuration = timedelta(seconds=10)
    """`stream`: time between two looks."""
    open_timeout: PositiveDuration = timedelta(seconds=5)
    """How long opening a source may take."""
    read_timeout: PositiveDuration = timedelta(seconds=5)
    """How long an open source may send nothing."""
    max_age: PositiveDuration = timedelta(seconds=30)
    """A frame older than this when it is looked at makes a `stale` look."""
    logos: tuple[Location, ...] = ()
    """Pictures that a gateway shows in place of a camera's: never taken for a street, whatever they look like."""


class PatrolSettings(Strict):
    """Visiting many cameras with few open streams (轮巡)."""

    period: PositiveDuration = timedelta(minutes=10)
    """Each patrolled camera is visited once in this time."""
    by_risk: dict[Annotated[int, Field(ge=1, le=3)], Annotated[float, Field(gt=0, le=1)]] = Field(
        default={2: 0.5, 3: 0.25}
    )
    """Share of the period after which a camera is visited again while something of a category of that `risk` is
    suspected or open there; the gravest counts, and a risk that is not named waits the whole period."""
    concurrent: int = Field(default=16, ge=1, le=1000)
    """Most visits at the same time."""
    opens_per_second: float = Field(default=5.0, gt=0, le=1000)
    """Most streams opened per second, after a restart too."""
    jitter: float = Field(default=0.1, ge=0, le=0.5)
    """Share of the period by which a visit may come early, so that cameras do not fall into step."""


class CameraSettings(Strict):
    """One camera."""

    id: CameraId
    """Its stable name: problems, events and pictures refer to it."""
    name: str = ""
    """What people call it; the id where empty."""
    url: CameraAddress
    """rtsp(s), rtmp(s), http(s) (FLV, HLS, MPEG-TS), tcp or udp (MPEG-TS), or the path of a video or picture folder."""
    mode: Mode | None = None
    """Overrides `sampling.mode`."""
    interval: PositiveDuration | None = None
    """Overrides `sampling.interval`."""
    period: PositiveDuration | None = None
    """Overrides `patrol.period`."""
    latitude: float | None = Field(default=None, ge=-90, le=90)
    """Where the camera stands: degrees, WGS-84."""
    longitude: float | None = Field(default=None, ge=-180, le=180)
    """Where the camera stands: degrees, WGS-84."""
    timezone: Timezone | None = None
    """Overrides the fleet's time zone."""
    district: str | None = None
    """Administrative district, as the dispatch system calls it."""
    started_at: datetime | None = None
    """Recordings: when the first picture was taken, e.g. 2026-05-01T17:55; on the camera's own clock unless an offset
    is given. Without it, as if it were filmed now."""
    ground: tuple[Mark, ...] = ()
    """Marks that match picture and map: at least four of [x, y, latitude, longitude], x and y as shares (0..1) of the
    picture's width and height. With them each problem gets its place on the ground."""
    moving: bool = False
    """true: on a drone or a vehicle. Places are then on the ground, not in the picture."""
    telemetry: Literal["auto", "none"] | Location = "auto"
    """Where a moving camera's positions come from: `auto` takes the file of positions beside a video (`clip.SRT` for
    `clip.MP4`), else the data stream in it; or the path of such a file; `none` looks for nothing."""
    field_of_view: Annotated[float, Field(gt=1, lt=170)] | None = None
    """Moving cameras: horizontal field of view, degrees; goes before what the telemetry tells."""
    mount_height: Annotated[float, Field(gt=0, le=100)] | None = None
    """Moving cameras: height above the street, metres, where it does not change, as on a vehicle."""
    mount_pitch: Annotated[float, Field(ge=-90, le=30)] | None = None
    """Moving cameras: 0 looks level, -90 straight down, degrees; goes before what the telemetry tells."""
    mount_heading: Annotated[float, Field(ge=-180, le=360)] | None = None
    """Moving cameras: where it looks against the direction of travel, degrees: 0 ahead, 90 to the right, 180 back."""
    enabled: bool = True
    """false: known, but not looked at."""

    @field_validator("ground")
    @classmethod
    def _fits(cls, value: tuple[Mark, ...]) -> tuple[Mark, ...]:
        if value:
            GroundPlane(marks_of(value))  # a ValueError says what is wrong with them
        return value

    @property
    def mount(self) -> Mount:
        """What is said of a moving camera."""
        return Mount(self.mount_height, self.mount_pitch, self.mount_heading, self.field_of_view)

    @property
    def title(self) -> str:
        """What to show people."""
        return self.name or self.id

    @property
    def position(self) -> GeoPoint | None:
        """Where it stands, or None when it is not placed on the map."""
        if self.latitude is None or self.longitude is None:
            return None
        return GeoPoint(self.latitude, self.longitude)


def marks_of(ground: Iterable[Mark]) -> tuple[GroundMark, ...]:
    """Marks as they are written in the settings. Raises ValueError for a position that is none."""
    return tuple(GroundMark((x, y), GeoPoint(latitude, longitude)) for x, y, latitude, longitude in ground)


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """How one camera is looked at, all defaults filled in."""

    mode: Mode
    interval: timedelta  # stream: between two looks
    period: timedelta  # patrol: one visit in this time
    open_timeout: timedelta
    read_timeout: timedelta
    max_age: timedelta  # an older frame is stale


def plan_of(camera: CameraSettings, sampling: SamplingSettings, patrol: PatrolSettings) -> SamplingPlan:
    """What the camera says, completed by what the fleet says."""
    return SamplingPlan(
        mode=camera.mode or sampling.mode,
        interval=camera.interval or sampling.interval,
        period=camera.period or patrol.period,
        open_timeout=sampling.open_timeout,
        read_timeout=sampling.read_timeout,
        max_age=sampling.max_age,
    )
