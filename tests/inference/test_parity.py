"""The same boxes as the trainer's own prediction, on real pictures."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detector.core.detection import BoundingBox, Detection
from detector.inference.bundle import Bundle
from detector.inference.letterbox import fit
from detector.inference.onnx import OnnxDetector
from detector.inference.open import open_detector
from detector.inference.yolo import Limits

needs_ultralytics = pytest.mark.skipif(
    importlib.util.find_spec("ultralytics") is None,
    reason="parity with the trainer cannot be tested: install the extra `train` (ultralytics)",
)
MIN_SCORE, IOU = 0.1, 0.7

PREDICT = """
import json, sys
import cv2
from ultralytics import YOLO
model, size, min_score, iou, *pictures = sys.argv[1:]
yolo = YOLO(model, task="detect")
out = []
for picture in pictures:
    image = cv2.imread(picture)
    boxes = yolo.predict(
        image, imgsz=int(size), conf=float(min_score), iou=float(iou), device="cpu", verbose=False, save=False
    )[0].boxes
    out.append([boxes.xyxy.tolist(), boxes.conf.tolist(), boxes.cls.tolist()])
print("RESULT" + json.dumps(out))
"""

LETTERBOX = """
import json, sys, zlib
import numpy as np
from ultralytics.data.augment import LetterBox
out = []
for width, height, canvas, auto in json.loads(sys.argv[1]):
    image = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)
    placed = LetterBox((canvas[1], canvas[0]), auto=auto, stride=32)(image=image)
    out.append([list(placed.shape), zlib.crc32(np.ascontiguousarray(placed).tobytes())])
print("RESULT" + json.dumps(out))
"""


def run_apart(script: str, *arguments: str, home: Path) -> Any:
    """Run in a process of its own: the trainer's libraries stay out of this one."""
    environment = os.environ | {
        "YOLO_CONFIG_DIR": str(home),
        "YOLO_AUTOINSTALL": "false",
        "YOLO_OFFLINE": "true",
        "YOLO_VERBOSE": "false",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environment, capture_output=True, text=True, cwd=home
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rpartition("RESULT")[2])


@needs_ultralytics
def test_boxes_equal_those_of_ultralytics(starter: Bundle, pictures: list[Path], tmp_path: Path) -> None:
    theirs = run_apart(
        PREDICT,
        str(starter.path / "model.onnx"),
        "416",
        str(MIN_SCORE),
        str(IOU),
        *map(str, pictures),
        home=tmp_path,
    )
    detector = OnnxDetector(starter, "cpu", limits=Limits(min_score=MIN_SCORE, iou=IOU))
    ours = [detector.detect([cv2.imread(str(picture))])[0] for picture in pictures]
    compared = 0
    for picture, mine, (boxes, scores, classes) in zip(pictures, ours, theirs, strict=True):
        other = [
            Detection(starter.labels[int(index)], BoundingBox(*box), score)
            for box, score, index in zip(boxes, scores, classes, strict=True)
        ]
        compared += match(picture, mine, other)
    assert compared > 100, f"only {compared} boxes compared: these pictures prove nothing"


def match(picture: Path, mine: list[Detection], other: list[Detection]) -> int:
    """Pair the two lists one to one; returns the number of pairs."""
    left = list(other)
    pairs = 0
    for detection in mine:
        twin = max(
            (d for d in left if d.label == detection.label), key=lambda d: d.box.iou(detection.box), default=None
        )
        if twin is None or twin.box.iou(detection.box) < 0.99:
            assert detection.score <= MIN_SCORE + 1e-3, f"{picture}: only we found {detection}"
            continue
        assert abs(twin.score - detection.score) <= 1e-3, f"{picture}: {detection} against {twin}"
        left.remove(twin)
        pairs += 1
    for detection in left:
        assert detection.score <= MIN_SCORE + 1e-3, f"{picture}: only ultralytics found {detection}"
    return pairs


@needs_ultralytics
def test_letterboxed_pixels_equal_those_of_ultralytics(tmp_path: Path) -> None:
    source = np.random.default_rng(5)
    cases = [
        (int(width), int(height), canvas, auto)
        for width, height in [*source.integers(1, 900, (40, 2)), (1920, 1080), (1000, 3), (640, 640), (77, 641)]
        for canvas in ((640, 640), (416, 416), (640, 384))
        for auto in (False, True)
    ]
    theirs = run_apart(LETTERBOX, json.dumps(cases), home=tmp_path)
    import zlib

    for (width, height, canvas, auto), (shape, checksum) in zip(cases, theirs, strict=True):
        image = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)
        placed = fit((width, height), canvas, stride=32 if auto else None).apply(image)
        assert list(placed.shape) == shape, (width, height, canvas, auto)
        assert zlib.crc32(placed.tobytes()) == checksum, (width, height, canvas, auto)


def test_yolo_v5_layout_equals_a_plain_reading(coco: Bundle, pictures: list[Path]) -> None:
    detector = OnnxDetector(coco, "cpu", limits=Limits(min_score=0.25, iou=0.45))
    compared = 0
    for picture in pictures[::3]:
        image = cv2.imread(str(picture))
        mine = detector.detect([image])[0]
        expected = plain_v5(detector.raw(image), image.shape[:2], 0.25, 0.45)
        assert len(mine) == len(expected), picture
        for detection, (box, score, index) in zip(mine, expected, strict=True):
            assert detection.label == f"class_{index}"
            assert abs(detection.score - score) < 1e-5
            assert detection.box.iou(box) > 0.999
            compared += 1
    assert compared > 30


def plain_v5(
    raw: np.ndarray, size: tuple[int, int], min_score: float, iou: float
) -> list[tuple[BoundingBox, float, int]]:
    """One box at a time, on a 640 pixel square canvas, in double precision."""
    ratio = min(640 / size[0], 640 / size[1])
    pad_x = round((640 - round(size[1] * ratio)) / 2 - 0.1)
    pad_y = round((640 - round(size[0] * ratio)) / 2 - 0.1)
    ratio_x, ratio_y = round(size[1] * ratio) / size[1], round(size[0] * ratio) / size[0]
    found: list[tuple[BoundingBox, float, int]] = []
    for x, y, width, height, objectness, *classes in raw.astype(np.float64).tolist():
        if objectness <= min_score:
            continue
        index = max(range(len(classes)), key=classes.__getitem__)
        if objectness * classes[index] > min_score:
            corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            found.append((BoundingBox(*corners), objectness * classes[index], index))
    found.sort(key=lambda entry: -entry[1])
    kept: list[tuple[BoundingBox, float, int]] = []
    for box, score, index in found:
        if all(other[2] != index or other[0].iou(box) <= iou for other in kept):
            kept.append((box, score, index))
    height, width = size
    return [
        (
            BoundingBox(
                min(max((box.left - pad_x) / ratio_x, 0), width),
                min(max((box.top - pad_y) / ratio_y, 0), height),
                min(max((box.right - pad_x) / ratio_x, 0), width),
                min(max((box.bottom - pad_y) / ratio_y, 0), height),
            ),
            score,
            index,
        )
        for box, score, index in kept
    ]


@pytest.mark.parametrize(
    ("name", "least_iou"),
    [
        ("starter", 0.98),
        ("coco", 0.8),  # its last layers are fp16: onnxruntime rounds boxes to a quarter pixel, OpenVINO does not
    ],
)
def test_openvino_finds_what_onnxruntime_finds(
    name: str, least_iou: float, request: pytest.FixtureRequest, pictures: list[Path]
) -> None:
    pytest.importorskip("openvino")
    bundle: Bundle = request.getfixturevalue(name)
    limits = Limits(min_score=MIN_SCORE, iou=IOU)
    first = open_detector(bundle.path, provider="cpu", threads=1, limits=limits)
    second = open_detector(bundle.path, "openvino", provider="cpu", threads=1, limits=limits)
    pairs = 0
    for picture in pictures[::4]:
        image = cv2.imread(str(picture))
        mine, other = second.detect([image])[0], first.detect([image])[0]
        strong = [d for d in other if d.score > MIN_SCORE + 0.02]
        for detection in strong:
            twin = max(
                (d for d in mine if d.label == detection.label), key=lambda d: d.box.iou(detection.box), default=None
            )
            if twin is not None and twin.box.iou(detection.box) > least_iou:
                assert abs(twin.score - detection.score) < 0.02
                pairs += 1
            else:
                pytest.fail(f"{picture}: OpenVINO does not find {detection}")
    assert pairs > 10
