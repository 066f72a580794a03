"""What every backend shares: pictures in, tensors through a network, detections out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.errors import BundleError, ConfigError
from detector.inference.bundle import Bundle, shape_problem
from detector.inference.decode import Rows, decode
from detector.inference.letterbox import Letterbox, fit

Tensor = NDArray[Any]
Shape = tuple[int | None, ...]  # None where the size varies

_DTYPES: Mapping[str, DTypeLike] = {
    "float32": np.float32,
    "float16": np.float16,
    "uint8": np.uint8,
    "int8": np.int8,
}


class Network(Protocol):
    """A model as one backend has loaded it."""

    @property
    def input_shape(self) -> Shape:
        """(batch, 3, height, width)."""
        ...

    @property
    def input_dtype(self) -> str:
        """Name of the numpy type it takes."""
        ...

    @property
    def output_shape(self) -> Shape:
        """Shape of its first output."""
        ...

    @property
    def device(self) -> str:
        """What it truly runs on, e.g. `cpu` or `cuda`."""
        ...

    def run(self, tensor: Tensor) -> Tensor:
        """One pass; returns the first output. Raises whatever the backend raises."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Which boxes a detector reports."""

    min_score: float = 0.1  # scores must exceed it, 0..1; the rules judge by their own, higher scores
    iou: float = 0.7  # of two boxes of a label overlapping more than this the weaker goes, 0..1
    max_boxes: int = 300  # per picture
    multi_label: bool = False  # a box may carry several labels, as in the trainer's evaluation

    def __post_init__(self) -> None:
        if not (0 <= self.min_score < 1 and 0 <= self.iou <= 1 and self.max_boxes >= 1):
            raise ConfigError(f"need 0 <= min_score < 1, 0 <= iou <= 1 and max_boxes >= 1, not {self}")


class YoloDetector:
    """A Detector (detector/ports.py) around a network of one of the layouts in bundle.py."""

    def __init__(
        self,
        bundle: Bundle,
        network: Network,
        *,
        input_size: tuple[int, int] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Take `network`, which was loaded from `bundle`.

        `input_size`: (width, height) to use instead of the manifest's, where the network allows it; pixels.
        Raises BundleError when the network is not what the manifest says, ConfigError for an impossible size.
        """
        self.bundle = bundle
        self.limits = limits or Limits()
        self._network = network
        self._dtype = np.dtype(_DTYPES[bundle.manifest.input.dtype])
        _check_network(bundle, network)
        self.input_size = _size_to_use(bundle, network, input_size)

    @property
    def model_version(self) -> str:
        """`name@first-12-digits-of-sha256`."""
        return self.bundle.model_version

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in the order of the model's classes."""
        return self.bundle.labels

    @property
    def device(self) -> str:
        """What the network truly runs on."""
        return self._network.device

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Detect in (H, W, 3) uint8 BGR pictures of any sizes; one list per picture, best score first.

        Pictures that fall on the same canvas share one run where the network takes batches.
        Raises ValueError for an array that is no such picture, BundleError when the network fails.
        """
        boxes = [self._fit(image) for image in images]
        by_canvas: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, box in enumerate(boxes):
            by_canvas[box.canvas].append(index)
        found: list[list[Detection]] = [[] for _ in images]
        for indices in by_canvas.values():
            for part in self._parts(indices):
                outputs = self._outputs([images[i] for i in part], [boxes[i] for i in part])
                for index, output in zip(part, outputs, strict=True):
                    found[index] = self._detections(output, boxes[index])
        return found

    def tensor(self, image: Image) -> Tensor:
        """The network's input made of one picture: (B, 3, height, width), the picture first, the rest zeros."""
        return self._tensor([image], [self._fit(image)])

    def raw(self, image: Image) -> Tensor:
        """The network's output for one picture, float32, without the batch dimension."""
        output: Tensor = self._outputs([image], [self._fit(image)])[0]
        return output

    def _fit(self, image: Image) -> Letterbox:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"a picture is (H, W, 3) uint8, not {image.shape} {image.dtype}")
        entry = self.bundle.manifest.input
        stride = entry.stride if entry.dynamic_size else None
        return fit((image.shape[1], image.shape[0]), self.input_size, stride=stride)

    def _parts(self, indices: list[int]) -> list[list[int]]:
        batch = self._network.input_shape[0]
        if batch is None:
            return [indices]
        return [indices[start : start + batch] for start in range(0, len(indices), batch)]

    def _tensor(self, images: Sequence[Image], places: Sequence[Letterbox]) -> Tensor:
        """Letterbox straight into the network's input: no canvas between, padding filled once."""
        entry = self.bundle.manifest.input
        width, height = places[0].canvas
        tensor = np.empty((self._network.input_shape[0] or len(images), 3, height, width), self._dtype)
        tensor[len(images) :] = 0  # a network of fixed batch; the outputs for these are not read
        for slot, image, place in zip(tensor, images, places, strict=False):
            rows, columns = place.window
            for padding in (
                slot[:, : rows.start],
                slot[:, rows.stop :],
                slot[:, rows, : columns.start],
                slot[:, rows, columns.stop :],
            ):
                if padding.size:
                    padding[:] = _value(entry.fill, self._dtype)
            planes = cv2.split(place.scale(image))
            for channel, plane in enumerate(planes if entry.colour == "bgr" else planes[::-1]):
                _write_plane(np.asarray(plane), slot[channel, rows, columns])
        return tensor

    def _outputs(self, images: Sequence[Image], places: Sequence[Letterbox]) -> Tensor:
        tensor = self._tensor(images, places)
        try:
            output = self._network.run(tensor)
        except Exception as error:
            raise BundleError(f"{self.bundle.path}: model failed on input {tensor.shape}: {error}") from error
        problem = shape_problem(self.bundle.manifest.output.layout, output.shape, len(self.labels))
        if problem or len(output) != len(tensor):
            raise BundleError(f"{self.bundle.path}: output {output.shape} for input {tensor.shape}: {problem}")
        return output[: len(images)].astype(np.float32, copy=False)

    def _detections(self, output: Tensor, place: Letterbox) -> list[Detection]:
        limits = self.limits
        rows: Rows = decode(
            output,
            self.bundle.manifest.output.layout,
            min_score=limits.min_score,
            iou=limits.iou,
            max_boxes=limits.max_boxes,
            multi_label=limits.multi_label,
        )
        corners = place.to_source(rows[:, :4]).tolist()
        labels = self.labels
        return [
            Detection(labels[int(index)], BoundingBox(*corner), min(score, 1.0))
            for corner, score, index in zip(corners, rows[:, 4].tolist(), rows[:, 5].tolist(), strict=True)
            if corner[2] > corner[0] and corner[3] > corner[1] and 0 <= index < len(labels)
        ]


def _write_plane(plane: NDArray[np.uint8], target: Tensor) -> None:
    """Write one (H, W) colour plane in the form the network takes (see InputEntry.dtype)."""
    if target.dtype == np.uint8:
        target[:] = plane
    elif target.dtype == np.int8:
        target[:] = (plane ^ np.uint8(0x80)).view(np.int8)  # value - 128 in two's complement
    elif target.dtype == np.float32:
        np.divide(plane, np.float32(255), out=target)
    else:
        target[:] = np.divide(plane, np.float32(255))


def _value(grey: int, dtype: np.dtype[Any]) -> Any:
    """One value in the form the network takes."""
    single = np.empty((1, 1), dtype)
    _write_plane(np.full((1, 1), grey, np.uint8), single)
    return single[0, 0]


def _check_network(bundle: Bundle, network: Network) -> None:
    """Compare the loaded network with its manifest; BundleError names the field that lies."""
    entry, output = bundle.manifest.input, bundle.manifest.output
    shape, where = network.input_shape, bundle.path / bundle.manifest.file
    if len(shape) != 4 or shape[1] not in (3, None):
        raise BundleError(f"{where}: input is {shape}, not (batch, 3, height, width)")
    if network.input_dtype != entry.dtype:
        raise BundleError(f"{where}: input is {network.input_dtype}, manifest field input.dtype says {entry.dtype}")
    if entry.dynamic_batch != (shape[0] is None):
        raise BundleError(f"{where}: input is {shape}, field input.dynamic_batch says {entry.dynamic_batch}")
    if entry.dynamic_size != (shape[2] is None and shape[3] is None):
        raise BundleError(f"{where}: input is {shape}, field input.dynamic_size says {entry.dynamic_size}")
    if not entry.dynamic_size and shape[2:] != (entry.height, entry.width):
        raise BundleError(f"{where}: input is {shape}, fields input.height and width say {entry.height}, {entry.width}")
    problem = shape_problem(output.layout, network.output_shape, len(bundle.labels))
    if problem:
        raise BundleError(f"{where}: output is {network.output_shape}: {problem}")


def _size_to_use(bundle: Bundle, network: Network, wanted: tuple[int, int] | None) -> tuple[int, int]:
    entry = bundle.manifest.input
    if wanted is None or wanted == (entry.width, entry.height):
        return entry.width, entry.height
    if not entry.dynamic_size:
        raise ConfigError(
            f"model {bundle.manifest.name} takes {entry.width}x{entry.height} pictures only, "
            f"not {wanted[0]}x{wanted[1]}"
        )
    if min(wanted) < entry.stride or wanted[0] % entry.stride or wanted[1] % entry.stride:
        raise ConfigError(f"input size {wanted[0]}x{wanted[1]}: both sides must be multiples of {entry.stride} pixels")
    return wanted
