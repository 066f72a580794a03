"""Publishes events to an MQTT broker with QoS 1: accepted is what the broker has acknowledged (PUBACK)."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from detector.config.sinks import MqttSettings
from detector.core.secrets import HIDDEN, one_line
from detector.delivery.endpoint import Endpoint
from detector.delivery.facts import facts_of
from detector.delivery.preview import Preview
from detector.delivery.wire import CONTENT_TYPE
from detector.errors import DeliveryError
from detector.ports import Attempt

_HEALTH = "camera.health"
_LONGEST_LEVEL = 200  # characters of one level of a topic that come from data
_FINAL = frozenset({0x90, 0x99})  # topic name invalid, payload format invalid: the same at the next try


class Mqtt:
    """An EventSink for one broker. Thread-safe; one connection, made anew by the first try after it broke.

    Raises DeliveryError when made with certificates that cannot be read.
    """

    def __init__(self, endpoint: Endpoint, settings: MqttSettings, site: str = "street-detector") -> None:
        parts = urlsplit(endpoint.url)
        self._endpoint, self._settings, self._site = endpoint, settings, site
        self._host, self._port = parts.hostname or "", parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        self._user = None if parts.username is None else unquote(parts.username)
        self._password = None if parts.password is None else unquote(parts.password)
        self._tls = _tls(settings, endpoint.name) if parts.scheme == "mqtts" else None
        self._client_id = settings.client_id or _client_id(endpoint.name)
        self._connecting = threading.Lock()
        self._connection: _Connection | None = None
        self._closed = threading.Event()

    def send(self, event_id: str, event_type: str, body: bytes) -> Attempt:
        """Publish one event and wait for the broker's word, for at most the endpoint's timeout."""
        ends = time.monotonic() + self._endpoint.timeout_s
        topic, retain = self._address(event_type, body)
        try:
            connection = self._connected(ends)
        except (OSError, ValueError) as error:
            return Attempt(False, error=self._clean(f"{type(error).__name__}: {error}"))
        outcome = connection.publish(topic, body, retain, ends)
        if isinstance(outcome, str):
            # a message without an answer would be sent again by the library: the outbox is what repeats here
            self._drop(connection)
            return Attempt(False, error=self._clean(outcome))
        if outcome.is_failure:
            refusal = self._clean(f"the broker refuses topic {topic}: {outcome}")
            # the code of MQTT is no status of HTTP; the endpoint as a whole works
            return Attempt(False, error=refusal, final=outcome.value in _FINAL, blameless=True)
        return Attempt(True, receipt={"topic": topic})

    def preview(self, event_id: str, event_type: str, body: bytes) -> Preview:
        """What `send` would publish."""
        topic, retain = self._address(event_type, body)
        headers = {"qos": "1", "retain": "true" if retain else "false", "content-type": CONTENT_TYPE}
        return Preview(f"PUBLISH {topic}", headers, body.decode())

    def close(self) -> None:
        """Disconnect; a try that is under way fails at once. Safe to call twice."""
        self._closed.set()
        connection = self._connection  # not under the lock: another thread may hold it while it connects
        if connection is not None:
            self._drop(connection)

    def _address(self, event_type: str, body: bytes) -> tuple[str, bool]:
        facts = facts_of(body, event_type)
        values = {"site": self._site, "type": event_type} | {
            name: facts[name] for name in ("subject", "camera_id", "category", "district")
        }
        topic = self._settings.topic
        for name, value in values.items():
            topic = topic.replace(f"{{{name}}}", _level(value))
        return topic, event_type == _HEALTH and self._settings.retain_health

    def _connected(self, ends: float) -> _Connection:
        with self._connecting:
            if self._closed.is_set():
                raise ConnectionError("closed")
            connection = self._connection  # read once: another thread may drop it at any time
            if connection is None or not connection.alive:
                connection = self._connection = _Connection(self._client())
                if self._closed.is_set():  # while it was made, when `close` has seen none
                    raise ConnectionError("closed")
                connection.open(self._host, self._port, ends)
            return connection

    def _client(self) -> paho.Client:
        five = self._settings.version == "5"
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            clean_session=None if five else True,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        client.keepalive = self._settings.keepalive
        return client

    def _drop(self, connection: _Connection) -> None:
        if self._connection is connection:
            self._connection = None
        connection.close()

    def _clean(self, text: str) -> str:
        for secret in (self._endpoint.url, self._password, self._user):
            text = text.replace(secret, HIDDEN) if secret else text
        return one_line(text, 300)


class _Connection:
    """One connection with its network thread, and the acknowledgements that came over it."""

    def __init__(self, client: paho.Client) -> None:
        self._client = client
        self._changed = threading.Condition()
        self._answer: ReasonCode | None = None  # to CONNECT
        self._acknowledged: dict[int, ReasonCode] = {}
        self._over: str | None = None  # why the connection ended
        client.on_connect = lambda *args: self._connected(args[3])
        client.on_disconnect = lambda *args: self._disconnected(args[3])
        client.on_publish = lambda *args: self._published(args[2], args[3])

    def open(self, host: str, port: int, ends: float) -> None:
        """Raises OSError when the broker is not there, refuses, or does not answer in time."""
        self._client.connect_timeout = max(0.05, ends - time.monotonic())
        try:
            self._client.connect(host, port, self._client.keepalive)
            self._client.loop_start()
            self._wait(lambda: self._answer is not None, ends)
            with self._changed:
                answer, over = self._answer, self._over
            if answer is None:
                raise TimeoutError(over or "the broker does not answer in time")
            if answer.is_failure:
                raise ConnectionRefusedError(f"the broker refuses the connection: {answer}")
        except OSError:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        return self._over is None

    def publish(self, topic: str, body: bytes, retain: bool, ends: float) -> ReasonCode | str:
        """The broker's word about one message, or why there is none."""
        properties = None
        if self._client.protocol == MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ContentType = CONTENT_TYPE  # as the MQTT binding of CloudEvents asks in structured mode
        try:
            info = self._client.publish(topic, body, qos=1, retain=retain, properties=properties)
        except (ValueError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return paho.error_string(info.rc)
        if not self._wait(lambda: info.mid in self._acknowledged, ends):
            return self._over or "the broker has not acknowledged it in time"
        with self._changed:
            return self._acknowledged.pop(info.mid)

    def close(self) -> None:
        self._client.disconnect()
        with self._changed:
            self._over = self._over or "closed"
            self._changed.notify_all()
        with suppress(AttributeError):  # the library's thread forgets itself as it ends, also in the middle of this
            self._client.loop_stop()

    def _wait(self, done: Callable[[], bool], ends: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: done() or self._over is not None, max(0.0, ends - time.monotonic()))
            return done()

    def _connected(self, answer: ReasonCode) -> None:
        with self._changed:
            self._answer = answer
            self._changed.notify_all()

    def _disconnected(self, reason: ReasonCode) -> None:
        with self._changed:
            self._over = f"the connection ended: {reason}"
            self._changed.notify_all()

    def _published(self, mid: int, reason: ReasonCode) -> None:
        with self._changed:
            self._acknowledged[mid] = reason
            self._changed.notify_all()


def _level(value: object) -> str:
    """Data as one level of a topic: what has a meaning there is replaced."""
    text = "none" if value is None or value == "" else str(value)
    safe = "".join("_" if letter in "/+#" or not letter.isprintable() else letter for letter in text)
    return safe[:_LONGEST_LEVEL]


def _client_id(name: str) -> str:
    """The same after a restart, so that the broker ends a connection that a crash has left behind."""
    host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname())
    return f"street-detector-{host}-{name}"[:128]


def _tls(settings: MqttSettings, name: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
        if settings.cert_file is not None:
            context.load_cert_chain(settings.cert_file, settings.key_file)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or type(error).__name__
        raise DeliveryError(f"endpoint {name!r}: its certificates cannot be read: {reason}") from error
    return context
