"""The figures that count come from an evaluator we did not write: faster-coco-eval, the COCO rules in C++.

Where that package is not installed, our own implementation of the same rules is used and the caller is told so; a
test holds the two (and pycocotools) equal to 1e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from detector.core.detection import Detection
from detector.training.evaluation.matching import boxes_array, iou_matrix, match
from detector.training.evaluation.precision import average_precision, mean_average_precision
from detector.training.labelled import LabelledPicture

MAX_DETECTIONS = 300  # per picture and label
Precision = tuple[float | None, float | None]
"""(AP50, AP50-95) of one label; None without an object to find."""


def evaluator_name() -> str:
    """Which evaluator `precisions` will use."""
    try:
        import faster_coco_eval
    except ImportError:
        return "built-in"
    return f"faster-coco-eval {faster_coco_eval.__version__}"


def precisions(
    labels: Sequence[str], pictures: Sequence[LabelledPicture], detections: Sequence[Sequence[Detection]]
) -> dict[str, Precision]:
    """AP50 and AP50-95 of each label, pooled over the pictures where it is annotated."""
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError:
        return own_precisions(labels, pictures, detections)
    return coco_precisions(COCO, COCOeval_faster, labels, pictures, detections)


def own_precisions(
    labels: Sequence[str], pictures: Sequence[LabelledPicture], detections: Sequence[Sequence[Detection]]
) -> dict[str, Precision]:
    """The same by our own matching."""
    result: dict[str, Precision] = {}
    for label in labels:
        matches = match(label, pictures, detections)
        result[label] = (average_precision(matches), mean_average_precision(matches))
    return result


def coco_precisions(
    coco: Any,
    evaluator: Any,
    labels: Sequence[str],
    pictures: Sequence[LabelledPicture],
    detections: Sequence[Sequence[Detection]],
) -> dict[str, Precision]:
    """The same by any package with the interface of pycocotools (`coco`: its COCO class, `evaluator`: its COCOeval
    class).
    """
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    truth, found = coco_documents(numbers, pictures, detections)
    known = coco()
    known.dataset = truth
    known.createIndex()
    results: dict[str, Precision] = {}
    seen = known.loadRes(found) if found else None
    for label, number in numbers.items():
        boxes = sum(1 for item in truth["annotations"] if item["category_id"] == number)
        if not boxes:
            results[label] = (None, None)
            continue
        if seen is None:
            results[label] = (0.0, 0.0)
            continue
        run = evaluator(known, seen, iouType="bbox")
        run.params.catIds = [number]
        run.params.imgIds = [index + 1 for index, picture in enumerate(pictures) if label in picture.annotated]
        run.params.maxDets = [1, 10, MAX_DETECTIONS]
        run.evaluate()
        run.accumulate()
        # (IoU thresholds, recalls, labels, sizes, detection limits): all sizes, the largest limit
        table = np.asarray(run.eval["precision"])[:, :, 0, 0, -1]
        results[label] = (float(table[0].mean()), float(table.mean()))
    return results


def coco_documents(
    numbers: dict[str, int], pictures: Sequence[LabelledPicture], detections: Sequence[Sequence[Detection]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Ground truth and results in COCO's JSON shape; only what may count (see `match` on labels not boxed
    exhaustively).
    """
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for index, (picture, seen) in enumerate(zip(pictures, detections, strict=True), start=1):
        for item in picture.boxes:
            if item.label in numbers:
                truth.append(_truth(len(truth) + 1, index, numbers[item.label], item.box))
        for detection in seen:
            if detection.label not in numbers or detection.label not in picture.annotated:
                continue
            if picture.exhaustive and detection.label not in picture.exhaustive:
                same = boxes_array([item.box for item in picture.boxes if item.label == detection.label])
                if iou_matrix(boxes_array([detection.box]), same).max(initial=0.0) < 0.5:
                    continue
            found.append(
                {
                    "image_id": index,
                    "category_id": numbers[detection.label],
                    "bbox": _xywh(detection.box),
                    "score": detection.score,
                }
            )
    images = [
        {"id": index, "width": picture.size[0], "height": picture.size[1], "file_name": picture.path.name}
        for index, picture in enumerate(pictures, start=1)
    ]
    categories = [{"id": number, "name": label} for label, number in numbers.items()]
    return {"info": {}, "images": images, "annotations": truth, "categories": categories}, found


def _truth(number: int, image: int, category: int, box: Any) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": _xywh(box),
        "area": box.area,
        "iscrowd": 0,
    }


def _xywh(box: Any) -> list[float]:
    return [box.left, box.top, box.width, box.height]
