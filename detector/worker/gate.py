"""All opening of streams passes here: spaced, so that a restart or a power cut does not open everything at once."""

from __future__ import annotations

import threading
import time

from detector.core.schedule import Ramp


class OpenGate:
    """Thread-safe `Ramp` over the monotonic clock."""

    def __init__(self, per_second: float) -> None:
        self._ramp = Ramp(per_second)
        self._lock = threading.Lock()

    def change(self, per_second: float) -> None:
        """Space what comes from now on otherwise."""
        with self._lock:
            self._ramp.change(per_second)

    def wait(self, stop: threading.Event) -> bool:
        """Wait for one's place in the row; False when `stop` was set meanwhile."""
        with self._lock:
            delay = self._ramp.reserve(time.monotonic())
        return not stop.wait(delay) if delay > 0 else not stop.is_set()
