"""AP50 per label while training: each label is scored only on the pictures of sets that annotate
it.

A quick figure for watching a run. The published figures come from `detector evaluate`, which runs
the exported model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from ultralytics.utils.nms import non_max_suppression

from detector.training.partial_sets import PICTURE_SUFFIXES

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """`ap50` in 0..1 (None without boxes), and the number of boxes it rests on."""

    ap50: float | None
    instances: int


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What the model said and what stands in the labels of one picture; boxes are left, top, right,
    bottom in 0..1.
    """

    set_name: str
    found: FloatArray  # (n, 6) box, score, label
    truth: FloatArray  # (m, 5) label, box


def letterbox(image: NDArray[np.uint8], size: int) -> tuple[NDArray[np.uint8], float, int, int]:
    """Image fitted into size x size on grey 114, with the scale and the left and top padding in
    pixels.
    """
    height, width = image.shape[:2]
    scale = size / max(height, width)
    new_w, new_h = max(1, round(width * scale)), max(1, round(height * scale))
    canvas = np.full((size, size, 3), 114, np.uint8)
    left, top = (size - new_w) // 2, (size - new_h) // 2
    canvas[top : top + new_h, left : left + new_w] = cv2.resize(image, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
    return canvas, scale, left, top


def val_pictures(folder: Path) -> list[Path]:
    """The pictures of folder/<set>/, sorted."""
    return sorted(path for path in folder.glob("*/*") if path.suffix.lower() in PICTURE_SUFFIXES)


def look_at_files(
    model: torch.nn.Module, files: Sequence[Path], size: int, batch: int = 16, confidence: float = 0.005
) -> list[PictureResult]:
    """Run `model` (eval mode) over pictures images/.../<set>/<picture>, whose labels lie under labels/ alike.

    Pictures are letterboxed to size x size pixels; boxes scored below `confidence` are left out.
    """
    results: list[PictureResult] = []
    device = next(model.parameters()).device
    for start in range(0, len(files), batch):
        chunk = files[start : start + batch]
        images = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in chunk]
        boxed = [letterbox(np.asarray(image, np.uint8), size) for image in images]
        stack = np.stack([item[0] for item in boxed])[..., ::-1].transpose(0, 3, 1, 2)
        with torch.inference_mode():
            output = model(torch.from_numpy(np.ascontiguousarray(stack)).to(device).float() / 255)
        kept = non_max_suppression(output, confidence, 0.6, multi_label=True, max_det=300)
        for path, image, (_, scale, left, top), found in zip(chunk, images, boxed, kept, strict=True):
            height, width = np.asarray(image).shape[:2]
            boxes = found.double().cpu().numpy()
            boxes[:, [0, 2]] = ((boxes[:, [0, 2]] - left) / (scale * width)).clip(0, 1)
            boxes[:, [1, 3]] = ((boxes[:, [1, 3]] - top) / (scale * height)).clip(0, 1)
            results.append(PictureResult(path.parent.name, boxes, _truth(path)))
    return results


def _truth(picture: Path) -> FloatArray:
    """(m, 5) label and box of the label file that belongs to a picture of the merged layout."""
    parts = list(picture.parts)
    parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    path = Path(*parts).with_suffix(".txt")
    rows = [[float(value) for value in line.split()] for line in path.read_text().splitlines() if line]
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    corners = np.concatenate([table[:, 1:3] - table[:, 3:5] / 2, table[:, 1:3] + table[:, 3:5] / 2], axis=1)
    return np.concatenate([table[:, :1], corners], axis=1)


def label_scores(
    results: Sequence[PictureResult],
    labels: Sequence[str],
    evidence: Mapping[str, Mapping[str, Any]],
) -> dict[str, LabelScore]:
    """AP50 of every label over the pictures of the sets that annotate it (`known` or `hinted`).

    Synthetic sets count only for labels that no real set annotates: what they say of others is not about streets.
    """
    scores: dict[str, LabelScore] = {}
    for number, label in enumerate(labels):
        sets = {n for n, entry in evidence.items() if label in entry["known"] or label in entry.get("hinted", {})}
        real = {name for name in sets if not evidence[name].get("synthetic")}
        scores[label] = average_precision([r for r in results if r.set_name in (real or sets)], number)
    return scores


def average_precision(results: Sequence[PictureResult], label: int, threshold: float = 0.5) -> LabelScore:
    """COCO-style AP (101 recall points, greedy by score, best free box) of one label at one IoU threshold."""
    total = sum(int((r.truth[:, 0] == label).sum()) for r in results)
    if not total:
        return LabelScore(None, 0)
    scores: list[float] = []
    hits: list[bool] = []
    for result in results:
        found = result.found[result.found[:, 5] == label]
        truth = result.truth[result.truth[:, 0] == label, 1:]
        overlap = box_overlaps(found[:, :4], truth)
        free = np.ones(len(truth), bool)
        for row in np.argsort(-found[:, 4], kind="stable"):
            candidates = np.where(free, overlap[row], -1.0) if len(truth) else np.array([-1.0])
            best = int(candidates.argmax())
            hit = bool(candidates[best] >= threshold)
            if hit:
                free[best] = False
            scores.append(float(found[row, 4]))
            hits.append(hit)
    order = np.argsort(-np.array(scores), kind="stable")
    true = np.cumsum(np.array(hits, float)[order]) if hits else np.zeros(0)
    recall = true / total
    precision = true / np.arange(1, len(true) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    values = [envelope[i] if i < len(envelope) else 0.0 for i in at]
    return LabelScore(float(np.mean(values)), total)


def box_overlaps(first: FloatArray, second: FloatArray) -> FloatArray:
    """(n, m) intersection over union of boxes given as left, top, right, bottom."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared: FloatArray = np.prod(np.clip(bottom_right - top_left, 0, None), axis=2)
    one: FloatArray = np.prod(first[:, 2:] - first[:, :2], axis=1)
    other: FloatArray = np.prod(second[:, 2:] - second[:, :2], axis=1)
    return shared / np.maximum(one[:, None] + other[None, :] - shared, 1e-12)
