"""What stands together as the rules see it: each thing is judged where it stands, the group by its members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detector.core.detection import BoundingBox, Detection
from detector.core.grouping import groups
from detector.core.matching import same_thing
from detector.core.rules import Outcome


@dataclass(frozen=True, slots=True)
class Several:
    """What is seen of a category that asks for several things."""

    at_least: int
    groups: list[Detection]  # each of enough things that are a case where they stand
    outcomes: list[Outcome]  # of each group: that of its best-scored member. Its middle may well be a place without any
    legal: list[tuple[Detection, Outcome]]  # things that are no case where they stand

    def allowed(self, place: BoundingBox) -> str | None:
        """The rule by which as many as make a case stand at a place and are none, in pixels of the same view."""
        rules = [outcome.rule for thing, outcome in self.legal if same_thing(place, thing.box) > 0]
        return rules[0] if len(rules) >= self.at_least else None


def several(seen: Sequence[Detection], at_least: int, decide: Callable[[Detection], Outcome]) -> Several:
    """Judge each thing where it stands, then group those that are a case."""
    judged = [(thing, decide(thing)) for thing in sorted(seen, key=_by_score)]
    found = groups([thing for thing, outcome in judged if outcome.case], at_least)
    outcomes = [
        next(outcome for thing, outcome in judged if outcome.case and _inside(thing.box, group.box)) for group in found
    ]
    return Several(at_least, found, outcomes, [(thing, outcome) for thing, outcome in judged if not outcome.case])


def _inside(inner: BoundingBox, outer: BoundingBox) -> bool:
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


def _by_score(thing: Detection) -> tuple[float, str, float, float]:
    return -thing.score, thing.label, thing.box.left, thing.box.top
