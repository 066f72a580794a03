"""Boxes on pictures, contact sheets and line charts, drawn with OpenCV so that no plotting library is needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from detector.core.detection import BoundingBox
from detector.core.frame import Image

Colour = tuple[int, int, int]  # blue, green, red

TRUTH: Colour = (60, 170, 60)
RIGHT: Colour = (200, 120, 30)
WRONG: Colour = (40, 40, 220)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Mark:
    """A box to draw with a few words at its edge."""

    box: BoundingBox
    text: str
    colour: Colour


def marked(image: Image, marks: Iterable[Mark], long_side: int = 640) -> Image:
    """A copy of `image` scaled to `long_side` pixels with the marks on it."""
    scale = long_side / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    canvas = np.ascontiguousarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    for mark in marks:
        box = mark.box
        first = round(box.left * scale), round(box.top * scale)
        cv2.rectangle(canvas, first, (round(box.right * scale), round(box.bottom * scale)), mark.colour, 2)
        if mark.text:
            (width, height), base = cv2.getTextSize(mark.text, _FONT, 0.42, 1)
            left = min(max(first[0], 0), max(0, size[0] - width - 4))
            top = max(first[1] - height - base, 0)
            cv2.rectangle(canvas, (left, top), (left + width + 4, top + height + base), mark.colour, -1)
            cv2.putText(canvas, mark.text, (left + 2, top + height), _FONT, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return canvas


def contact_sheet(tiles: Sequence[tuple[Image, str]], columns: int = 4, side: int = 240) -> Image:
    """Pictures in a grid, each in a square of `side` pixels with a caption under it; raises ValueError without one."""
    if not tiles:
        raise ValueError("a contact sheet needs a picture")
    caption, rows = 18, -(-len(tiles) // columns)
    sheet = np.full((rows * (side + caption), min(columns, len(tiles)) * side, 3), 255, np.uint8)
    for index, (image, text) in enumerate(tiles):
        top, left = (index // columns) * (side + caption), (index % columns) * side
        scale = (side - 4) / max(image.shape[:2])
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        sheet[top + 2 : top + 2 + size[1], left + 2 : left + 2 + size[0]] = cv2.resize(
            image, size, interpolation=cv2.INTER_AREA
        )
        text = text if len(text) <= 40 else text[:18] + "..." + text[-19:]
        cv2.putText(sheet, text, (left + 3, top + side + 12), _FONT, 0.33, (30, 30, 30), 1, cv2.LINE_AA)
    return sheet


def chart(
    lines: Sequence[tuple[str, Sequence[float], Sequence[float], Colour]],
    *,
    title: str,
    x_label: str,
    marker: tuple[float, float] | None = None,
) -> Image:
    """Curves over the unit square: (name, xs, ys, colour) each, with an optional point to mark."""
    scale, side, margin = 2, 300, 44
    canvas = np.full(((side + 2 * margin) * scale, (side + 2 * margin) * scale, 3), 255, np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return round((margin + x * side) * scale), round((margin + (1 - y) * side) * scale)

    def write(text: str, place: tuple[int, int], colour: Colour = (40, 40, 40), size: float = 0.8) -> None:
        cv2.putText(canvas, text, place, _FONT, size, colour, 1, cv2.LINE_AA)

    for step in range(6):
        value = step / 5
        cv2.line(canvas, at(value, 0), at(value, 1), (225, 225, 225), 1)
        cv2.line(canvas, at(0, value), at(1, value), (225, 225, 225), 1)
        write(f"{value:.1f}", (at(value, 0)[0] - 18, at(0, 0)[1] + 28), size=0.6)
        write(f"{value:.1f}", (at(0, 0)[0] - 54, at(0, value)[1] + 8), size=0.6)
    for row, (name, xs, ys, colour) in enumerate(lines):
        if len(xs):
            points = np.asarray([at(x, y) for x, y in zip(xs, ys, strict=True)], np.int32)
            cv2.polylines(canvas, [points.reshape(-1, 1, 2)], False, colour, 3, cv2.LINE_AA)
        if len(lines) > 1:
            write(name, (at(0.05, 0)[0], at(0, 0.18 - 0.08 * row)[1]), colour)
    if marker is not None:
        cv2.circle(canvas, at(*marker), 10, WRONG, 3, cv2.LINE_AA)
    cv2.rectangle(canvas, at(0, 1), at(1, 0), (120, 120, 120), 2)
    write(title, (at(0, 1)[0], at(0, 1)[1] - 24))
    write(x_label, (at(0.4, 0)[0], at(0, 0)[1] + 64), size=0.7)
    half = cv2.resize(canvas, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    return np.asarray(half, dtype=np.uint8)


def write_picture(path: Path, image: Image) -> None:
    """Encode by the suffix (.png, .jpg) and write; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    good, data = cv2.imencode(path.suffix, image)
    if not good:
        raise ValueError(f"cannot encode {path.suffix}")
    path.write_bytes(data.tobytes())
