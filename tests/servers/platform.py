"""A platform with an interface of its own: keeps each request as it came and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.servers.http import RoughHandler, serving


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `hang` and `cut` instead of an answer, after the request was taken in."""

    status: int = 200
    body: bytes = b'{"code": 0, "data": {"caseId": "C-1"}}'
    hang: bool = False
    cut: bool = False


@dataclass
class Platform:
    url: str = ""
    reply: Callable[[Request], Answer] = lambda _: Answer()
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def platform(reply: Callable[[Request], Answer] = lambda _: Answer()) -> Iterator[Platform]:
    """Serve until the block ends."""
    state = Platform(reply=reply)
    with serving(_handler(state), state.closing) as address:
        state.url = f"{address}/api"
        yield state


def _handler(state: Platform) -> type[RoughHandler]:
    class Handler(RoughHandler, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = Request(self.command, self.path, self.low_headers(), self.body())
            with state.lock:
                state.requests.append(request)
            answer = state.reply(request)
            if answer.hang:
                state.closing.wait(60)
            if answer.hang or answer.cut:
                self.cut()
                return
            self.send_response(answer.status)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def do_PUT(self) -> None:
            self.do_POST()

    return Handler
