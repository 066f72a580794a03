"""Overdue and escalated cases of the desk become events: whoever is told of problems can be told of them too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from detector.core.camera import Camera
from detector.core.category import Category
from detector.core.event import CaseEvent, LateCase, events_of_late, type_of
from detector.store import OutboxEntry, Store
from detector.worker.herald import Evidence, Words

log = logging.getLogger(__name__)

NO_PICTURE = Evidence(None, "the picture goes with the problem")


class LateCases:
    """Puts what the desk says is late into the outbox, each event once: their ids follow from case and deadline."""

    def __init__(
        self,
        store: Store,
        subscribers: Callable[[str], tuple[str, ...]],
        words: Words,
        categories: Callable[[], Mapping[str, Category]],
        cameras: Callable[[], Mapping[str, Camera]],
        clock: Callable[[], datetime],
    ) -> None:
        """`subscribers` gives the names of the endpoints that want an event type."""
        self._store = store
        self._subscribers = subscribers
        self._words = words
        self._categories = categories
        self._cameras = cameras
        self._clock = clock
        self._told: frozenset[str] = frozenset()  # spares the database; that an event is known already it knows itself

    @property
    def wanted(self) -> bool:
        """Whether any endpoint wants to be told; the desk need not be asked otherwise."""
        return any(self._subscribers(event_type) for event_type in ("case.overdue", "case.escalated"))

    def tell(self, late: Sequence[LateCase]) -> int:
        """Tell of all cases that are late now; returns how many events were put there.

        Cases of problems that this installation has not seen are those of another one, which tells of them. Raises
        StoreError: nothing was told.
        """
        events = [event for case in late for event in events_of_late(case)]
        entries = [
            self._entry(event)
            for event in events
            if event.id not in self._told
            and self._subscribers(type_of(event))
            and self._store.problem(event.case.problem_id) is not None
        ]
        if entries:
            self._store.record(self._clock(), (), entries)
        for entry in entries:
            log.info(entry.type, extra={"event_id": entry.event_id, "problem_id": entry.subject})
        self._told = frozenset(event.id for event in events)
        return len(entries)

    def _entry(self, event: CaseEvent) -> OutboxEntry:
        case, kind = event.case, type_of(event)
        camera, category = self._cameras().get(case.camera_id), self._categories().get(case.category)
        body = self._words(event, NO_PICTURE, camera, category)
        return OutboxEntry(event.id, kind, case.problem_id, event.occurred_at, body, self._subscribers(kind))
