"""Where faces and number plates may be in a picture: two small networks that find and cannot tell whose they are.

Weights and their licences: weights/README.md. Both are looked for at low scores on purpose: a pattern blurred in vain
costs little, a face left costs a person's privacy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from detector.core.detection import BoundingBox
from detector.core.frame import Image
from detector.errors import EvidenceError

WEIGHTS = {
    "faces.onnx": "32052603e83fe3ef0afbf9e581de71c322b648ae81dabd37bf8f01d1f4822bce",
    "plates.onnx": "c67ef42a7172656501d961f3f93531018c0b7b0c0fc9629a5204be7c7dada946",
}

Found = NDArray[np.float32]  # (N, 5): left, top, right, bottom in pixels, score 0..1


def load(name: str, threads: int) -> Any:
    """An onnxruntime session of weights `name`. Raises EvidenceError when they are missing, altered or do not load."""
    source = resources.files("detector.evidence").joinpath("weights", name)
    try:
        content = source.read_bytes()
    except OSError as error:
        raise EvidenceError(
            f"redaction weights {source} cannot be read ({error}); install the product again"
        ) from error
    if hashlib.sha256(content).hexdigest() != WEIGHTS[name]:
        raise EvidenceError(f"redaction weights {source} are not the ones shipped; install the product again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Pictures of all sizes pass, seldom: onnxruntime's arena would keep the largest run's memory for good (1.3 GB).
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise EvidenceError(f"redaction weights {source} cannot be loaded: {error}") from error


class FaceFinder:
    """CenterFace (Xu et al. 2019): a heat map with one peak a face, four pixels a cell."""

    def __init__(self, *, min_score: float = 0.2, threads: int = 1) -> None:
        """`min_score`: of a face, 0..1. Raises EvidenceError when the weights cannot be used."""
        self._session = load("faces.onnx", threads)
        self._min_score = min_score

    def find(self, image: Image) -> list[BoundingBox]:
        """Boxes of possible faces in (H, W, 3) uint8 BGR `image`.

        Small pictures are looked at as they are and doubled, since faces under about ten pixels are missed
        otherwise; large ones reduced as a whole, for near faces, and window by window for far ones.
        """
        longest = max(image.shape[:2])
        if longest <= 960:
            found = [self._at_scale(image, scale) for scale in (1.0, 2.0)]
        else:
            found = [self._at_scale(image, 960 / longest)]
            sharpest = min(1.0, 2560 / longest)
            for left, top, right, bottom in _windows(image.shape[1], image.shape[0], sharpest):
                part = self._at_scale(image[top:bottom, left:right], sharpest)
                found.append(part + np.array([left, top, left, top, 0], np.float32))
        return _boxes(_distinct(np.concatenate(found), 0.3))

    def _at_scale(self, image: Image, scale: float) -> Found:
        height, width = image.shape[:2]
        # sides must be multiples of 32; the picture is stretched to them, by less than that
        canvas_width, canvas_height = (max(32, int(np.ceil(side * scale / 32)) * 32) for side in (width, height))
        picture = cv2.resize(image, (canvas_width, canvas_height), interpolation=cv2.INTER_LINEAR)
        heat, size, offset = self._session.run(None, {"input.1": _tensor(picture)})
        rows, columns = np.nonzero(heat[0, 0] > self._min_score)
        half_height, half_width = np.exp(size[0][:, rows, columns]) * 2  # sizes are logarithms of cells
        x = (columns + offset[0, 1, rows, columns] + 0.5) * 4
        y = (rows + offset[0, 0, rows, columns] + 0.5) * 4
        back_x, back_y = width / canvas_width, height / canvas_height
        return np.stack(
            [
                (x - half_width) * back_x,
                (y - half_height) * back_y,
                (x + half_width) * back_x,
                (y + half_height) * back_y,
                heat[0, 0, rows, columns],
            ],
            axis=1,
        ).astype(np.float32)


class PlateFinder:
    """A RetinaFace-like network for Chinese number plates: two square anchors a cell on three grids."""

    _GRIDS = ((8, (24, 48)), (16, (96, 192)), (32, (384, 768)))  # pixels a cell, sides of the anchors
    _MEAN = np.array([104, 117, 123], np.float32)

    def __init__(self, *, min_score: float = 0.4, min_score_on_vehicle: float = 0.1, threads: int = 1) -> None:
        """`min_score`: anywhere; `min_score_on_vehicle`: within the box of a vehicle, 0..1.

        Raises EvidenceError when the weights cannot be used.
        """
        self._session = load("plates.onnx", threads)
        self._min_score = min_score
        self._min_score_on_vehicle = min_score_on_vehicle

    def find(self, image: Image, vehicles: Sequence[BoundingBox] = ()) -> list[BoundingBox]:
        """Boxes of possible plates in (H, W, 3) uint8 BGR `image`; each of `vehicles` is also looked at enlarged."""
        height, width = image.shape[:2]
        longest = max(height, width)
        found = [self._at_scale(image, min(2.0, 1920 / longest), self._min_score)]
        for box in vehicles:
            left, top = max(0, int(box.left) - 4), max(0, int(box.top) - 4)
            crop = image[top : int(box.bottom) + 5, left : int(box.right) + 5]
            if not crop.size:
                continue
            scale = 640 / max(crop.shape[:2])
            inside = self._at_scale(crop, scale, self._min_score_on_vehicle)
            found.append(inside + np.array([left, top, left, top, 0], np.float32))
        return _boxes(_distinct(np.concatenate(found), 0.4))

    def _at_scale(self, image: Image, scale: float, min_score: float) -> Found:
        size = max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale))
        picture = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
        offsets, scores = self._session.run(None, {"image": _tensor(picture, self._MEAN)})
        hopeful = np.flatnonzero(scores[0, :, 1] > min_score)
        anchors = self._anchors(*size)[hopeful]
        shift = offsets[0, hopeful]
        # SSD's encoding with its customary variances 0.1 and 0.2
        centre = anchors[:, :2] + shift[:, :2] * 0.1 * anchors[:, 2:]
        half = anchors[:, 2:] * np.exp(shift[:, 2:] * 0.2) / 2
        back = np.array([image.shape[1] / size[0], image.shape[0] / size[1]] * 2)
        corners = np.concatenate([centre - half, centre + half], axis=1) * back
        return np.concatenate([corners, scores[0, hopeful, 1:2]], axis=1).astype(np.float32)

    def _anchors(self, width: int, height: int) -> NDArray[np.float64]:
        """(N, 4): centre x, centre y, side, side of every anchor, pixels, in the order of the outputs."""
        parts = []
        for step, sides in self._GRIDS:
            y, x = np.mgrid[: -(-height // step), : -(-width // step)]
            centres = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * step
            sizes = np.array([[side, side] for side in sides] * len(centres))
            parts.append(np.concatenate([np.repeat(centres, len(sides), axis=0), sizes], axis=1))
        return np.concatenate(parts)


def _windows(width: int, height: int, scale: float) -> list[tuple[int, int, int, int]]:
    """Overlapping windows over a picture: left, top, right, bottom in its pixels.

    Scaled, a window has at most 1088 pixels a side (one pass over 1920 x 1080 in one piece takes 400 MB for a moment),
    and neighbours share 128: a face of up to that size lies whole in one of them.
    """
    side, shared = int(1088 / scale), int(128 / scale)

    def starts(length: int) -> list[int]:
        count = max(1, -(-(length - shared) // (side - shared)))
        return [round(index * max(0, length - side) / max(1, count - 1)) for index in range(count)]

    return [
        (left, top, min(left + side, width), min(top + side, height))
        for top in starts(height)
        for left in starts(width)
    ]


def _tensor(picture: NDArray[Any], mean: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    values = picture.astype(np.float32)
    if mean is not None:
        values -= mean
    return np.ascontiguousarray(values.transpose(2, 0, 1))[None]


def _distinct(found: Found, iou: float) -> Found:
    """Drop boxes that overlap a better one by more than `iou`."""
    kept: list[int] = []
    order = np.argsort(-found[:, 4], kind="stable")
    area = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    while order.size:
        best, order = int(order[0]), order[1:]
        kept.append(best)
        width = np.minimum(found[best, 2], found[order, 2]) - np.maximum(found[best, 0], found[order, 0])
        height = np.minimum(found[best, 3], found[order, 3]) - np.maximum(found[best, 1], found[order, 1])
        both = np.maximum(width, 0) * np.maximum(height, 0)
        order = order[both <= iou * (area[best] + area[order] - both)]
    return found[kept]


def _boxes(found: Found) -> list[BoundingBox]:
    return [BoundingBox(*corners) for corners in found[:, :4].tolist()]
