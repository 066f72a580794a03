"""From the bytes of a photo to a picture, with everything refused that is none, before it is decoded."""

from __future__ import annotations

import cv2
import numpy as np

from detector.core.frame import Image
from detector.errors import PhotoRefused, SourceError
from detector.sources.pictures import read_picture

SMALLEST = 160
"""Pixels of the shorter side; on less nothing can be told."""

LARGEST = 4096
"""Pixels of the longer side that are kept: more shows no more of a street, and costs memory in all that follows."""


def kind_of(content: bytes) -> str | None:
    """`jpeg`, `png`, `webp`, `heic` by the first bytes, whatever the sender calls it; None for anything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"heif"):
        return "heic"
    return None


def read_photo(content: bytes, max_pixels: int) -> Image:
    """A JPEG, PNG or WebP photo as (H, W, 3) uint8 BGR, upright, scaled down to LARGEST.

    A JPEG of 48 million pixels takes 0.83 GB while it is decoded (measured), so decode one at a time.
    Raises PhotoRefused: wrong type, more than `max_pixels` by its header (nothing is decoded then), damaged, too small.
    """
    kind = kind_of(content)
    if kind not in ("jpeg", "png", "webp"):
        what = "HEIC is not read" if kind == "heic" else "this is no photo"
        raise PhotoRefused(415, f"{what}: send JPEG, PNG or WebP")
    try:
        image = read_picture(content, max_pixels=max_pixels)
    except SourceError as error:
        raise PhotoRefused(422, str(error)) from error
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST:
        raise PhotoRefused(422, f"{width} x {height} pixels are too few, at least {SMALLEST} on each side")
    scale = LARGEST / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
