"""What the way around the network costs: letterbox, tensor, decode, suppression, against session.run alone."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from _pictures import street_pictures
from _timing import in_turns

from detector.errors import ConfigError
from detector.inference.bundle import Bundle, LabelEntry, Layout, load_bundle
from detector.inference.decode import decode
from detector.inference.onnx import OnnxDetector
from detector.inference.open import open_detector
from detector.inference.seal import seal
from detector.inference.yolo import YoloDetector

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("STREET_SHARED", ROOT.parent / "shared"))
THREADS = 1
ROUNDS = 60


def bundles(folder: Path) -> dict[str, Bundle]:
    """Every bundle of models/, and a COCO network of 640 pixels where the shared weights are present."""
    found = {path.parent.name: load_bundle(path.parent) for path in sorted(ROOT.glob("models/*/manifest.json"))}
    coco = SHARED / "weights" / "yolov5n-coco.onnx"
    if coco.is_file():
        labels = [LabelEntry(name=f"class_{index}") for index in range(80)]
        found["yolov5n-coco"] = seal(
            coco,
            folder / "coco",
            name="coco",
            version="0",
            created=datetime.now(UTC),
            licence="AGPL-3.0-only",
            labels=labels,
        )
    return found


def measure() -> dict[str, Any]:
    """One row for each model."""
    cv2.setNumThreads(THREADS)
    images = street_pictures()
    rows: list[list[Any]] = []
    ratios: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, bundle in bundles(Path(folder)).items():
            detector = OnnxDetector(bundle, "cpu", THREADS)
            tensors = [detector.tensor(image) for image in images]
            outputs = [detector.raw(image) for image in images]
            layout = bundle.manifest.output.layout
            # only the two that are compared take turns: a third would leave its data in the caches of the first
            taken = in_turns({"bare": _bare(bundle, tensors), "ours": _detecting(detector, images)}, ROUNDS)
            taken |= in_turns({"decode": _decoding(outputs, layout)}, ROUNDS)
            with contextlib.suppress(ConfigError):
                second = open_detector(bundle.path, "openvino", threads=THREADS)
                taken |= in_turns({"openvino": _detecting(second, images)}, ROUNDS)
            size = "x".join(str(side) for side in detector.input_size)
            rows.append([name, size, taken["bare"], taken["ours"], taken["decode"], taken.get("openvino")])
            ratio = taken["bare"] / taken["ours"]
            ratios.append(
                {
                    "name": f"{name}: pictures/s of the detector against session.run",
                    "ratio": ratio,
                    "target": ">= 0.9",
                    "holds": ratio >= 0.9,
                }
            )
    return {
        "title": "Inference",
        "about": f"1080p pictures to detections, one at a time, {THREADS} thread, in turns with onnxruntime's "
        "session.run on the same tensors; medians of "
        f"{ROUNDS} rounds. `decode` is part of `detector`.",
        "columns": ["model", "input", "session.run, ms", "detector, ms", "decode, ms", "detector on OpenVINO, ms"],
        "rows": rows,
        "ratios": ratios,
    }


def _detecting(detector: YoloDetector, images: list[np.ndarray]) -> Callable[[int], Any]:
    return lambda number: detector.detect([images[number % len(images)]])


def _decoding(outputs: list[np.ndarray], layout: Layout) -> Callable[[int], Any]:
    return lambda number: decode(outputs[number % len(outputs)], layout, min_score=0.1)


def _bare(bundle: Bundle, tensors: list[np.ndarray]) -> Callable[[int], Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(bundle.model_bytes(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda number: session.run(None, {name: tensors[number % len(tensors)]})


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
