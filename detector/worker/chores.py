"""What has to be done from time to time beside looking: retention, pruning, noticing a new model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detector.errors import DetectorError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do once in `every_s` seconds, the first time at once."""

    name: str
    every_s: float
    do: Callable[[], object]


class Chores(threading.Thread):
    """Does chores one after another on one thread; one that fails is logged and tried again when it is due."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        super().__init__(name="chores", daemon=True)
        self._chores = chores
        self._stop_wanted = threading.Event()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Begin no other chore and wait for the one under way; safe to call twice."""
        self._stop_wanted.set()
        if self.ident is not None:
            self.join(timeout_s)

    def run(self) -> None:
        """Until stopped."""
        due = dict.fromkeys((chore.name for chore in self._chores), 0.0)
        while not self._stop_wanted.is_set():
            for chore in self._chores:
                if due[chore.name] <= time.monotonic() and not self._stop_wanted.is_set():
                    self._do(chore)
                    due[chore.name] = time.monotonic() + chore.every_s
            self._stop_wanted.wait(max(0.05, min(due.values(), default=1.0) - time.monotonic()))

    def _do(self, chore: Chore) -> None:
        try:
            chore.do()
        except DetectorError as error:
            log.warning("could not be done this time: %s", error, extra={"chore": chore.name})
        except Exception:
            # No chore is worth the worker's life.
            log.exception("a chore failed", extra={"chore": chore.name})
