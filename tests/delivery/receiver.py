"""An endpoint on loopback that behaves as badly as it is told, and checks each request with the official library."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

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
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    server.block_on_close = False
    state.url = f"http://127.0.0.1:{server.server_address[1]}/events"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handler(state: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or keep-alive answers wait 40 ms for each other

        def setup(self) -> None:
            super().setup()
            with state.lock:
                state.connections += 1

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the sender died in the middle
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
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
                if answer.reset:  # with nothing to linger for, closing sends RST
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    os.close(self.connection.detach())
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

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):  # the other side has gone, as it should in some tests
                super().handle()

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()

    return Handler
