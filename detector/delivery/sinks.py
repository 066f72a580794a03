"""Every kind of endpoint, and how its sink is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from detector.config.endpoints import EndpointSettings
from detector.config.mapping import load_mapping
from detector.config.sinks import MqttSettings
from detector.delivery.endpoint import endpoint_of
from detector.delivery.mapped import Mapped
from detector.delivery.memory import Memory, ShortMemory
from detector.delivery.open311 import Open311
from detector.delivery.preview import Preview
from detector.delivery.webhook import Webhook
from detector.errors import DeliveryError
from detector.ports import EventSink


class Sink(EventSink, Protocol):
    """An EventSink that can say beforehand what it would send."""

    def preview(self, event_id: str, event_type: str, body: bytes) -> Preview:
        """What `send` would send; sends nothing."""
        ...


def no_picture(_link: str) -> bytes | None:
    """For installations without an archive of pictures."""
    return None


@dataclass(frozen=True, slots=True)
class Tools:
    """What sinks need of the rest of the installation."""

    memory: Callable[[str], Memory] = lambda _: ShortMemory()  # endpoint name -> what it remembers
    picture: Callable[[str], bytes | None] = no_picture  # evidence link -> the redacted JPEG, None when it is gone
    site: str = "street-detector"


def open_sink(settings: EndpointSettings, tools: Tools) -> Sink:
    """The sink of an endpoint; connects to nothing yet. Raises DeliveryError or ConfigError."""
    return SINKS[settings.kind](settings, tools)


def _webhook(settings: EndpointSettings, tools: Tools) -> Sink:
    return Webhook(endpoint_of(settings))


def _open311(settings: EndpointSettings, tools: Tools) -> Sink:
    if settings.open311 is None:
        raise DeliveryError(f"endpoint {settings.name!r} needs the section `open311`")
    return Open311(endpoint_of(settings), settings.open311, tools.memory(settings.name))


def _mqtt(settings: EndpointSettings, tools: Tools) -> Sink:
    try:
        from detector.delivery.mqtt import Mqtt
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("paho"):
            raise
        raise DeliveryError(
            f"endpoint {settings.name!r}: MQTT needs a library: pip install 'street-detector[mqtt]'"
        ) from error
    return Mqtt(endpoint_of(settings), settings.mqtt or MqttSettings(), tools.site)


def _mapped(settings: EndpointSettings, tools: Tools) -> Sink:
    if settings.mapped is None:
        raise DeliveryError(f"endpoint {settings.name!r} needs the section `mapped`")
    mapping = load_mapping(settings.mapped.file)
    return Mapped(endpoint_of(settings), settings.mapped, mapping, tools.memory(settings.name), tools.picture)


SINKS: dict[str, Callable[[EndpointSettings, Tools], Sink]] = {
    "webhook": _webhook,
    "open311": _open311,
    "mqtt": _mqtt,
    "mapped": _mapped,
}
"""`kind` of an endpoint to what opens its sink."""
