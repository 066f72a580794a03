"""A sink that keeps what it is sent: the double for tests and dry runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from detector.ports import Attempt


@dataclass(frozen=True, slots=True)
class Sent:
    """One call of `send`."""

    event_id: str
    event_type: str
    body: bytes


class RecordingSink:
    """Accepts everything, or answers as `reply` says; `sent` holds every try in order. Thread-safe."""

    def __init__(self, reply: Callable[[Sent], Attempt] = lambda _: Attempt(True, 204)) -> None:
        self.sent: list[Sent] = []
        self.closed = False
        self._reply = reply
        self._lock = threading.Lock()

    def send(self, event_id: str, event_type: str, body: bytes) -> Attempt:
        """Keep it and answer."""
        one = Sent(event_id, event_type, body)
        with self._lock:
            self.sent.append(one)
        return self._reply(one)

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
