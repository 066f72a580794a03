"""What every backend shares: pictures in, tensors through a network, detections out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image, Picture, Prepared, plain
from detector.errors import BundleError, ConfigError
from detector.inference.bundle import Bundle, shape_problem
from detector.inference.decode import Rows, decode
from detector.inference.form import InputForm, Tensor
from detector.inference.letterbox import Letterbox
from detector.ports import Found

Shape = tuple[int | None, ...]  # None where the size varies


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

    @property
    def gains_by_batches(self) -> bool:
        """Whether pictures go faster together than one by one.

        Not on one CPU thread: a picture takes 20.9 ms alone and 23.1 ms in a batch of 8 (640 px, caches overflow),
        10.3 ms either way at 448 px; and what goes alone need not be copied into a batch.
        """
        ...

    def run(self, tensor: Tensor) -> Tensor:
        """One pass; returns the first output. Raises whatever the backend raises."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Which boxes a detector reports.

    `iou` 0.5 and not the trainer's 0.7: two things that overlap so much are one problem, and on the val pictures of
    street-14 at 512 px mean AP50 was 0.563 at 0.45, 0.561 at 0.55 and 0.547 at 0.7.
    """

    min_score: float = 0.1  # scores must exceed it, 0..1; the rules judge by their own, higher scores
    iou: float = 0.5  # of two boxes of a label overlapping more than this the weaker goes, 0..1
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
        _check_network(bundle, network)
        self.input_size = _size_to_use(bundle, network, input_size)
        self.form = InputForm.of(bundle.manifest.input, self.input_size)

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

    def prepare(self, image: Image) -> Prepared:
        """Letterbox a picture and bring it into the network's form; may be done on any thread.

        Raises ValueError for an array that is no (H, W, 3) uint8 picture.
        """
        return self.form.prepared(image)

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """Detect in (H, W, 3) uint8 BGR pictures of any sizes; one list per picture, best score first.

        Pictures that fall on the same canvas share one run where the network gains by batches.
        Raises ValueError for an array that is no such picture, BundleError when the network fails.
        """
        return self.infer(images)()

    def infer(self, images: Sequence[Picture]) -> Found:
        """Run the network as `detect` does; its output is read when asked."""
        places = [self.form.place(plain(image)) for image in images]
        by_canvas: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, place in enumerate(places):
            by_canvas[place.canvas].append(index)
        outputs: dict[int, Tensor] = {}
        for indices in by_canvas.values():
            for part in self._parts(indices):
                outputs.update(zip(part, self._outputs([images[i] for i in part]), strict=True))
        return lambda: [self._detections(outputs[index], place) for index, place in enumerate(places)]

    def tensor(self, image: Image) -> Tensor:
        """The network's input made of one picture: (B, 3, height, width), the picture first, the rest zeros."""
        return self._tensor([image])

    def raw(self, image: Image) -> Tensor:
        """The network's output for one picture, float32, without the batch dimension."""
        output: Tensor = self._outputs([image])[0]
        return output

    def _parts(self, indices: list[int]) -> list[list[int]]:
        batch = self._network.input_shape[0]
        if batch is None:
            batch = len(indices) if self._network.gains_by_batches else 1
        return [indices[start : start + batch] for start in range(0, len(indices), batch)]

    def _tensor(self, images: Sequence[Picture]) -> Tensor:
        """What the network takes for these pictures, all of one canvas."""
        tensors = [self.form.prepared(image).tensor for image in images]
        missing = (self._network.input_shape[0] or len(images)) - len(images)
        if missing:  # a network of fixed batch; the outputs for these are not read
            tensors.append(np.zeros((missing, *tensors[0].shape[1:]), tensors[0].dtype))
        return tensors[0] if len(tensors) == 1 else np.concatenate(tensors)

    def _outputs(self, images: Sequence[Picture]) -> Tensor:
        tensor = self._tensor(images)
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
