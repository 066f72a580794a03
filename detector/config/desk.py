"""The settings of a case desk, as read from its own YAML file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from detector.config.categories import DeadlineSettings
from detector.config.hours import Hours, parse_hours
from detector.config.shipped import shipped
from detector.config.strict import Strict
from detector.config.values import (
    Duration,
    EndpointAddress,
    Filled,
    Location,
    PositiveDuration,
    SigningSecret,
    Timezone,
)
from detector.config.workdays import CalendarSettings
from detector.core.joining import DISTANCE_M, DISTANCES_M, WAIVED_AFTER
from detector.core.sureness import Demand

Share = Annotated[float, Field(gt=0, lt=1)]
Score = Annotated[float, Field(ge=0, le=1)]


class OfficeSettings(CalendarSettings):
    """When people work: what the clocks `working_hours` and `workdays` count."""

    hours: Hours = Field(
        default_factory=lambda: parse_hours(["08:00-12:00", "14:00-18:00"]),
        json_schema_extra={"default": ["08:00-12:00", "14:00-18:00"]},
    )
    """Office hours of a workday, in order; none of them runs over midnight."""


class DispatchSettings(Strict):
    """What the desk does without a person."""

    automatic: bool = False
    """true: a case that is sure enough and has a route is dispatched at once; all others wait for a person."""
    threshold: Score | Annotated[bool, Field(strict=True)] = 0.8
    """Score that is sure enough while a category has few verdicts; false: a person always looks."""
    thresholds: dict[str, Score | Annotated[bool, Field(strict=True)]] = Field(default_factory=dict)
    """Category id to its own; false keeps a category off whatever the verdicts say."""
    target_precision: Share = Demand().target
    """Share of right ones among what is dispatched that verdicts must prove."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = Demand().confidence
    """How sure the proof must be."""
    least_verdicts: int = Field(default=Demand().least, ge=1)
    """Verdicts on a category from which on they decide instead of the configured threshold."""
    window: PositiveDuration = timedelta(days=180)
    """Older verdicts do not count."""
    kept_for: PositiveDuration = timedelta(days=7)
    """A case of what drives off (`on_leaving: keep_case`) that has left is closed when nobody decides for so long."""


class EscalationSettings(Strict):
    """Who is told when a deadline has passed."""

    after: Duration = timedelta(0)
    """Time since the deadline, by the clock on the wall."""
    to: Annotated[str, Field(min_length=1, max_length=200)]


Corner = tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]]


class AreaSettings(Strict):
    """An area of a camera's picture."""

    camera: Annotated[str, Field(min_length=1, max_length=200)]
    area: Annotated[tuple[Corner, ...], Field(min_length=3, max_length=100)]
    """Corners as shares of the picture's width and height, from its upper left."""


class JoiningSettings(Strict):
    """When what several cameras see is one case."""

    distance_m: Annotated[float, Field(ge=0, le=200)] = DISTANCE_M
    """Problems of one category on the ground are one thing up to this distance, metres."""
    distances_m: dict[str, Annotated[float, Field(ge=0, le=200)]] = Field(default_factory=lambda: dict(DISTANCES_M))
    """Category id to its own distance."""
    overlaps: tuple[tuple[AreaSettings, AreaSettings], ...] = ()
    """Pairs of areas of two cameras that show the same place, for cameras that know no ground."""
    waived_after: PositiveDuration = WAIVED_AFTER
    """How long the word of a camera that cannot see is waited for when all others say that the thing is gone."""


class DeskEvidence(Strict):
    """Where the pictures are."""

    directory: Location | None = None
    """The desk shows the pictures in this folder."""
    url: Filled | None = None
    """What evidence links in events begin with; without a directory pages load pictures from there."""
    access_log_days: Annotated[int, Field(ge=180)] = 180
    """Days for which it is remembered who opened which picture; whole months are deleted, once a day."""


class DeskSettings(Strict):
    """A desk. Relative paths start from the folder of the file that names them."""

    title: Annotated[str, Field(min_length=1, max_length=100)] = "Street desk"
    timezone: Timezone = "Asia/Shanghai"
    """Pages show times in it, and the office keeps it."""
    data: Location = Path("var/desk")
    """Folder of the desk's database and access log."""
    secrets: tuple[SigningSecret, ...] = ()
    """Signing secrets of which one must fit; $DETECTOR_DESK_SECRET when not given."""
    host: str = "127.0.0.1"
    """Address to listen on; the default is reachable from this machine only."""
    port: int = Field(default=8900, ge=0, le=65535)
    """0: any free port."""
    worker_url: EndpointAddress | None = None
    """Address of a worker's own page, as readers' browsers reach it: the desk's pages link it under "Cameras"."""
    evidence: DeskEvidence = Field(default_factory=DeskEvidence)
    categories: Location = Field(default_factory=lambda: shipped("configs/categories.yaml"))
    """File of categories: names, labels and deadlines are taken from it."""
    deadlines: dict[str, DeadlineSettings] = Field(default_factory=dict)
    """Category id to a limit of its own, before that of the file of categories."""
    deadline: DeadlineSettings | None = None
    """The limit of categories that have none."""
    office: OfficeSettings = Field(default_factory=OfficeSettings)
    routing: Location | None = None
    """File of departments, streets and routes."""
    dispatch: DispatchSettings = Field(default_factory=DispatchSettings)
    joining: JoiningSettings = Field(default_factory=JoiningSettings)
    escalation: tuple[EscalationSettings, ...] = ()
    """Who is told when, soonest first."""
