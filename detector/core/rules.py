"""Is what is seen a case here and now, under which code, and which rule says so?

Nothing here looks at a picture: a sighting is a category, a place and the local time of the frame. The order is fixed,
so the order in a file never matters:

1. a zone to ignore        -> no case
2. outside the areas to watch, where a camera has any -> no case
3. permits and events that hold now, highest rank first; of equal rank a ban beats a permit, then the smaller id
                           -> a permit: no case; a ban: go on, whatever permits come after it
4. rules of the category by the kind of zone, highest rank first, then the smaller id
                           -> no case, or a case under the rule's code
5. the category's own need (a zone kind it must be inside or outside of) -> no case when it is not met
6. otherwise               -> a case under the category's usual code
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from heapq import merge
from typing import NamedTuple, TypeVar

from detector.core.calendar import ALWAYS, TimeWindow, Validity, holds
from detector.core.category import Category
from detector.core.geo import GeoPoint
from detector.core.problem import Place
from detector.core.zones import IGNORE, WATCH, Point, Zone, ZoneIndex


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


class Step(NamedTuple):
    """One thing that was considered on the way to an outcome."""

    subject: Zone | Permit | Rule | Category | str  # `str`: the camera whose areas to watch were considered
    outcome: Outcome | None  # None: it did not decide
    place_fits: bool = True  # rules, needs, areas to watch: whether the zones here are those that it asks for


_ORDERED = tuple[int, Permit]


class RuleBook:
    """All zones, permits and rules of a city, indexed for many look-ups. Immutable once made."""

    def __init__(self, zones: Iterable[Zone] = (), permits: Iterable[Permit] = (), rules: Iterable[Rule] = ()) -> None:
        """Raises ValueError for an id given twice, a polygon of fewer than three corners, or an unknown zone id."""
        self.zones = _by_id(zones, "zone")
        self.permits = _by_id(permits, "permit")
        self.rules = _by_id(rules, "rule")
        self._index = ZoneIndex(self.zones)
        permits_of: dict[str, dict[str | None, list[_ORDERED]]] = {}
        for number, permit in enumerate(sorted(self.permits.values(), key=_before)):
            unknown = [zone_id for zone_id in permit.zones if zone_id not in self.zones]
            if unknown:
                raise ValueError(f"permit {permit.id!r} names zone {min(unknown)!r}, which does not exist")
            for category in permit.categories:
                of_place = permits_of.setdefault(category, {})
                for place in permit.zones or (None,):
                    of_place.setdefault(place, []).append((number, permit))
        self._permits_of: dict[str, dict[str | None, tuple[_ORDERED, ...]]] = {
            category: {place: tuple(found) for place, found in of_place.items()}
            for category, of_place in permits_of.items()
        }
        rules_of: dict[str, list[Rule]] = {}
        for rule in sorted(self.rules.values(), key=lambda r: (-r.rank, r.id)):
            for category in rule.categories:
                rules_of.setdefault(category, []).append(rule)
        self._rules_of = {category: tuple(found) for category, found in rules_of.items()}

    def zones_of(self, camera_id: str) -> tuple[Zone, ...]:
        """The zones in that camera's picture, by id."""
        return self._index.of_camera(camera_id)

    def zones_at(self, spot: Spot, category: str) -> list[Zone]:
        """The zones that the spot stands in and that concern the category, by id."""
        found = self._index.in_picture(spot.camera_id, *spot.foot)
        if spot.ground is not None and self._index.kinds_on_map:
            found += self._index.on_map(spot.ground.longitude, spot.ground.latitude)
            found.sort(key=lambda zone: zone.id)
        return [zone for zone in found if zone.concerns(category)]

    def decide(self, category: Category, spot: Spot, local: datetime) -> Outcome:
        """Whether a sighting is a case; `local` is the frame's capture time on the street's own clock."""
        for step in self.steps(category, spot, local):
            if step.outcome is not None:
                return step.outcome
        raise AssertionError("the last step always decides")

    def steps(self, category: Category, spot: Spot, local: datetime) -> Iterator[Step]:
        """What is considered, in the order above; the last step, and only that one, has an outcome."""
        here = self.zones_at(spot, category.id)
        for zone in here:
            if zone.kind == IGNORE:
                yield Step(zone, Outcome(False, f"zone:{zone.id}"))
                return
        if self._watches(spot.camera_id, category.id):
            inside = any(zone.kind == WATCH for zone in here)
            yield Step(spot.camera_id, None if inside else Outcome(False, f"{WATCH}:{spot.camera_id}"), inside)
            if not inside:
                return
        for permit in self._permits_at(category.id, here):
            if not holds(permit.windows, permit.validity, local):
                yield Step(permit, None)
            elif permit.effect is Effect.ALLOW:
                yield Step(permit, Outcome(False, f"permit:{permit.id}"))
                return
            else:
                yield Step(permit, None)
                break
        kinds = {zone.kind for zone in here}
        for rule in self._rules_of.get(category.id, ()):
            fits = _fits(rule, kinds)
            if fits and holds(rule.windows, rule.validity, local):
                codes = {**category.codes, **rule.codes} if rule.case else {}
                yield Step(rule, Outcome(rule.case, f"rule:{rule.id}", codes))
                return
            yield Step(rule, None, fits)
        if category.needs is not None and not self._need_met(category.needs, kinds, spot):
            yield Step(category, Outcome(False, f"needs:{category.needs}"), False)
        else:
            yield Step(category, Outcome(True, f"category:{category.id}", category.codes))

    def _permits_at(self, category: str, here: Sequence[Zone]) -> Iterator[Permit]:
        """Permits of the places here, in the order in which they count, each once."""
        of_place = self._permits_of.get(category)
        if of_place is None:
            return
        lists = [found for place in (None, *(zone.id for zone in here)) if (found := of_place.get(place)) is not None]
        last = -1
        for number, permit in lists[0] if len(lists) == 1 else merge(*lists):
            if number != last:
                last = number
                yield permit

    def _need_met(self, need: str, kinds: set[str], spot: Spot) -> bool:
        """`zone:KIND`: inside one, or `outside:KIND`.

        Outside means something only where it is known where the inside is: without a bay drawn for this camera, or
        any on the map for a spot on the ground, every bicycle in town would stand outside the bays.
        """
        what, _, kind = need.partition(":")
        if what == "zone":
            return kind in kinds
        return kind not in kinds and self._knows(kind, spot)

    def _knows(self, kind: str, spot: Spot) -> bool:
        on_map = spot.ground is not None and kind in self._index.kinds_on_map
        return on_map or any(zone.kind == kind for zone in self.zones_of(spot.camera_id))

    def _watches(self, camera_id: str, category: str) -> bool:
        return any(z.kind == WATCH and z.concerns(category) for z in self.zones_of(camera_id))


def _before(permit: Permit) -> tuple[int, bool, str]:
    return -permit.rank, permit.effect is Effect.ALLOW, permit.id


def _fits(rule: Rule, kinds: set[str]) -> bool:
    return (rule.inside is None or rule.inside in kinds) and (rule.outside is None or rule.outside not in kinds)


_Item = TypeVar("_Item", Zone, Permit, Rule)


def _by_id(items: Iterable[_Item], what: str) -> dict[str, _Item]:
    index: dict[str, _Item] = {}
    for item in items:
        if item.id in index:
            raise ValueError(f"{what} id {item.id!r} is given twice")
        index[item.id] = item
    return index
