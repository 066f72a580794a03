"""How many photos somebody may send."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

_MOST_KNOWN = 10_000
"""Senders that are remembered; whoever has not come for longest is forgotten first."""


class RateLimit:
    """A bucket per sender that holds `per_minute` photos and fills steadily. Thread-safe."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        """`clock`: monotonic, seconds."""
        self._per_minute, self._clock = per_minute, clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # sender -> photos left, at that time

    def wait_s(self, sender: str) -> float:
        """0 when the sender may send one now, which then counts; otherwise seconds until the next one."""
        with self._lock:
            now = self._clock()
            left, then = self._left.pop(sender, (float(self._per_minute), now))
            left = min(float(self._per_minute), left + (now - then) * self._per_minute / 60)
            allowed = left >= 1
            self._left[sender] = (left - 1 if allowed else left, now)
            if len(self._left) > _MOST_KNOWN:
                self._left.popitem(last=False)
            return 0.0 if allowed else (1 - left) * 60 / self._per_minute
