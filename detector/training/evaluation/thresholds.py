"""From which score on a detection is acted on: per label, for a wanted precision, and checked on other pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.core.detection import Detection
from detector.training.evaluation.matching import Bools, LabelMatches
from detector.training.evaluation.precision import at_threshold, curve

MIN_RECALL = 0.1
"""A threshold that keeps less than a tenth of the objects is of no use: then the best F1 is taken instead."""


@dataclass(frozen=True, slots=True)
class Operating:
    """A label's operating threshold."""

    threshold: float
    reached: bool  # False: the wanted precision is out of reach at a useful recall, the threshold is the best F1


def choose(matches: LabelMatches, wanted: float) -> Operating:
    """The threshold with the largest recall among those with at least the `wanted` precision (0..1) at IoU 0.5.

    Where none reaches it with a recall of MIN_RECALL, the threshold with the best F1 is taken. The value lies
    half-way to the next lower score, so that it does not hang on one detection's last digits.
    """
    points = curve(matches)
    if not len(points.scores):
        return Operating(0.5, reached=False)
    good = np.flatnonzero((points.precision >= wanted) & (points.recall >= MIN_RECALL))
    if len(good):
        best = int(good[-1])
    else:
        best = int(
            np.argmax(2 * points.precision * points.recall / np.maximum(points.precision + points.recall, 1e-12))
        )
    below = float(points.scores[best + 1]) if best + 1 < len(points.scores) else 0.0
    return Operating((float(points.scores[best]) + below) / 2, reached=bool(len(good)))


def cross_checked(matches: LabelMatches, groups: Sequence[str], wanted: float) -> tuple[float, float] | None:
    """(precision, recall) at thresholds chosen on one half of the groups and applied to the other, both ways, pooled.

    `groups` (P,): the group of each picture. The halves follow from a hash of the group's name. None when one half
    has no object: then nothing can be checked.
    """
    second = np.asarray([hashlib.sha256(group.encode()).digest()[0] % 2 == 1 for group in groups], dtype=np.bool_)
    right = seen = total = 0
    for chosen_on, checked_on in ((second, ~second), (~second, second)):
        first, other = only(matches, chosen_on), only(matches, checked_on)
        if not first.instances or not other.instances:
            return None
        threshold = choose(first, wanted).threshold
        keep = ~other.ignored[0] & (other.scores >= threshold)
        right += int(other.hit[0][keep].sum())
        seen += int(keep.sum())
        total += other.instances
    return (right / seen if seen else 0.0), right / total


def only(matches: LabelMatches, pictures: Bools) -> LabelMatches:
    """The same matches on the pictures where the mask (P,) is true; per-object fields are left as they are."""
    keep = pictures[matches.picture]
    return replace(
        matches,
        scores=matches.scores[keep],
        picture=matches.picture[keep],
        hit=matches.hit[:, keep],
        ignored=matches.ignored[:, keep],
        objects=np.where(pictures, matches.objects, 0),
    )


def measured(matches: Mapping[str, LabelMatches], thresholds: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """(precision, recall) of each label at its threshold."""
    return {label: at_threshold(found, thresholds[label]) for label, found in matches.items() if label in thresholds}


def as_reported(detections: Sequence[Detection]) -> tuple[Detection, ...]:
    """What the worker reports of one picture: of several labels on the very same box only the best-scored one."""
    best: dict[tuple[float, float, float, float], Detection] = {}
    for item in detections:
        key = (item.box.left, item.box.top, item.box.right, item.box.bottom)
        if key not in best or item.score > best[key].score:
            best[key] = item
    return tuple(sorted(best.values(), key=lambda item: -item.score))
