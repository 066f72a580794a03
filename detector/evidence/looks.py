"""Looks kept for training: the whole picture, redacted like every other, with what the model saw written inside.

One file per look, <root>/YYYY/MM/DD/<id>.jpg, whose JPEG comment holds camera, time, model and detections: picture
and words cannot come apart, and the archive's retention job deletes both. Nothing is drawn on these pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from detector.core.detection import BoundingBox, Detection
from detector.core.event import event_id
from detector.core.frame import Image
from detector.core.look import Look, LookStatus
from detector.errors import EvidenceError
from detector.evidence.archive import Archive
from detector.evidence.picture import encode, note_of
from detector.evidence.recorder import Redact

CATEGORY = "look"
"""What the retention job knows these pictures by."""
_QUALITY = 92  # training suffers from coarser JPEG sooner than a dispatcher does
_HEAD = 66_000  # bytes that hold the note


@dataclass(frozen=True, slots=True)
class KeptLook:
    """One kept look, without its picture."""

    path: Path
    camera_id: str
    at: datetime  # capture time, aware UTC
    model_version: str | None
    detections: tuple[Detection, ...]


class LookRecorder:
    """Keeps whole looks; pass each look once."""

    def __init__(self, archive: Archive, redact: Redact) -> None:
        """`redact`: usually `Redactor().redact`; it runs before anything is written."""
        self._archive = archive
        self._redact = redact

    def keep(self, look: Look, image: Image) -> str:
        """Keep an `ok` look with its picture; returns the path relative to the archive's root.

        Keeping the same look again replaces the file. Raises EvidenceError, and then nothing has been written: for
        a look that is not ok (its picture shows nothing), when redaction fails, or when the disk refuses.
        """
        if look.status is not LookStatus.OK:
            raise EvidenceError(f"a look that is {look.status.value} is not worth keeping")
        note = {
            "category": CATEGORY,
            "camera": look.camera_id,
            "captured_at": look.at.isoformat(),
            "model": look.model_version,
            "detections": [
                [item.label, round(item.score, 4), *(round(edge, 1) for edge in _edges(item.box))]
                for item in look.detections
            ],
        }
        try:
            content = encode(self._redact(image, look.detections), note, _QUALITY)
        except EvidenceError:
            raise
        except Exception as error:
            raise EvidenceError(f"the look of {look.camera_id} could not be kept: {error}") from error
        return self._archive.write(event_id("look", look.camera_id, look.at.isoformat()), look.at, content)


def kept_looks(root: Path) -> Iterator[KeptLook]:
    """All looks kept below `root`, by day; raises EvidenceError naming a file whose note is broken.

    Other evidence pictures in the same archive are passed over.
    """
    for path in sorted(root.glob("[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*.jpg")):
        with path.open("rb") as stream:
            note = note_of(stream.read(_HEAD))
        if note.get("category") != CATEGORY:
            continue
        try:
            detections = tuple(
                Detection(str(label), BoundingBox(*map(float, edges)), float(score))
                for label, score, *edges in note["detections"]
            )
            at = datetime.fromisoformat(note["captured_at"])
            yield KeptLook(path, str(note["camera"]), at, note["model"], detections)
        except (KeyError, TypeError, ValueError) as error:
            raise EvidenceError(f"{path}: the note of the look is broken ({error!r}); remove the file") from error


def _edges(box: BoundingBox) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom
