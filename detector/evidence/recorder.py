"""One way for a picture to reach the disk: redact, draw, encode, write."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.errors import EvidenceError
from detector.evidence.archive import Archive
from detector.evidence.picture import Caption, annotate, encode

Redact = Callable[[Image, Sequence[Detection]], Image]


class EvidenceRecorder:
    """Keeps the picture that goes with an event."""

    def __init__(self, archive: Archive, redact: Redact) -> None:
        """`redact`: usually `Redactor().redact`. It runs before anything else touches the picture."""
        self._archive = archive
        self._redact = redact
        self._last: tuple[weakref.ref[Image], tuple[Detection, ...], Image] | None = None

    def record(
        self,
        event_id: str,
        image: Image,
        detections: Sequence[Detection],
        box: BoundingBox | None,
        caption: Caption,
    ) -> str:
        """Keep `image` for event `event_id`; returns the path relative to the archive's root.

        `detections`: all of the look, whatever their score: people and vehicles among them are blurred by them.
        `box`: the problem's place in the picture, pixels; None draws none.
        Raises EvidenceError, and then nothing has been written.
        """
        note = {
            "event": event_id,
            "category": caption.category_id,
            "camera": caption.camera_id,
            "captured_at": caption.at.isoformat(),
        }
        try:
            content = encode(annotate(self._redacted(image, tuple(detections)), box, caption), note)
        except EvidenceError:
            raise
        except Exception as error:
            raise EvidenceError(f"no picture for event {event_id}: {error}") from error
        return self._archive.write(event_id, caption.at, content)

    def _redacted(self, image: Image, detections: tuple[Detection, ...]) -> Image:
        """Redact, or take what was made of the very same picture before: one look often opens several problems."""
        last = self._last
        if last is not None and last[0]() is image and last[1] == detections:
            return last[2]
        redacted = self._redact(image, detections)
        self._last = weakref.ref(image), detections, redacted
        return redacted
