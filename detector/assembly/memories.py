"""What is remembered of each camera's view and sharpness: a camera that was turned during a restart is noticed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.errors import StoreError
from detector.sources.condition import ConditionWatch
from detector.store import Store

log = logging.getLogger(__name__)

GOOD_FOR = timedelta(hours=2)
"""Older memories are not taken up: in another light, the same street is another view."""

AT_ONCE = 100
"""Cameras written in one transaction: 4 MB."""


@dataclass(slots=True)
class _Known:
    watch: ConditionWatch
    written: datetime | None = None  # newest picture of the memory as it was last written


class Memories:
    """Of the cameras that this worker looks through; kept where the worker that looks next finds them."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def take_up(self, camera_id: str, watch: ConditionWatch) -> None:
        """Let a new watch of a camera remember what the one before it did, here or in another worker."""
        try:
            state = self._had(camera_id) or self._kept(camera_id)
            if state is not None:
                watch.restore(state)
        except (StoreError, ValueError, KeyError, RuntimeError) as error:
            # RuntimeError: the reader before is at its last look. The camera is then learnt anew, as on its first day.
            log.warning("its view could not be remembered: %s", error, extra={"camera_id": camera_id})
        self._known[camera_id] = _Known(watch)

    def forget(self, camera_id: str) -> None:
        """A camera was removed."""
        self._known.pop(camera_id, None)

    def write(self) -> int:
        """Keep what was learnt since the last time; returns of how many cameras. Raises StoreError."""
        learnt = [(name, one, one.watch.last_good) for name, one in [*self._known.items()]]
        learnt = [(name, one, newest) for name, one, newest in learnt if newest != one.written]
        for start in range(0, len(learnt), AT_ONCE):
            some, states = learnt[start : start + AT_ONCE], dict[str, str]()
            for name, one, _ in some:
                try:
                    states[name] = json.dumps(one.watch.dump())
                except RuntimeError:
                    continue  # its reader is learning at this moment: next time
            now = self._clock()
            self._store.remember(states, now, now - GOOD_FOR)
            for name, one, newest in some:
                one.written = newest if name in states else one.written
        return len(learnt)

    def close(self) -> None:
        """Write for the last time; a failure is only told."""
        try:
            self.write()
        except StoreError as error:
            log.warning("what the cameras' views are like is not kept: %s", error)

    def _had(self, camera_id: str) -> dict[str, object] | None:
        before = self._known.get(camera_id)
        if before is None or before.watch.last_good is None:
            return None
        return before.watch.dump() if self._clock() - before.watch.last_good <= GOOD_FOR else None

    def _kept(self, camera_id: str) -> dict[str, object] | None:
        text = self._store.memory(camera_id, self._clock() - GOOD_FOR)
        state = None if text is None else json.loads(text)
        if not isinstance(state, dict | None):
            raise ValueError("it is no object")
        return state
