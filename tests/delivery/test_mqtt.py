"""MQTT against a real broker."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from detector.config.endpoints import EndpointSettings
from detector.config.sinks import MqttSettings
from detector.delivery.endpoint import endpoint_of
from detector.delivery.mqtt import Mqtt, _Connection
from detector.delivery.samples import samples
from detector.delivery.sinks import Tools, open_sink
from detector.errors import DeliveryError
from detector.ports import Attempt
from tests.delivery.test_courier import eventually
from tests.servers.mosquitto import PASSWORD, Mosquitto, Subscriber
from tests.servers.tls import certificate

pytestmark = pytest.mark.server


@contextmanager
def sink_for(url: str, timeout: str = "10 s", **options: Any) -> Iterator[Mqtt]:
    settings = EndpointSettings.model_validate(
        {"name": "broker", "kind": "mqtt", "url": url, "timeout": timeout, "mqtt": options}
    )
    sink = Mqtt(endpoint_of(settings), settings.mqtt or MqttSettings(), "site-1")
    try:
        yield sink
    finally:
        sink.close()


@contextmanager
def listening(broker: Mosquitto, **options: Any) -> Iterator[Subscriber]:
    subscriber = Subscriber(broker, **options)
    try:
        yield subscriber
    finally:
        subscriber.close()


def send(sink: Mqtt, event_type: str = "problem.opened") -> Attempt:
    body = samples()[event_type]
    return sink.send(json.loads(body)["id"], event_type, body)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_every_event_arrives_unchanged_and_is_acknowledged(mosquitto: Mosquitto, version: str) -> None:
    mosquitto.start()
    with listening(mosquitto) as subscriber, sink_for(mosquitto.url, version=version) as sink:
        attempts = [send(sink, event_type) for event_type in samples()]
        heard = subscriber.wait_for(len(attempts))
    assert [one.accepted for one in attempts] == [True] * len(samples())
    assert [one.payload for one in heard] == list(samples().values())
    assert [one.topic for one in heard] == [one.receipt["topic"] for one in attempts]
    assert heard[0].topic == f"street/problem.opened/{json.loads(samples()['problem.opened'])['subject']}"
    assert {one.qos for one in heard} == {1}
    assert {one.content_type for one in heard} == ({"application/cloudevents+json"} if version == "5" else {None})
    assert mosquitto.log().count("Sending PUBACK to street-detector-") == len(attempts)
    assert mosquitto.log().count("New client connected") == 2  # the subscriber, and one for all events


def test_the_newest_health_of_a_camera_is_retained(mosquitto: Mosquitto) -> None:
    mosquitto.start()
    with sink_for(mosquitto.url) as sink:
        assert send(sink, "camera.health").accepted
        assert send(sink, "problem.opened").accepted
    with listening(mosquitto) as late:
        assert [(one.topic, one.retained) for one in late.wait_for(1)] == [("street/camera.health/east-gate-2", True)]


def test_topics_are_made_of_the_event_and_stay_topics(mosquitto: Mosquitto) -> None:
    mosquitto.start()
    event = json.loads(samples()["problem.opened"])
    event["data"]["camera"]["district"] = "a/b+#\x00c"
    with listening(mosquitto) as subscriber:
        with sink_for(mosquitto.url, topic="city/{site}/{district}/{camera_id}/{category}") as sink:
            assert sink.send("e1", "problem.opened", json.dumps(event).encode()).accepted
            event["data"]["camera"] = None
            assert sink.send("e1", "problem.opened", json.dumps(event).encode()).accepted
        topics = [one.topic for one in subscriber.wait_for(2)]
    assert topics == [
        "city/site-1/a_b___c/east-gate-2/exposed_garbage",
        "city/site-1/none/east-gate-2/exposed_garbage",
    ]


def test_login(mosquitto: Mosquitto) -> None:
    mosquitto.start(login=True)
    with sink_for(mosquitto.url_with_login) as sink:
        assert send(sink).accepted
    with sink_for(mosquitto.url) as sink:
        attempt = send(sink)
    assert (attempt.accepted, attempt.error) == (
        False,
        "ConnectionRefusedError: the broker refuses the connection: Not authorized",
    )


def test_a_refused_topic_is_told_and_the_endpoint_goes_on(mosquitto: Mosquitto) -> None:
    mosquitto.start(acl="topic write allowed/#\ntopic read #\n")
    with sink_for(mosquitto.url) as sink:
        attempt = send(sink)
    assert (attempt.accepted, attempt.blameless) == (False, True)
    assert "Not authorized" in (attempt.error or "")
    with sink_for(mosquitto.url, topic="allowed/{type}") as sink:
        assert send(sink).accepted


def test_a_broker_that_is_not_there_and_comes_back(mosquitto: Mosquitto) -> None:
    mosquitto.start()
    with sink_for(mosquitto.url) as sink:
        assert send(sink).accepted
        mosquitto.kill()
        down = send(sink)
        mosquitto.restart()
        with listening(mosquitto) as subscriber:
            back = send(sink)
            assert len(subscriber.wait_for(1)) == 1  # nothing of the failed try is sent later
    assert (down.accepted, down.status, back.accepted) == (False, None, True)
    assert down.error


def test_silence_ends_with_the_timeout_and_accepts_nothing(mosquitto: Mosquitto) -> None:
    mosquitto.start()
    with sink_for(mosquitto.url, timeout="500 ms") as sink:
        mosquitto.freeze()
        before = send(sink)  # no answer to CONNECT
        mosquitto.thaw()
    with sink_for(mosquitto.url, timeout="500 ms") as sink:
        assert eventually(lambda: send(sink).accepted)
        mosquitto.freeze()
        within = send(sink)  # no PUBACK
        mosquitto.thaw()
    assert (before.accepted, before.error) == (False, "TimeoutError: the broker does not answer in time")
    assert (within.accepted, within.error) == (False, "the broker has not acknowledged it in time")


def test_a_connection_that_gives_no_answer_is_replaced(mosquitto: Mosquitto) -> None:
    mosquitto.start()
    with sink_for(mosquitto.url, timeout="500 ms") as sink:
        assert eventually(lambda: send(sink).accepted)
        mosquitto.freeze()
        assert not send(sink).accepted
        mosquitto.thaw()
        assert eventually(lambda: send(sink).accepted)
    assert mosquitto.log().count("New client connected") >= 2


@pytest.mark.parametrize("connected", [True, False])
def test_closing_ends_a_try_that_is_under_way(mosquitto: Mosquitto, connected: bool) -> None:
    mosquitto.start()
    attempts: list[Attempt] = []
    with sink_for(mosquitto.url, timeout="60 s") as sink:
        if connected:
            assert send(sink).accepted
        mosquitto.freeze()
        thread = threading.Thread(target=lambda: attempts.append(send(sink)))
        thread.start()
        thread.join(0.5)
        sink.close()
        thread.join(20)
        assert not thread.is_alive()
        mosquitto.thaw()
        assert not send(sink).accepted
    assert [one.accepted for one in attempts] == [False]


def test_closing_ends_what_is_just_about_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    with sink_for("mqtt://127.0.0.1:1", timeout="60 s") as sink:
        make = sink._client

        def closed_meanwhile() -> paho.Client:
            sink.close()
            return make()

        monkeypatch.setattr(sink, "_client", closed_meanwhile)
        attempt = send(sink)
    assert (attempt.accepted, attempt.error) == (False, "ConnectionError: closed")


def test_a_connection_that_another_thread_drops_is_a_failed_try(monkeypatch: pytest.MonkeyPatch) -> None:
    with sink_for("mqtt://127.0.0.1:1") as sink:
        monkeypatch.setattr(_Connection, "open", lambda connection, *_: sink._drop(connection))
        attempt = send(sink)
    assert (attempt.accepted, attempt.status) == (False, None)
    assert "not currently connected" in (attempt.error or "")


def test_a_network_thread_that_ends_while_it_is_waited_for_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(client: paho.Client) -> None:
        client._thread.join()  # type: ignore[union-attr]  # as the library does, after it has looked for the thread

    monkeypatch.setattr(paho.Client, "loop_stop", ended)
    with sink_for("mqtt://127.0.0.1:1") as sink:
        assert "refused" in (send(sink).error or "")


def test_several_threads_share_a_connection(mosquitto: Mosquitto) -> None:
    mosquitto.start()
    attempts: list[Attempt] = []
    with listening(mosquitto) as subscriber, sink_for(mosquitto.url) as sink:
        threads = [threading.Thread(target=lambda: attempts.extend(send(sink) for _ in range(25))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(subscriber.wait_for(100)) == 100
    assert [one.accepted for one in attempts] == [True] * 100
    assert mosquitto.log().count("New client connected") == 2


# after a failed handshake the library leaves the socket to be closed by the garbage collector, which does it at once
@pytest.mark.filterwarnings("ignore:Exception ignored in.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_tls_with_an_authority_of_ones_own(mosquitto: Mosquitto, tmp_path: Path) -> None:
    pair = certificate(tmp_path)
    mosquitto.start(tls=pair)
    url = mosquitto.url.replace("mqtt://", "mqtts://")
    with sink_for(url, ca_file=str(pair[0])) as sink:
        assert send(sink).accepted
    with sink_for(url) as sink:  # not among the authorities of this machine
        attempt = send(sink)
    assert not attempt.accepted
    assert "certificate" in (attempt.error or "").lower()


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho", None)
    monkeypatch.delitem(sys.modules, "detector.delivery.mqtt")
    settings = EndpointSettings.model_validate({"name": "broker", "kind": "mqtt", "url": "mqtt://127.0.0.1"})
    with pytest.raises(DeliveryError, match=r"pip install 'street-detector\[mqtt\]'"):
        open_sink(settings, Tools())


def test_certificates_that_cannot_be_read() -> None:
    with (
        pytest.raises(DeliveryError, match="'broker': its certificates cannot be read"),
        sink_for("mqtts://127.0.0.1", ca_file="no-such.pem"),
    ):
        pass


def test_no_secret_in_what_is_kept(mosquitto: Mosquitto) -> None:
    mosquitto.start()
    mosquitto.kill()
    with sink_for(mosquitto.url_with_login) as sink:
        attempt = send(sink)
        shown = sink.preview("e1", "problem.opened", samples()["problem.opened"])
    assert PASSWORD not in f"{attempt} {shown}"
    assert shown.line.startswith("PUBLISH street/problem.opened/")
