"""GPX 1.0 and 1.1 (Topografix): the track points of a receiver that rode along, by its clock in UTC.

Elevation is above the sea or the ellipsoid and says nothing of the ground. Read with the standard parser, after
document types (entity bombs) have been refused.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.parsers import expat

from detector.core.geo import Pose
from detector.core.track import Fix
from detector.errors import SourceUnreadable
from detector.sources.telemetry.reading import Broken, Reading, Times, content_of, in_order, position


def read_gpx(file: Path) -> Reading:
    """The track points with a time; those without one, or without a position, are told by line.

    A file that is cut off gives what was whole. Raises SourceUnreachable when it is not there, SourceUnreadable when it
    is no GPX or holds a document type.
    """
    parsing = _Points()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, attributes: parsing.start(tag, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = parsing.end
    parser.CharacterDataHandler = parsing.text

    def refuse(*_: object) -> None:
        raise SourceUnreadable(f"{file}: holds a document type; GPX needs none, remove it")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content_of(file), True)
    except expat.ExpatError as error:
        parsing.broken.append(Broken(error.lineno, "cut off or not well-formed"))
    if not parsing.is_gpx:
        raise SourceUnreadable(f"{file}: is no GPX")
    return Reading(file, Times.CLOCK, in_order(parsing.fixes), tuple(parsing.broken))


class _Points:
    """What the parser has met so far."""

    def __init__(self) -> None:
        self.is_gpx = False
        self.fixes: list[Fix] = []
        self.broken: list[Broken] = []
        self._line = 0
        self._where: dict[str, str] | None = None  # attributes of the track point that is open
        self._time: str | None = None  # text of its time so far
        self._timing = False

    def start(self, tag: str, attributes: dict[str, str], line: int) -> None:
        name = tag.rpartition(" ")[2]
        self.is_gpx = self.is_gpx or name == "gpx"
        if name == "trkpt":
            self._where, self._time, self._line = attributes, None, line
        elif name == "time" and self._where is not None:
            self._timing, self._time = True, ""

    def text(self, data: str) -> None:
        if self._timing:
            self._time = (self._time or "") + data

    def end(self, tag: str) -> None:
        name = tag.rpartition(" ")[2]
        if name == "time":
            self._timing = False
        elif name == "trkpt" and self._where is not None:
            found = _fix(self._where, self._time)
            if isinstance(found, str):
                self.broken.append(Broken(self._line, found))
            else:
                self.fixes.append(found)
            self._where = None


def _fix(where: dict[str, str], time: str | None) -> Fix | str:
    try:
        here = position(float(where["lat"]), float(where["lon"]))
    except (KeyError, ValueError):
        return "no position"
    if here is None:
        return "no position"
    try:
        moment = datetime.fromisoformat((time or "").strip())
    except ValueError:
        return "no time"
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)  # GPX times are UTC
    return Fix(moment.timestamp(), Pose(here))
