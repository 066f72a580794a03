"""Make a bundle out of an exported ONNX file: what the trainer calls last."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from detector.core.frame import Image
from detector.errors import BundleError
from detector.inference.bundle import (
    CARD,
    MANIFEST,
    PAPERS,
    Bundle,
    GoldenEntry,
    InputEntry,
    LabelEntry,
    Layout,
    Manifest,
    OutputEntry,
    PaperEntry,
    load_bundle,
    sealed,
    shape_problem,
)
from detector.inference.onnx import OnnxDetector, OnnxNetwork
from detector.inference.selftest import GOLDEN_MIN_SCORE, Golden, self_test, write_golden
from detector.inference.yolo import Limits


def seal(
    onnx_file: Path,
    folder: Path,
    *,
    name: str,
    version: str,
    created: datetime,
    labels: Sequence[LabelEntry],
    licence: str,
    layout: Layout | None = None,
    nominal_size: tuple[int, int] = (640, 640),
    stride: int = 32,
    dataset: str = "",
    precision: Literal["fp32", "fp16", "int8"] = "fp32",
    golden: Image | None = None,
    card: str | None = None,
) -> Bundle:
    """Copy `onnx_file` into `folder`, write the manifest beside it, and prove that the bundle loads and runs.

    Sizes, types and `layout` are read from the model (`layout` only where its shape leaves no doubt; say it
    otherwise). `nominal_size`: (width, height) for models of dynamic size. `golden`: a picture fit to be published;
    what the model finds in it is kept and compared at every load. An earlier bundle in `folder` is replaced file
    by file, the manifest last, so that no half-written bundle passes the check.
    Raises BundleError when the model is not one that the runtime can use.
    """
    model = onnx_file.read_bytes()
    network = OnnxNetwork(model, "cpu", name=str(onnx_file))
    shape = network.input_shape
    if len(shape) != 4:
        raise BundleError(f"{onnx_file}: input is {shape}, not (batch, 3, height, width)")
    dynamic_size = shape[2] is None or shape[3] is None
    output_shape = network.output_shape
    if len(output_shape) != 3:
        raise BundleError(f"{onnx_file}: output is {output_shape}, not a YOLO layout of three dimensions")
    details = {
        "name": name,
        "version": version,
        "created": created,
        "licence": licence,
        "dataset": dataset,
        "sha256": hashlib.sha256(model).hexdigest(),
        "size_bytes": len(model),
        "precision": precision,
        "input": InputEntry(
            width=shape[3] or nominal_size[0],
            height=shape[2] or nominal_size[1],
            stride=stride,
            dynamic_batch=shape[0] is None,
            dynamic_size=dynamic_size,
            dtype=network.input_dtype,  # type: ignore[arg-type]  # pydantic refuses what is not listed
        ),
        "output": OutputEntry(layout=layout or guess_layout(output_shape, len(labels)), shape=output_shape),
        "labels": tuple(labels),
    }
    manifest = Manifest.model_validate(details)
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, manifest, model=model)
    if golden is not None:
        detector = OnnxDetector(load_bundle(folder), "cpu", limits=Limits(min_score=GOLDEN_MIN_SCORE))
        content = write_golden(Golden(golden, tuple(detector.detect([golden])[0])), [label.name for label in labels])
        entry = GoldenEntry(sha256=hashlib.sha256(content).hexdigest())
        _write(folder / entry.file, content)
        manifest = manifest.model_copy(update={"golden": entry})
    if card is not None:
        _write(folder / CARD, card.encode())
    write_manifest(folder, manifest)
    bundle = load_bundle(folder)
    self_test(OnnxDetector(bundle, "cpu"))
    return bundle


def write_manifest(folder: Path, manifest: Manifest, *, model: bytes | None = None) -> None:
    """Write manifest.json (and first the model, when given) into `folder`: after the papers that lie there by then."""
    if model is not None:
        _write(folder / manifest.file, model)
    papers = tuple(
        PaperEntry(file=name, sha256=hashlib.sha256((folder / name).read_bytes()).hexdigest())
        for name in PAPERS
        if (folder / name).exists()
    )
    text = manifest.model_copy(update={"papers": papers, "seal": ""}).model_dump_json(indent=2) + "\n"
    _write(folder / MANIFEST, sealed(text.encode()))


def copy_bundle(bundle: Bundle, folder: Path) -> Bundle:
    """Copy a bundle into the new `folder`; the manifest goes last. Raises BundleError if the copy is not whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(bundle.path.iterdir(), key=lambda path: path.name == MANIFEST):
        if source.is_file():
            shutil.copyfile(source, folder / source.name)
    return load_bundle(folder)


def guess_layout(shape: Sequence[int | None], labels: int) -> Layout:
    """Tell the layout from an output shape of three dimensions.

    Raises BundleError when none or more than one fits.
    """
    layouts: tuple[Layout, ...] = ("yolo-v8", "yolo-v5", "yolo-end2end")
    axis = {"yolo-v8": 1, "yolo-v5": 2, "yolo-end2end": 2}
    fitting = [
        layout
        for layout in layouts
        if shape[axis[layout]] is not None and shape_problem(layout, tuple(shape), labels) is None
    ]
    if len(fitting) != 1:
        raise BundleError(
            f"output {tuple(shape)} with {labels} labels fits {' and '.join(fitting) or 'no layout'}: "
            "say the layout, or check the number of labels"
        )
    return fitting[0]


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
