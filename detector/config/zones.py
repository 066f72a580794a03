"""Zones: areas of a camera's picture or of the map, written in YAML or taken from GeoJSON files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from detector.config.cameras import CameraId
from detector.config.geojson import placed, read_geojson
from detector.config.marked_yaml import Document, KeyPath
from detector.config.plain_json import read_document
from detector.config.strict import Strict
from detector.config.validating import validate
from detector.config.values import Location
from detector.core.coordinates import CoordinateSystem
from detector.core.zones import Point, Zone, ring

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_.:-]{0,63}$")]
"""Letters, digits, Chinese characters and `_ . : -`, at most 64: cases carry the id of what decided."""
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["vending_point", "no_parking"])]
"""What an area is; `ignore` and `watch` have a meaning of their own, rules give the others theirs."""
Corners = Annotated[tuple[tuple[float, float], ...], Field(min_length=3)]


class ZoneSettings(Strict):
    """One area: of a picture (`camera` and `corners`) or of the map (`ground`)."""

    kind: Kind
    """`ignore`: nothing there counts; `watch`: where a camera has such areas, nothing outside them counts; any other
    kind means what the rules say."""
    camera: CameraId | None = None
    """The camera in whose picture it lies."""
    corners: Corners | None = None
    """[x, y] of each corner as shares of the picture's width and height from its upper left, 0 to 1."""
    frame: tuple[Annotated[int, Field(ge=16)], Annotated[int, Field(ge=16)]] | None = None
    """[width, height] of the picture on which the corners were drawn: they are then pixels of it."""
    ground: Corners | None = None
    """[longitude, latitude] of each corner in degrees: for all cameras that know where on the
    ground things stand."""
    holes: tuple[Corners, ...] = ()
    """Parts that are left out, written like the corners."""
    categories: tuple[str, ...] = Field(default=(), json_schema_extra={"examples": [["street_stall"]]})
    """Categories that it concerns; all when not given."""


class ZonesFile(Strict):
    """A file of zones."""

    zones: dict[Identifier, ZoneSettings] = Field(default_factory=dict)
    """Id to area."""
    coordinates: CoordinateSystem = CoordinateSystem.WGS84
    """What the numbers of `ground` mean, and those of GeoJSON files that name no system of their own."""
    geojson: tuple[Location, ...] = ()
    """GeoJSON files of areas of the map: Polygon or MultiPolygon with the properties `id`, `kind` and, if not all,
    `categories`."""


class Zones:
    """The zones of some files, each with where it was written."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[Zone, Document, KeyPath]] = {}
        self.documents: list[Document] = []

    def add(self, zone: Zone, document: Document, path: KeyPath) -> None:
        """Take a zone in; one whose id is taken becomes a finding of its document."""
        if zone.id in self.found:
            _, other, where = self.found[zone.id]
            document.find(path, f'zone "{zone.id}" is taken by {other.place(where)}', "give each its own id")
            return
        self.found[zone.id] = zone, document, path


def read_zones(files: tuple[Path, ...]) -> Zones:
    """Read files of zones and the GeoJSON files that they name; what is wrong is in their documents' findings."""
    zones = Zones()
    for file in files:
        document = read_document(file)
        zones.documents.append(document)
        broken = bool(document.findings) and not document.data
        written = None if broken else validate(document, ZonesFile, {})
        if written is None:
            continue
        for key, given in written.zones.items():
            path: KeyPath = ("zones", key)
            rings = list(_rings(given, document, path, written.coordinates))
            if rings:
                lines = tuple(ring(corners) for corners in rings)
                zones.add(Zone(key, given.kind, lines, given.camera, frozenset(given.categories)), document, path)
        for geojson in written.geojson:
            areas = read_geojson(geojson, usual=written.coordinates)
            zones.documents.append(areas.document)
            for zone, path in areas.zones:
                zones.add(zone, areas.document, path)
    return zones


def _rings(
    given: ZoneSettings, document: Document, path: KeyPath, system: CoordinateSystem
) -> Iterator[tuple[Point, ...]]:
    """The rings of a zone in its own frame of reference; nothing after a finding."""
    if (given.corners is None) == (given.ground is None):
        document.find(path, "needs either corners (of a picture) or ground (of the map)")
        return
    if (given.camera is None) != (given.corners is None):
        document.find(path, "corners need the camera in whose picture they lie, and ground needs none")
        return
    key = "corners" if given.ground is None else "ground"
    named: list[tuple[KeyPath, tuple[Point, ...]]] = [((key,), given.corners or given.ground or ())]
    named += [(("holes", index), hole) for index, hole in enumerate(given.holes)]
    if given.ground is not None and given.frame is not None:
        document.find((*path, "frame"), "belongs to corners in pixels, this zone lies on the map")
        return
    for where, corners in named:
        width, height = given.frame or (1, 1)
        points = tuple((x / width, y / height) for x, y in corners)
        for index, point in enumerate(points):
            wrong = _wrong(point, given)
            if wrong is not None:
                document.find((*path, *where, index), *wrong)
                return
        yield points if given.ground is None else placed(points, system)


def _wrong(point: Point, given: ZoneSettings) -> tuple[str, str | None] | None:
    x, y = point
    if given.ground is not None:
        if abs(y) <= 90 and abs(x) <= 180:
            return None
        return "is no position", "longitude first, then latitude" if abs(x) <= 90 else None
    if 0 <= x <= 1 and 0 <= y <= 1:
        return None
    hint = "check `frame`" if given.frame else "for pixels, give `frame: [width, height]` of the picture"
    return "lies outside the picture", hint
