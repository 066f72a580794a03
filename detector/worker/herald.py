"""From an event to what is sent: who wants it, with which picture, in which words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from detector.core.camera import Camera
from detector.core.category import Category
from detector.core.event import Event, ProblemEvent, type_of
from detector.core.frame import Frame
from detector.core.look import Look
from detector.errors import EvidenceError
from detector.store import OutboxEntry

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The picture that goes with an event, or why there is none."""

    url: str | None
    reason: str | None = None


Picture = Callable[[ProblemEvent, Look, Frame, Camera | None, Category | None], str]
"""Redacts, draws and writes the picture of an event; returns the link to it. Raises EvidenceError: nothing written."""

Words = Callable[[Event, Evidence, Camera | None, Category | None], bytes]
"""The document that is sent."""


class Herald:
    """Makes outbox entries; has no connection and sends nothing itself."""

    def __init__(
        self,
        subscribers: Callable[[str], tuple[str, ...]],
        picture: Picture,
        words: Words,
        categories: Callable[[], Mapping[str, Category]],
        cameras: Callable[[], Mapping[str, Camera]],
    ) -> None:
        """`subscribers` gives the names of the endpoints that want an event type."""
        self._subscribers = subscribers
        self._picture = picture
        self._words = words
        self._categories = categories
        self._cameras = cameras

    def tell(self, events: Sequence[Event], look: Look, frame: Frame | None) -> list[OutboxEntry]:
        """Outbox entries for the events of one look; an observation nobody subscribed to is left out."""
        entries = []
        for event in events:
            kind = type_of(event)
            endpoints = self._subscribers(kind)
            if not endpoints and not isinstance(event, ProblemEvent):
                continue
            camera = self._cameras().get(look.camera_id)
            category, evidence, subject = None, Evidence(None, "no picture is kept of this"), look.camera_id
            if isinstance(event, ProblemEvent):
                subject = event.problem.id
                category = self._categories().get(event.problem.category)
                evidence = self._evidence(event, look, frame, camera, category)
            body = self._words(event, evidence, camera, category)
            entries.append(OutboxEntry(event.id, kind, subject, event.occurred_at, body, endpoints))
        return entries

    def _evidence(
        self, event: ProblemEvent, look: Look, frame: Frame | None, camera: Camera | None, category: Category | None
    ) -> Evidence:
        if frame is None:
            return Evidence(None, "no frame belongs to this event")
        try:
            return Evidence(self._picture(event, look, frame, camera, category))
        except EvidenceError as error:
            # The case matters more than its picture, and no picture is better than an unredacted one.
            log.error("no evidence picture: %s", error, extra={"event_id": event.id, "problem_id": event.problem.id})
            return Evidence(None, str(error))
