"""Labels that a model doubts: what it sees with confidence and nobody drew, and what was drawn and it never sees.

The idea of confident learning (Northcutt et al., 2021) in its simplest form for boxes: disagreement with a model
that was NOT trained on these pictures, or was trained on other folds, is worth a person's look. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.core.detection import Detection
from detector.training.labelled import LabelledPicture

SURE = 0.6
"""Score from which an unmatched detection is worth a look."""
NEVER = 0.05
"""A drawn object that gets no detection above this is worth a look too."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label to look at."""

    picture: LabelledPicture
    label: str
    text: str
    weight: float  # 0..1, the more the likelier a mistake of the labels
    detection: Detection | None  # what the model says instead


def suspects(
    pictures: Sequence[LabelledPicture], detections: Sequence[Sequence[Detection]], model_labels: frozenset[str]
) -> list[Suspect]:
    """The suspects, heaviest first; labels the model does not know and labels not boxed completely raise none."""
    found = [
        suspect
        for picture, seen in zip(pictures, detections, strict=True)
        for suspect in (*_not_drawn(picture, seen), *_not_seen(picture, seen, model_labels))
    ]
    return sorted(found, key=lambda suspect: -suspect.weight)


def _not_drawn(picture: LabelledPicture, seen: Sequence[Detection]) -> Iterator[Suspect]:
    for item in seen:
        if item.score < SURE or item.label not in picture.exhaustive:
            continue
        near = max(picture.boxes, key=lambda box: box.box.iou(item.box), default=None)
        overlap = near.box.iou(item.box) if near else 0.0
        if near is not None and overlap >= 0.5 and near.label != item.label:
            text = f"drawn as {near.label}, seen as {item.label} ({item.score:.2f})"
            yield Suspect(picture, near.label, text, item.score, item)
        elif overlap < 0.3 or (near is not None and near.label != item.label):
            yield Suspect(picture, item.label, f"{item.label} seen ({item.score:.2f}) but not drawn", item.score, item)
        elif overlap < 0.5:
            text = f"{item.label} drawn loosely: IoU {overlap:.2f} with what is seen ({item.score:.2f})"
            yield Suspect(picture, item.label, text, item.score * (1 - overlap), item)


def _not_seen(picture: LabelledPicture, seen: Sequence[Detection], model_labels: frozenset[str]) -> Iterator[Suspect]:
    for box in picture.boxes:
        if box.label not in model_labels:
            continue
        best = max((item.score for item in seen if item.box.iou(box.box) >= 0.3), default=0.0)
        if best < NEVER:
            share = min(1.0, (box.box.area / (picture.size[0] * picture.size[1]) / 0.05) ** 0.5)
            # Small things are missed for being small; a large one that nothing sees is the suspicious one.
            yield Suspect(picture, box.label, f"{box.label} drawn but not seen at all", 0.5 * share, None)
