"""Suspicions that are only a part of something else: one thing must not become two problems.

A model finds a heap now whole, now in two halves. What is seen first in halves starts two suspicions, of which one
has to go once the whole is seen; and where only halves are seen, the second must be surer than others before it counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from detector.core.detection import BoundingBox, Detection
from detector.core.matching import PART_OF, SAME_PLACE_IOU, same_thing
from detector.core.opinions import SETTLED, precedence
from detector.core.problem import Problem, ProblemStatus

MORE_SIGHTINGS = 2
"""Sightings beyond those of its category that a suspicion needs which touches an older place: half of a thing is rarely
seen so often before the whole is."""


@dataclass(frozen=True, slots=True)
class Beside:
    """How a place stands to the others of its category in one look."""

    whole: bool = False  # a suspicion of which this look shows that it is more: all that its sighting covers
    undecided: bool = False  # a suspicion on the same thing as a better one that is still seen
    touches: bool = False  # a suspicion that touches a place which is settled, or a better one that is still seen


ALONE = Beside()


@dataclass(frozen=True, slots=True)
class Parts:
    """What one look says about the places of a category; numbers are theirs."""

    absorbed: frozenset[int]  # suspicions that are a part of another place
    whole: frozenset[int]
    undecided: frozenset[int]
    touching: frozenset[int]

    def about(self, number: int) -> Beside:
        """Of one place."""
        return Beside(number in self.whole, number in self.undecided, number in self.touching)


def parts(places: Sequence[Problem], visible: Sequence[Detection], seen: Mapping[int, int]) -> Parts:
    """`seen`: place -> detection that shows it, as `associate` says. Boxes in pixels of the same view."""
    absorbed, whole = set[int](), set[int]()
    suspected = [n for n, place in enumerate(places) if place.status is ProblemStatus.SUSPECTED]
    for number, index in seen.items():
        place, sighting = places[number].place.box, visible[index].box
        if _within(place, sighting) and place.iou(sighting) >= SAME_PLACE_IOU:  # less: a lorry before both of them
            lesser = (n for n in suspected if n not in seen and _is_lesser(places[n], places[number]))
            inside = {n for n in lesser if _within(places[n].place.box, sighting)}
            absorbed |= inside
            whole |= {number} if inside and number in suspected else set()
    undecided, touching = set[int](), set[int]()
    for number in suspected:
        for other, elder in enumerate(places):
            settled = elder.status in SETTLED
            if other == number or not (settled or (other in seen and _is_better(elder, places[number]))):
                continue
            if same_thing(places[number].place.box, elder.place.box) > 0:
                (absorbed if settled else undecided).add(number)
            elif places[number].place.box.intersection(elder.place.box) > 0:
                touching.add(number)
    return Parts(frozenset(absorbed), frozenset(whole), frozenset(undecided), frozenset(touching))


def began(whole: BoundingBox, places: Sequence[Problem], seen: Mapping[int, int], at: datetime) -> datetime:
    """Since when a thing that is new in the look of `at` has been seen: since the suspicions that it shows to be its
    parts, together most of it. Of what moves no half is the same thing as the whole; yet it stood there then.
    """
    halves = [
        place
        for number, place in enumerate(places)
        if place.status is ProblemStatus.SUSPECTED
        and number not in seen
        and _within(place.place.box, whole)
        and place.place.box.iou(whole) >= SAME_PLACE_IOU
    ]
    covered = sum(half.place.box.intersection(whole) for half in halves)
    together = len(halves) > 1 and covered >= PART_OF * whole.area
    return min([at, *(half.first_seen for half in halves)]) if together else at


def _is_lesser(one: Problem, other: Problem) -> bool:
    """Whether a suspicion may be part of the other: known as long at most, and seen as often at most. A parked car is
    no part of the lorries that have passed before it since.
    """
    return one.first_seen >= other.first_seen and one.sightings <= other.sightings


def _is_better(one: Problem, other: Problem) -> bool:
    return one.status is ProblemStatus.SUSPECTED and (precedence(one), one.id) < (precedence(other), other.id)


def _within(inner: BoundingBox, outer: BoundingBox) -> bool:
    return inner.covered_by(outer) >= PART_OF
