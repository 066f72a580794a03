from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpcore
import pytest

from detector.delivery.endpoint import Endpoint
from detector.delivery.http import retry_after
from detector.delivery.recording import RecordingSink, Sent
from detector.delivery.samples import samples
from detector.delivery.webhook import Webhook
from detector.ports import Attempt, EventSink
from tests.delivery.receiver import NEXT_SECRET, SECRET, Answer, Receiver, receiver
from tests.delivery.test_courier import eventually

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@contextmanager
def webhook(state: Receiver, timeout_s: float = 10.0, secrets: tuple[str, ...] = (SECRET,)) -> Iterator[Webhook]:
    sink = Webhook(Endpoint("desk", state.url, secrets, timeout_s=timeout_s))
    try:
        yield sink
    finally:
        sink.close()


def send(answer: Answer, timeout_s: float = 10.0) -> Attempt:
    """What comes of one event to an endpoint that answers so."""
    with receiver(lambda *_: answer) as state, webhook(state, timeout_s) as sink:
        attempt = sink.send("e1", "problem.opened", b"{}")
        assert state.unverified == []
        return attempt


def test_every_type_of_event_arrives_verified_and_unchanged() -> None:
    with receiver() as state, webhook(state) as sink:
        for number, (event_type, body) in enumerate(samples().items()):
            assert sink.send(f"e{number}", event_type, body) == Attempt(True, 204)
    assert state.unverified == []
    assert [body for _, _, body in state.requests] == list(samples().values())
    _, headers, _ = state.requests[0]
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["user-agent"].startswith("street-detector/")
    assert state.connections == 1  # kept alive


@pytest.mark.parametrize("known", [SECRET, NEXT_SECRET])
def test_while_a_secret_rotates_both_verify(known: str) -> None:
    with receiver(secret=known) as state, webhook(state, secrets=(NEXT_SECRET, SECRET)) as sink:
        assert sink.send("e1", "problem.opened", b"{}").accepted
    assert state.unverified == []


def test_a_wrong_secret_is_refused_by_the_receiver() -> None:
    with receiver(secret=NEXT_SECRET) as state, webhook(state) as sink:
        attempt = sink.send("e1", "problem.opened", b"{}")
    assert (attempt.accepted, attempt.status) == (False, 401)
    assert len(state.unverified) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_accepts(status: int) -> None:
    assert send(Answer(status, body=b"" if status == 204 else b"thanks")) == Attempt(True, status)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500, 503])
def test_what_the_endpoint_says_is_kept(status: int) -> None:
    attempt = send(Answer(status, body=b"no such\n\x00 case"))
    assert (attempt.accepted, attempt.status, attempt.gone) == (False, status, False)
    assert attempt.error is not None
    assert attempt.error.startswith(f"{status} ")
    assert attempt.error.endswith("no such ? case")


def test_410_is_gone() -> None:
    assert send(Answer(410)).gone


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with receiver() as elsewhere:
        attempt = send(Answer(status, (("location", elsewhere.url),)))
    assert (attempt.accepted, attempt.status) == (False, status)
    assert "redirects are not followed" in (attempt.error or "")
    assert elsewhere.requests == []


def test_a_reset_connection_is_a_failure_without_a_status() -> None:
    attempt = send(Answer(reset=True))
    assert (attempt.accepted, attempt.status) == (False, None)
    assert attempt.error


def test_nobody_there_is_a_failure_without_a_status() -> None:
    with receiver() as state:
        pass
    with webhook(state) as sink:
        attempt = sink.send("e1", "problem.opened", b"{}")
    assert (attempt.accepted, attempt.status) == (False, None)
    assert "ConnectError" in (attempt.error or "")


def test_silence_ends_with_the_timeout() -> None:
    assert send(Answer(hang=True), 0.2) == Attempt(False, error="no answer within 0.2 s")


def test_an_answer_that_trickles_ends_with_the_timeout_too() -> None:
    """Each byte comes in time for a limit on single reads; the whole answer would take for ever."""
    attempts: list[Attempt] = []
    with receiver(lambda *_: Answer(200, trickle=True)) as state, webhook(state, 0.3) as sink:

        def trickled() -> bool:
            attempts.append(sink.send("e1", "problem.opened", b"{}"))
            return state.trickled > 0

        assert eventually(trickled)
    assert attempts == [Attempt(False, error="no answer within 0.3 s")] * len(attempts)


def test_a_connection_that_broke_is_replaced() -> None:
    answers = iter([Answer(reset=True), Answer(hang=True)])
    with receiver(lambda *_: next(answers, Answer())) as state, webhook(state, 1.0) as sink:
        assert not [number for number in range(2) if sink.send(f"e{number}", "problem.opened", b"{}").accepted]
        assert eventually(lambda: sink.send("e3", "problem.opened", b"{}").accepted)


def test_a_long_answer_is_not_read() -> None:
    attempt = send(Answer(500, body=b"x" * 50_000_000))
    assert attempt.status == 500
    assert len(attempt.error or "") <= 300


def test_closing_ends_a_try_that_is_under_way() -> None:
    arrived = threading.Event()

    def reply(*_: object) -> Answer:
        arrived.set()
        return Answer(hang=True)

    attempts: list[Attempt] = []
    with receiver(reply) as state, webhook(state, 60.0) as sink:
        thread = threading.Thread(target=lambda: attempts.append(sink.send("e1", "problem.opened", b"{}")))
        thread.start()
        assert arrived.wait(20)
        sink.close()
        thread.join(20)
        assert not thread.is_alive()
    assert [(one.accepted, one.status) for one in attempts] == [(False, None)]


def test_closing_ends_what_is_just_being_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = httpcore.SyncBackend.connect_tcp
    with receiver(lambda *_: Answer(hang=True)) as state, webhook(state, 60.0) as sink:

        def closed_meanwhile(backend: httpcore.SyncBackend, *where: Any, **how: Any) -> httpcore.NetworkStream:
            stream = connect(backend, *where, **how)
            sink.close()
            return stream

        monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", closed_meanwhile)
        attempt = sink.send("e1", "problem.opened", b"{}")
    assert (attempt.accepted, attempt.error) == (False, "ConnectError: closed")
    assert state.requests == []


def test_no_secret_in_what_is_kept_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="detector")
    with receiver(lambda *_: Answer(500, body=f"{SECRET} http://x/?key=canary4711".encode())) as state:
        url = state.url.replace("http://", "http://user:canary4711@") + "?key=canary4711"
        sink = Webhook(Endpoint("desk", url, (SECRET,)))
        refused = sink.send("e1", "problem.opened", b"{}")
        sink.close()
    unreachable = Webhook(Endpoint("desk", url, (SECRET,)))
    lost = unreachable.send("e1", "problem.opened", b"{}")
    unreachable.close()
    assert (refused.status, lost.status) == (500, None)
    shown = f"{refused} {lost} {caplog.text}"
    assert "canary4711" not in shown
    assert SECRET.removeprefix("whsec_") not in shown


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 0 ", 0.0),
        ("9" * 40, 999999999.0),
        (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOON - timedelta(hours=1), usegmt=True), 0.0),
        ("Wed, 01 Jul 2026 12:01:30 -0000", 90.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1e3", None),
        ("Wed, 99 Jul 2026 12:01:30 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOON) == seconds


def test_retry_after_of_an_answer() -> None:
    assert send(Answer(429, (("retry-after", "7"),))).retry_after_s == 7.0
    later = send(Answer(503, (("retry-after", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)),)))
    assert later.retry_after_s is not None
    assert 3000 < later.retry_after_s <= 3600


def test_both_sinks_are_event_sinks() -> None:
    recording: EventSink = RecordingSink(lambda one: Attempt(one.event_id != "e2", 200))
    with receiver() as state:
        webhooks: EventSink = Webhook(Endpoint("desk", state.url, (SECRET,)))
        for sink in (recording, webhooks):
            assert sink.send("e1", "problem.opened", b"{}").accepted
            sink.close()
            sink.close()
    assert not recording.send("e2", "problem.opened", b"{}").accepted
    assert isinstance(recording, RecordingSink)
    assert recording.sent == [Sent("e1", "problem.opened", b"{}"), Sent("e2", "problem.opened", b"{}")]
    assert recording.closed
