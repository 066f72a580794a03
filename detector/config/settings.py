"""One installation's settings, as read from its YAML file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationInfo, WithJsonSchema, model_validator

from detector.config.cameras import (
    CameraSettings,
    PatrolSettings,
    SamplingPlan,
    SamplingSettings,
    plan_of,
)
from detector.config.endpoints import EndpointSettings
from detector.config.intake import IntakeSettings
from detector.config.marked_yaml import Document
from detector.config.shipped import shipped
from detector.config.sinks import Secret
from detector.config.strict import Strict
from detector.config.values import (
    EndpointAddress,
    Filled,
    Location,
    PositiveDuration,
    Timezone,
    environment_of,
    fill_in,
    folder_of,
)
from detector.config.workdays import CalendarSettings


class ModelSettings(Strict):
    """Which model looks, and on what it runs."""

    path: Location = Field(default_factory=lambda: shipped("models/street-14"))
    """Folder of a model bundle (manifest.json and the ONNX file); by default the one that comes with the product."""
    backend: Literal["onnxruntime", "openvino"] = "onnxruntime"
    """`openvino` needs the extra of that name."""
    provider: str = "auto"
    """onnxruntime: `auto`, `cpu`, `cuda`, `tensorrt`; openvino: `auto` or a device such as `CPU`, `GPU`."""
    threads: int = Field(default=0, ge=0, le=1024)
    """CPU threads of the model; 0 leaves it to the backend."""
    input_size: int | None = Field(default=None, ge=32, le=4096, multiple_of=32)
    """Pixels of the square input, where the model takes any; its own nominal size when not given."""
    batch_size: int = Field(default=8, ge=1, le=256)
    """Most pictures judged at once."""
    max_wait_ms: float = Field(default=50.0, ge=0, le=10_000)
    """Longest wait for a batch to fill, milliseconds."""


class EvidenceSettings(Strict):
    """The pictures that go with problems."""

    directory: Location = Path("var/evidence")
    """Where they are written."""
    public_url: Filled | None = None
    """Address under which the receivers of events reach that folder."""
    keep_days: int = Field(default=90, ge=1)
    """Days until a picture is deleted."""
    keep_days_by_category: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """Category id to days, where it differs."""

    def days_for(self, category: str) -> int:
        """Days that a picture of `category` is kept."""
        return self.keep_days_by_category.get(category, self.keep_days)


class LooksSettings(Strict):
    """Whole pictures kept for training, redacted like all others."""

    directory: Location | None = None
    """Where they are written; none are kept when not given."""
    every: PositiveDuration = timedelta(hours=1)
    """Least time between two ordinary looks kept of one camera; those that moved a problem are always kept."""
    keep_days: int = Field(default=30, ge=1)
    """Days until a kept look is deleted."""


class DeskLinkSettings(Strict):
    """The desk where people decide about problems, and what follows from that."""

    url: EndpointAddress | None = None
    """Its address, e.g. http://127.0.0.1:8900; asked for verdicts and for cases that wait to be looked at again."""
    token: Secret | None = None
    """The desk's token for reading, where it wants one; `${NAME}` takes it from the environment."""
    every: PositiveDuration = timedelta(seconds=30)
    """How often it is asked; also how often a patrolled camera is visited while a case there waits to be looked at."""
    silence: PositiveDuration = timedelta(days=7)
    """How long what a person has rejected is ignored at its place."""


class ApiSettings(Strict):
    """Health, readiness and metrics of the worker."""

    host: str = "127.0.0.1"
    """Address to listen on; the default is reachable from this machine only."""
    port: int = Field(default=8800, ge=0, le=65535)
    """0: any free port."""


class LogSettings(Strict):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is worth a line."""
    format: Literal["console", "json"] = "console"
    """`console` for people, `json` (one object per line) for a log system."""


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


_PATH = {"type": "string", "format": "path"}
Files = Annotated[
    tuple[Location, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [_PATH, {"type": "array", "items": _PATH}]}),
]
"""One file or a list of files."""


class RulesSettings(Strict):
    """Where something is allowed, to whom and when; read again with the settings."""

    zones: Files = ()
    """Files of zones: areas of a camera's picture or of the map."""
    permits: Files = ()
    """Files of permits and events."""
    rules: Location = Field(default_factory=lambda: shipped("configs/rules.yaml"))
    """What a category means in a kind of zone; the rules that come with the product when not given."""
    calendar: CalendarSettings = Field(default_factory=CalendarSettings)
    """Which days are public holidays and make-up workdays, for permits and rules that ask (`holidays`)."""


_SQLITE = "sqlite:///"


def _database(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value
    url = fill_in(value, environment_of(info))
    scheme = url.partition(":")[0].partition("+")[0]
    if scheme not in {"sqlite", "postgresql"} or "://" not in url:
        raise ValueError("must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
    if url.startswith(_SQLITE) and url != _SQLITE and not url.startswith(f"{_SQLITE}:memory:"):
        return f"{_SQLITE}{folder_of(info) / url[len(_SQLITE) :]}"
    return url


DatabaseUrl = Annotated[str, BeforeValidator(_database), Field(repr=False)]
"""SQLAlchemy address; a relative SQLite path starts from the file that names it."""


def _sections(value: object) -> object:
    """Sections that are not given are read as if they were empty, so that their own defaults are placed too."""
    if not isinstance(value, dict):
        return value
    present = {key: part for key, part in value.items() if part is not None}
    return {"model": {}, "evidence": {}, "rules": {}, **present}


class Settings(Strict):
    """A detector installation. Relative paths start from the folder of the file that names them."""

    site: str = Field(default="street-detector", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}$")
    """Name of this installation: the `source` of all its events."""
    timezone: Timezone = "Asia/Shanghai"
    """Where the cameras are, unless a camera says otherwise."""
    model: ModelSettings = Field(default_factory=ModelSettings)
    database: DatabaseUrl = "sqlite:///var/detector.db"
    """sqlite:///PATH, or postgresql://... with the extra `postgres`."""
    evidence: EvidenceSettings = Field(default_factory=EvidenceSettings)
    categories: Location = Field(default_factory=lambda: shipped("configs/categories.yaml"))
    """What counts as a problem; the fourteen categories that come with the product when not given."""
    rules: RulesSettings = Field(default_factory=RulesSettings)
    sampling: SamplingSettings = Field(default_factory=SamplingSettings)
    patrol: PatrolSettings = Field(default_factory=PatrolSettings)
    cameras: tuple[CameraSettings, ...] = ()
    """The cameras, those of `cameras_file` after those written here."""
    cameras_file: Location | None = None
    """CSV file with one camera per row; its header names the keys of a camera."""
    endpoints: tuple[EndpointSettings, ...] = ()
    """Who is told."""
    looks: LooksSettings = Field(default_factory=LooksSettings)
    desk: DeskLinkSettings = Field(default_factory=DeskLinkSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    intake: IntakeSettings = Field(default_factory=IntakeSettings)
    """Photos that people send; used by `detector intake` only."""
    log: LogSettings = Field(default_factory=LogSettings)

    _document: Document | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _with_sections(cls, data: Any) -> Any:
        return _sections(data)

    @property
    def document(self) -> Document | None:
        """The file it was read from with the line of each key; None when it was made by hand."""
        return self._document

    def plan(self, camera: CameraSettings) -> SamplingPlan:
        """How `camera` is looked at, all defaults filled in."""
        return plan_of(camera, self.sampling, self.patrol)

    def timezone_of(self, camera: CameraSettings) -> str:
        """IANA name of the time zone the camera stands in."""
        return camera.timezone or self.timezone
