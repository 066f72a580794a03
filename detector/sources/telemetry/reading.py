"""What reading a file of positions gives: its fixes, and what of it could not be read."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from detector.core.geo import GeoPoint
from detector.core.track import Fix
from detector.errors import SourceUnreachable, SourceUnreadable

MAX_BYTES = 500_000_000
"""Larger files are not read: an hour of a drone that writes 60 entries a second takes 70 MB."""


class Times(StrEnum):
    """What the times of a track count from."""

    PICTURES = "pictures"  # seconds since the first picture of the video
    CLOCK = "clock"  # seconds since 1970, UTC


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry that could not be read."""

    line: int  # of the file, from 1
    why: str  # without anything of the entry itself: HOME positions are nobody's business


@dataclass(frozen=True, slots=True)
class Reading:
    """The content of one file of positions."""

    file: Path
    times: Times
    fixes: tuple[Fix, ...]  # in order of time
    broken: tuple[Broken, ...] = ()

    def __str__(self) -> str:
        """One line for people: how much was read, and what was not."""
        told = f"{self.file}: {len(self.fixes)} positions"
        if self.fixes:
            told += f" over {self.fixes[-1].at - self.fixes[0].at:.0f} s"
        if self.broken:
            whys = Counter(one.why for one in self.broken)
            first = {why: next(one.line for one in self.broken if one.why == why) for why in whys}
            told += "; " + ", ".join(f"{n} x {why} (first in line {first[why]})" for why, n in whys.most_common())
        return told


def content_of(file: Path) -> bytes:
    """The bytes of a file of positions. Raises SourceUnreachable or SourceUnreadable naming it."""
    try:
        with file.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            if size > MAX_BYTES:
                raise SourceUnreadable(f"{file}: {size / 1e6:.0f} MB is too large for a file of positions")
            return opened.read()
    except OSError as error:
        raise SourceUnreachable(f"{file}: {error.strerror or 'cannot be read'}") from error


def position(latitude: float, longitude: float, error_m: float | None = None) -> GeoPoint | None:
    """A receiver's position; None where it is none: recorders write 0, 0 until they have one."""
    if latitude == longitude == 0:
        return None
    try:
        return GeoPoint(latitude, longitude, error_m)
    except ValueError:
        return None


def in_order(fixes: list[Fix]) -> tuple[Fix, ...]:
    """By time; of several at one time the last stays."""
    return tuple({fix.at: fix for fix in sorted(fixes, key=lambda fix: fix.at)}.values())
