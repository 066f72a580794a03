"""Whose opinion counts where the model has several on one thing, or one that fits several known problems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from detector.core.category import Category
from detector.core.detection import BoundingBox, Detection
from detector.core.matching import same_thing
from detector.core.problem import Place, Problem, ProblemStatus
from detector.core.rules import Outcome

ONE_THING_IOU = 0.6
"""IoU from which two detections of different categories are two opinions on one thing: a heap is called garbage by one
label and rubble by another, and must not become two cases."""

SETTLED = frozenset({ProblemStatus.OPEN, ProblemStatus.DISMISSED})
"""What is known of a place for sure: a case, or a false alarm that is kept silent."""

Decide = Callable[[Category, Place], Outcome]
"""Whether something of a category at a place is a case at the time of the look being judged."""


class Standing(NamedTuple):
    """An opinion on what stands at a place: a problem that is tracked, or what a look says."""

    category: str
    box: BoundingBox
    open: bool = False
    also: Collection[str] = ()  # other categories that the model has called it


def is_named(category: str, box: BoundingBox, standing: Standing) -> bool:
    """Whether something is but another name for what stands there. Where the model has used both names, a part of it is
    enough: heaps are seen in halves.
    """
    if category == standing.category:
        return False
    return box.iou(standing.box) >= ONE_THING_IOU or (category in standing.also and same_thing(box, standing.box) > 0)


def one_opinion(
    detections: Sequence[Detection], category_of: Callable[[Detection], str | None], known: Sequence[Standing]
) -> list[Detection]:
    """Leave one opinion on each thing: that of an open problem, else that of any known one, else the best-scored.

    `category_of`: the category that a detection would be a case of, None for context, which all stays. What stands
    where a problem is open is an opinion on it even in looks in which the model does not say so: a heap that is a case
    already must not become another one under a second name. Boxes of one category stay: they are told apart by
    `associate`.
    """
    settled = [one for one in known if one.open]
    categories = {id(detection): category_of(detection) for detection in detections}

    def shared(detection: Detection, standing: Sequence[Standing]) -> bool:
        category = categories[id(detection)]
        return any(one.category == category and same_thing(one.box, detection.box) > 0 for one in standing)

    def rank(detection: Detection) -> tuple[bool, bool, float]:
        return shared(detection, settled), shared(detection, known), detection.score

    kept, taken = list[Detection](), list[Standing]()
    for detection in sorted((d for d in detections if categories[id(d)] is not None), key=rank, reverse=True):
        category = categories[id(detection)] or ""
        others = list(taken)
        if not shared(detection, settled):
            others += settled
        if not any(is_named(category, detection.box, one) for one in others):
            kept.append(detection)
            taken.append(Standing(category, detection.box))
    return kept + [detection for detection in detections if categories[id(detection)] is None]


def counted(also: Mapping[str, int], category: str, box: BoundingBox, seen: Iterable[Standing]) -> dict[str, int]:
    """`also` with the other categories that a look gives to what a box of `category` shows, each once a look.

    `seen`: all opinions of the look, in pixels of the same view.
    """
    names = {one.category for one in seen if one.category != category and one.box.iou(box) >= ONE_THING_IOU}
    return {**also, **{name: also.get(name, 0) + 1 for name in names}}


def opinions(
    categories: Mapping[str, Category], size: tuple[int, int], decide: Decide
) -> Callable[[Detection], str | None]:
    """Of which category a detection is a case; of what needs a zone too, only where it is one."""
    alone = {label: c.id for c in categories.values() if c.told_by_labels for label in c.labels}
    placed = [c for c in categories.values() if not c.told_by_labels]

    def category_of(detection: Detection) -> str | None:
        told = alone.get(detection.label)
        if told is not None:
            return told
        place = Place(detection.box, size, detection.ground)
        return next((c.id for c in placed if detection.label in c.labels and decide(c, place).case), None)

    return category_of


def turns(places: Sequence[Problem]) -> list[int]:
    """In which order known places choose their sightings, by `precedence`; equal ones have the same turn."""
    keys = [precedence(place) for place in places]
    order = {key: turn for turn, key in enumerate(sorted(set(keys)))}
    return [order[key] for key in keys]


def precedence(place: Problem) -> tuple[int, int, datetime]:
    """What is settled goes before what is not, a case before a false alarm: else an old case, rejected late, would take
    its sightings from the one that has been opened there since. Of the others first goes what was seen more often of
    late, then the older.
    """
    rank = {ProblemStatus.OPEN: 0, ProblemStatus.DISMISSED: 1}.get(place.status, 2)
    return rank, -sum(place.recent) if rank == 2 else 0, place.first_seen
