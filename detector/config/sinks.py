"""What endpoints need to know that are no webhooks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from detector.config.strict import Strict
from detector.config.values import Location, environment_of, fill_in
from detector.core.problem import EventKind


def _secret(value: object, info: ValidationInfo) -> object:
    return fill_in(value, environment_of(info)).strip() if isinstance(value, str) else value


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
"""A key or password, best as `${NAME}` (environment); hidden."""

PROBLEM_EVENTS = tuple(f"problem.{kind.value}" for kind in EventKind)
ProblemEventType = Literal[
    "problem.opened", "problem.updated", "problem.cleared", "problem.dismissed", "problem.reopened"
]
Handling = Literal["request", "note", "skip"]

USUAL_HANDLING: dict[ProblemEventType, Handling] = {
    "problem.opened": "request",
    "problem.reopened": "request",
    "problem.updated": "skip",
    "problem.cleared": "skip",
    "problem.dismissed": "skip",
}
"""Open311 GeoReport v2 can only make service requests; it has no way to change or close one."""


class Open311Settings(Strict):
    """An Open311 GeoReport v2 server; `url` of the endpoint is what stands before `/requests`."""

    format: Literal["json", "xml"] = "json"
    """What the server answers in. The standard asks servers for XML and leaves JSON to them."""

    api_key: Secret | None = None
    """Sent with each service request; `${NAME}` keeps it out of this file."""
    jurisdiction_id: str | None = None
    """Needed by servers for several cities."""
    service_codes: dict[str, str] = Field(default_factory=dict)
    """Category id to the server's service code, as its /services.json lists them."""
    default_service_code: str | None = None
    """For categories that are not listed; without it their events become dead letters that say so."""
    note_service_code: str | None = None
    """For events that are handled as `note`: a request of this code that names the first one."""
    on: dict[ProblemEventType, Handling] = Field(default_factory=dict)
    """What becomes of each event: `request` (a service request), `note` or `skip`. Opened and reopened problems are
    requested, all else is skipped, unless said here."""
    language: str = "zh"
    """Language of category names in descriptions."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """Values for attributes that every service request needs: code to value."""
    contact: dict[Literal["account_id", "device_id", "email", "first_name", "last_name", "phone"], str] = Field(
        default_factory=dict
    )
    """Who reports, as the server wants it."""
    look_up: bool = True
    """After a lost answer, look for the request in GET /requests.json before it is made again."""
    when_unsure: Literal["ask", "again"] = "ask"
    """After a lost answer, when the server cannot be asked what it has: `ask` a person (a dead letter, nothing is
    sent twice) or send `again` (nothing waits, a second request is possible)."""

    @field_validator("on")
    @classmethod
    def _notes_have_a_code(
        cls, value: dict[ProblemEventType, Handling], info: ValidationInfo
    ) -> dict[ProblemEventType, Handling]:
        if "note" in value.values() and info.data.get("note_service_code") is None:
            raise ValueError("a note needs `note_service_code`")
        return value

    def handling(self, event_type: str) -> Handling:
        """What becomes of events of a type; `skip` for those that are about no problem."""
        told = {**USUAL_HANDLING, **self.on}
        return next((handling for known, handling in told.items() if known == event_type), "skip")


def _topic(value: str) -> str:
    if not value or value.startswith(("$", "/")) or any(sign in value for sign in "+#\0"):
        raise ValueError("must be a topic to publish to: no + or #, not beginning with $ or /")
    known = {"{site}", "{type}", "{subject}", "{camera_id}", "{category}", "{district}"}
    rest = value
    for one in known:
        rest = rest.replace(one, "")
    if "{" in rest or "}" in rest:
        raise ValueError(f"may contain {', '.join(sorted(known))} only")
    return value


class MqttSettings(Strict):
    """An MQTT broker; `url` of the endpoint is mqtt://[USER:PASSWORD@]HOST[:PORT], or mqtts:// with TLS."""

    topic: Annotated[str, AfterValidator(_topic)] = "street/{type}/{subject}"
    """Where events are published; {site}, {type}, {subject}, {camera_id}, {category} and {district} are filled in."""
    retain_health: bool = True
    """Keep the newest `camera.health` of each topic at the broker, for whoever subscribes later."""
    client_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.:-]{1,128}$")
    """Must differ between all clients of the broker; made of host and endpoint when not given."""
    version: Literal["5", "3.1.1"] = "5"
    """Of the protocol. With 3.1.1 a broker cannot say that it refuses a message."""
    keepalive: int = Field(default=60, ge=5, le=3600)
    """Seconds between signs of life."""
    ca_file: Location | None = None
    """Authorities to trust (PEM); the system's when not given."""
    cert_file: Location | None = None
    """This client's certificate (PEM), for brokers that ask for one."""
    key_file: Location | None = None
    """Its private key (PEM)."""


class MappedSettings(Strict):
    """A platform with an interface of its own, told by a mapping file."""

    file: Location
    """The mapping: which field of a request holds what; configs/mapping.example.yaml shows all there is."""
    when_unsure: Literal["ask", "again"] = "again"
    """After a lost answer: send `again`, or `ask` a person (a dead letter)."""
