"""Who is told about what, and how hard we try."""

from __future__ import annotations

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator, Field

from detector.config.finding import did_you_mean
from detector.config.strict import Strict
from detector.config.values import Duration, EndpointAddress, PositiveDuration, SigningSecret
from detector.core.problem import EventKind

EVENT_TYPES = (*(f"problem.{kind.value}" for kind in EventKind), "camera.health", "detection.observed")
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


class EndpointSettings(Strict):
    """One receiver of signed events (CloudEvents over Standard Webhooks)."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    """Its stable name: deliveries, metrics and `detector redeliver` refer to it."""
    url: EndpointAddress
    """http or https address that takes the POST."""
    secrets: tuple[SigningSecret, ...] = Field(min_length=1)
    """Signing secrets, newest first; while one rotates each event is signed with all of them."""
    events: tuple[EventPattern, ...] = ("problem.*", "camera.health")
    """What it is told; `detection.observed` (each single detection) must be asked for."""
    retry_schedule: tuple[Duration, ...] = Field(default=STANDARD_SCHEDULE, min_length=1)
    """Waits before the first and each further try; after the last one the delivery is dead until it is redelivered."""
    timeout: PositiveDuration = timedelta(seconds=20)
    """How long one try may take."""

    def wants(self, event_type: str) -> bool:
        """Whether it subscribes to e.g. `problem.opened`."""
        return any(fnmatchcase(event_type, pattern) for pattern in self.events)
