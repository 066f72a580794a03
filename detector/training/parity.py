"""Does an exported file say what the network says that it came from?

For the same arithmetic (fp32, fp16 weights) box by box: IoU of at least 0.99 and scores within 0.001. For int8,
which is other arithmetic, by what it costs: at most 0.02 of AP50 per label, and no label that finds nothing any
more. The report is what
`detector promote --parity` reads.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from detector.core.detection import Detection
from detector.training.evaluation.measure import Evaluation

LEAST_IOU = 0.99
SCORE_TOLERANCE = 1e-3
MOST_LOSS = 0.02
COLLAPSED = 0.05
"""A label that had AP50 above this and falls below it has collapsed."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How two sets of detections agree."""

    passed: bool
    text: str  # one line for people
    boxes: int  # compared
    worst_iou: float | None  # of matched boxes
    worst_score: float | None  # largest difference of matched scores
    unmatched: int  # boxes that only one of the two has, away from the limit


def compare_boxes(
    reference: Sequence[Sequence[Detection]], exported: Sequence[Sequence[Detection]], min_score: float
) -> Parity:
    """Compare what both say about the same pictures, in the same order, at scores above `min_score`.

    A box within SCORE_TOLERANCE of the limit may be missing on one side.
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
                unmatched += item.score > min_score + SCORE_TOLERANCE
                continue
            left.remove(partner)
            boxes += 1
            worst_iou = min(worst_iou, partner.box.iou(item.box))
            worst_score = max(worst_score, abs(partner.score - item.score))
        unmatched += sum(item.score > min_score + SCORE_TOLERANCE for item in left)
    passed = boxes > 0 and not unmatched and worst_iou >= LEAST_IOU and worst_score <= SCORE_TOLERANCE
    text = (
        f"{boxes} boxes compared: lowest IoU {worst_iou:.4f} (at least {LEAST_IOU}), largest score difference "
        f"{worst_score:.5f} (at most {SCORE_TOLERANCE}), {unmatched} on one side only"
    )
    return Parity(passed, text, boxes, worst_iou if boxes else None, worst_score if boxes else None, unmatched)


def compare_precision(reference: Evaluation, quantised: Evaluation) -> Parity:
    """Whether a quantised model costs at most MOST_LOSS of AP50 on every label both were measured on."""
    lost: list[str] = []
    compared = 0
    for label, before in reference.labels.items():
        if not before.known:
            continue
        after = quantised.labels.get(label)
        reached = after.ap50 if after is not None else 0.0
        compared += before.instances
        if before.ap50 > COLLAPSED >= reached:
            lost.append(f"{label} collapsed from {before.ap50:.3f} to {reached:.3f}")
        elif before.ap50 - reached > MOST_LOSS:
            lost.append(f"{label} lost {before.ap50 - reached:.3f} of AP50")
    text = "; ".join(lost) or f"no label lost more than {MOST_LOSS} of AP50"
    return Parity(not lost and compared > 0, text, compared, None, None, 0)


def write_parity(path: Path, parity: Parity) -> None:
    """Write the report as JSON."""
    path.write_text(json.dumps(asdict(parity), indent=2) + "\n", encoding="utf-8")
