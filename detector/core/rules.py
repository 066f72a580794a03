"""Is what is seen a case here and now, under which code, and which rule says so?

Nothing here looks at a picture: a sighting is a category, a place and the local time of the frame. The order is fixed,
so the order in a file never matters:

1. a zone to ignore        -> no case
2. outside the areas to watch, where a camera has any -> no case
3. permits and events that hold now, highest rank first; of equal rank a ban beats a permit, then the smaller id
                           -> a permit: no case; a ban: go on
4. rules of the category by the kind of zone, highest rank first, then the smaller id
                           -> no case, or a case under the rule's code
5. the category's own need (a zone kind it must be inside or outside of) -> no case when it is not met
6. otherwise               -> a case under the category's usual code
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from detector.core.calendar import ALWAYS, TimeWindow, Validity, holds
from detector.core.category import Category
from detector.core.geo import GeoPoint
from detector.core.problem import Place

Point = tuple[float, float]
CELL_DEG = 0.01
"""Side of a cell of the map index, degrees: about 1 km, some street blocks."""

IGNORE, WATCH = "ignore", "watch"
"""The two zone kinds with a meaning of their own; all others (`no_parking`, `legal_bay`, ...) are named by rules."""


@dataclass(frozen=True, slots=True)
class Zone:
    """An area of a camera's picture, or of the map.

    Corners are (x, y) as shares of the picture's width and height when `camera_id` is set, otherwise (longitude,
    latitude) in degrees, WGS-84.
    """

    id: str
    kind: str
    corners: tuple[Point, ...]
    camera_id: str | None = None
    categories: frozenset[str] = frozenset()  # empty: for all

    def contains(self, point: Point) -> bool:
        """Whether `point` (in the zone's own frame of reference) lies inside, by the even-odd rule."""
        x, y = point
        inside = False
        (x1, y1) = self.corners[-1]
        for x2, y2 in self.corners:
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
            x1, y1 = x2, y2
        return inside

    def concerns(self, category: str) -> bool:
        """Whether the zone means anything to that category."""
        return not self.categories or category in self.categories


class Effect(StrEnum):
    """What a permit does while it holds."""

    ALLOW = "allow"
    BAN = "ban"  # an event that suspends permits of lower rank


@dataclass(frozen=True, slots=True)
class Permit:
    """Somebody may do something somewhere at some hours (or, as a ban, may not for once)."""

    id: str
    categories: frozenset[str]
    zones: frozenset[str]  # zone ids; empty: everywhere
    windows: tuple[TimeWindow, ...] = ()
    validity: Validity = ALWAYS
    effect: Effect = Effect.ALLOW
    rank: int = 0  # events stand above standing permits
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a category means inside (or outside) a kind of zone at some hours."""

    id: str
    categories: frozenset[str]
    inside: str | None = None  # zone kind it must stand in
    outside: str | None = None  # zone kind it must not stand in
    windows: tuple[TimeWindow, ...] = ()
    validity: Validity = ALWAYS
    case: bool = True
    codes: Mapping[str, str] = field(default_factory=dict)  # standard version -> code, instead of the category's
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something stands: the foot of its box in the picture, and on the ground where that is known."""

    camera_id: str
    foot: Point  # shares of the picture's width and height, 0..1
    ground: GeoPoint | None = None


def spot_of(camera_id: str, place: Place) -> Spot:
    """The spot on which something at `place` stands."""
    (x, y), (width, height) = place.box.foot, place.frame_size
    return Spot(camera_id, (x / width, y / height), place.ground)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rules say, and which of them said it."""

    case: bool
    rule: str  # e.g. zone:bins-east, permit:night-market, rule:vending-outside-hours, category:street_stall
    codes: Mapping[str, str] = field(default_factory=dict)  # standard version -> code; empty when no case


class RuleBook:
    """All zones, permits and rules of a city, indexed for many look-ups. Immutable once made."""

    def __init__(self, zones: Iterable[Zone] = (), permits: Iterable[Permit] = (), rules: Iterable[Rule] = ()) -> None:
        """Raises ValueError for an id given twice, a polygon of fewer than three corners, or an unknown zone id."""
        self.zones = _by_id(zones, "zone")
        self.permits = _by_id(permits, "permit")
        self.rules = _by_id(rules, "rule")
        self._of_camera: dict[str, list[Zone]] = defaultdict(list)
        self._of_cell: dict[tuple[int, int], list[Zone]] = defaultdict(list)
        for zone in self.zones.values():
            if len(zone.corners) < 3:
                raise ValueError(f"zone {zone.id!r} has {len(zone.corners)} corners, it needs at least 3")
            self._index(zone)
        self._kinds_on_map = {zone.kind for zone in self.zones.values() if zone.camera_id is None}
        self._permits_of: dict[tuple[str, str | None], list[Permit]] = defaultdict(list)
        for permit in sorted(self.permits.values(), key=lambda p: (-p.rank, p.effect is Effect.ALLOW, p.id)):
            for zone_id in permit.zones - self.zones.keys():
                raise ValueError(f"permit {permit.id!r} names zone {zone_id!r}, which does not exist")
            for category in permit.categories:
                for place in permit.zones or {None}:
                    self._permits_of[category, place].append(permit)
        self._rules_of: dict[str, list[Rule]] = defaultdict(list)
        for rule in sorted(self.rules.values(), key=lambda r: (-r.rank, r.id)):
            for category in rule.categories:
                self._rules_of[category].append(rule)

    def zones_at(self, spot: Spot, category: str) -> list[Zone]:
        """The zones that the spot stands in and that concern the category, by id."""
        found = [z for z in self._of_camera.get(spot.camera_id, ()) if z.contains(spot.foot)]
        if spot.ground is not None:
            point = (spot.ground.longitude, spot.ground.latitude)
            found += [z for z in self._of_cell.get(_cell(point), ()) if z.contains(point)]
        return sorted((z for z in found if z.concerns(category)), key=lambda z: z.id)

    def decide(self, category: Category, spot: Spot, local: datetime) -> Outcome:
        """Whether a sighting is a case; `local` is the frame's capture time on the street's own clock."""
        here = self.zones_at(spot, category.id)
        for zone in here:
            if zone.kind == IGNORE:
                return Outcome(False, f"zone:{zone.id}")
        if not any(zone.kind == WATCH for zone in here) and self._watches(spot.camera_id, category.id):
            return Outcome(False, f"{WATCH}:{spot.camera_id}")
        permit = self._permit(category.id, here, local)
        if permit is not None and permit.effect is Effect.ALLOW:
            return Outcome(False, f"permit:{permit.id}")
        kinds = {zone.kind for zone in here}
        for rule in self._rules_of.get(category.id, ()):
            if _applies(rule, kinds) and holds(rule.windows, rule.validity, local):
                codes = {**category.codes, **rule.codes} if rule.case else {}
                return Outcome(rule.case, f"rule:{rule.id}", codes)
        if category.needs is not None and not self._need_met(category.needs, kinds, spot):
            return Outcome(False, f"needs:{category.needs}")
        return Outcome(True, f"category:{category.id}", category.codes)

    def _permit(self, category: str, here: list[Zone], local: datetime) -> Permit | None:
        candidates = {
            permit.id: permit
            for place in [None, *(zone.id for zone in here)]
            for permit in self._permits_of.get((category, place), ())
        }
        for permit in sorted(candidates.values(), key=lambda p: (-p.rank, p.effect is Effect.ALLOW, p.id)):
            if holds(permit.windows, permit.validity, local):
                return permit
        return None

    def _need_met(self, need: str, kinds: set[str], spot: Spot) -> bool:
        """`zone:KIND` (inside one), `outside:KIND`; any other need is met by nothing that a place can say.

        Outside means something only where it is known where the inside is: without a bay drawn for this camera, or
        any on the map for a spot on the ground, every bicycle in town would stand outside the bays.
        """
        what, _, kind = need.partition(":")
        match what:
            case "zone":
                return kind in kinds
            case "outside":
                return kind not in kinds and self._knows(kind, spot)
            case _:
                return False

    def _knows(self, kind: str, spot: Spot) -> bool:
        on_map = spot.ground is not None and kind in self._kinds_on_map
        return on_map or any(zone.kind == kind for zone in self._of_camera.get(spot.camera_id, ()))

    def _watches(self, camera_id: str, category: str) -> bool:
        return any(z.kind == WATCH and z.concerns(category) for z in self._of_camera.get(camera_id, ()))

    def _index(self, zone: Zone) -> None:
        if zone.camera_id is not None:
            self._of_camera[zone.camera_id].append(zone)
            return
        west, south = _cell((min(x for x, _ in zone.corners), min(y for _, y in zone.corners)))
        east, north = _cell((max(x for x, _ in zone.corners), max(y for _, y in zone.corners)))
        for column in range(west, east + 1):
            for row in range(south, north + 1):
                self._of_cell[column, row].append(zone)


def _cell(point: Point) -> tuple[int, int]:
    return int(point[0] // CELL_DEG), int(point[1] // CELL_DEG)


def _applies(rule: Rule, kinds: set[str]) -> bool:
    return (rule.inside is None or rule.inside in kinds) and (rule.outside is None or rule.outside not in kinds)


_Item = TypeVar("_Item", Zone, Permit, Rule)


def _by_id(items: Iterable[_Item], what: str) -> dict[str, _Item]:
    index: dict[str, _Item] = {}
    for item in items:
        if item.id in index:
            raise ValueError(f"{what} id {item.id!r} is given twice")
        index[item.id] = item
    return index
