"""Does an exported file say what the network says that it came from?

Box by box on validation pictures: IoU of at least 0.99 and scores within 0.001. `detector export` measures it and
writes the report into the bundle's folder, `detector promote` reads it there. What other arithmetic costs (int8) is
not told by boxes but by AP, see export_int8.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.core.detection import Detection

LEAST_IOU = 0.99
SCORE_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Parity:
    """How two sets of detections agree."""

    passed: bool
    text: str  # one line for people
    boxes: int  # compared
    worst_iou: float | None  # of matched boxes
    worst_score: float | None  # largest difference of matched scores
    unmatched: int  # boxes that only one of the two has, away from the limit


@dataclass(frozen=True, slots=True)
class ParityCheck:
    """One comparison of the report."""

    what: str  # which file in which runtime against what
    decides: bool  # False: told, but it blocks nothing
    result: Parity


@dataclass(frozen=True, slots=True)
class ParityReport:
    """What `detector export` leaves beside the model."""

    model: str  # SHA-256 of the file that the bundle holds
    precision: str  # fp32, fp16 or int8
    pictures: int  # validation pictures looked at
    size: int  # side of the canvas, pixels
    min_score: float  # boxes above it were compared
    checks: tuple[ParityCheck, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every comparison that decides agrees, and there is one."""
        deciding = [check.result.passed for check in self.checks if check.decides]
        return bool(deciding) and all(deciding)

    @property
    def text(self) -> str:
        """One line for people: what disagrees, or all that agrees."""
        deciding = [check for check in self.checks if check.decides]
        bad = [check for check in deciding if not check.result.passed]
        return "; ".join(f"{check.what}: {check.result.text}" for check in bad or deciding)


def compare_boxes(
    reference: Sequence[Sequence[Detection]],
    exported: Sequence[Sequence[Detection]],
    min_score: float,
    tolerance: float = SCORE_TOLERANCE,
) -> Parity:
    """Compare what both say about the same pictures, in the same order, at scores above `min_score`.

    `tolerance`: how far scores may lie apart. A box as close to the limit may be missing on one side.
    """
    boxes = unmatched = 0
    worst_iou, worst_score = 1.0, 0.0
    for wanted, found in zip(reference, exported, strict=True):
        left = list(found)
        for item in wanted:
            partner = max(
                (other for other in left if other.label == item.label),
                key=lambda other: other.box.iou(item.box),
                default=None,
            )
            if partner is None or partner.box.iou(item.box) < 0.5:
                unmatched += item.score > min_score + tolerance
                continue
            left.remove(partner)
            boxes += 1
            worst_iou = min(worst_iou, partner.box.iou(item.box))
            worst_score = max(worst_score, abs(partner.score - item.score))
        unmatched += sum(item.score > min_score + tolerance for item in left)
    return _judged(boxes, worst_iou, worst_score, unmatched, tolerance)


def compare_anchors(
    reference: Sequence[NDArray[np.float32]],
    exported: Sequence[NDArray[np.float32]],
    min_score: float,
    tolerance: float = SCORE_TOLERANCE,
) -> Parity:
    """Compare raw answers (4 + labels, anchors) of cx cy w h and scores, anchor by anchor, before suppression.

    Anchors where neither side has a score above `min_score` are left out.
    """
    boxes = unmatched = 0
    worst_iou, worst_score = 1.0, 0.0
    for wanted, found in zip(reference, exported, strict=True):
        if wanted.shape != found.shape:
            unmatched += max(wanted.shape[1], found.shape[1])
            continue
        strong = np.maximum(wanted[4:].max(axis=0), found[4:].max(axis=0)) > min_score
        first, second = wanted[:, strong].astype(np.float64), found[:, strong].astype(np.float64)
        if strong.any():
            boxes += int(strong.sum())
            worst_iou = min(worst_iou, float(_overlaps(first[:4], second[:4]).min()))
            worst_score = max(worst_score, float(np.abs(first[4:] - second[4:]).max()))
    return _judged(boxes, worst_iou, worst_score, unmatched, tolerance)


def _overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) IoU of the boxes of two (4, n) tables of cx cy w h, column by column."""
    low = np.maximum(first[:2] - first[2:] / 2, second[:2] - second[2:] / 2)
    high = np.minimum(first[:2] + first[2:] / 2, second[:2] + second[2:] / 2)
    shared = np.prod(np.clip(high - low, 0, None), axis=0)
    union = np.prod(first[2:], axis=0) + np.prod(second[2:], axis=0) - shared
    return np.asarray(shared / np.maximum(union, 1e-9), dtype=np.float64)


def _judged(boxes: int, worst_iou: float, worst_score: float, unmatched: int, tolerance: float) -> Parity:
    passed = boxes > 0 and not unmatched and worst_iou >= LEAST_IOU and worst_score <= tolerance
    text = (
        f"{boxes} boxes compared: lowest IoU {worst_iou:.4f} (at least {LEAST_IOU}), largest score difference "
        f"{worst_score:.2g} (at most {tolerance:g}), {unmatched} on one side only"
    )
    return Parity(passed, text, boxes, worst_iou if boxes else None, worst_score if boxes else None, unmatched)


def write_parity(path: Path, report: ParityReport) -> None:
    """Write the report as JSON: `passed`, `text`, `model` and the comparisons."""
    document = {"passed": report.passed, "text": report.text} | asdict(report)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
