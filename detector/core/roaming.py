"""The life cycle for cameras on drones and vehicles: places are on the ground, each look has a view of its own.

What is known is put into the view of the look, and then judged as by a fixed camera. A known problem takes the box of
the detection that stands on its spot: of its category, and nearer than both may be off. One that no detection stands on
counts as looked at only where the view shows its whole spot, as large as when it was found, with nothing before it; all
others this look says nothing about.

A look that does not know where it was taken, and a detection that cannot be placed, say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import hypot

from detector.core.category import Category
from detector.core.changing import Change, moved
from detector.core.clearing import is_over
from detector.core.detection import BoundingBox, Detection
from detector.core.geo import GeoPoint, Pose, distance_m
from detector.core.ground import FARTHEST_M
from detector.core.grouping import groups
from detector.core.joining import DISTANCES_M
from detector.core.judging import NOTHING_ASKED, Decide, judge, labels_alone
from detector.core.look import Look, LookStatus
from detector.core.matching import PASSING
from detector.core.opinions import SETTLED
from detector.core.pinhole import MOST_ERROR_M, Size, ground_of, seen_at, share_of_a_metre, width_m
from detector.core.problem import Place, Problem, ProblemStatus, Trigger

SAME_SPOT_M = 3.0
"""How far the foot of one thing moves when it is seen from another side, beyond what camera errors do, metres; large
things as in `joining.DISTANCES_M`. This product's own choice."""

SURE_SHARE = 0.5
"""Share of the stated errors (95 of 100 cases) by which a spot must be inside the view to count as looked at: one
standard deviation, as several looks have to agree before anything is cleared."""

AS_LARGE = 0.5
"""How large a thing would be in the view, against when it was last seen, for its absence to say something."""


def judge_moving(
    look: Look,
    pose: Pose | None,
    known: Sequence[Problem],
    categories: Mapping[str, Category],
    new_id: Callable[[], str],
    decide: Decide = labels_alone,
    asked: Mapping[str, datetime] = NOTHING_ASKED,
) -> list[Change]:
    """As `judging.judge`, for a look that was taken from `pose`.

    A suspicion that has not been seen for so long that a new sighting would start it anew fades, in view or not.
    """
    if look.status is not LookStatus.OK or look.size is None or pose is None:
        return []
    known = [one for one in known if _lives(one, categories, look.at)]
    placed = [detection for detection in look.detections if detection.ground is not None]
    near = [one for one in known if _near(one, pose)]
    on_spot = _on_their_spots(near, placed, categories, pose, look.size)
    hiding = [detection for detection in look.detections if detection.label in PASSING]
    shown, faded = list[Problem](), list[Change]()
    for problem in known:
        box = on_spot.get(problem.id)
        if box is None and _near(problem, pose) and _looked_at(problem, pose, look.size, hiding, categories):
            box = _nowhere(pose, problem, look.size)
        if box is not None:
            shown.append(replace(problem, place=replace(problem.place, box=box, frame_size=look.size)))
        elif _forgotten(problem, categories, look.at):
            faded.append(moved(problem, Trigger.FADED, look.at))
    look = replace(look, detections=tuple(placed))
    before = {problem.id: problem for problem in known}
    changes = judge(look, shown, categories, new_id, decide, asked)
    return [_placed(change, before.get(change.problem.id), pose, look) for change in changes] + faded


def _lives(problem: Problem, categories: Mapping[str, Category], at: datetime) -> bool:
    category = categories.get(problem.category)
    if category is None or problem.out_of_view or problem.place.ground is None:
        return False
    return not is_over(problem, category.clearing, at)


def _near(problem: Problem, pose: Pose) -> bool:
    """Whether anything that this look places can be it: a drone knows the problems of a whole city."""
    spot = problem.place.ground
    return spot is not None and distance_m(pose.position, spot) <= FARTHEST_M + 2 * MOST_ERROR_M


def _forgotten(problem: Problem, categories: Mapping[str, Category], at: datetime) -> bool:
    if problem.status is not ProblemStatus.SUSPECTED:
        return False
    return at - problem.last_seen > categories[problem.category].confirmation.forget_after


def _on_their_spots(
    known: Sequence[Problem], placed: Sequence[Detection], categories: Mapping[str, Category], pose: Pose, size: Size
) -> dict[str, BoundingBox]:
    """Problem id -> box of what stands on its spot. What is settled chooses first, then the nearest.

    Where nothing of its own category does, the box of what may be another name for the very same thing.
    """
    found: dict[str, BoundingBox] = {}
    for pairs in (
        [
            (metres, number, detection.box)
            for number, problem in enumerate(known)
            for detection in _visible(categories[problem.category], placed)
            if (metres := _apart_m(problem, detection)) is not None
        ],
        [
            (metres, number, detection.box)
            for number, problem in enumerate(known)
            for detection in _others(problem, placed, categories)
            if (metres := _renamed_m(problem, detection, pose, size)) is not None
        ],
    ):
        for _, number, box in sorted(pairs, key=lambda pair: (known[pair[1]].status not in SETTLED, *pair[:2])):
            if known[number].id not in found and box not in found.values():
                found[known[number].id] = box
    return found


def _visible(category: Category, placed: Sequence[Detection]) -> Sequence[Detection]:
    """What shows a problem of the category that is known already."""
    seen = [d for d in placed if d.label in category.labels and d.score >= category.score_needed(d.label, known=True)]
    return groups(seen, category.at_least) if category.at_least > 1 else seen


def _others(problem: Problem, placed: Sequence[Detection], categories: Mapping[str, Category]) -> Iterator[Detection]:
    """What is seen of other categories and stays where it is."""
    own = categories[problem.category].labels
    labels = {label for one in categories.values() for label in one.labels} - own - PASSING
    yield from (detection for detection in placed if detection.label in labels)


def _apart_m(problem: Problem, detection: Detection) -> float | None:
    """How far apart two spots are that may be one; None when they are two."""
    one, other = problem.place.ground, detection.ground
    if one is None or other is None:
        return None
    near = DISTANCES_M.get(problem.category, SAME_SPOT_M)
    metres = distance_m(one, other)
    return metres if metres <= hypot(near, one.error_m or 0.0, other.error_m or 0.0) else None


def _renamed_m(problem: Problem, detection: Detection, pose: Pose, size: Size) -> float | None:
    """The same for another name: it must be as large and, as errors of one flight are much alike, at the very spot."""
    one, other = problem.place.ground, detection.ground
    if one is None or other is None or problem.place.width_m is None or distance_m(one, other) > SAME_SPOT_M:
        return None
    width = width_m(pose, detection.box, size, other)
    if width is None or not AS_LARGE <= width / max(problem.place.width_m, 1e-9) <= 1 / AS_LARGE:
        return None
    return distance_m(one, other)


def _looked_at(
    problem: Problem, pose: Pose, size: Size, hiding: Sequence[Detection], categories: Mapping[str, Category]
) -> bool:
    """Whether this view would show the thing if it were there."""
    place, spot = problem.place, problem.place.ground
    if spot is None or place.width_m is None:
        return False
    at, metre = seen_at(pose, spot, size), share_of_a_metre(pose, spot)
    here = None if at is None else ground_of(pose, at, size)
    if at is None or metre is None or here is None:
        return False
    off = SURE_SHARE * hypot(spot.error_m or 0.0, here.error_m or 0.0) * metre
    high = off * size[0] / size[1]
    if not (off <= at[0] <= 1 - off and high <= at[1] <= 1 - high):
        return False
    if place.width_m * metre < AS_LARGE * place.box.width / place.frame_size[0]:
        return False
    x, y = at[0] * size[0], at[1] * size[1]
    own = categories[problem.category].labels
    return not any(
        d.label not in own and d.box.left <= x <= d.box.right and d.box.top <= y <= d.box.bottom for d in hiding
    )


def _nowhere(pose: Pose, problem: Problem, size: Size) -> BoundingBox | None:
    """A box without extent on the spot: it overlaps with nothing, so that nothing counts as a sighting of it."""
    at = None if problem.place.ground is None else seen_at(pose, problem.place.ground, size)
    if at is None:
        return None
    x, y = at[0] * size[0], at[1] * size[1]
    return BoundingBox(x, y, x, y)


def _placed(change: Change, before: Problem | None, pose: Pose, look: Look) -> Change:
    """The change with the place on the ground that is known best.

    A problem keeps the box in which it was seen last; what is told of it goes with the picture of this look.
    """
    problem, size = change.problem, look.size or change.problem.place.frame_size
    event = change.event
    if problem.last_seen == look.at or before is None:
        here = problem.place.ground
        spot = _better(None if before is None else before.place.ground, here)
        width = None if here is None else width_m(pose, problem.place.box, size, here)
        place = Place(problem.place.box, size, spot, width)
        told = place
    else:
        place = before.place
        told = _in_view(pose, place, size)
    problem = replace(problem, place=place)
    return Change(problem, None if event is None else replace(event, problem=replace(event.problem, place=told)))


def _better(before: GeoPoint | None, now: GeoPoint | None) -> GeoPoint | None:
    """The point that may be off by less. Errors of one flight are much alike, so a mean would be no better."""
    if before is None or now is None:
        return now or before
    return before if (before.error_m or 0.0) < (now.error_m or 0.0) else now


def _in_view(pose: Pose, place: Place, size: Size) -> Place:
    """Where it would be in this look's picture."""
    at = None if place.ground is None else seen_at(pose, place.ground, size)
    metre = None if place.ground is None else share_of_a_metre(pose, place.ground)
    if at is None or metre is None or place.width_m is None or place.box.width <= 0:
        return place
    x, y, wide = at[0] * size[0], at[1] * size[1], place.width_m * metre * size[0]
    return replace(
        place,
        box=BoundingBox(x - wide / 2, y - wide * place.box.height / place.box.width, x + wide / 2, y),
        frame_size=size,
    )
