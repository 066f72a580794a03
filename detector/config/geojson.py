"""Areas of the map from GeoJSON (RFC 7946): polygons with the properties `id`, `kind` and `categories`.

RFC 7946 knows WGS-84 only; older tools name another system in a member `crs`, and Chinese map tools often write GCJ-02
without saying so. A system that cannot be converted is refused: zones that are off by 500 m make wrong cases without
anybody noticing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector.config.marked_yaml import Document, KeyPath
from detector.config.plain_json import read_json
from detector.core.coordinates import CoordinateSystem, to_wgs84
from detector.core.geo import GeoPoint
from detector.core.zones import Point, Zone, ring

_SYSTEMS = {
    re.compile(r"(EPSG:+4326|CRS:?84|WGS[ -]?84)$", re.IGNORECASE): CoordinateSystem.WGS84,
    re.compile(r"(EPSG:+4490|CGCS[ -]?2000)$", re.IGNORECASE): CoordinateSystem.CGCS2000,
    re.compile(r"GCJ[ -]?02$", re.IGNORECASE): CoordinateSystem.GCJ02,
    re.compile(r"BD[ -]?09(LL)?$", re.IGNORECASE): CoordinateSystem.BD09,
}
_ID = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_.:-]{0,63}$")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}$")


@dataclass(slots=True)
class Areas:
    """The zones of one file."""

    document: Document
    zones: list[tuple[Zone, KeyPath]] = field(default_factory=list)


class _Wrong(Exception):
    """A feature that is no zone: (key path inside the feature, message, suggestion)."""

    def __init__(self, path: KeyPath, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.path, self.message, self.suggestion = path, message, suggestion


def read_geojson(file: Path, kind: str | None = None, usual: CoordinateSystem = CoordinateSystem.WGS84) -> Areas:
    """Read the zones of a GeoJSON file; what is wrong is in the document's findings, nothing is raised.

    `kind`: of features that name none; without it that is wrong. `usual`: the coordinate system of a file that names
    none.
    """
    areas = Areas(read_json(file))
    data = areas.document.data
    if areas.document.findings:
        return areas
    features = [data] if data.get("type") == "Feature" else data.get("features")
    if not isinstance(features, list):
        areas.document.find((), "must be a GeoJSON FeatureCollection or Feature")
        return areas
    system = _system(data.get("crs"), areas.document, usual)
    if system is None:
        return areas
    for index, feature in enumerate(features):
        where: KeyPath = ("features", index)
        try:
            areas.zones.append((_zone(feature, kind, system), where))
        except _Wrong as wrong:
            areas.document.find((*where, *wrong.path), wrong.message, wrong.suggestion)
    return areas


def _system(crs: Any, document: Document, usual: CoordinateSystem) -> CoordinateSystem | None:
    """The system that a file names, `usual` where it names none; None after a finding."""
    if crs is None:
        return usual
    properties = crs.get("properties") if isinstance(crs, dict) else crs
    name = str(properties.get("name", "")) if isinstance(properties, dict) else str(properties)
    found = next((system for pattern, system in _SYSTEMS.items() if pattern.search(name)), None)
    if found is None:
        document.find(("crs",), f'the coordinate system "{name}" is not converted', "export the file as WGS-84")
    if found is CoordinateSystem.CGCS2000:
        note = "CGCS2000 is taken for WGS-84: they differ by decimetres"
        document.findings.append(document.finding(("crs",), note, severity="note"))
    return found


def placed(corners: Iterable[Point], system: CoordinateSystem) -> tuple[Point, ...]:
    """Corners (longitude, latitude) given in `system` as WGS-84."""
    points = (to_wgs84(GeoPoint(latitude, longitude), system) for longitude, latitude in corners)
    return tuple((point.longitude, point.latitude) for point in points)


def _zone(feature: Any, otherwise: str | None, system: CoordinateSystem) -> Zone:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise _Wrong((), "must be a Feature")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise _Wrong(("properties",), "must be an object")
    zone_id = properties.get("id", feature.get("id"))
    if not _ID.match(str(zone_id)) or isinstance(zone_id, (bool, float)) or zone_id is None:
        raise _Wrong(("properties", "id"), "must be an id: letters, digits, Chinese characters and _ . : -")
    kind = properties.get("kind", otherwise)
    if not isinstance(kind, str) or not _KIND.match(kind):
        raise _Wrong(("properties", "kind"), "must be a kind of zone", "e.g. vending_point")
    categories = properties.get("categories") or []
    if isinstance(categories, str):
        categories = re.split(r"[,;\s]+", categories.strip())  # tools that keep no lists write them as text
    if not isinstance(categories, list) or not all(isinstance(category, str) for category in categories):
        raise _Wrong(("properties", "categories"), "must be a list of category ids")
    rings = tuple(ring(placed(corners, system)) for corners in _rings(feature.get("geometry")))
    return Zone(str(zone_id), kind, rings, None, frozenset(categories))


def _rings(geometry: Any) -> Iterator[list[Point]]:
    geometry = geometry if isinstance(geometry, dict) else {}
    coordinates = geometry.get("coordinates")
    match geometry.get("type"):
        case "Polygon":
            polygons, path = [coordinates], ("geometry", "coordinates")
        case "MultiPolygon" if isinstance(coordinates, list):
            polygons, path = coordinates, ("geometry", "coordinates")
        case other:
            raise _Wrong(("geometry",), f"must be a Polygon or MultiPolygon, not {other}")
    for polygon in polygons:
        if not isinstance(polygon, list) or not polygon:
            raise _Wrong(path, "must be a list of rings")
        for line in polygon:
            yield _ring(line, path)


def _ring(line: Any, path: KeyPath) -> list[Point]:
    corners = [_position(position, path) for position in line] if isinstance(line, list) else []
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()  # GeoJSON writes the first corner again at the end
    if len(corners) < 3:
        raise _Wrong(path, "a ring needs at least three corners")
    return corners


def _position(position: Any, path: KeyPath) -> Point:
    match position:
        case [(int() | float()) as x, (int() | float()) as y, *_] if abs(x) <= 180 and abs(y) <= 90:
            return float(x), float(y)
        case [(int() | float()) as x, (int() | float()) as y, *_] if abs(x) <= 90 and abs(y) <= 180:
            raise _Wrong(path, f"{position} is no position", "longitude first, then latitude")
        case _:
            raise _Wrong(path, f"{position} is no position", "degrees are wanted, not metres of a projection")
