"""Which detection found which object: the matching rule of COCO, for one label over many pictures.

Rule (cocodataset/cocoapi `COCOeval.evaluateImg`): detections of a picture, best score first, each take the free
object with the largest IoU that reaches the threshold, preferring objects that count over ignored ones. A
detection that takes an ignored object, or takes nothing and lies outside the size range, counts neither for nor
against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.core.detection import BoundingBox, Detection
from detector.training.labelled import LabelledPicture

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

IOUS: Floats = np.linspace(0.5, 0.95, 10)
"""The ten IoU thresholds of COCO's AP50-95."""
AP50: Floats = IOUS[:1]


@dataclass(frozen=True, slots=True, eq=False)
class LabelMatches:
    """All detections of one label over the pictures where it is annotated; D detections, T IoU thresholds, P
    pictures.
    """

    label: str
    scores: Floats  # (D,)
    picture: Ints  # (D,) index into the pictures given to `match`
    hit: Bools  # (T, D) took an object that counts
    ignored: Bools  # (T, D) counts neither way
    objects: Ints  # (P,) objects that count, per picture
    found: Bools  # (O,) at the first threshold, any score: per object that counts
    found_score: Floats  # (O,) score of the detection that found it, 0 where none did

    @property
    def instances(self) -> int:
        """Objects that count."""
        return int(self.objects.sum())


def boxes_array(boxes: Sequence[BoundingBox]) -> Floats:
    """(N, 4) left, top, right, bottom."""
    rows = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    return np.asarray(rows, dtype=np.float64).reshape(-1, 4)


def iou_matrix(first: Floats, second: Floats) -> Floats:
    """(N, M) intersection over union of two arrays of boxes (N, 4) and (M, 4); 0 for empty boxes."""
    size = np.minimum(first[:, None, 2:], second[None, :, 2:]) - np.maximum(first[:, None, :2], second[None, :, :2])
    both = np.prod(np.clip(size, 0.0, None), axis=2)
    areas = [np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None), axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - both
    iou: Floats = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return iou


def match(
    label: str,
    pictures: Sequence[LabelledPicture],
    detections: Sequence[Sequence[Detection]],
    ious: Floats = IOUS,
    size_range: tuple[float, float] | None = None,
) -> LabelMatches:
    """Match the detections of `label` in pictures where it is annotated (others are passed over).

    `size_range`: count only objects whose side (square root of the area in pixels, on the picture scaled to 640 on
    its long side) lies in [low, high). In a picture that does not box the label exhaustively, detections that
    reach IoU 0.5 with none of its objects are left out: they may well be right.
    """
    scores: list[Floats] = []
    owner: list[Ints] = []
    hits: list[Bools] = []
    ignores: list[Bools] = []
    found: list[Floats] = []
    objects = np.zeros(len(pictures), dtype=np.int64)
    for index, (picture, seen) in enumerate(zip(pictures, detections, strict=True)):
        if label not in picture.annotated:
            continue
        truth = boxes_array([box.box for box in picture.boxes if box.label == label])
        mine = sorted((item for item in seen if item.label == label), key=lambda item: -item.score)
        boxes = boxes_array([item.box for item in mine])
        score = np.asarray([item.score for item in mine], dtype=np.float64)
        overlap = iou_matrix(boxes, truth)
        if picture.exhaustive and label not in picture.exhaustive:
            near = overlap.max(axis=1, initial=0.0) >= 0.5
            boxes, score, overlap = boxes[near], score[near], overlap[near]
        out_truth, out_seen = _outside(truth, picture, size_range), _outside(boxes, picture, size_range)
        hit, ignored, taken = _match_picture(overlap, score, out_truth, out_seen, ious)
        objects[index] = int((~out_truth).sum())
        scores.append(score)
        owner.append(np.full(len(score), index, dtype=np.int64))
        hits.append(hit)
        ignores.append(ignored)
        found.append(taken[~out_truth])
    found_score = np.concatenate(found) if found else np.zeros(0)
    return LabelMatches(
        label=label,
        scores=np.concatenate(scores) if scores else np.zeros(0),
        picture=np.concatenate(owner) if owner else np.zeros(0, dtype=np.int64),
        hit=np.concatenate(hits, axis=1) if hits else np.zeros((len(ious), 0), dtype=np.bool_),
        ignored=np.concatenate(ignores, axis=1) if ignores else np.zeros((len(ious), 0), dtype=np.bool_),
        objects=objects,
        found=found_score > 0,
        found_score=found_score,
    )


def box_side(boxes: Floats, size: tuple[int, int]) -> Floats:
    """(N,) square root of each box's area, in pixels of the picture scaled to 640 on its long side."""
    area = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None), axis=1)
    side: Floats = np.sqrt(area) * (640.0 / max(size))
    return side


def _outside(boxes: Floats, picture: LabelledPicture, size_range: tuple[float, float] | None) -> Bools:
    if size_range is None:
        return np.zeros(len(boxes), dtype=np.bool_)
    side = box_side(boxes, picture.size)
    return (side < size_range[0]) | (side >= size_range[1])


def _match_picture(
    overlap: Floats, scores: Floats, out_truth: Bools, out_seen: Bools, ious: Floats
) -> tuple[Bools, Bools, Floats]:
    """hit (T, D), ignored (T, D) and, per object, the score of the detection that took it at the first threshold."""
    count, objects = overlap.shape
    hit = np.zeros((len(ious), count), dtype=np.bool_)
    ignored = np.broadcast_to(out_seen, (len(ious), count)).copy()
    taken = np.zeros(objects)
    if not objects or not count:
        return hit, ignored, taken
    free = np.ones((len(ious), objects), dtype=np.bool_)
    counting = ~out_truth
    rows = np.arange(len(ious))
    for seen in range(count):
        reaches = free & (overlap[seen][None, :] >= np.minimum(ious, 1 - 1e-10)[:, None])
        preferred = reaches & counting[None, :]
        candidates = np.where(preferred.any(axis=1)[:, None], preferred, reaches)
        # Equal IoUs: COCO keeps the later object, hence the reversed argmax.
        value = np.where(candidates, overlap[seen][None, :], -1.0)
        chosen = objects - 1 - value[:, ::-1].argmax(axis=1)
        took = candidates[rows, chosen]
        free[rows[took], chosen[took]] = False
        hit[:, seen] = took & counting[chosen]
        ignored[:, seen] = np.where(took, out_truth[chosen], ignored[:, seen])
        if took[0]:
            taken[chosen[0]] = scores[seen]
    return hit, ignored, taken
