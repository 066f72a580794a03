"""All boxes of a look on its picture, for people who try a model."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import cv2

from detector.core.detection import Detection
from detector.core.frame import Image

_WHITE = (255, 255, 255)


def draw_detections(image: Image, detections: Sequence[Detection]) -> Image:
    """A copy of (H, W, 3) uint8 BGR `image` with each detection's box, label and score."""
    picture = image.copy()
    line = max(1, round(image.shape[1] / 500))
    scale = max(0.4, image.shape[1] / 1600)
    for detection in sorted(detections, key=lambda d: d.score):
        colour = colour_of(detection.label)
        left, top = round(detection.box.left), round(detection.box.top)
        cv2.rectangle(picture, (left, top), (round(detection.box.right), round(detection.box.bottom)), colour, line)
        text = f"{detection.label} {detection.score:.2f}"
        (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, line)
        foot = max(height + below, top)
        cv2.rectangle(picture, (left, foot - height - below), (left + width, foot), colour, -1)
        cv2.putText(
            picture, text, (left, foot - below // 2), cv2.FONT_HERSHEY_SIMPLEX, scale, _WHITE, line, cv2.LINE_AA
        )
    return picture


def colour_of(label: str) -> tuple[int, int, int]:
    """A colour (blue, green, red) that belongs to a label, dark enough for white text on it."""
    code = zlib.crc32(label.encode())
    return 30 + code % 150, 30 + (code >> 8) % 150, 30 + (code >> 16) % 150
