"""The model bundle: a folder with manifest.json, the ONNX file, and optionally a card and a golden picture.

    models/<name>/
      manifest.json     what the model is, below; every field is checked before a byte of the model is run
      model.onnx        opened only when its SHA-256 is the one in the manifest
      card.md           for people: data, measurements, limits
      parity.json       how far the file answers as the trained network does
      golden.npz        optional: one picture and the boxes expected in it, made by `detector.inference.seal`

A flipped byte in any of them is noticed: the manifest names the SHA-256 of the others, and its own.

Training writes it, the runtime reads it; nothing else passes between the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from detector.errors import BundleError

MANIFEST, CARD, PARITY = "manifest.json", "card.md", "parity.json"

PAPERS = (CARD, PARITY)
"""What says how good the model is; not needed to run it."""

Layout = Literal["yolo-v8", "yolo-v5", "yolo-end2end"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelEntry(_Part):
    """One class of the model, in the order of its outputs."""

    name: Name
    threshold: Share = Field(default=0.4, description="score chosen on validation pictures for the wanted precision")
    train_instances: int = Field(default=0, ge=0, description="real boxes it was trained on")
    val_instances: int = Field(default=0, ge=0, description="real boxes it was measured on")
    synthetic_only: bool = Field(default=False, description="no real picture of it: a person must look first")
    ap50: Share | None = Field(default=None, description="AP at IoU 0.50 on real validation pictures; null: unmeasured")


class InputEntry(_Part):
    """What the network takes: (batch, 3, height, width)."""

    width: int = Field(ge=32, description="nominal width, pixels")
    height: int = Field(ge=32, description="nominal height, pixels")
    stride: int = Field(default=32, ge=1, description="sides must be multiples of it, pixels")
    dynamic_batch: bool = Field(default=False, description="any number of pictures per run")
    dynamic_size: bool = Field(default=False, description="any width and height that are multiples of the stride")
    dtype: Literal["float32", "float16", "uint8", "int8"] = Field(
        default="float32",
        description="floats take value/255; uint8 takes the value itself, int8 the value minus 128",
    )
    colour: Literal["rgb", "bgr"] = Field(default="rgb", description="order of the three channels")
    fill: int = Field(default=114, ge=0, le=255, description="grey around the letterboxed picture")


class OutputEntry(_Part):
    """What the network gives, C being the number of labels."""

    layout: Layout = Field(
        description="yolo-v8: (B, 4+C, N) cx cy w h then class scores. yolo-v5: (B, N, 5+C) cx cy w h objectness "
        "then class scores. yolo-end2end: (B, N, 6) left top right bottom score class, duplicates already removed. "
        "Coordinates in pixels of the input."
    )
    shape: tuple[int | None, int | None, int | None] = Field(description="output shape; null where it varies")


class GoldenEntry(_Part):
    """A picture with the boxes that the sealed model found in it."""

    file: Name = "golden.npz"
    sha256: Sha256


class PaperEntry(_Part):
    """A file that says how good the model is."""

    file: Name
    sha256: Sha256


class Manifest(_Part):
    """manifest.json."""

    schema_version: Literal[1] = 1
    name: Name
    version: Name
    created: datetime = Field(description="when it was sealed, with time zone")
    licence: str = Field(description="SPDX identifier of the weights")
    dataset: str = Field(default="", description="root hash of the data it was trained on; empty: unknown")
    file: Name = "model.onnx"
    sha256: Sha256 = Field(description="of the ONNX file")
    size_bytes: int = Field(gt=0, description="of the ONNX file")
    precision: Literal["fp32", "fp16", "int8"] = Field(default="fp32", description="of the weights")
    input: InputEntry
    output: OutputEntry
    labels: tuple[LabelEntry, ...] = Field(min_length=1)
    golden: GoldenEntry | None = None
    papers: tuple[PaperEntry, ...] = Field(default=(), description="what says how good it is")
    seal: Sha256 | Literal[""] | None = Field(default=None, description="SHA-256 of this file with an empty seal")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [label.name for label in self.labels]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"label {twice!r} is listed twice")
        if self.created.tzinfo is None:
            raise ValueError("created needs a time zone, e.g. 2026-01-31T12:00:00Z")
        if self.input.width % self.input.stride or self.input.height % self.input.stride:
            raise ValueError(f"input width and height must be multiples of its stride {self.input.stride}")
        problem = shape_problem(self.output.layout, self.output.shape, len(self.labels))
        if problem:
            raise ValueError(f"output.shape: {problem}")
        return self


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle. The model's bytes stay on disk until `model_bytes` is asked for them."""

    path: Path  # the folder
    manifest: Manifest

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names in the order of the model's classes."""
        return tuple(label.name for label in self.manifest.labels)

    @property
    def model_version(self) -> str:
        """`name@first-12-digits-of-sha256`."""
        return f"{self.manifest.name}@{self.manifest.sha256[:12]}"

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Label -> score chosen on validation pictures."""
        return {label.name: label.threshold for label in self.manifest.labels}

    @property
    def synthetic_only(self) -> frozenset[str]:
        """Labels that were never trained on a real picture."""
        return frozenset(label.name for label in self.manifest.labels if label.synthetic_only)

    def model_bytes(self) -> bytes:
        """Read the ONNX file; what is returned is what was hashed.

        Raises BundleError when it is missing or is not the file that was sealed.
        """
        return _verified(self.path / self.manifest.file, self.manifest.sha256, self.manifest.size_bytes)

    def golden_bytes(self) -> bytes | None:
        """Read the golden file; None when the bundle carries none. Raises BundleError as `model_bytes`."""
        golden = self.manifest.golden
        return _verified(self.path / golden.file, golden.sha256) if golden else None


def load_bundle(path: Path) -> Bundle:
    """Read and check the bundle in folder `path` (or whose manifest.json is `path`).

    Raises BundleError naming the file and field when anything is missing, malformed or altered.
    """
    folder = path.parent if path.name == MANIFEST else path
    manifest_path = folder / MANIFEST
    try:
        text = manifest_path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{manifest_path}: cannot be read ({error.strerror}); a model bundle is a folder with {MANIFEST}"
        ) from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise BundleError(f"{manifest_path}: {_first_problem(error)}") from error
    if manifest.seal is not None and sealed(unsealed(text, manifest.seal)) != text:
        raise BundleError(
            f"{manifest_path}: seal: the file is not as it was written; fetch the bundle again, or remove the line "
            "`seal` (and the comma before it) if the change was meant"
        )
    bundle = Bundle(folder, manifest)
    bundle.model_bytes()
    bundle.golden_bytes()
    for paper in manifest.papers:
        _verified(folder / paper.file, paper.sha256)
    return bundle


def sealed(text: bytes) -> bytes:
    """The text of a manifest whose seal is empty, with its seal."""
    return text.replace(_seal_line(""), _seal_line(hashlib.sha256(text).hexdigest()), 1)


def unsealed(text: bytes, seal: str) -> bytes:
    """The text of a manifest with an empty seal in place of `seal`."""
    return text.replace(_seal_line(seal), _seal_line(""), 1)


def _seal_line(seal: str) -> bytes:
    return f'"seal": "{seal}"'.encode()


def shape_problem(layout: Layout, shape: tuple[int | None, ...], labels: int) -> str | None:
    """Say what is wrong with output `shape` for `layout` and that many labels; None when it fits.

    None in `shape` stands for a size that varies and fits anything.
    """
    if len(shape) != 3:
        return f"{layout} has three dimensions, not {len(shape)}"
    axis, wanted, meaning = {
        "yolo-v8": (1, 4 + labels, "4 + number of labels"),
        "yolo-v5": (2, 5 + labels, "5 + number of labels"),
        "yolo-end2end": (2, 6, "left, top, right, bottom, score, class"),
    }[layout]
    found = shape[axis]
    if found is not None and found != wanted:
        return f"{layout} with {labels} labels needs {wanted} ({meaning}) at position {axis}, not {found}"
    return None


def _verified(path: Path, sha256: str, size: int | None = None) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror}), but {MANIFEST} names it") from error
    if size is not None and len(content) != size:
        raise BundleError(
            f"{path}: is {len(content)} bytes, {MANIFEST} field size_bytes says {size}; copy the bundle again"
        )
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise BundleError(f"{path}: SHA-256 is {found}, {MANIFEST} field sha256 says {sha256}; copy the bundle again")
    return content


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{f'field {where}: ' if where else ''}{first['msg']}{more}"
