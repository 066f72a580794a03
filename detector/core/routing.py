"""Who is sent: category x place x owner of the road -> department, and by which route.

A route fits where all it names fits; what it does not name does not matter. Of several the most specific decides: the
place outranks the owner, the owner the district, the district the category. Equally specific ones are taken in the
order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from detector.core.geo import GeoPoint
from detector.core.zones import Zone, ZoneIndex


@dataclass(frozen=True, slots=True)
class Department:
    """Somebody who can be sent."""

    id: str  # short, as routes name it
    name: str
    code: str | None = None  # unified social credit code (GB 32100), 18 characters


@dataclass(frozen=True, slots=True)
class Cell:
    """A unit cell of the city's grid (单元网格)."""

    id: str  # 15 characters: 6 of the district, 3 of the street office, 3 of the community, 3 of the cell
    district: str | None = None
    street: str | None = None  # id of a Street
    owner: str | None = None  # who answers for the road


@dataclass(frozen=True, slots=True)
class Street:
    """A street with a file of its own (一路一档)."""

    id: str
    name: str
    district: str | None = None
    owner: str | None = None
    cell: str | None = None
    cameras: frozenset[str] = frozenset()  # ids of the cameras that look at it


@dataclass(frozen=True, slots=True)
class Spot:
    """What routes ask of a problem; None where it is not known."""

    category: str
    camera_id: str
    cell: str | None = None
    street: str | None = None
    owner: str | None = None
    district: str | None = None

    def __str__(self) -> str:
        """`road_damage in cell 610104001002003, district 莲湖区`."""
        named = ("cell", "street", "owner", "district")
        known = [f"{name} {value}" for name in named if (value := getattr(self, name)) is not None]
        return f"{self.category} in {', '.join(known)}" if known else f"{self.category} at a place that is not known"


@dataclass(frozen=True, slots=True)
class Route:
    """Where something goes to; an empty condition is none."""

    id: str
    department: str  # id
    categories: frozenset[str] = frozenset()
    cells: tuple[str, ...] = ()  # whole ids, or what they begin with: a district, a street office, a community
    streets: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()

    def specificity(self, spot: Spot) -> tuple[int, ...] | None:
        """How much of `spot` the route names, comparable with that of other routes; None when it does not fit."""
        beginnings = [len(cell) for cell in self.cells if spot.cell is not None and spot.cell.startswith(cell)]
        if self.cells and not beginnings:
            return None
        named = (
            (self.streets, spot.street),
            (self.owners, spot.owner),
            (self.districts, spot.district),
            (self.categories, spot.category),
        )
        if any(wanted and value not in wanted for wanted, value in named):
            return None
        return max(beginnings, default=0), *(int(bool(wanted)) for wanted, _ in named)


@dataclass(frozen=True, slots=True)
class Routed:
    """The answer: who is sent, and which route says so."""

    department: Department
    route: str


@dataclass(frozen=True, slots=True)
class Routing:
    """The routes of a city, its grid and its streets."""

    departments: Mapping[str, Department] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    streets: Mapping[str, Street] = field(default_factory=dict)
    cells: Mapping[str, Cell] = field(default_factory=dict)
    grid: ZoneIndex = field(default_factory=lambda: ZoneIndex({}))
    by_camera: Mapping[str, Street] = field(default_factory=dict)

    def spot(self, category: str, camera_id: str, district: str | None = None, ground: GeoPoint | None = None) -> Spot:
        """What is known about the place: by the ground point where there is one, else by the camera's street."""
        street = self.by_camera.get(camera_id)
        cell = self._cell_at(ground) or (self.cells.get(street.cell or "") if street else None)
        if cell is not None and cell.street is not None:
            street = self.streets.get(cell.street, street)
        return Spot(
            category,
            camera_id,
            cell=cell.id if cell else street.cell if street else None,
            street=street.id if street else None,
            owner=(cell.owner if cell else None) or (street.owner if street else None),
            district=(cell.district if cell else None) or (street.district if street else None) or district or None,
        )

    def route(self, spot: Spot) -> Routed | None:
        """The most specific route that fits; None when none does."""
        best: Route | None = None
        best_rank: tuple[int, ...] = ()
        for route in self.routes:
            rank = route.specificity(spot)
            if rank is not None and (best is None or rank > best_rank):
                best, best_rank = route, rank
        return None if best is None else Routed(self.departments[best.department], best.id)

    def _cell_at(self, ground: GeoPoint | None) -> Cell | None:
        if ground is None:
            return None
        found = sorted(zone.id for zone in self.grid.on_map(ground.longitude, ground.latitude))
        return self.cells[found[0]] if found else None


def routing_of(
    departments: Iterable[Department],
    routes: Iterable[Route],
    streets: Iterable[Street] = (),
    grid: Iterable[tuple[Cell, Zone]] = (),
) -> Routing:
    """Put a routing together.

    Raises ValueError when a route leads to no department or two streets claim a camera.
    """
    known = {department.id: department for department in departments}
    ways, roads, cells = tuple(routes), {street.id: street for street in streets}, list(grid)
    for route in ways:
        if route.department not in known:
            raise ValueError(f"route {route.id!r} leads to {route.department!r}, which is no department")
    by_camera: dict[str, Street] = {}
    for street in roads.values():
        for camera in street.cameras:
            if camera in by_camera:
                raise ValueError(f"camera {camera!r} looks at {by_camera[camera].id!r} and at {street.id!r}")
            by_camera[camera] = street
    index = ZoneIndex({cell.id: zone for cell, zone in cells})
    return Routing(known, ways, roads, {cell.id: cell for cell, _ in cells}, index, by_camera)


def rivals(routes: Iterable[Route]) -> Iterator[tuple[Route, Route]]:
    """Pairs of routes to different departments, equally specific, that can fit the same spot: order decides there."""
    seen: list[Route] = []
    for route in routes:
        for earlier in seen:
            if earlier.department != route.department and _can_meet(earlier, route):
                yield earlier, route
        seen.append(route)


def _can_meet(one: Route, other: Route) -> bool:
    for name in ("streets", "owners", "districts", "categories"):
        here, there = getattr(one, name), getattr(other, name)
        if bool(here) != bool(there) or (here and not here & there):
            return False
    return set(one.cells) & set(other.cells) != set() if one.cells or other.cells else True


_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code_fault(code: str) -> str | None:
    """What is wrong with a unified social credit code, or None.

    18 characters without I, O, S, V and Z; the last one makes the sum of the values, weighted with 3**i mod 31,
    divisible by 31 (GB 32100-2015).
    """
    if len(code) != 18:
        return f"has {len(code)} characters, a credit code has 18"
    if strange := sorted(set(code) - set(_CREDIT)):
        return f"holds {''.join(strange)}, which no credit code does"
    total = sum(_CREDIT.index(letter) * pow(3, place, 31) for place, letter in enumerate(code[:17]))
    right = _CREDIT[-total % 31]
    return None if code[17] == right else f"ends in {code[17]} where its check character would be {right}"
