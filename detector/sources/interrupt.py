"""Ends what FFmpeg is blocked in, from another thread: a camera that says nothing must not hold up the end.

PyAV gives FFmpeg a callback that FFmpeg asks about ten times a second during every blocking call (connect, handshake,
playlist, segment, packet). It compares `time.monotonic()` with the timeout of that call and has no way to be told
"now". So we hand it the time: for a thread that is to stop, every timeout is over. While nobody is to stop it asks the
real clock and nothing costs more than before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace

from av.container import core

LATER_S = 1e9
"""Longer than any timeout, seconds."""


class Interrupt:
    """Entered around blocking calls by the threads that make them, fired by another. Once fired it stays so."""

    def __init__(self) -> None:
        self.fired = False

    def fire(self) -> None:
        """End what the threads inside are blocked in, and what they begin there; returns at once.

        What ends so fails as if its timeout were over. Only the look-up of a host's name cannot be ended.
        """
        self.fired = True
        _look_again()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What the calling thread does in this block can be ended. Blocks may be nested."""
        thread = threading.get_ident()
        with _lock:
            _inside.setdefault(thread, []).append(self)
        if self.fired:
            _look_again()
        try:
            yield
        finally:
            with _lock:
                _inside[thread].remove(self)
                if not _inside[thread]:
                    del _inside[thread]
            _look_again()


_lock = threading.Lock()
_inside: dict[int, list[Interrupt]] = {}  # by thread
_to_stop: frozenset[int] = frozenset()  # threads
_much_later = (LATER_S * number for number in count(1_000))
_clock = SimpleNamespace(monotonic=time.monotonic)


def _look_again() -> None:
    global _to_stop  # replaced as a whole, so that the clock reads it without a lock
    with _lock:
        _to_stop = frozenset(thread for thread, all_of in _inside.items() if any(one.fired for one in all_of))
        _clock.monotonic = _hurried if _to_stop else time.monotonic


def _hurried() -> float:
    """The clock of PyAV while a thread is to stop: for that thread each question comes ages after the one before."""
    return next(_much_later) if threading.get_ident() in _to_stop else time.monotonic()


core.time = _clock  # type: ignore[attr-defined]
