from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from detector.errors import PhotoRefused
from detector.intake.photo import kind_of, read_photo
from tests.intake.conftest import picture_bytes


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_photos(kind: str) -> None:
    content = picture_bytes(kind)
    assert kind_of(content) == kind.lower()
    assert read_photo(content, 1_000_000).shape == (240, 320, 3)


def test_a_photo_is_turned_upright() -> None:
    buffer = io.BytesIO()
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.open(io.BytesIO(picture_bytes())).save(buffer, "JPEG", exif=exif)
    assert read_photo(buffer.getvalue(), 1_000_000).shape == (320, 240, 3)


def test_a_very_large_photo_is_scaled_down() -> None:
    assert read_photo(picture_bytes(size=(5120, 2560)), 20_000_000).shape == (2048, 4096, 3)
    assert read_photo(picture_bytes(size=(4096, 160)), 20_000_000).shape == (160, 4096, 3)


def bomb(width: int, height: int) -> bytes:
    """A small PNG whose header claims a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(50_000, 50_000), (2_000, 2_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(PIL.Image.Image, "load", decoded)
    monkeypatch.setattr(np, "asarray", decoded)
    with pytest.raises(PhotoRefused, match="pixels") as caught:
        read_photo(bomb(*size), 1_000_000)
    assert caught.value.status == 422


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 415),
        (b"<svg/>", 415),
        (b"%PDF-1.7", 415),
        (b"\x00\x00\x00\x18ftypheic" + bytes(50), 415),
        (picture_bytes("BMP"), 415),
        (picture_bytes("TIFF"), 415),
        (picture_bytes("GIF"), 415),
        (picture_bytes()[:2000], 422),
        (b"\xff\xd8\xff" + bytes(500), 422),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), 422),
        (picture_bytes(size=(320, 80)), 422),
    ],
)
def test_what_is_no_photo_is_refused(content: bytes, status: int) -> None:
    with pytest.raises(PhotoRefused) as caught:
        read_photo(content, 1_000_000)
    assert caught.value.status == status
