"""From the bytes of a photo to a picture, with everything refused that is none, before it is decoded."""

from __future__ import annotations

from detector.core.frame import Image
from detector.errors import PhotoRefused, SourceError
from detector.sources.pictures import read_picture

SMALLEST = 160
"""Pixels of the shorter side; on less nothing can be told."""


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
    """A JPEG, PNG or WebP photo as (H, W, 3) uint8 BGR, upright.

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
    return image
