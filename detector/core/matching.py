"""Which detection belongs to which known problem on a fixed view.

At one look every few seconds or minutes nothing is tracked from frame to frame: what stands still is recognised by
where it stands. Greedy by overlap is enough for that, since two real things seldom claim the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detector.core.detection import BoundingBox, Detection

SAME_PLACE_IOU = 0.3
"""Least IoU of two boxes of one heap in two looks: boxes of heaps breathe, neighbours seldom overlap so much."""

PART_OF = 0.7
"""Share of the smaller box inside the larger one from which both show one thing, once whole and once in part."""

HIDDEN_SHARE = 0.5
"""Share of a place that something passing in front must cover before the place counts as hidden."""

PASSING = frozenset({"car", "truck", "bus", "van", "motorcycle", "bicycle", "person", "machinery", "uncovered_load"})
"""Labels of things that move through a view and may hide what stands behind them."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Outcome of one association; indices point into the sequences given to `associate`."""

    seen: dict[int, int]  # place -> best detection there
    repeats: frozenset[int]  # detections that show a place which has a better one already
    new: tuple[int, ...]  # detections at places not known yet, best score first


def same_thing(one: BoundingBox, other: BoundingBox) -> float:
    """How strongly two boxes say "same thing": 0 = not, otherwise in (0, 2], larger is stronger.

    IoU of SAME_PLACE_IOU or more counts as 1 + IoU; one box mostly inside the other (PART_OF) counts as IoU.
    """
    overlap = one.iou(other)
    if overlap >= SAME_PLACE_IOU:
        return 1.0 + overlap
    smaller = min(one.area, other.area)
    if smaller > 0 and one.intersection(other) / smaller >= PART_OF:
        return max(overlap, 1e-9)
    return 0.0


def associate(
    places: Sequence[BoundingBox],
    detections: Sequence[Detection],
    turns: Sequence[int] | None = None,
    least: Sequence[float] | None = None,
) -> Matches:
    """Give each place at most one detection; split the rest into repeats of a place and new places.

    All boxes in pixels of the same view. Detections of one thing that are not yet at a known place are merged too:
    of several that show the same thing only the best-scored one is new, the others are repeats.

    `turns`: per place; those with lower ones choose first. Two places can come from one thing that was first seen in
    two parts; were overlap alone to decide, both would live on its sightings in turn.
    `least`: per place, what the strength of `same_thing` must exceed; 0 when not given. A suspicion that began with a
    passing lorry must not live on the car that is parked behind, nor on the lorries that follow.
    """
    order = turns or [0] * len(places)
    pairs = sorted(
        (
            (strength, p, d)
            for p, place in enumerate(places)
            for d, detection in enumerate(detections)
            if (strength := same_thing(place, detection.box)) > (0.0 if least is None else least[p])
        ),
        key=lambda pair: (order[pair[1]], -pair[0], -detections[pair[2]].score, pair[1], pair[2]),
    )
    seen: dict[int, int] = {}
    taken: set[int] = set()
    for _, p, d in pairs:
        if p not in seen and d not in taken:
            seen[p] = d
            taken.add(d)
    repeats = {d for _, _, d in pairs if d not in taken}
    new: list[int] = []
    for d in sorted(range(len(detections)), key=lambda d: (-detections[d].score, d)):
        if d in taken or d in repeats:
            continue
        if any(same_thing(detections[d].box, detections[other].box) > 0 for other in (*taken, *new)):
            repeats.add(d)
        else:
            new.append(d)
    return Matches(seen, frozenset(repeats), tuple(new))


def hidden(place: BoundingBox, passing: Sequence[BoundingBox]) -> bool:
    """Whether something that passes in front covers most of the place, so that absence proves nothing."""
    return any(place.covered_by(box) >= HIDDEN_SHARE for box in passing)
