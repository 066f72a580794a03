"""What each runtime and arithmetic costs the shipped model, in time and in AP, at several input sizes.

Needs labelled pictures beside the repository for AP and for int8, which is calibrated on training pictures; without
them only the float variants are timed. STREET_BENCH_PICTURES=100 measures AP on that many val pictures, to try it.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from _pictures import street_pictures
from _timing import in_turns
from onnx import TensorProto, numpy_helper

from detector.inference.bundle import Bundle, load_bundle
from detector.inference.onnx import OnnxDetector
from detector.inference.openvino import OpenVinoNetwork
from detector.inference.seal import seal
from detector.inference.yolo import Limits, YoloDetector
from detector.training.evaluation.predict import read_picture
from detector.training.export_int8 import MAX_LOSS, ap50_of, losses, quantise
from detector.training.labelled import LabelledPicture
from detector.training.reading import read_set

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("STREET_SHARED", ROOT.parent / "shared")) / "data"
MODEL = ROOT / "models" / "street-14"
SIZES = (320, 608, 640)
THREADS = 1
ROUNDS = 60
CALIBRATION = 200
LIMITS = Limits(min_score=0.001, multi_label=True)
"""As `detector evaluate` takes AP."""
BASE = "onnxruntime fp32"

Detectors = dict[str, YoloDetector]
AP = dict[str, float]


def widened(source: Path, target: Path) -> Path:
    """`source` with its float16 weights stored as float32: the same numbers, the Cast nodes gone."""
    model = onnx.load(str(source))
    graph = model.graph
    halves = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    for node in [node for node in graph.node if node.op_type == "Cast" and node.input[0] in halves]:
        values = numpy_helper.to_array(halves[node.input[0]]).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        graph.initializer.remove(halves[node.input[0]])
        graph.node.remove(node)
    onnx.save(model, str(target))
    return target


def sealed(file: Path, folder: Path, shipped: Bundle, precision: Any) -> Bundle:
    """`file` as a bundle with the labels of the shipped one."""
    manifest = shipped.manifest
    return seal(
        file, folder, name=manifest.name, version=manifest.version, created=manifest.created, labels=manifest.labels,
        licence=manifest.licence, layout=manifest.output.layout, precision=precision,
        nominal_size=(manifest.input.width, manifest.input.height),
    )  # fmt: skip


def detectors(shipped: Bundle, size: int, folder: Path, train: Sequence[Path]) -> Detectors:
    """Every variant at one size, by name."""
    canvas: dict[str, Any] = {"input_size": (size, size), "limits": LIMITS}
    full = sealed(widened(shipped.path / shipped.manifest.file, folder / "fp32.onnx"), folder / "fp32", shipped, "fp32")
    found: Detectors = {BASE: OnnxDetector(full, "cpu", THREADS, **canvas)}
    if shipped.manifest.precision == "fp16":
        found["onnxruntime fp16 weights"] = OnnxDetector(shipped, "cpu", THREADS, **canvas)
    found["OpenVINO fp32"] = _openvino(full, canvas)
    found["OpenVINO bf16"] = _openvino(full, canvas, "bf16")
    if train:
        images = [read_picture(path) for path in train]
        quantise(full.path / full.manifest.file, folder / "int8.onnx", found[BASE], images)
        small = sealed(folder / "int8.onnx", folder / "int8", shipped, "int8")
        found["onnxruntime int8"] = OnnxDetector(small, "cpu", THREADS, **canvas)
        found["OpenVINO int8"] = _openvino(small, canvas)
    return found


def _openvino(bundle: Bundle, canvas: Mapping[str, Any], precision: Any = "f32") -> YoloDetector:
    network = OpenVinoNetwork(bundle.model_bytes(), "cpu", THREADS, precision=precision)
    return YoloDetector(bundle, network, **canvas)


def sets(split: str) -> list[LabelledPicture]:
    """The labelled pictures of one split of all sets that are there."""
    return [picture for path in sorted(SHARED.glob("*/data.yaml")) for picture in read_set(path, [split]).pictures]


def drawn(items: Sequence[Any], count: int) -> list[Any]:
    """`count` of them at random, in their order, the same ones every time."""
    order = np.random.default_rng(0).permutation(len(items))[:count]
    return [items[index] for index in sorted(order)]


def judged(name: str, base: AP, found: AP) -> list[Any]:
    """Mean AP50, the label that lost most against fp32 at the same size, and what the gate of the export says."""
    if not base:
        return ["not measured", "not measured", "not measured"]
    mean = statistics.mean(found.values())
    if name == BASE:
        return [mean, "", ""]
    worst = max(base, key=lambda label: base[label] - found[label])
    bad = losses(base, found)
    said = ", ".join(f"{one.label} {one.before:.3f} -> {one.after:.3f}" for one in bad[:3])
    said += f" and {len(bad) - 3} more" if len(bad) > 3 else ""
    return [mean, f"{worst} {found[worst] - base[worst]:+.3f}", f"refused: {said}" if bad else "passes"]


def measure() -> dict[str, Any]:
    """One row for each size and runtime."""
    cv2.setNumThreads(THREADS)
    shipped, images = load_bundle(MODEL), street_pictures()
    val, train = sets("val"), [picture.path for picture in sets("train")]
    few = int(os.environ.get("STREET_BENCH_PICTURES", "0"))
    val = drawn(val, few) if few else val
    rows: list[list[Any]] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            variants = detectors(shipped, size, Path(folder), drawn(train, CALIBRATION))
            taken = in_turns({name: _detecting(one, images) for name, one in variants.items()}, ROUNDS)
            base: AP = {}
            for name, one in variants.items():
                print(f"{size} px, {name}", file=sys.stderr, flush=True)
                found = ap50_of(one, val) if val else {}
                base = base or found
                file = one.bundle.manifest.size_bytes / 1e6
                rows.append([size, name, file, taken[name], taken[BASE] / taken[name], *judged(name, base, found)])
    return {
        "title": "Runtimes and arithmetic of the shipped model",
        "about": f"{shipped.model_version} on 1080p pictures, one at a time, {THREADS} thread, all variants of a size "
        f"in turns, medians of {ROUNDS} rounds, with everything around the network. `speed`: against fp32 in "
        f"onnxruntime at the same size. AP50: mean over the labels, on {len(val)} val pictures of the labelled sets. "
        f"`gate`: what `detector export` allows int8 to cost, at most {MAX_LOSS} of AP50 on any label, said of all.",
        "columns": ["size", "runtime", "file, MB", "ms", "speed", "mean AP50", "label that lost most", "gate"],
        "rows": rows,
        "notes": [
            "fp16 weights are widened to fp32 when the file is loaded; the arithmetic is that of fp32.",
            "bf16 in OpenVINO is not what the worker runs: it asks for fp32, so that scores mean the same everywhere.",
            *(
                [f"int8 is static, Conv, Gemm and MatMul only, calibrated on {CALIBRATION} train pictures."]
                if train
                else []
            ),
            *([f"AP on a sample of {few} pictures only (STREET_BENCH_PICTURES)."] if few else []),
        ],
    }


def _detecting(detector: YoloDetector, images: list[np.ndarray]) -> Callable[[int], Any]:
    return lambda number: detector.detect([images[number % len(images)]])


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
