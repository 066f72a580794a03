"""What goes wrong: the six error types of TIDE and a confusion table, at the operating thresholds.

Definitions (Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020, section
2.2), with foreground IoU 0.5 and background IoU 0.1; a wrong detection is, in this order,
    localisation    right label, IoU with an object of it in [0.1, 0.5)
    classification  IoU >= 0.5 with an object of another label
    duplicate       right label, IoU >= 0.5, but a better detection has the object
    background      IoU < 0.1 with every object
    both            anything else: wrong label and badly placed
and an object nobody found, not even by a classification or localisation error, is missed.
Labels not annotated in a picture take no part there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from detector.core.detection import Detection
from detector.training.evaluation.matching import Floats, boxes_array, iou_matrix
from detector.training.labelled import LabelledBox, LabelledPicture

FOREGROUND, BACKGROUND = 0.5, 0.1
NOTHING = "(nothing)"
"""Row or column of the confusion table: no object there, or no detection."""


class Mistake(StrEnum):
    """The six ways to be wrong."""

    CLASSIFICATION = "classification"
    LOCALISATION = "localisation"
    BOTH = "both"
    DUPLICATE = "duplicate"
    BACKGROUND = "background"
    MISSED = "missed"


@dataclass(slots=True)
class Tally:
    """What was counted over a set of pictures."""

    mistakes: Counter[tuple[str, Mistake]] = field(default_factory=Counter)  # (label, type) -> detections or objects
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)  # (label drawn, label seen) -> pairs
    per_picture: list[int] = field(default_factory=list)  # mistakes in each picture, in the order given


def tally(
    pictures: Sequence[LabelledPicture],
    detections: Sequence[Sequence[Detection]],
    thresholds: Mapping[str, float],
) -> Tally:
    """Count the mistakes of all detections at or above their label's threshold; labels without one take no part."""
    result = Tally()
    for picture, seen in zip(pictures, detections, strict=True):
        result.per_picture.append(_count_picture(picture, seen, thresholds, result))
    return result


def _count_picture(
    picture: LabelledPicture, seen: Sequence[Detection], thresholds: Mapping[str, float], result: Tally
) -> int:
    acted = sorted(
        (item for item in seen if item.label in picture.annotated and item.score >= thresholds.get(item.label, 2.0)),
        key=lambda item: -item.score,
    )
    truth = [item for item in picture.boxes if item.label in thresholds]
    overlap = iou_matrix(boxes_array([item.box for item in acted]), boxes_array([item.box for item in truth]))
    same = np.asarray([[one.label == other.label for other in truth] for one in acted], dtype=np.bool_).reshape(
        overlap.shape
    )
    taken = _take(np.where(same, overlap, 0.0))
    owners = {int(owner) for owner in taken if owner >= 0}
    excused: set[int] = set()
    wrong = 0
    for row, detection in enumerate(acted):
        if taken[row] >= 0:
            continue
        kind, near = _kind(overlap[row], same[row], owners)
        complete = not picture.exhaustive or detection.label in picture.exhaustive
        if kind is Mistake.BACKGROUND and not complete:
            continue
        wrong += 1
        result.mistakes[detection.label, kind] += 1
        if kind in (Mistake.CLASSIFICATION, Mistake.LOCALISATION) and near is not None:
            excused.add(near)
    for column, item in enumerate(truth):
        if column not in owners and column not in excused:
            wrong += 1
            result.mistakes[item.label, Mistake.MISSED] += 1
    _confuse(acted, truth, overlap, result.confusion)
    return wrong


def _take(overlap: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(D,) the object each detection takes, best score first, or -1."""
    taken = np.full(len(overlap), -1, dtype=np.int64)
    left = overlap.copy()
    for row in range(len(left)):
        if left.shape[1] and left[row].max() >= FOREGROUND:
            taken[row] = int(left[row].argmax())
            left[:, taken[row]] = 0.0
    return taken


def _kind(
    overlap: Floats, same: np.ndarray[tuple[int], np.dtype[np.bool_]], owned: set[int]
) -> tuple[Mistake, int | None]:
    """The type of one wrong detection and the object it was probably meant for."""
    if not len(overlap):
        return Mistake.BACKGROUND, None
    right, other = np.where(same, overlap, 0.0), np.where(same, 0.0, overlap)
    if BACKGROUND <= right.max() < FOREGROUND:
        return Mistake.LOCALISATION, int(right.argmax())
    if other.max() >= FOREGROUND:
        return Mistake.CLASSIFICATION, int(other.argmax())
    if right.max() >= FOREGROUND and int(right.argmax()) in owned:
        return Mistake.DUPLICATE, None
    if overlap.max() < BACKGROUND:
        return Mistake.BACKGROUND, None
    return Mistake.BOTH, None


def _confuse(
    acted: Sequence[Detection], truth: Sequence[LabelledBox], overlap: Floats, confusion: Counter[tuple[str, str]]
) -> None:
    """Pair detections and objects by IoU alone, whatever their labels, and count the pairs and what is left over."""
    taken = _take(overlap)
    for row, detection in enumerate(acted):
        drawn = truth[taken[row]].label if taken[row] >= 0 else NOTHING
        confusion[drawn, detection.label] += 1
    for column, item in enumerate(truth):
        if column not in set(taken.tolist()):
            confusion[item.label, NOTHING] += 1
