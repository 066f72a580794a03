"""Areas of a camera's picture or of the map, and which of them a point lies in. Pure and compact."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

Point = tuple[float, float]

IGNORE, WATCH = "ignore", "watch"
"""The two zone kinds with a meaning of their own; all others (`no_parking`, `legal_bay`, ...) are named by rules."""

CELL_DEG = 0.01
"""Side of a cell of the map index, degrees: about 1 km, some street blocks."""

MOST_CELLS = 10_000
"""A zone over more cells (a large city) is compared with every point instead of being written into all of them."""

LAST = 1.0 - 1e-9
"""Where a point on the picture's right or lower edge is taken to lie: what a picture cuts off there stands inside the
zones that reach the edge."""


def ring(corners: Iterable[Point]) -> array[float]:
    """One closed line through `corners`; the last one is joined to the first."""
    return array("d", [value for corner in corners for value in corner])


@dataclass(frozen=True, slots=True)
class Zone:
    """An area of a camera's picture, or of the map.

    Corners are (x, y) as shares of the picture's width and height when `camera_id` is set, otherwise (longitude,
    latitude) in degrees, WGS-84, on one side of the date line.
    """

    id: str
    kind: str
    rings: tuple[array[float], ...]  # outlines of the parts and of their holes, see `ring`
    camera_id: str | None = None
    categories: frozenset[str] = frozenset()  # empty: for all

    def contains(self, x: float, y: float) -> bool:
        """Whether a point (in the zone's own frame of reference) lies inside, by the even-odd rule over all rings.

        A point on the border of two zones that touch is in exactly one of them.
        """
        inside = False
        for line in self.rings:
            x1, y1 = line[-2], line[-1]
            values = iter(line)
            for x2, y2 in zip(values, values, strict=True):
                if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                    inside = not inside
                x1, y1 = x2, y2
        return inside

    def concerns(self, category: str) -> bool:
        """Whether the zone means anything to that category."""
        return not self.categories or category in self.categories

    def corners(self) -> Iterator[Point]:
        """All corners of all rings."""
        for line in self.rings:
            values = iter(line)
            yield from zip(values, values, strict=True)

    def edges(self) -> Iterator[tuple[Point, Point]]:
        """All edges of all rings."""
        for line in self.rings:
            values = iter(line)
            corners = list(zip(values, values, strict=True))
            yield from pairwise([*corners, corners[0]])

    def bounds(self) -> tuple[float, float, float, float]:
        """(least x, least y, greatest x, greatest y)."""
        xs, ys = zip(*self.corners(), strict=True)
        return min(xs), min(ys), max(xs), max(ys)


class ZoneIndex:
    """Zones by camera and, on the map, by cell. Immutable once made."""

    def __init__(self, zones: Mapping[str, Zone]) -> None:
        """Raises ValueError for a ring of fewer than three corners."""
        of_camera: dict[str, list[Zone]] = {}
        of_cell: dict[tuple[int, int], list[Zone]] = {}
        self._wide: list[Zone] = []  # over more than MOST_CELLS
        for zone in zones.values():
            corners = min((len(line) // 2 for line in zone.rings), default=0)
            if corners < 3:
                raise ValueError(f"zone {zone.id!r} has {corners} corners, it needs at least 3")
            if zone.camera_id is not None:
                of_camera.setdefault(zone.camera_id, []).append(zone)
            else:
                self._place(zone, of_cell)
        self._of_camera = {camera: _by_id(found) for camera, found in of_camera.items()}
        self._of_cell = {cell: _by_id(found) for cell, found in of_cell.items()}
        self.kinds_on_map = frozenset(zone.kind for zone in zones.values() if zone.camera_id is None)

    def of_camera(self, camera_id: str) -> tuple[Zone, ...]:
        """The zones in that camera's picture, by id."""
        return self._of_camera.get(camera_id, ())

    def in_picture(self, camera_id: str, x: float, y: float) -> list[Zone]:
        """The zones of that camera in which a point lies, by id; `x`, `y` as shares of width and height."""
        zones = self._of_camera.get(camera_id)
        if zones is None:
            return []
        x, y = min(x, LAST), min(y, LAST)
        return [zone for zone in zones if zone.contains(x, y)]

    def on_map(self, longitude: float, latitude: float) -> list[Zone]:
        """The zones of the map in which a point lies, in no order; degrees, WGS-84."""
        near = self._of_cell.get(_cell(longitude, latitude), ())
        return [zone for zone in (*near, *self._wide) if zone.contains(longitude, latitude)]

    def _place(self, zone: Zone, of_cell: dict[tuple[int, int], list[Zone]]) -> None:
        least_x, least_y, most_x, most_y = zone.bounds()
        west, south = _cell(least_x, least_y)
        east, north = _cell(most_x, most_y)
        if (east - west + 1) * (north - south + 1) > MOST_CELLS:
            self._wide.append(zone)
            return
        for column in range(west, east + 1):
            for row in range(south, north + 1):
                of_cell.setdefault((column, row), []).append(zone)


def overlap(one: Zone, other: Zone) -> bool:
    """Whether two zones in the same frame of reference share an area; touching is not sharing."""
    a, b = one.bounds(), other.bounds()
    if a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]:
        return False
    smaller = _shrunk(one)
    if any(_cross(*edge, *another) for edge in smaller.edges() for another in other.edges()):
        return True
    return within(one, other) or within(other, one)


def within(inner: Zone, outer: Zone) -> bool:
    """Whether all corners of `inner` lie in `outer` or on its border."""
    return all(outer.contains(x, y) for x, y in _shrunk(inner).corners())


def _shrunk(zone: Zone) -> Zone:
    """The zone a millionth smaller, so that lines that lie on each other part."""
    corners = list(zone.corners())
    x0, y0 = (sum(values) / len(corners) for values in zip(*corners, strict=True))
    rings = [
        ring(
            (x0 + (x - x0) * (1 - 1e-6), y0 + (y - y0) * (1 - 1e-6)) for x, y in zip(line[::2], line[1::2], strict=True)
        )
        for line in zone.rings
    ]
    return replace(zone, rings=tuple(rings))


def crosses_itself(zone: Zone) -> bool:
    """Whether two edges of a zone cross, as when its corners were written in the wrong order."""
    edges = list(zone.edges())
    return any(_cross(*edge, *other) for index, edge in enumerate(edges) for other in edges[index + 1 :])


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the lines a-b and c-d cross in a point inside both."""
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, p: Point) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _cell(x: float, y: float) -> tuple[int, int]:
    return int(x // CELL_DEG), int(y // CELL_DEG)


def _by_id(zones: list[Zone]) -> tuple[Zone, ...]:
    return tuple(sorted(zones, key=lambda zone: zone.id))
