"""Who is sent where: departments, streets, the grid of unit cells, and the routes between them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from detector.config.finding import Finding, Severity, did_you_mean, written_key
from detector.config.geojson import read_geojson
from detector.config.marked_yaml import Document, KeyPath, read_yaml
from detector.config.strict import Strict
from detector.config.validating import validate
from detector.config.values import Location
from detector.core.routing import Cell, Department, Route, Routing, Street, credit_code_fault, rivals, routing_of
from detector.core.zones import Zone

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_.:-]{0,63}$")]
"""Letters, digits, Chinese characters and `_ . : -`, at most 64."""
CellBeginning = Annotated[str, Field(pattern=r"^[0-9A-Z]{2,15}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]

CELL_LENGTH = 15
"""Characters of a unit cell's id: 6 of the district, 3 of the street office, 3 of the community, 3 of the cell."""


class DepartmentSettings(Strict):
    """Somebody who can be sent."""

    name: Name
    code: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")] | None = None
    """Unified social credit code, 18 characters; records of a city platform ask for it."""


class StreetSettings(Strict):
    """A street that gets a file of its own (一路一档)."""

    name: Name
    district: Name | None = None
    owner: Name | None = None
    """Who answers for the road, as routes name it."""
    cell: Annotated[str, Field(pattern=r"^[0-9A-Z]{15}$")] | None = None
    """Unit cell of problems whose point on the ground is not known."""
    cameras: tuple[str, ...] = ()
    """Ids of the cameras that look at it."""


class RouteSettings(Strict):
    """Where something goes; what is not given does not matter, the most specific route decides."""

    id: Key
    """Shown with each case it decides."""
    to: str
    """Id of a department."""
    categories: tuple[str, ...] = ()
    cells: tuple[CellBeginning, ...] = ()
    """Unit cells, whole (15 characters) or what they begin with: 6 a district, 9 a street office, 12 a community."""
    streets: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()


class RoutingFile(Strict):
    """A file of routes."""

    departments: dict[Key, DepartmentSettings] = Field(default_factory=dict)
    streets: dict[Key, StreetSettings] = Field(default_factory=dict)
    grid: Location | None = None
    """GeoJSON file of unit cells: polygons with the properties `id` (15 characters) and, where known, `district`,
    `street` (id of one above) and `owner`; WGS-84 or CGCS2000."""
    routes: tuple[RouteSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class ExaminedRouting:
    """What came of reading a file of routes."""

    routing: Routing | None  # None when there is an error among the findings
    findings: tuple[Finding, ...]


def examine_routing(path: Path, categories: Collection[str] | None = None) -> ExaminedRouting:
    """Read a file of routes and its grid and return all that is wrong instead of raising.

    `categories`: those there are; routes for others are told.
    """
    document = read_yaml(path)
    broken = bool(document.findings) and not document.data
    file = None if broken else validate(document, RoutingFile, {})
    if file is None:
        return ExaminedRouting(None, document.in_order())
    grid, cells = _grid(file)
    _check(document, file, cells)
    findings = [*document.in_order(), *(grid.in_order() if grid else ())]
    if any(finding.severity == "error" for finding in findings):
        return ExaminedRouting(None, tuple(findings))
    routing = routing_of(
        [Department(key, given.name, given.code) for key, given in file.departments.items()],
        [_route(given) for given in file.routes],
        [_street(key, given) for key, given in file.streets.items()],
        cells,
    )
    return ExaminedRouting(routing, (*findings, *_doubtful(document, file, routing, categories)))


def _route(given: RouteSettings) -> Route:
    return Route(
        given.id,
        given.to,
        categories=frozenset(given.categories),
        cells=given.cells,
        streets=frozenset(given.streets),
        owners=frozenset(given.owners),
        districts=frozenset(given.districts),
    )


def _street(key: str, given: StreetSettings) -> Street:
    return Street(key, given.name, given.district, given.owner, given.cell, frozenset(given.cameras))


def _grid(file: RoutingFile) -> tuple[Document | None, list[tuple[Cell, Zone]]]:
    if file.grid is None:
        return None, []
    areas = read_geojson(file.grid, kind="cell")
    document, cells = areas.document, []
    seen: set[str] = set()
    for zone, path in areas.zones:
        properties = _properties(document, path)
        if len(zone.id) != CELL_LENGTH or not zone.id.isalnum():
            document.find((*path, "properties", "id"), f'"{zone.id}" is no unit cell', "it has 15 letters and digits")
        elif zone.id in seen:
            document.find((*path, "properties", "id"), f"unit cell {zone.id} is given twice")
        street = properties["street"]
        if street is not None and street not in file.streets:
            hint = did_you_mean(street, file.streets)
            document.find((*path, "properties", "street"), f'there is no street "{street}"', hint)
        seen.add(zone.id)
        cells.append((Cell(zone.id, properties["district"], street, properties["owner"]), zone))
    return document, cells


def _properties(document: Document, path: KeyPath) -> dict[str, str | None]:
    data = document.data
    feature = data if data.get("type") == "Feature" else data["features"][path[1]]
    given = feature.get("properties") or {}
    return {key: str(given[key]) if given.get(key) else None for key in ("district", "street", "owner")}


def _check(document: Document, file: RoutingFile, cells: list[tuple[Cell, Zone]]) -> None:
    first: dict[str, str] = {}
    for key, street in file.streets.items():
        for index, camera in enumerate(street.cameras):
            other = first.setdefault(camera, key)
            if other != key or camera in street.cameras[:index]:
                document.find(("streets", key, "cameras", index), f'camera "{camera}" is at street {other} already')
    ids: set[str] = set()
    owners = {cell.owner for cell, _ in cells} | {street.owner for street in file.streets.values()}
    for index, route in enumerate(file.routes):
        here: KeyPath = ("routes", index)
        if route.id in ids:
            document.find((*here, "id"), f'"{route.id}" is taken', "give each its own")
        ids.add(route.id)
        if route.to not in file.departments:
            document.find(
                (*here, "to"), f'there is no department "{route.to}"', did_you_mean(route.to, file.departments)
            )
        for place, name in enumerate(route.streets):
            if name not in file.streets:
                document.find(
                    (*here, "streets", place), f'there is no street "{name}"', did_you_mean(name, file.streets)
                )
        for place, name in enumerate(route.owners):
            if name not in owners:
                hint = did_you_mean(name, [owner for owner in owners if owner]) or "name it at a street or a cell"
                document.find((*here, "owners", place), f'no street and no cell has the owner "{name}"', hint)


def _doubtful(
    document: Document, file: RoutingFile, routing: Routing, categories: Collection[str] | None
) -> Iterator[Finding]:
    for key, given in file.departments.items():
        fault = None if given.code is None else credit_code_fault(given.code)
        if fault is not None:
            yield _found(document, ("departments", key, "code"), fault)
    for index, route in enumerate(file.routes):
        for place, name in enumerate(route.categories):
            if categories is not None and name not in categories:
                here: KeyPath = ("routes", index, "categories", place)
                yield _found(document, here, f'there is no category "{name}"', did_you_mean(name, categories))
    places = {route.id: index for index, route in enumerate(file.routes)}
    for one, other in rivals(routing.routes):
        path = ("routes", places[other.id])
        yield _found(document, path, f"can fit where {one.id} fits and is no more specific: {one.id} decides there")
    if categories is not None and routing.routes:
        anywhere = [route.categories for route in routing.routes if not _placed(route)]
        if any(not named for named in anywhere):
            return
        missing = sorted(set(categories) - {name for named in anywhere for name in named})
        if missing:
            message = f"no route fits everywhere for {', '.join(missing)}: elsewhere a person will be asked"
            yield _found(document, ("routes",), message, severity="note")


def _placed(route: Route) -> bool:
    return bool(route.cells or route.streets or route.owners or route.districts)


def _found(
    document: Document, path: KeyPath, message: str, suggestion: str | None = None, severity: Severity = "warning"
) -> Finding:
    mark = document.mark(path)
    return Finding(mark.file, mark.line, written_key(path), message, suggestion, severity)
