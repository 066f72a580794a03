"""Precision, recall and average precision from matches.

Average precision is COCO's: precision made monotone from the right, read at 101 recalls (0, 0.01, ..., 1), mean of
those (cocodataset/cocoapi `COCOeval.accumulate`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.training.evaluation.matching import Floats, LabelMatches

RECALLS: Floats = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Precision and recall of one label at IoU 0.5 as the score threshold falls; N distinct scores, highest first."""

    scores: Floats  # (N,)
    precision: Floats  # (N,) of all detections with at least this score
    recall: Floats  # (N,)


def average_precision(matches: LabelMatches, row: int = 0, weights: Floats | None = None) -> float | None:
    """AP at the IoU of `row`; None when there is no object to find.

    `weights` (P,): how often each picture counts, for bootstrap samples.
    """
    per_picture = np.ones(len(matches.objects)) if weights is None else weights
    total = float(per_picture @ matches.objects)
    if total <= 0:
        return None
    keep = ~matches.ignored[row]
    order = np.argsort(-matches.scores[keep], kind="stable")
    weight = per_picture[matches.picture[keep]][order]
    hit = matches.hit[row][keep][order]
    right = np.cumsum(weight * hit)
    wrong = np.cumsum(weight * ~hit)
    if not len(right):
        return 0.0
    precision = right / np.maximum(right + wrong, np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / total, RECALLS, side="left")
    return float(np.where(at < len(precision), precision[np.minimum(at, len(precision) - 1)], 0.0).mean())


def mean_average_precision(matches: LabelMatches) -> float | None:
    """AP50-95: the mean over the rows of `matches`; None when there is no object to find."""
    values = [average_precision(matches, row) for row in range(len(matches.hit))]
    numbers = [value for value in values if value is not None]
    return float(np.mean(numbers)) if numbers else None


def curve(matches: LabelMatches) -> Curve:
    """The precision/recall curve at the first IoU, one point per distinct score."""
    keep = ~matches.ignored[0]
    order = np.argsort(-matches.scores[keep], kind="stable")
    scores, hit = matches.scores[keep][order], matches.hit[0][keep][order]
    right = np.cumsum(hit)
    last = np.append(scores[1:] != scores[:-1], True) if len(scores) else np.zeros(0, dtype=np.bool_)
    seen = np.arange(1, len(scores) + 1)
    return Curve(scores[last], (right / seen)[last], (right / max(matches.instances, 1))[last])


def at_threshold(matches: LabelMatches, threshold: float) -> tuple[float, float]:
    """(precision, recall) of the detections with a score of at least `threshold`; precision 0 when there are none."""
    keep = ~matches.ignored[0] & (matches.scores >= threshold)
    right, seen = int(matches.hit[0][keep].sum()), int(keep.sum())
    return (right / seen if seen else 0.0), right / matches.instances if matches.instances else 0.0
