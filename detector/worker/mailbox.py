"""Where readers leave what they have and the loop takes it: one slot per camera, newest wins, drops counted."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from detector.core.frame import Frame
from detector.core.look import Look

Sighting = Frame | Look
"""A good frame that waits to be judged, or the look that says why there is none."""


@dataclass(slots=True)
class _Turn:
    """Readers that wait until the slot of one camera is free."""

    free: threading.Condition
    readers: int = 0


class Mailbox:
    """Thread-safe. A newer frame takes the older one's place in the row, so every camera gets its turn."""

    def __init__(self, dropped: Callable[[str], None] = lambda _camera_id: None) -> None:
        """`dropped` is called with the camera id of every frame that was replaced unseen."""
        self._slots: OrderedDict[str, Sighting] = OrderedDict()
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        # Who waits for which camera's slot: only the readers of the one that was emptied wake, not all of them.
        self._turns: dict[str, _Turn] = {}
        self._closed = False
        self._dropped = dropped

    def put(self, sighting: Sighting) -> None:
        """Leave a sighting; an unseen older one of the same camera is dropped."""
        with self._lock:
            if self._closed:
                return
            older = self._slots.get(sighting.camera_id)
            self._slots[sighting.camera_id] = sighting
            self._filled.notify_all()
        if isinstance(older, Frame):
            self._dropped(sighting.camera_id)

    def put_in_turn(self, sighting: Sighting) -> None:
        """Leave a sighting once the camera's slot is free: for files, of which every frame wants to be judged."""
        with self._lock:
            if sighting.camera_id in self._slots:
                self._wait_for_turn(sighting.camera_id)
            if not self._closed:
                self._slots[sighting.camera_id] = sighting
                self._filled.notify_all()

    def _wait_for_turn(self, camera_id: str) -> None:
        turn = self._turns.setdefault(camera_id, _Turn(threading.Condition(self._lock)))
        turn.readers += 1
        turn.free.wait_for(lambda: self._closed or camera_id not in self._slots)
        turn.readers -= 1
        if not turn.readers:
            del self._turns[camera_id]  # the camera may never be read again

    def take(self, limit: int, max_wait_s: float) -> list[Sighting]:
        """Block for the first sighting, then up to `max_wait_s` for more, at most `limit`.

        Empty only when the mailbox is closed and has been emptied.
        """
        with self._lock:
            while not self._slots and not self._closed:
                self._filled.wait()
            deadline = time.monotonic() + max_wait_s
            while len(self._slots) < limit and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0 or not self._filled.wait(left):
                    break
            taken = [self._slots.popitem(last=False)[1] for _ in range(min(limit, len(self._slots)))]
            for sighting in taken:
                if sighting.camera_id in self._turns:
                    self._turns[sighting.camera_id].free.notify_all()
            return taken

    def close(self) -> None:
        """Take nothing more; what is there can still be taken."""
        with self._lock:
            self._closed = True
            for condition in (self._filled, *(turn.free for turn in self._turns.values())):
                condition.notify_all()
