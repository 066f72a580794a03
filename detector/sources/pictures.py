"""Pictures from files: a folder as a source of frames, and single pictures that are safe to open."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
import PIL.ImageOps
from PIL.ExifTags import IFD, Base

from detector.core.frame import Frame, Image
from detector.errors import SourceUnreachable, SourceUnreadable
from detector.logs import logger
from detector.sources.telemetry.whereabouts import Whereabouts

log = logger(__name__)

MAX_PIXELS = 100_000_000
"""Larger pictures are refused by their header, before anything is decoded: a PNG of 875 kB may claim 1.7 thousand
million pixels and then costs 5.2 GB (measured with cv2)."""

MAX_BYTES = 200_000_000
"""Larger files are not opened."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""File names that a folder is searched for."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")

# Pillow's decoders answer damage with any of these.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    struct.error,
    zlib.error,
    PIL.Image.DecompressionBombError,
)


def read_picture(source: Path | bytes, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read one picture (JPEG, PNG, WebP, BMP, TIFF; first page) as (H, W, 3) uint8 BGR, turned upright by its EXIF.

    Raises SourceUnreachable if the file is not there or must not be read, SourceUnreadable if it is no picture, is
    damaged or cut off, or has more than `max_pixels` pixels by its header (nothing is decoded then).
    """
    name, data = _data(source)
    try:
        with _quiet(), _opened(io.BytesIO(data), name, max_pixels) as picture:
            return _bgr(picture)
    except _DAMAGE as error:
        raise SourceUnreadable(f"{name}: damaged or cut off ({_told(error)})") from error


def captured_at(path: Path, zone: tzinfo = UTC) -> datetime:
    """When a picture was taken, aware UTC: EXIF DateTimeOriginal with its offset, or in `zone` if it names none; else
    the file's time of change. Raises SourceUnreachable if there is no such file.
    """
    try:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise SourceUnreachable(f"{path}: {error.strerror or 'cannot be read'}") from error
    try:
        with _quiet(), path.open("rb") as file, _opened(file, str(path), 1 << 62) as picture:
            return _exif_time(picture, zone) or changed
    except (SourceUnreadable, *_DAMAGE):
        return changed


def pictures_in(folder: Path, *, recursive: bool = False) -> list[Path]:
    """Paths of the pictures of a folder, told by their names, in the order of names.

    Raises SourceUnreachable if there is no such folder.
    """
    if not folder.is_dir():
        raise SourceUnreachable(f"{folder}: no such folder")
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES and path.is_file())


class PictureFolder:
    """A folder of pictures as a finite source, oldest first. Implements FrameSource.

    Pictures that cannot be read are left out, logged and counted; a folder in which none can be read is unreadable.
    """

    def __init__(
        self,
        folder: Path,
        camera_id: str,
        *,
        zone: tzinfo = UTC,
        recursive: bool = False,
        whereabouts: Whereabouts | None = None,
    ) -> None:
        """`zone`: time zone of pictures whose EXIF names none. `whereabouts`: gives a moving camera's their poses.

        Raises SourceUnreachable if there is no such folder.
        """
        self._camera_id = camera_id
        self._whereabouts = whereabouts
        self._folder = folder
        self._queue = sorted(
            ((captured_at(path, zone), path) for path in pictures_in(folder, recursive=recursive)),
            reverse=True,
        )
        self._last: datetime | None = None
        self.given = 0
        self.left_out = 0  # pictures that could not be read

    def read(self) -> Frame | None:
        """See FrameSource. Pictures of one and the same moment are given a millisecond apart."""
        while self._queue:
            moment, path = self._queue.pop()
            try:
                image = read_picture(path)
            except (SourceUnreadable, SourceUnreachable) as error:
                self.left_out += 1
                log.warning("picture left out", camera_id=self._camera_id, reason=str(error))
                continue
            if self._last is not None and moment <= self._last:
                moment = self._last + timedelta(milliseconds=1)
            self._last = moment
            self.given += 1
            pose = None if self._whereabouts is None else self._whereabouts.pose(None, None, moment)
            return Frame(self._camera_id, moment, image, pose)
        if self.left_out and not self.given:
            raise SourceUnreadable(f"{self._folder}: none of its {self.left_out} pictures can be read")
        return None

    def hasten(self) -> None:
        """See FrameSource: pictures of a folder have no time to wait for."""

    def close(self) -> None:
        """See FrameSource."""
        self._queue.clear()


def _data(source: Path | bytes) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        name, size, data = "picture", len(source), source
    else:
        name = str(source)
        try:
            size = source.stat().st_size
            data = source.read_bytes() if size <= MAX_BYTES else b""
        except OSError as error:
            raise SourceUnreachable(f"{name}: {error.strerror or 'cannot be read'}") from error
    if size > MAX_BYTES:
        raise SourceUnreadable(f"{name}: {size / 1e6:.0f} MB is too large for a picture (limit {MAX_BYTES / 1e6:.0f})")
    return name, data


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Pillow's warnings: of sizes (our limit refuses instead) and of damaged EXIF (then it tells nothing)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _opened(file: BinaryIO, name: str, max_pixels: int) -> PIL.Image.Image:
    """The picture with its header read, nothing decoded."""
    try:
        picture = PIL.Image.open(file, formats=_FORMATS)
    except PIL.UnidentifiedImageError as error:
        raise SourceUnreadable(f"{name}: no picture that can be read (JPEG, PNG, WebP, BMP, TIFF)") from error
    except PIL.Image.DecompressionBombError as error:
        raise SourceUnreadable(f"{name}: too many pixels ({_told(error)})") from error
    width, height = picture.size
    if width * height > max_pixels:
        raise SourceUnreadable(
            f"{name}: {width} x {height} are {width * height / 1e6:.0f} million pixels, "
            f"more than {max_pixels / 1e6:.0f}; scale it down first"
        )
    return picture


def _bgr(picture: PIL.Image.Image) -> Image:
    if picture.mode.startswith("I;16"):  # 16 bits a pixel, which Pillow would clip at 255
        picture.load()
        deep = np.asarray(picture)
        grey = (deep >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    upright = PIL.ImageOps.exif_transpose(picture)
    rgb = np.asarray(upright.convert("RGB"))
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _exif_time(picture: PIL.Image.Image, zone: tzinfo) -> datetime | None:
    exif = picture.getexif()
    photo = exif.get_ifd(IFD.Exif)
    text = photo.get(Base.DateTimeOriginal) or exif.get(Base.DateTime)
    if not isinstance(text, str):
        return None
    moment = datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone)
    offset = photo.get(Base.OffsetTimeOriginal)
    if isinstance(offset, str) and offset.strip("\0 "):
        moment = moment.replace(tzinfo=datetime.strptime(offset.strip("\0 "), "%z").tzinfo)
    return moment.astimezone(UTC)


def _told(error: BaseException) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
