"""From a network's raw output to boxes: three layouts, one row format.

Rows are (K, 6) float32: left, top, right, bottom in pixels of the model's input, score 0..1, class index; best first.
The results equal those of the trainer's own post-processing (ultralytics 8.4 `non_max_suppression` with its defaults):
scores must EXCEED the limit, boxes of different classes never suppress each other, at most 300 rows remain.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detector.inference.bundle import Layout

Rows = NDArray[np.float32]

_CLASS_STEP = np.float32(7680)  # pixels between classes, so that one pass over all classes keeps them apart
_MOST_CANDIDATES = 30_000


def decode(
    output: NDArray[np.floating],
    layout: Layout,
    *,
    min_score: float,
    iou: float = 0.5,
    max_boxes: int = 300,
    multi_label: bool = False,
) -> Rows:
    """Decode one picture's raw `output`, shape (4+C, N), (N, 5+C) or (N, 6) by `layout`, to rows.

    `iou`: of two boxes of a class overlapping more than this, the weaker goes (not for yolo-end2end).
    `multi_label`: a box may carry every class that exceeds `min_score`, as in the trainer's evaluation.
    """
    candidates = _LAYOUTS[layout](output, min_score, multi_label)
    if layout == "yolo-end2end":  # the network has removed duplicates itself
        order = np.argsort(-candidates[:max_boxes, 4], kind="stable")
        return candidates[:max_boxes][order]
    order = np.argsort(-candidates[:, 4], kind="stable")[:_MOST_CANDIDATES]
    candidates = candidates[order]
    return candidates[_survivors(candidates, iou, max_boxes)]


def _v8(output: NDArray[np.floating], min_score: float, multi_label: bool) -> Rows:
    scores = output[4:]
    hopeful = np.flatnonzero(scores.max(axis=0) > min_score)
    return _rows(output[:4, hopeful].T, scores[:, hopeful].T, min_score, multi_label)


def _v5(output: NDArray[np.floating], min_score: float, multi_label: bool) -> Rows:
    hopeful = np.flatnonzero(output[:, 4] > min_score)  # class scores are at most 1: no product can be higher
    chosen = output[hopeful]
    return _rows(chosen[:, :4], chosen[:, 5:] * chosen[:, 4:5], min_score, multi_label)


def _end2end(output: NDArray[np.floating], min_score: float, multi_label: bool) -> Rows:
    return output[output[:, 4] > min_score].astype(np.float32, copy=False)


_LAYOUTS: dict[Layout, Callable[[NDArray[np.floating], float, bool], Rows]] = {
    "yolo-v8": _v8,
    "yolo-v5": _v5,
    "yolo-end2end": _end2end,
}


def _rows(boxes: NDArray[np.floating], scores: NDArray[np.floating], min_score: float, multi_label: bool) -> Rows:
    """Make rows of (N, 4) centre-and-size `boxes` and (N, C) `scores`."""
    if multi_label:
        which, classes = np.nonzero(scores > min_score)
    else:
        classes = scores.argmax(axis=1)
        which = np.flatnonzero(scores[np.arange(len(scores)), classes] > min_score)
        classes = classes[which]
    rows = np.empty((len(which), 6), np.float32)
    centre = boxes[which, :2].astype(np.float32, copy=False)
    half = boxes[which, 2:].astype(np.float32, copy=False) / np.float32(2)
    rows[:, :2] = centre - half
    rows[:, 2:4] = centre + half
    rows[:, 4] = scores[which, classes]
    rows[:, 5] = classes
    return rows


def _survivors(rows: Rows, iou: float, most: int) -> NDArray[np.intp]:
    """Greedy non-maximum suppression over rows sorted best first; indices of at most `most` rows that stay.

    Everything is float32 and shifted by class as in the trainer, so that borderline overlaps fall the same way.
    """
    boxes = rows[:, :4] + rows[:, 5:6] * _CLASS_STEP
    left, top, right, bottom = boxes.T
    area = (right - left) * (bottom - top)
    kept: list[int] = []
    rest = np.arange(len(rows))
    while rest.size and len(kept) < most:
        best, rest = int(rest[0]), rest[1:]
        kept.append(best)
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest])
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest])
        both = np.maximum(width, np.float32(0)) * np.maximum(height, np.float32(0))
        union = area[best] + area[rest] - both
        # both / union <= iou, without dividing by the zero of two empty boxes
        rest = rest[both <= np.float32(iou) * union]
    return np.array(kept, np.intp)
