"""The exported file in the runtime against the network in torch, on validation pictures.

The reference shares no code with the runtime: pictures are laid out, boxes decoded, thinned out and carried back by
ultralytics itself. So a difference in the file, in the letterbox or in the suppression shows alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from ultralytics.data.augment import LetterBox
from ultralytics.utils.nms import non_max_suppression
from ultralytics.utils.ops import scale_boxes

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.errors import DatasetError
from detector.inference.bundle import Bundle
from detector.inference.open import BACKENDS
from detector.inference.yolo import Limits
from detector.training.evaluation.predict import read_picture
from detector.training.export import SMALLEST_HALVED
from detector.training.parity import SCORE_TOLERANCE, ParityCheck, ParityReport, compare_anchors, compare_boxes
from detector.training.partial_sets import merged_pictures, read_merged

FloatArray = NDArray[np.float32]
PICTURES = 64
FEW_BOXES = 20
"""With fewer boxes than this the comparison goes on at a lower score: a network in training is sure of nothing."""
SCORES = (0.1, 0.01, 0.001)


def check_pictures(data: Path, count: int = PICTURES, seed: int = 0) -> list[Image]:
    """`count` validation pictures of a merged dataset (data.yaml), drawn at random from all its sets.

    Raises DatasetError when it has none.
    """
    files = merged_pictures(read_merged(data), "val")
    if not files:
        raise DatasetError(f"{data}: no validation pictures; the exported file cannot be compared with the network")
    chosen = np.random.default_rng(seed).permutation(len(files))[:count]
    return [read_picture(files[index]) for index in sorted(chosen)]


@dataclass(frozen=True, slots=True)
class Answers:
    """What one side says about each picture: before suppression (4 + labels, anchors), and the boxes that are left."""

    raw: list[FloatArray]  # cx cy w h in pixels of the canvas, scores 0..1
    boxes: list[list[Detection]]


def measure_parity(
    network: torch.nn.Module,
    labels: Sequence[str],
    full: Bundle,
    shipped: Bundle,
    images: Sequence[Image],
    size: int,
    notes: Sequence[str] = (),
) -> ParityReport:
    """Compare `full` (fp32) with `network`, and `shipped` with what it should be, on (H, W, 3) uint8 BGR pictures.

    Everything above the score is compared twice: anchor by anchor before suppression, and the boxes that are left
    after it. A network in training is sure of nothing and gives hundreds of equal scores, which suppression settles by
    the last digit; the second comparison decides only where FEW_BOXES are above SCORES[0].

    A file of fp16 weights is compared with the network whose weights are rounded alike, which shows that the file is
    right; what the rounding itself moves is told and does not decide, as AP tells what it costs. For int8 only
    `full` is compared. `size`: side of the canvas, pixels.
    """
    fused = _fused(network)
    min_score, wanted = SCORES[0], Answers([], [])
    for min_score in SCORES:
        wanted = torch_answers(fused, labels, images, size, min_score)
        if sum(map(len, wanted.boxes)) >= FEW_BOXES:
            break
    tolerance = SCORE_TOLERANCE * min_score / SCORES[0]  # small scores differ by little even between two networks
    checks: list[ParityCheck] = []

    def compare(
        what: str, bundle: Bundle, reference: Answers, backend: str = "onnxruntime", judged: bool = True
    ) -> None:
        found = runtime_answers(bundle, images, size, min_score, backend)
        raw = compare_anchors(reference.raw, found.raw, min_score, tolerance)
        left = compare_boxes(reference.boxes, found.boxes, min_score, tolerance)
        checks.append(ParityCheck(f"{what}, before suppression", judged, raw))
        checks.append(ParityCheck(what, judged and min_score == SCORES[0], left))

    compare("fp32 file against the network", full, wanted)
    if with_openvino := find_spec("openvino") is not None:
        compare("fp32 file in OpenVINO against the network", full, wanted, "openvino")
    if shipped.manifest.precision == "fp16":
        rounded = torch_answers(_halved(fused), labels, images, size, min_score)
        compare("fp16 file against the network with its weights rounded", shipped, rounded)
        compare("fp16 file against the network", shipped, wanted, judged=False)
    return ParityReport(
        model=shipped.manifest.sha256,
        precision=shipped.manifest.precision,
        pictures=len(images),
        size=size,
        min_score=min_score,
        checks=tuple(checks),
        notes=(*notes, *(() if with_openvino else ("OpenVINO is not installed: not compared",))),
    )


def runtime_answers(
    bundle: Bundle, images: Sequence[Image], size: int, min_score: float, backend: str = "onnxruntime"
) -> Answers:
    """What the worker's code says about each picture, one at a time."""
    limits = Limits(min_score=min_score)
    detector = BACKENDS[backend](bundle, provider="cpu", threads=0, input_size=(size, size), limits=limits)
    return Answers([detector.raw(image) for image in images], [detector.detect([image])[0] for image in images])


def torch_answers(
    network: torch.nn.Module, labels: Sequence[str], images: Sequence[Image], size: int, min_score: float
) -> Answers:
    """What ultralytics says about each picture with `network`, by its own letterbox, suppression and scaling."""
    limits = Limits(min_score=min_score)
    letterbox = LetterBox((size, size), auto=True, stride=32)
    answers = Answers([], [])
    for image in images:
        canvas = letterbox(image=image)
        tensor = torch.from_numpy(np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1))).float()[None] / 255
        with torch.inference_mode():
            output = network(tensor)
        output = output[0] if isinstance(output, (list, tuple)) else output
        answers.raw.append(output[0].numpy().copy())
        rows = non_max_suppression(output, min_score, limits.iou, max_det=limits.max_boxes)[0]
        rows[:, :4] = scale_boxes(tensor.shape[2:], rows[:, :4], image.shape)
        answers.boxes.append([Detection(labels[int(row[5])], BoundingBox(*row[:4]), row[4]) for row in rows.tolist()])
    return answers


def _fused(network: torch.nn.Module) -> torch.nn.Module:
    """A copy as it is exported: float32, batch normalisation folded into the convolutions."""
    copy = deepcopy(network).float().cpu().eval()
    return copy.fuse(verbose=False) if hasattr(copy, "fuse") else copy  # type: ignore[operator]


def _halved(network: torch.nn.Module) -> torch.nn.Module:
    """A copy with the weights that `halve_weights` rounds rounded to float16."""
    copy = deepcopy(network)
    with torch.no_grad():
        for parameter in copy.parameters():
            if parameter.numel() >= SMALLEST_HALVED:
                parameter.copy_(parameter.half().float())
    return copy
