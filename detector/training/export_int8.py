"""An int8 variant of an exported model, made only if it still finds what the original finds.

Static quantisation of Conv, Gemm and MatMul alone: quantising the rest has collapsed all scores to zero in the field
(onnxruntime#14233). The box decoding at the end stays in float: its grid coordinates do not fit 8 bits.

The first two convolutions and the last ones of each branch stay in float too, and the ranges are averaged over the
pictures instead of taken from the most extreme one. On the val pictures of street-14 2026.11 at 448 px (fp32: mean AP50
0.495) that gave 0.487, and 2 labels that lose more than MAX_LOSS; with everything quantised 0.455 and 14 labels;
with one convolution in float and ranges from the extremes 0.481 and 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from detector.core.frame import Image
from detector.errors import BundleError
from detector.inference.yolo import YoloDetector
from detector.training.evaluation.measure import measure
from detector.training.evaluation.predict import predict, read_picture
from detector.training.labelled import LabelledPicture
from detector.training.partial_sets import merged_pictures, read_merged

QUANTISED = ("Conv", "Gemm", "MatMul")
FIRST = 2
_LEAVES = re.compile(r"dfl|/(one2one_)?cv[23]\.\d+\.2/Conv$", re.IGNORECASE)  # last of ultralytics' detection branches
MAX_LOSS = 0.02
"""AP50 that a label may lose, 0..1."""
COLLAPSED = 0.5
"""A label that keeps less than this share of its AP50 has collapsed, whatever the absolute loss."""


@dataclass(frozen=True, slots=True)
class Int8Loss:
    """What quantisation cost one label; AP50 in 0..1."""

    label: str
    before: float
    after: float


class _Pictures(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime is untyped
    def __init__(self, detector: YoloDetector, images: Sequence[Image], name: str) -> None:
        self._tensors: Iterator[Any] = ({name: detector.tensor(image)} for image in images)

    def get_next(self) -> Any:
        return next(self._tensors, None)


def quantise(source: Path, target: Path, detector: YoloDetector, images: Sequence[Image]) -> None:
    """Write `source` (fp32 ONNX) with int8 weights and activations to `target`.

    `detector` runs the same model and lays out the pictures; `images` are (H, W, 3) uint8 BGR training pictures, a
    hundred or more, that show what the model will see: the ranges of its activations are measured on them.
    Raises BundleError without pictures.
    """
    if not images:
        raise BundleError(f"{source}: no pictures to calibrate int8 with")
    prepared = target.with_suffix(".prepared.onnx")
    target.parent.mkdir(parents=True, exist_ok=True)
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    model = onnx.load(str(prepared))
    kept = kept_in_float(model)
    quantize_static(
        str(prepared), str(target), _Pictures(detector, images, model.graph.input[0].name),
        quant_format=QuantFormat.QDQ, op_types_to_quantize=list(QUANTISED), nodes_to_exclude=kept, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
        extra_options={"CalibMovingAverage": True},
    )  # fmt: skip
    prepared.unlink()


def kept_in_float(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes that must not be quantised: where the picture enters and where boxes and scores leave."""
    first = [node.name for node in model.graph.node if node.op_type == "Conv"][:FIRST]
    return [*first, *(node.name for node in model.graph.node if _LEAVES.search(node.name))]


def losses(before: Mapping[str, float], after: Mapping[str, float]) -> tuple[Int8Loss, ...]:
    """The labels that lost too much between two measurements (label -> AP50 on the same pictures), worst first."""
    found = [Int8Loss(label, value, after.get(label, 0.0)) for label, value in before.items()]
    bad = [one for one in found if one.before - one.after > MAX_LOSS or one.after < COLLAPSED * one.before]
    return tuple(sorted(bad, key=lambda one: one.after - one.before))


def refuse_lossy(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Raise BundleError, naming each label, when int8 costs more than MAX_LOSS of AP50 or a label collapsed.

    Returns what the most expensive label costs, in words. Nothing measured is refused too.
    """
    if not before:
        raise BundleError("the pictures to check int8 on annotate no label of the model")
    if bad := losses(before, after):
        said = ", ".join(f"{one.label} {one.before:.3f} -> {one.after:.3f}" for one in bad)
        raise BundleError(f"int8 loses too much AP50 (at most {MAX_LOSS} is allowed): {said}; ship fp16 instead")
    worst = max(before, key=lambda label: before[label] - after[label])
    return f"int8 costs most on {worst}: AP50 {before[worst]:.3f} -> {after[worst]:.3f} ({len(before)} labels measured)"


def ap50_of(detector: YoloDetector, pictures: Sequence[LabelledPicture]) -> dict[str, float]:
    """Label -> AP50 on labelled pictures, by the code of `detector evaluate`."""
    found = predict(detector, pictures)
    result = measure(pictures, found, detector.labels, split="val", samples=0, slices=False)
    return {label: figures.ap50 for label, figures in result.labels.items() if figures.known}


def calibration_images(data: Path, count: int, seed: int) -> list[Image]:
    """`count` training pictures of a merged dataset (data.yaml), drawn at random; DatasetError on a broken one."""
    files = merged_pictures(read_merged(data), "train")
    chosen = np.random.default_rng(seed).permutation(len(files))[:count]
    return [read_picture(files[index]) for index in chosen]
