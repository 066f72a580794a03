"""What the way around the network costs: letterbox, tensor, decode, suppression, against session.run alone."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

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


def pictures() -> list[np.ndarray]:
    """1080p street pictures: real ones enlarged where there are any, else noise (which gives few boxes)."""
    files = sorted((SHARED / "data" / "cctv-vn" / "images" / "val").glob("*"))[:8]
    read = [image for file in files if (image := cv2.imread(str(file))) is not None]
    if not read:
        return [np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)]
    return [cv2.resize(image, (1920, 1080)) for image in read]


def in_turns(jobs: dict[str, Callable[[int], Any]]) -> dict[str, float]:
    """Median milliseconds of each job; jobs take turns, so that what else the machine does hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(ROUNDS + 3):
        for name, job in jobs.items():
            started = time.perf_counter()
            job(number)
            if number >= 3:
                taken[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


def measure() -> dict[str, Any]:
    """One row for each model."""
    cv2.setNumThreads(THREADS)
    images = pictures()
    rows: list[list[Any]] = []
    ratios: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, bundle in bundles(Path(folder)).items():
            detector = OnnxDetector(bundle, "cpu", THREADS)
            tensors = [detector.tensor(image) for image in images]
            outputs = [detector.raw(image) for image in images]
            layout = bundle.manifest.output.layout
            # only the two that are compared take turns: a third would leave its data in the caches of the first
            taken = in_turns({"bare": _bare(bundle, tensors), "ours": _detecting(detector, images)})
            taken |= in_turns({"decode": _decoding(outputs, layout)})
            with contextlib.suppress(ConfigError):
                second = open_detector(bundle.path, "openvino", threads=THREADS)
                taken |= in_turns({"openvino": _detecting(second, images)})
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
