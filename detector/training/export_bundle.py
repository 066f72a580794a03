"""From a training state to a sealed bundle: the ONNX file, and per label what it was trained on and how it did."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from detector.core.frame import Image
from detector.errors import DatasetError
from detector.inference.bundle import PARITY, Bundle, LabelEntry, load_bundle
from detector.inference.onnx import OnnxDetector
from detector.inference.openvino import OpenVinoDetector
from detector.inference.seal import seal, write_manifest
from detector.inference.yolo import Limits, YoloDetector
from detector.training.export import export_onnx, halve_weights, read_network
from detector.training.export_card import card_text
from detector.training.export_int8 import ap50_of, calibration_images, losses, quantise, refuse_lossy
from detector.training.export_parity import check_pictures, measure_parity
from detector.training.labelled import LabelledPicture
from detector.training.parity import write_parity
from detector.training.partial_sets import read_merged

Precision = Literal["fp32", "fp16", "int8"]
CALIBRATION_PICTURES = 200
CHECK_LIMITS = Limits(min_score=0.001, multi_label=True)
"""As `detector evaluate` measures AP: all that the model says, several labels on one box included."""

UNMEASURED_THRESHOLD = 0.5
"""For labels without validation pictures: higher than the default, as nothing says how often they are wrong."""


def label_entries(data: Path, figures: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[LabelEntry, ...]:
    """One entry per label of the merged dataset `data` (data.yaml), in model order.

    `figures`: the "labels" object of `detector evaluate --json`. Raises DatasetError when a label has no training box
    of any kind: a model must not list what it cannot find.
    """
    content = read_merged(data)
    entries = []
    for label in content["names"].values():
        boxes = content["boxes"][label]
        if not boxes["train"] and not boxes["synthetic"]:
            raise DatasetError(f"{data}: no training box of {label!r}; drop the label or add a set that has it")
        # A label dropped from the sets as too rare may still stand in their own files: one box is no measurement.
        figure = (figures or {}).get(label, {}) if boxes["val"] else {}
        threshold = figure.get("threshold")
        entries.append(
            LabelEntry(
                name=label,
                threshold=UNMEASURED_THRESHOLD if threshold is None else round(float(threshold), 4),
                train_instances=boxes["train"],
                val_instances=boxes["val"],
                synthetic_only=not boxes["train"],
                ap50=None if figure.get("ap50") is None else round(float(figure["ap50"]), 4),
            )
        )
    return tuple(entries)


def read_figures(path: Path) -> dict[str, dict[str, Any]]:
    """The "labels" object of a file that `detector evaluate --json` printed; raises DatasetError."""
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))["labels"]
        return {str(name): dict(values) for name, values in labels.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path}: not the JSON of `detector evaluate --json` ({error})") from error


def export_bundle(
    source: Path,
    data: Path,
    folder: Path,
    *,
    name: str,
    version: str,
    created: datetime,
    precision: Precision = "fp16",
    nominal_size: int = 640,
    licence: str = "AGPL-3.0-or-later",
    figures: Mapping[str, Mapping[str, Any]] | None = None,
    golden: Image | None = None,
    notes: str = "",
    model: str | None = None,
    check: Sequence[LabelledPicture] = (),
    mean_with: Sequence[Path] = (),
) -> Bundle:
    """Export the averaged network of `source` (state.pt or an ultralytics checkpoint) into `folder`.

    `data` is the merged dataset it was trained on; `nominal_size` the side of the canvas in pixels that the runtime
    uses by default; `figures` the "labels" object of `detector evaluate --json`; `notes` Markdown for the card;
    `golden` a picture that may be published; `check` the validation pictures on which an int8 model must find what the
    float model finds; `mean_with` other runs whose weights are averaged with it (see `read_network`). Raises
    DatasetError when network and data do not belong together, BundleError when the exported file is not one that the
    runtime can use or int8 costs too much.

    `folder`/parity.json says whether file and network agree on validation pictures of `data`; `detector promote` wants
    it. A file that does not agree is written all the same, to be looked into.
    """
    network, labels = read_network(source, model, mean_with)
    entries = label_entries(data, figures)
    if labels != [entry.name for entry in entries]:
        raise DatasetError(f"{source}: was trained for other labels than {data} names")
    root_hash = str(read_merged(data)["root_hash"])
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "model.onnx"
        export_onnx(network, file, nominal_size)
        sealed = partial(
            seal, name=name, version=version, created=created, labels=entries, licence=licence,
            nominal_size=(nominal_size, nominal_size), dataset=root_hash,
        )  # fmt: skip
        images = check_pictures(data)
        full = sealed(file, Path(scratch) / "fp32", precision="fp32")
        said: tuple[str, ...] = ()
        if precision == "fp16":
            halve_weights(file, file)
        elif precision == "int8":
            if not check:
                raise DatasetError("int8 needs labelled validation pictures to be checked on")
            before = OnnxDetector(full, "cpu", limits=CHECK_LIMITS)
            quantise(file, file, before, calibration_images(data, CALIBRATION_PICTURES, seed=0))
            said = tuple(_int8_costs(before, sealed(file, Path(scratch) / "int8", precision="int8"), check))
        card = card_text(name, version, data, entries, figures or {}, nominal_size, notes)
        bundle = sealed(file, folder, precision=precision, golden=golden, card=card)
        write_parity(folder / PARITY, measure_parity(network, labels, full, bundle, images, nominal_size, said))
        write_manifest(folder, bundle.manifest)
        return load_bundle(folder)


def _int8_costs(before: YoloDetector, small: Bundle, check: Sequence[LabelledPicture]) -> Iterator[str]:
    """What int8 costs, in words; raises BundleError when onnxruntime loses too much with it.

    OpenVINO carries the same file out differently and loses more: told, as the file is good in the other runtime.
    """
    measured = ap50_of(before, check)
    yield refuse_lossy(measured, ap50_of(OnnxDetector(small, "cpu", limits=CHECK_LIMITS), check))
    if left := [name for name in small.labels if name not in measured]:
        yield f"what int8 costs was not measured on: {', '.join(left)}"
    if find_spec("openvino") is not None:
        bad = losses(measured, ap50_of(OpenVinoDetector(small, "cpu", limits=CHECK_LIMITS), check))
        if bad:
            names = ", ".join(f"{one.label} {one.before:.3f} -> {one.after:.3f}" for one in bad)
            yield f"in OpenVINO this int8 file loses too much, run it in onnxruntime only: {names}"
