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

from av.container import core

LATER_S = 1e9
"""Longer than any timeout, seconds."""


class Interrupt:
    """Entered around blocking calls by the threads that make them, fired by another. Once fired it stays so."""

    def __init__(self) -> None:
        self.fired = False

    def fire(self) -> None:
        """End what the threads inside are blocked in, and what they begin there; returns at once.

        What ends so fails as if its timeout were over. Only FFmpeg's look-up of a host's name cannot be ended, which is
        why names are looked up before (names.py).
        """
        self.fired = True
        _clock.look_again()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What the calling thread does in this block can be ended. Blocks may be nested."""
        _clock.enter(self)
        try:
            yield
        finally:
            _clock.leave(self)


class _Clock:
    """What PyAV takes for the module `time`."""

    def __init__(self) -> None:
        self.monotonic = time.monotonic
        self._lock = threading.Lock()
        self._inside: dict[int, list[Interrupt]] = {}  # by thread
        self._to_stop: frozenset[int] = frozenset()  # threads; replaced whole, so that it is read without the lock
        self._ages = count(1_000)

    def enter(self, interrupt: Interrupt) -> None:
        with self._lock:
            self._inside.setdefault(threading.get_ident(), []).append(interrupt)
        if interrupt.fired:
            self.look_again()

    def leave(self, interrupt: Interrupt) -> None:
        thread = threading.get_ident()
        with self._lock:
            self._inside[thread].remove(interrupt)
            if not self._inside[thread]:
                del self._inside[thread]
        if interrupt.fired:
            self.look_again()

    def look_again(self) -> None:
        with self._lock:
            inside = self._inside.items()
            self._to_stop = frozenset(thread for thread, all_of in inside if any(one.fired for one in all_of))
            self.monotonic = self._hurried if self._to_stop else time.monotonic

    def is_to_stop(self) -> bool:
        return threading.get_ident() in self._to_stop

    def _hurried(self) -> float:
        """For a thread that is to stop, each question comes ages after the one before."""
        return LATER_S * next(self._ages) if self.is_to_stop() else time.monotonic()


_clock = _Clock()
core.time = _clock  # type: ignore[attr-defined]


def called_off() -> bool:
    """Whether the calling thread is inside an Interrupt that has been fired."""
    return _clock.is_to_stop()
