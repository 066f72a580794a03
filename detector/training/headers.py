"""Size of a picture from its first bytes, without decoding it: a file of under 1 MB can decode to gigabytes.

Formats: PNG (IHDR, ISO/IEC 15948), JPEG (SOFn, ITU-T T.81 B.2.2), WebP (VP8/VP8L/VP8X, RFC 9649), BMP
(BITMAPINFOHEADER).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from detector.errors import DatasetError

MAX_PIXELS = 100_000_000
"""Larger pictures are refused before decoding: 100 megapixels cost 300 MB as BGR."""

_NOT_A_FRAME = frozenset({0xC4, 0xC8, 0xCC})  # DHT, JPG, DAC lie among the SOF codes


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels as stored in the file; raises DatasetError when it is no picture we know or is cut
    off.
    """
    try:
        with path.open("rb") as file:
            size = _size(file)
    except OSError as error:
        raise DatasetError(f"{path}: cannot read the picture ({error.strerror})") from error
    except struct.error as error:
        raise DatasetError(f"{path}: the picture's header is cut off; replace or remove the file") from error
    if size is None or min(size) < 1:
        raise DatasetError(f"{path}: not a PNG, JPEG, WebP or BMP picture; replace or remove the file")
    return size


def decodable_size(path: Path) -> tuple[int, int]:
    """As `picture_size`, and raises DatasetError when decoding would need more than MAX_PIXELS."""
    width, height = picture_size(path)
    if width * height > MAX_PIXELS:
        raise DatasetError(
            f"{path}: {width}x{height} pixels are more than {MAX_PIXELS // 1_000_000} million"
            " (decompression bomb?); remove it"
        )
    return width, height


def _size(file: BinaryIO) -> tuple[int, int] | None:
    head = file.read(30)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp(head)
    if head.startswith(b"BM"):
        width, height = struct.unpack("<ii", head[18:26])
        return width, abs(height)
    if head.startswith(b"\xff\xd8"):
        return _jpeg(file)
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if kind == b"VP8X":
        low, high = struct.unpack("<IH", head[24:30])
        return (low & 0xFFFFFF) + 1, ((low >> 24) | (high << 8)) + 1
    return None


def _jpeg(file: BinaryIO) -> tuple[int, int] | None:
    file.seek(2)
    while True:
        byte = file.read(1)
        if byte != b"\xff":
            return None
        while byte == b"\xff":
            byte = file.read(1)
        if not byte:
            return None
        marker = byte[0]
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_A_FRAME:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return width, height
        if length < 2 or marker == 0xD9:
            return None
        file.seek(length - 2, 1)
