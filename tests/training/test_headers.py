"""Sizes from headers agree with what decoding gives, and nothing large is decoded."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.errors import DatasetError
from detector.training.evaluation.predict import read_picture
from detector.training.headers import MAX_PIXELS, decodable_size, picture_size


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp"])
@given(width=st.integers(1, 300), height=st.integers(1, 300))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_size_without_decoding(tmp_path: Path, suffix: str, width: int, height: int) -> None:
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), np.zeros((height, width, 3), np.uint8))
    assert picture_size(path) == (width, height)


def test_all_kinds_of_webp(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (31, 47, 4), np.uint8)
    path = tmp_path / "a.webp"
    for quality, channels in ((50, 3), (101, 3), (50, 4), (101, 4)):  # lossy, lossless, each with and without alpha
        cv2.imwrite(str(path), image[:, :, :channels], [cv2.IMWRITE_WEBP_QUALITY, quality])
        assert picture_size(path) == (47, 31)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    side = int(MAX_PIXELS**0.5) + 1
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    assert picture_size(path) == (side, side)
    for door in (decodable_size, read_picture):
        with pytest.raises(DatasetError, match="million"):
            door(path)


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n\x00", b"\xff\xd8\xff\xe0\x00\x10", b"RIFF1234WEBPVP8 ", b"GIF89a"]
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"a\.png"):
        picture_size(path)


def test_real_pictures(shared: Path) -> None:
    for path in sorted((shared / "data").glob("*/images/val/*"))[::97]:
        image = cv2.imread(str(path))
        assert image is not None
        assert picture_size(path) == (image.shape[1], image.shape[0])
