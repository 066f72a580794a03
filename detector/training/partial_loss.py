"""A detection loss for sets that annotate different labels.

The plain union of such sets teaches a model that unlabelled cars are background. Here the
classification loss of a picture counts a label with the weight of the picture's evidence for that
label's absence: 1 where the set annotates it everywhere, 0 where it does not, between for sets with
known gaps. Where a box says the label is there, the loss always counts in full, and so do the
labels that exclude it at that place (a car is not a truck). Boxes and their shape loss are
untouched.

Two labels may share one box (a truck with an open load is both). The assigner gives each place to
one box, and of two equal ones always to the first; here the place gets the labels of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from ultralytics.utils.loss import E2ELoss, v8DetectionLoss


class EvidenceTable:
    """How much a picture without a box counts against each label, by the set the picture comes
    from.

    `weights` is (sets + 1, labels) float32 in 0..1; the last row is for pictures of no known set
    and is all ones (the plain loss). `excludes` is (labels, labels) float32: 1 where a box of the
    row's label denies the column's label at its place; diagonal 1.
    """

    def __init__(
        self,
        labels: Sequence[str],
        evidence: Mapping[str, Mapping[str, Any]],
        exclusive: Sequence[Sequence[str]] = (),
    ) -> None:
        index = {label: number for number, label in enumerate(labels)}
        self.rows = {name: number for number, name in enumerate(evidence)}
        self.weights = torch.zeros(len(evidence) + 1, len(labels))
        self.weights[-1] = 1.0
        for name, entry in evidence.items():
            gaps = {**entry.get("taught", {}), **entry.get("hinted", {})}
            for label, weight in gaps.items():
                self.weights[self.rows[name], index[label]] = float(weight)
            for label in (*entry["known"], *entry.get("absent", ())):
                self.weights[self.rows[name], index[label]] = 1.0
        self.excludes = torch.eye(len(labels))
        for group in exclusive:
            for one in group:
                for other in group:
                    self.excludes[index[one], index[other]] = 1.0

    def of_pictures(self, files: Sequence[str]) -> torch.Tensor:
        """(pictures, labels) weights; a picture's set is the name of the folder it lies in."""
        last = len(self.rows)
        return self.weights[[self.rows.get(Path(file).parent.name, last) for file in files]]


class PartialDetectionLoss(v8DetectionLoss):  # type: ignore[misc]  # ultralytics is untyped
    """v8DetectionLoss with the classification term weighted by evidence; computed in float32 under
    any autocast.
    """

    bce: Any

    def __init__(self, model: torch.nn.Module, *args: Any, table: EvidenceTable, **kwargs: Any) -> None:
        super().__init__(model, *args, **kwargs)
        self._table = table
        self._excludes = table.excludes.to(self.device)
        self._plain_bce = self.bce
        # The parent sums what this returns, so weighting here weighs its sum.
        self.bce = self._weighted_bce
        self._weights = torch.empty(0)
        self._one_label = self.assigner.get_targets
        self.assigner.get_targets = self._every_label

    def _every_label(
        self, labels: torch.Tensor, boxes: torch.Tensor, chosen: torch.Tensor, found: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The parent's targets, each place with the labels of every box that equals the one it got.

        `labels` (pictures, boxes, 1), `boxes` (pictures, boxes, 4), `chosen` the box of each anchor and `found`
        whether it has one, both (pictures, anchors).
        """
        first, targets, scores = self._one_label(labels, boxes, chosen, found)
        equal = (boxes[:, :, None] == boxes[:, None]).all(-1)
        own = torch.nn.functional.one_hot(labels.long().squeeze(-1), scores.shape[-1])
        shared = (equal.float() @ own.float() > 0).gather(1, chosen[..., None].expand_as(scores))
        return first, targets, shared.to(scores.dtype) * (found[..., None] > 0)

    def _weighted_bce(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Element-wise loss, (pictures, anchors, labels), times the weight of its evidence."""
        weights = self._weights[:, None, :].expand(targets.shape).clone()
        positive = targets.amax(-1) > 0
        stated = (targets[positive] > 0).to(weights.dtype) @ self._excludes
        weights[positive] = torch.maximum(weights[positive], stated.clamp_(max=1.0))
        weighted: torch.Tensor = self._plain_bce(scores, targets) * weights
        return weighted

    def loss(self, preds: dict[str, Any], batch: dict[str, Any]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(box, class, shape) losses times the number of pictures, and their detached values by
        name.
        """
        self._weights = self._table.of_pictures(batch["im_file"]).to(self.device)
        # Box coordinates reach hundreds of pixels; bfloat16 has 8 bits of precision. Only grid
        # shapes are read from feats.
        full = {
            "boxes": preds["boxes"].float(),
            "scores": preds["scores"].float(),
            "feats": [level[:, :1].float() for level in preds["feats"]],
        }
        with torch.autocast(self.device.type, enabled=False):
            result: tuple[torch.Tensor, dict[str, torch.Tensor]] = super().loss(full, batch)
        return result


def partial_criterion(model: torch.nn.Module, table: EvidenceTable) -> Any:
    """The criterion for `model`: one loss, or one for each head of an end-to-end model (yolo26,
    yolov10).
    """
    head = model.model[-1]  # type: ignore[index]  # ultralytics models keep their layers in `.model`
    loss = partial(PartialDetectionLoss, table=table)
    return E2ELoss(model, loss) if getattr(head, "one2one_cv2", None) is not None else loss(model)
