"""A receiver of events, and which events it wants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from detector.config.endpoints import STANDARD_SCHEDULE, EndpointSettings
from detector.delivery.signature import key_of
from detector.errors import DeliveryError

_RAW = "detection."
"""Types that are many: a pattern must begin with this to mean them, so that `*` does not switch them on."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One receiver. Raises DeliveryError when made with a wrong value; the text shows neither URL nor secret."""

    name: str
    url: str = field(repr=False)  # http(s), or mqtt(s); may carry a token, so it is never shown whole
    secrets: tuple[str, ...] = field(repr=False)  # whsec_..., newest first; several while one is rotated
    events: tuple[str, ...] = ("problem.*", "camera.health")
    schedule: tuple[timedelta, ...] = STANDARD_SCHEDULE  # wait before the first try (0) and each further one
    timeout_s: float = 15.0  # for one whole try, seconds
    at_once: int = 2  # deliveries on their way to it at the same time
    kind: str = "webhook"  # a key of detector.delivery.sinks.SINKS

    def __post_init__(self) -> None:
        if not self.secrets and self.kind == "webhook":
            raise DeliveryError(f"endpoint {self.name!r} needs at least one secret (whsec_...)")
        try:
            self.keys()
        except DeliveryError as error:
            raise DeliveryError(f"endpoint {self.name!r}: {error}") from None
        schemes = ("mqtt", "mqtts") if self.kind == "mqtt" else ("http", "https")
        try:
            parts = urlsplit(self.url)
            fits = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fits = False
        if not fits:
            raise DeliveryError(f"endpoint {self.name!r} needs an {schemes[0]}:// or {schemes[1]}:// URL")
        if not self.schedule or self.schedule[0] != timedelta(0):
            raise DeliveryError(f"endpoint {self.name!r}: the first try is made at once, so the schedule starts with 0")
        if min(self.schedule) < timedelta(0) or self.timeout_s <= 0 or self.at_once < 1:
            raise DeliveryError(f"endpoint {self.name!r}: waits, timeout and number at once must be positive")

    def keys(self) -> tuple[bytes, ...]:
        """The secrets, decoded."""
        return tuple(key_of(secret) for secret in self.secrets)

    def wants(self, event_type: str) -> bool:
        """Whether it subscribes to e.g. `problem.opened`; detections only when a pattern names them."""
        return any(
            fnmatchcase(event_type, pattern)
            for pattern in self.events
            if pattern.startswith(_RAW) or not event_type.startswith(_RAW)
        )


def endpoint_of(settings: EndpointSettings) -> Endpoint:
    """The endpoint that a configuration file describes. Raises DeliveryError."""
    return Endpoint(
        name=settings.name,
        url=settings.url.get_secret_value(),
        secrets=tuple(secret.get_secret_value() for secret in settings.secrets),
        events=settings.events,
        schedule=settings.retry_schedule,
        timeout_s=settings.timeout.total_seconds(),
        kind=settings.kind,
    )


def subscribers(event_type: str, endpoints: Iterable[Endpoint]) -> tuple[str, ...]:
    """Names of the endpoints that want an event type."""
    return tuple(endpoint.name for endpoint in endpoints if endpoint.wants(event_type))
