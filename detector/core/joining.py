"""One problem, one case: which problems of different cameras are the same thing in the street.

Two cameras have each their own problem with its own life. They are one where both stand on the same ground spot, or,
where that is not known of both, in a pair of picture areas that were declared to show one place. A problem joins what
is open there when it is opened itself, or was seen gone so recently that it counts as the same thing coming back.
Problems of two categories are one only where the model gave both names to the thing in one of the pictures.

What a person has split stays apart, and so does what is later opened at the same places. What belongs together is
worked out from the openings, clearings and splits alone, in the order of capture time, so that any order of arrival
gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import hypot

from detector.core.geo import GeoPoint, distance_m
from detector.core.zones import Point, Zone

DISTANCE_M = 5.0
"""Two cameras' opinions on one spot differ by about this much: marks are set to a metre, and each camera takes the
middle of the lower edge of its own box, another side of the thing. This product's own choice."""

DISTANCES_M: Mapping[str, float] = {"road_ponding": 15.0, "open_burning": 15.0, "nonmotor_parking": 10.0}
"""Categories of large or blurred outline: water, smoke, a row of bicycles. This product's own choice."""

KNOWN_WITHIN_M = 15.0
"""A place that may be farther off, as from a vehicle of which only the position is known, joins nothing by the ground:
too many things of one kind lie in such a circle. This product's own choice."""

RETURNS_WITHIN = timedelta(hours=24)
"""How long after a thing was seen gone the next one there counts as the same, where its category does not say."""

WAIVED_AFTER = timedelta(hours=1)
"""How long a case waits for the word of a camera that cannot see, once all others say that the thing is gone."""


SAME_FOOT = 0.05
"""How far from where a problem was split off another one may stand to be at the same place of a camera's picture, as
a share of the width and of the height."""

APART_FOR = timedelta(days=30)
"""How long a split holds for what is opened later at the same two places; for the problems it is for ever."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A problem was told to be there, to be gone, or (None) to be none."""

    at: datetime  # capture time, aware UTC
    there: bool | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """The life of one camera's problem, as far as joining asks."""

    problem_id: str
    category: str
    camera_id: str
    turns: tuple[Turn, ...]  # oldest first, at least one
    foot: Point | None = None  # where it stood when it was opened, as shares of the picture's width and height
    ground: GeoPoint | None = None  # and on the ground, where that is known
    also: tuple[str, ...] = ()  # other categories that the model had given it until it was opened

    @property
    def opened_at(self) -> datetime:
        """When it was first told."""
        return self.turns[0].at

    @property
    def there(self) -> bool | None:
        """What was told last."""
        return self.turns[-1].there

    def may_be(self, other: Sighting) -> bool:
        """Whether the names given to both allow that they are one thing."""
        return self.category == other.category or self.category in other.also or other.category in self.also

    def at(self, moment: datetime) -> Turn | None:
        """What had been told by then; None before it was opened."""
        told = None
        for turn in self.turns:
            if turn.at <= moment:
                told = turn
        return told


@dataclass(frozen=True, slots=True)
class Overlap:
    """An area of one camera's picture and an area of another's that show the same place."""

    one: Zone
    other: Zone

    def shows(self, here: Sighting, there: Sighting) -> bool:
        """Whether one of them stands in either area."""
        return (_inside(here, self.one) and _inside(there, self.other)) or (
            _inside(here, self.other) and _inside(there, self.one)
        )


@dataclass(frozen=True, slots=True)
class Apart:
    """A person has said that these are two things."""

    one: Sighting
    other: Sighting
    at: datetime  # when it was said, aware UTC

    def parts(self, here: Sighting, there: Sighting) -> bool:
        """Whether that holds for these two."""
        return (self._is(here, self.one) and self._is(there, self.other)) or (
            self._is(here, self.other) and self._is(there, self.one)
        )

    def _is(self, found: Sighting, known: Sighting) -> bool:
        if found.problem_id == known.problem_id:
            return True
        if (found.camera_id, found.category) != (known.camera_id, known.category):
            return False
        if found.opened_at > self.at + APART_FOR:
            return False
        if found.ground is not None and known.ground is not None and (found.ground.error_m or known.ground.error_m):
            # a moving camera: its pictures show another place each time
            return distance_m(found.ground, known.ground) <= hypot(found.ground.error_m or 0, known.ground.error_m or 0)
        if found.foot is None or known.foot is None:
            return False
        return all(abs(one - other) <= SAME_FOOT for one, other in zip(found.foot, known.foot, strict=True))


@dataclass(frozen=True, slots=True)
class Joining:
    """How problems of different cameras become one case."""

    distance_m: float = DISTANCE_M
    distances_m: Mapping[str, float] = field(default_factory=lambda: DISTANCES_M)  # where a category differs
    returns_within: Mapping[str, timedelta] = field(default_factory=dict)  # category -> instead of RETURNS_WITHIN
    overlaps: tuple[Overlap, ...] = ()
    waived_after: timedelta = WAIVED_AFTER

    def reach_m(self, category: str) -> float:
        """Least distance at which two problems of `category` are two things, metres."""
        return self.distances_m.get(category, self.distance_m)

    def memory(self, category: str) -> timedelta:
        """How long after a thing was seen gone the next one there counts as the same."""
        return self.returns_within.get(category, RETURNS_WITHIN)

    def neighbours(self, camera_id: str) -> frozenset[str]:
        """Cameras with which that one shares a declared area."""
        pairs = ((pair.one.camera_id or "", pair.other.camera_id or "") for pair in self.overlaps)
        return frozenset(b if a == camera_id else a for a, b in pairs if camera_id in (a, b))

    def apart_m(self, one: Sighting, other: Sighting) -> float | None:
        """How far apart two problems of different cameras are; 0 by a declared overlap, None when they are two things.

        Where the ground is known of both it alone decides: a large declared area does not join what stands apart. What
        a moving camera has seen may be off by more than the reach, which grows by that, in quadrature as errors do.
        """
        if not one.may_be(other) or one.camera_id == other.camera_id:
            return None
        if one.ground is not None and other.ground is not None:
            off = [ground.error_m or 0.0 for ground in (one.ground, other.ground)]
            if max(off) > KNOWN_WITHIN_M:
                return None
            metres = distance_m(one.ground, other.ground)
            reach = min(self.reach_m(one.category), self.reach_m(other.category))
            return metres if metres <= hypot(reach, *off) else None
        return 0.0 if any(pair.shows(one, other) for pair in self.overlaps) else None

    def follows(self, later: Sighting, earlier: Sighting) -> float | None:
        """As `apart_m`, for a problem that was opened while the earlier one was there, or not long gone."""
        told = earlier.at(later.opened_at)
        if told is None or told.there is None:
            return None
        memory = min(self.memory(earlier.category), self.memory(later.category))
        if not told.there and later.opened_at - told.at > memory:
            return None
        return self.apart_m(later, earlier)


def joined(sightings: Iterable[Sighting], joining: Joining, apart: Sequence[Apart] = ()) -> list[tuple[str, ...]]:
    """Problem ids that are one thing, each group with its oldest problem first, by which the case is known.

    A problem joins the nearest group that it follows, one with its own name first, unless its own camera sees another
    problem of that group at that time, or a person has split it from one of that group: what one camera or a person
    tells apart stays apart. Depends on the sets of sightings and splits only.
    """
    unique = {sighting.problem_id: sighting for sighting in sightings}
    groups: list[list[Sighting]] = []
    for sighting in sorted(unique.values(), key=lambda s: (s.opened_at, s.problem_id)):
        near = [
            (fit, number)
            for number, group in enumerate(groups)
            if (fit := _fits(sighting, group, joining, apart)) is not None
        ]
        if near:
            groups[min(near)[1]].append(sighting)
        else:
            groups.append([sighting])
    return [tuple(sighting.problem_id for sighting in group) for group in groups]


def _fits(
    sighting: Sighting, group: Sequence[Sighting], joining: Joining, apart: Sequence[Apart]
) -> tuple[bool, float] | None:
    """Whether by another name only, and how many metres away, a problem may join; None when it may not."""
    if any(split.parts(sighting, member) for split in apart for member in group):
        return None
    for member in group:
        if member.camera_id == sighting.camera_id:
            told = member.at(sighting.opened_at)
            if told is not None and told.there:
                return None
    found = [
        (member.category != sighting.category, metres)
        for member in group
        if (metres := joining.follows(sighting, member)) is not None
    ]
    return min(found, default=None)


def _inside(sighting: Sighting, area: Zone) -> bool:
    return sighting.camera_id == area.camera_id and sighting.foot is not None and area.contains(*sighting.foot)
