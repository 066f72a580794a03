"""DJI's subtitle files (.SRT), one entry a frame or a second, in the dialects of a dozen models.

- `[latitude: ..] [longitude: ..]`, also spelt `longtitude` and with a space before the colon; `rel_alt` is above the
  take-off point, `abs_alt` and `altitude` are above the sea and say nothing of the ground. Newer ones add the gimbal
  (`gb_yaw gb_pitch gb_roll`) and `focal_len`, equivalent to 35 mm film: `24.00`, or in tenths without a point (`240`).
- `GPS(longitude, latitude, satellites)` with `BAROMETER`, `Hb` or `H` above the take-off point; Matrice 300 writes
  latitude first and gives the third number in metres (`0.0M`). `G.PRY` are pitch, roll and yaw of the gimbal.
- Times: the cue's, else (one dialect has no cues) the recorder's clock from its first entry on.

HOME(..) tells where the operator stands. It is cut out before anything is read and leaves no trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import atan, degrees, hypot, radians
from pathlib import Path

from detector.core.geo import EARTH_RADIUS_M, GeoPoint, Pose
from detector.core.pinhole import POSITION_ERROR_M
from detector.core.track import Fix
from detector.errors import SourceUnreadable
from detector.sources.telemetry.reading import Broken, Reading, Times, content_of, in_order, position

FILM_WIDTH_MM = 36.0
"""Of 35 mm film, to which `focal_len` is equivalent. Video often shows a little less than that: measure, and set
`field_of_view`."""

_NUMBER = r"([+-]?\d+(?:\.\d+)?)"
_HOME = re.compile(r"HOME\s*\([^)\n]*\)?", re.IGNORECASE)
_CUE = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{1,3})\s*-->")
_DATE = re.compile(r"(\d{4})[-.](\d{1,2})[-.](\d{1,2})\s+(\d{1,2}):(\d\d):(\d\d)(?:[,.](\d{1,3}))?")
_LATITUDE = re.compile(rf"\[latitude\s*:\s*{_NUMBER}\s*\]")
_LONGITUDE = re.compile(rf"\[longt?itude\s*:\s*{_NUMBER}\s*\]")
_PAIR = re.compile(rf"\bGPS\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*(M?)\s*\)")
_NO_SATELLITES = re.compile(r"\bGPS\s*\(\s*N/A\s*,")
# A number at the very end of a file that was cut may lack its last digits: something must follow it.
_HEIGHT = re.compile(rf"(?:\brel_alt\s*:|\bBAROMETER\s*:|\bHb\s*:|\bH(?= ))\s*{_NUMBER}(?=[^\d.])")
_GIMBAL = re.compile(rf"G\.PRY\s*\(\s*{_NUMBER}[^,\d]*,\s*{_NUMBER}[^,\d]*,\s*{_NUMBER}[^,\d)]*\)")
_TURNED = re.compile(rf"\bgb_yaw\s*:\s*{_NUMBER}\s+gb_pitch\s*:\s*{_NUMBER}\s+gb_roll\s*:\s*{_NUMBER}\s*\]")
_FOCAL = re.compile(r"\[focal_len\s*:\s*(\d+(?:\.\d+)?)\s*\]")
_ZOOM = re.compile(r"\[dzoom_ratio\s*:\s*(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class _Entry:
    line: int
    at: float
    text: str


def read_srt(file: Path) -> Reading:
    """The positions in a DJI subtitle file; what is broken is left out and told by line.

    Raises SourceUnreachable when it is not there, SourceUnreadable when it is no text.
    """
    content = content_of(file)
    if b"\0" in content[:4096]:
        raise SourceUnreadable(f"{file}: is no subtitle file")
    text = _HOME.sub("", content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n"))
    broken: list[Broken] = []
    entries = list(_entries(text, broken))
    latitude_first = _latitude_first(entries)
    fixes: list[Fix] = []
    for entry in entries:
        found = _position(entry.text, latitude_first)
        if isinstance(found, str):
            broken.append(Broken(entry.line, found))
        else:
            fixes.append(Fix(entry.at, _pose(entry.text, found)))
    return Reading(file, Times.PICTURES, in_order(fixes), tuple(sorted(broken, key=lambda one: one.line)))


def _entries(text: str, broken: list[Broken]) -> Iterator[_Entry]:
    """The paragraphs of a file with their times; those without one are broken."""
    begun: datetime | None = None
    for line, paragraph in _paragraphs(text):
        cue, date = _CUE.search(paragraph), _date(paragraph)
        if cue is not None:
            hours, minutes, seconds, fraction = cue.groups()
            at = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")
            yield _Entry(line, at, paragraph)
        elif date is not None:
            begun = begun or date
            yield _Entry(line, (date - begun).total_seconds(), paragraph)
        else:
            broken.append(Broken(line, "no time"))


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    begin, held = 0, list[str]()
    lines = text.split("\n")
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            begin = begin if held else number
            held.append(line)
        elif held:
            # what was the file's last line without an end may have been cut in a number: see _HEIGHT
            yield begin, "\n".join(held) + ("\n" if number <= len(lines) else "")
            held = []


def _date(paragraph: str) -> datetime | None:
    found = _DATE.search(paragraph)
    if found is None:
        return None
    *whole, fraction = found.groups()
    try:
        moment = datetime(*(int(part) for part in whole))  # type: ignore[arg-type]  # noqa: DTZ001 - differences only
    except ValueError:
        return None
    return moment.replace(microsecond=int((fraction or "0").ljust(6, "0")))


def _latitude_first(entries: list[_Entry]) -> bool:
    """In which order the dialect writes pairs. No latitude is beyond 90, else the unit of the third number decides."""
    pairs = [pair for entry in entries if (pair := _PAIR.search(entry.text)) is not None]
    if any(abs(float(pair[1])) > 90 for pair in pairs):
        return False
    return any(abs(float(pair[2])) > 90 or pair[4] for pair in pairs)


def _position(text: str, latitude_first: bool) -> GeoPoint | str:
    """Where the camera was, or why that is not known."""
    latitude, longitude, pair = _LATITUDE.search(text), _LONGITUDE.search(text), _PAIR.search(text)
    if latitude is not None and longitude is not None:
        found = _point(latitude[1], longitude[1])
    elif pair is not None:
        found = _point(pair[1], pair[2]) if latitude_first else _point(pair[2], pair[1])
    elif _NO_SATELLITES.search(text):
        found = None
    else:
        return "no position, or cut off"
    return "no satellites yet" if found is None else found


def _point(latitude: str, longitude: str) -> GeoPoint | None:
    """Older dialects write four digits: what they cut off is more than what the receiver does not know."""
    digits = min(len(number.partition(".")[2]) for number in (latitude, longitude))
    error = hypot(POSITION_ERROR_M, radians(10.0**-digits) / 2**0.5 * EARTH_RADIUS_M)
    return position(float(latitude), float(longitude), error)


def _pose(text: str, here: GeoPoint) -> Pose:
    height, gimbal, turned = _HEIGHT.search(text), _GIMBAL.search(text), _TURNED.search(text)
    pitch = roll = heading = None
    if gimbal is not None:
        pitch, roll, heading = (float(part) for part in gimbal.groups())
    elif turned is not None:
        heading, pitch, roll = (float(part) for part in turned.groups())
    return Pose(
        here,
        None if height is None else float(height[1]),
        None if heading is None else heading % 360.0,
        pitch,
        roll,
        _field_of_view(text),
    )


def _field_of_view(text: str) -> float | None:
    focal, zoom = _FOCAL.search(text), _ZOOM.search(text)
    if focal is None:
        return None
    millimetres = float(focal[1]) / (1.0 if "." in focal[1] else 10.0)
    times = 1.0 if zoom is None else float(zoom[1]) / (1.0 if "." in zoom[1] else 10_000.0)
    if not (5.0 <= millimetres <= 2000.0 and 1.0 <= times <= 100.0):
        return None
    return degrees(2 * atan(FILM_WIDTH_MM / (2 * millimetres * times)))
