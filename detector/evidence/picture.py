"""The picture a dispatcher sees: a box around the problem and, below the picture, what, when and where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import cv2
import numpy as np

from detector.core.detection import BoundingBox
from detector.core.frame import Image
from detector.errors import EvidenceError

_BOX = (0, 0, 255)  # red, BGR
_INK = (255, 255, 255)
_STRIP = (32, 32, 32)
_SOI, _COM = b"\xff\xd8", b"\xff\xfe"
_LONGEST_NOTE = 65_000  # bytes; a JPEG comment holds 65,533

# OpenCV 5 brings a font with Chinese characters; OpenCV 4 draws ASCII only.
HAS_UNICODE_FONT = hasattr(cv2, "FontFace")


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands below the picture."""

    category_id: str
    category_name: str  # in the language of the bureau
    label: str  # what the model calls it
    score: float | None  # 0..1; None where nothing is seen any more
    camera_id: str
    camera_name: str
    at: datetime  # capture time, aware
    timezone: tzinfo  # of the camera

    def lines(self, *, ascii_only: bool = False) -> tuple[str, str]:
        """The two lines; with `ascii_only` ids stand for names that need other characters."""
        name, camera = self.category_name, self.camera_name
        if ascii_only:
            name = name if name.isascii() else self.category_id
            camera = camera if camera.isascii() else self.camera_id
        score = "" if self.score is None else f" {self.score:.2f}"
        when = self.at.astimezone(self.timezone).isoformat(sep=" ", timespec="seconds")
        return (
            f"{name} · {self.label}{score}" if not ascii_only else f"{name} - {self.label}{score}",
            f"{when}  {camera}",
        )


def annotate(image: Image, box: BoundingBox | None, caption: Caption) -> Image:
    """A copy of (H, W, 3) BGR `image` with `box` drawn and a strip of text added BELOW it.

    Nothing is written over the picture, so the problem cannot be hidden by its own description.
    """
    height, width = image.shape[:2]
    size = max(14, round(width / 50))
    strip = round(size * 3.4)
    picture: Image = np.full((height + strip, width, 3), _STRIP, np.uint8)
    picture[:height] = image
    if box is not None:
        thickness = max(2, round(width / 400))
        first = int(max(box.left, 0)), int(max(box.top, 0))
        last = int(min(box.right, width)) - 1, int(min(box.bottom, height)) - 1
        cv2.rectangle(picture[:height], first, last, _BOX, thickness)
    for number, line in enumerate(caption.lines(ascii_only=not HAS_UNICODE_FONT)):
        _write(picture, line, (size // 2, height + round(size * (1.3 + 1.5 * number))), size)
    return picture


def _write(picture: Image, text: str, at: tuple[int, int], size: int) -> None:
    """Draw `text` with its baseline at `at`, `size` pixels high, smaller where it would not fit."""
    room = picture.shape[1] - 2 * at[0]
    if HAS_UNICODE_FONT:
        font = cv2.FontFace("uni")
        area = (picture.shape[1], picture.shape[0])
        needed = cv2.getTextSize(area, text, (0, size * 2), font, size, 400, cv2.PUT_TEXT_ALIGN_LEFT)[2]
        size = size if needed <= room else max(8, int(size * room / needed))
        cv2.putText(picture, text, at, _INK, font, size, 400, cv2.PUT_TEXT_ALIGN_LEFT)
        return
    scale = size / 30  # a Hershey capital is about 21 pixels high at scale 1
    (needed, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    scale = scale if needed <= room else float(scale * room / needed)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, 1, cv2.LINE_AA)


def encode(image: Image, note: Mapping[str, Any], quality: int = 88) -> bytes:
    """JPEG bytes of `image` with `note` inside as a JSON comment (the retention job reads it).

    Raises EvidenceError when it cannot be encoded.
    """
    text = json.dumps(note, ensure_ascii=True, sort_keys=True).encode()
    if len(text) > _LONGEST_NOTE:
        raise EvidenceError(f"a note of {len(text)} bytes does not fit into a JPEG comment")
    try:
        done, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error as error:
        raise EvidenceError(f"the picture cannot be encoded: {error}") from error
    content = buffer.tobytes()
    if not done or not content.startswith(_SOI):
        raise EvidenceError("the picture cannot be encoded as JPEG")
    return b"".join((_SOI, _COM, (len(text) + 2).to_bytes(2, "big"), text, content[2:]))


def note_of(head: bytes) -> dict[str, Any]:
    """The note in a picture made by `encode`, given its first bytes; empty when there is none."""
    if head[:4] != _SOI + _COM:
        return {}
    length = int.from_bytes(head[4:6], "big")
    try:
        note = json.loads(head[6 : 4 + length])
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}
