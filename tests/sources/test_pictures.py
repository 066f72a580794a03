"""Pictures from files: times, damage, and headers that lie."""

from __future__ import annotations

import os
import struct
import zlib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import PIL.Image
import pytest
from PIL.ExifTags import IFD, Base

from detector.errors import SourceUnreachable, SourceUnreadable
from detector.sources.pictures import PictureFolder, captured_at, pictures_in, read_picture

SHANGHAI = ZoneInfo("Asia/Shanghai")


def picture(
    path: Path,
    *,
    size: tuple[int, int] = (64, 48),
    taken: str | None = None,
    offset: str | None = None,
    orientation: int = 1,
    mode: str = "RGB",
) -> Path:
    image = PIL.Image.effect_noise(size, 80).convert(mode)
    exif = PIL.Image.Exif()
    if taken is not None:
        exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = taken
    if offset is not None:
        exif.get_ifd(IFD.Exif)[Base.OffsetTimeOriginal] = offset
    exif[Base.Orientation] = orientation
    image.save(path, exif=exif)
    return path


@pytest.mark.parametrize(
    ("taken", "offset", "expected"),
    [
        ("2026:05:04 20:00:00", "+08:00", datetime(2026, 5, 4, 12, 0, tzinfo=UTC)),
        ("2026:05:04 20:00:00", None, datetime(2026, 5, 4, 12, 0, tzinfo=UTC)),  # in the camera's zone
        ("0000:00:00 00:00:00", None, None),
        ("yesterday", None, None),
        (None, None, None),
    ],
)
def test_the_moment_comes_from_exif_or_the_file(
    tmp_path: Path, taken: str | None, offset: str | None, expected: datetime | None
) -> None:
    path = picture(tmp_path / "a.jpg", taken=taken, offset=offset)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    changed = datetime.fromtimestamp(1_700_000_000, UTC)
    assert captured_at(path, SHANGHAI) == (expected or changed)


def test_a_folder_gives_its_pictures_oldest_first(tmp_path: Path) -> None:
    picture(tmp_path / "c.jpg", taken="2026:05:04 10:00:00", size=(10, 10))
    picture(tmp_path / "a.jpg", taken="2026:05:04 12:00:00", size=(20, 20))
    picture(tmp_path / "b.JPG", taken="2026:05:04 12:00:00", size=(30, 30))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (tmp_path / "notes.txt").write_text("no picture")
    source = PictureFolder(tmp_path, "walk")
    found = list(iter(source.read, None))
    assert [frame.size for frame in found] == [(10, 10), (20, 20), (30, 30)]
    assert all(a.captured_at < b.captured_at for a, b in pairwise(found))
    assert source.left_out == 1
    source.close()


def test_a_folder_without_a_readable_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 broken")
    with pytest.raises(SourceUnreadable, match="none of its 1 pictures"):
        PictureFolder(tmp_path, "walk").read()
    with pytest.raises(SourceUnreachable, match="no such folder"):
        pictures_in(tmp_path / "none")


def test_pixels_are_those_of_opencv(shared: Path) -> None:
    for path in sorted((shared / "data").glob("*/images/val/*"))[::40]:
        theirs = cv2.imread(str(path))
        ours = read_picture(path)
        assert ours.shape == theirs.shape
        assert np.abs(ours.astype(int) - theirs).mean() < 1, path


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "1", "I;16"])
def test_every_pixel_format_becomes_bgr(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    if mode == "I;16":
        PIL.Image.fromarray(np.full((48, 64), 40_000, np.uint16)).save(path)
    else:
        picture(path, mode=mode)
    image = read_picture(path)
    assert image.shape == (48, 64, 3)
    assert image.dtype == np.uint8
    if mode == "I;16":
        assert set(np.unique(image)) == {40_000 >> 8}


def test_orientation_is_applied(tmp_path: Path) -> None:
    assert read_picture(picture(tmp_path / "a.jpg", size=(64, 48), orientation=6)).shape == (64, 48, 3)


def test_a_header_that_claims_too_much_is_refused_before_decoding(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(SourceUnreadable, match=r"60000 x 60000 are 3600 million pixels|too many pixels"):
        read_picture(bomb)
    path = picture(tmp_path / "a.png", size=(2000, 1000))
    with pytest.raises(SourceUnreadable, match=r"2000 x 1000 are 2 million pixels, more than 1"):
        read_picture(path, max_pixels=1_000_000)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif"])
def test_damage_is_an_error_of_ours_and_never_a_half_picture(tmp_path: Path, suffix: str) -> None:
    data = picture(tmp_path / f"a{suffix}", size=(200, 150)).read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(60):
        spoilt = bytearray(data)
        for place in rng.integers(0, len(data), 20):
            spoilt[place] = int(rng.integers(256))
        try:
            read_picture(bytes(spoilt))
        except SourceUnreadable:
            continue
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(SourceUnreadable):
            read_picture(data[: round(len(data) * share)])


def test_what_is_no_picture_or_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="no picture that can be read"):
        read_picture(b"GIF89a no")
    with pytest.raises(SourceUnreachable, match="No such file"):
        read_picture(tmp_path / "none.jpg")
