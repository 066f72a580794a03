"""An endpoint on loopback that behaves as badly as it is told, and checks each request with the official library."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from standardwebhooks import Webhook, WebhookVerificationError

from tests.servers.http import RoughHandler, serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT_SECRET = "whsec_" + "QmV0dGVyIGxhdGUgdGhhbiBuZXZlciwgdG9kYXk="


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint does with a request."""

    status: int | None = 204  # None: no answer at all
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    accept: bool = True  # take the event in (also when the answer then gets lost)
    hang: bool = False  # keep silent until the receiver is closed
    reset: bool = False  # cut the connection hard instead of answering
    trickle: bool = False  # send the answer a byte at a time, for as long as somebody listens


UNRELIABLE = (
    Answer(),
    Answer(500),
    Answer(hang=True, accept=False),
    Answer(hang=True),  # takes the event in, but its answer never comes
    Answer(reset=True, accept=False),
    Answer(reset=True),
)
"""What an endpoint does that works, fails, hangs and resets: before it has the event, and after."""


@dataclass
class Receiver:
    """What arrived."""

    url: str
    reply: Callable[[str, bytes], Answer]  # by event id and body; called for requests that verify
    secret: str = SECRET
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)  # every one, in order
    accepted: list[tuple[str, bytes]] = field(default_factory=list)  # taken in, in order, repetitions too
    unverified: list[str] = field(default_factory=list)
    connections: int = 0
    trickled: int = 0  # bytes
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ids(self) -> list[str]:
        """Ids of the accepted events in order."""
        with self.lock:
            return [event_id for event_id, _ in self.accepted]


@contextmanager
def receiver(reply: Callable[[str, bytes], Answer] = lambda *_: Answer(), secret: str = SECRET) -> Iterator[Receiver]:
    """Serve until the block ends."""
    state = Receiver("", reply, secret)
    with serving(_handler(state), state.closing) as address:
        state.url = f"{address}/events"
        yield state


def _handler(state: Receiver) -> type[RoughHandler]:
    class Handler(RoughHandler, BaseHTTPRequestHandler):
        def setup(self) -> None:
            super().setup()
            with state.lock:
                state.connections += 1

        def do_POST(self) -> None:
            body, headers = self.body(), self.low_headers()
            if len(body) < int(headers["content-length"]):  # the sender died in the middle
                self.close_connection = True
                return
            event_id = headers.get("webhook-id", "")
            try:
                Webhook(state.secret).verify(body, headers)
            except WebhookVerificationError as error:
                with state.lock:
                    state.unverified.append(f"{event_id}: {error}")
                self._answer(Answer(401))
                return
            answer = state.reply(event_id, body)
            with state.lock:
                state.requests.append((event_id, headers, body))
                if answer.accept and (answer.status is None or 200 <= answer.status < 300):
                    state.accepted.append((event_id, body))
            self._answer(answer)

        def _answer(self, answer: Answer) -> None:
            if answer.hang:
                state.closing.wait(60)
            if answer.hang or answer.reset:
                self.close_connection = True
                if answer.reset:
                    self.cut()
                return
            assert answer.status is not None
            if answer.trickle:
                self._trickle(answer.status)
                return
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def _trickle(self, status: int) -> None:
            self.close_connection = True
            self.wfile.write(f"HTTP/1.1 {status} OK\r\nx-long: ".encode())
            while not state.closing.wait(0.01):
                try:
                    self.wfile.write(b"a")
                except OSError:
                    return
                state.trickled += 1

    return Handler
