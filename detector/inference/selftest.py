"""Does a freshly loaded model do what it did when it was sealed?"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.errors import BundleError
from detector.inference.yolo import YoloDetector

SCORE_TOLERANCE = 0.1  # fp16 and int8 providers move scores by a few hundredths
LEAST_IOU = 0.8
GOLDEN_MIN_SCORE = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """A picture and what the sealed model found in it at GOLDEN_MIN_SCORE and above."""

    image: Image
    detections: tuple[Detection, ...]


def self_test(detector: YoloDetector) -> None:
    """Run the model once on noise, and on its golden picture when the bundle has one.

    Raises BundleError when the outputs are not finite or the golden boxes are not found again.
    """
    bundle = detector.bundle
    width, height = detector.input_size
    noise = np.random.default_rng(0).integers(0, 256, (height // 2 + 1, width // 2 + 3, 3), np.uint8)
    if not np.isfinite(detector.raw(noise)).all():
        raise BundleError(f"{bundle.path}: self-test failed: the model gives values that are not finite")
    detector.detect([noise])
    content = bundle.golden_bytes()
    if content is not None and bundle.manifest.golden is not None:
        where = bundle.path / bundle.manifest.golden.file
        golden = read_golden(content, bundle.labels, str(where))
        found = detector.detect([golden.image])[0]
        problem = difference(golden.detections, found, detector.limits.min_score)
        if problem:
            raise BundleError(f"{where}: self-test failed on {detector.device}: {problem}")


def difference(expected: Sequence[Detection], found: Sequence[Detection], min_score: float) -> str | None:
    """Say in one line how `found` (limited by `min_score`) is not what was `expected`; None when it is."""
    left = list(found)
    for wanted in expected:
        if wanted.score - SCORE_TOLERANCE <= min_score:
            continue  # may rightly be missing
        match = max(
            (other for other in left if other.label == wanted.label),
            key=lambda other: other.box.iou(wanted.box),
            default=None,
        )
        if match is None or match.box.iou(wanted.box) < LEAST_IOU:
            return f"{wanted.label} with score {wanted.score:.2f} was not found again"
        if abs(match.score - wanted.score) > SCORE_TOLERANCE:
            return f"{wanted.label} has score {match.score:.2f} instead of {wanted.score:.2f}"
        left.remove(match)
    for other in left:
        expected_there = any(
            wanted.label == other.label and wanted.box.iou(other.box) >= LEAST_IOU for wanted in expected
        )
        if other.score > GOLDEN_MIN_SCORE + SCORE_TOLERANCE and not expected_there:
            return f"{other.label} with score {other.score:.2f} was found where nothing was expected"
    return None


def write_golden(golden: Golden, labels: Sequence[str]) -> bytes:
    """The content of golden.npz."""
    boxes = [(d.box.left, d.box.top, d.box.right, d.box.bottom) for d in golden.detections]
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        image=golden.image,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.array([d.score for d in golden.detections], np.float32),
        classes=np.array([labels.index(d.label) for d in golden.detections], np.int64),
    )
    return stream.getvalue()


def read_golden(content: bytes, labels: Sequence[str], where: str = "golden.npz") -> Golden:
    """Read golden.npz. Raises BundleError naming `where` when it is malformed."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            image: NDArray[np.uint8] = arrays["image"]
            detections = tuple(
                Detection(labels[int(index)], BoundingBox(*(float(side) for side in box)), float(score))
                for box, score, index in zip(arrays["boxes"], arrays["scores"], arrays["classes"], strict=True)
            )
    except (ValueError, KeyError, IndexError, TypeError, OSError) as error:
        raise BundleError(f"{where}: not a golden picture: {error}") from error
    return Golden(image, detections)
