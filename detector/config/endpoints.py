"""Who is told about what, in which way, and how hard we try."""

from __future__ import annotations

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from detector.config.finding import did_you_mean
from detector.config.sinks import MappedSettings, MqttSettings, Open311Settings
from detector.config.strict import Strict
from detector.config.values import Duration, EndpointAddress, PositiveDuration, SigningSecret, scheme_of
from detector.core.event import CaseEventKind
from detector.core.problem import EventKind

EVENT_TYPES = (
    *(f"problem.{kind.value}" for kind in EventKind),
    "camera.health",
    "detection.observed",
    *(f"case.{kind.value}" for kind in CaseEventKind),
)
"""Everything an endpoint can subscribe to."""

STANDARD_SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Waits before the first and each further try, as Standard Webhooks 1.0.0 recommends."""


def _matches_something(pattern: str) -> str:
    if not any(fnmatchcase(known, pattern) for known in EVENT_TYPES):
        hint = did_you_mean(pattern, EVENT_TYPES)
        raise ValueError(f'"{pattern}" matches no event ({", ".join(EVENT_TYPES)}); {hint or ""}')
    return pattern


EventPattern = Annotated[str, AfterValidator(_matches_something), Field(examples=["problem.*", *EVENT_TYPES])]
"""An event type, or a pattern with `*`."""


Kind = Literal["webhook", "open311", "mqtt", "mapped"]


class EndpointSettings(Strict):
    """One receiver of events."""

    kind: Kind = "webhook"
    """`webhook`: signed CloudEvents over Standard Webhooks; `open311`: GeoReport v2; `mqtt`; `mapped`: a platform with
    an interface of its own. The section of that name says more."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    """Its stable name: deliveries, metrics and `detector redeliver` refer to it."""
    url: EndpointAddress
    """http or https address that takes the POST; mqtt or mqtts for `kind: mqtt`."""
    secrets: tuple[SigningSecret, ...] = ()
    """Signing secrets of a webhook, newest first; while one rotates each event is signed with all of them."""
    open311: Open311Settings | None = None
    """For `kind: open311`."""
    mqtt: MqttSettings | None = None
    """For `kind: mqtt`; may be left out."""
    mapped: MappedSettings | None = None
    """For `kind: mapped`."""
    events: tuple[EventPattern, ...] = ("problem.*", "camera.health")
    """What it is told; `detection.observed` (each single detection) must be asked for. `case.*` tells of overdue and
    escalated cases of the desk in `desk.url`."""
    retry_schedule: tuple[Duration, ...] = Field(default=STANDARD_SCHEDULE, min_length=1)
    """Waits before the first and each further try; after the last one the delivery is dead until it is redelivered."""
    timeout: PositiveDuration = timedelta(seconds=20)
    """How long one try may take."""

    @field_validator("url")
    @classmethod
    def _fits_kind(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        mqtt = scheme_of(value.get_secret_value()) in {"mqtt", "mqtts"}
        if "kind" not in info.data:
            return value
        if mqtt and info.data["kind"] != "mqtt":
            raise ValueError("must be an http:// or https:// address; mqtt:// needs `kind: mqtt`")
        if not mqtt and info.data["kind"] == "mqtt":
            raise ValueError("must be an mqtt:// or mqtts:// address")
        return value

    @field_validator("secrets")
    @classmethod
    def _signed(cls, value: tuple[SecretStr, ...], info: ValidationInfo) -> tuple[SecretStr, ...]:
        if "kind" not in info.data:  # it is wrong itself
            return value
        webhook = info.data["kind"] == "webhook"
        if webhook and not value:
            raise ValueError("needs at least 1: a webhook is signed (whsec_...)")
        if not webhook and value:
            raise ValueError("only a webhook is signed; leave them out")
        return value

    @field_validator("open311", "mqtt", "mapped")
    @classmethod
    def _of_this_kind(cls, value: Strict | None, info: ValidationInfo) -> Strict | None:
        kind = info.data.get("kind")
        if value is not None and kind is not None and info.field_name != kind:
            raise ValueError(f"belongs to `kind: {info.field_name}`, not to `kind: {kind}`")
        if value is None and info.field_name == kind and kind != "mqtt":
            raise ValueError(f"is missing: `kind: {kind}` needs it")
        return value

    def wants(self, event_type: str) -> bool:
        """Whether it subscribes to e.g. `problem.opened`."""
        return any(fnmatchcase(event_type, pattern) for pattern in self.events)
