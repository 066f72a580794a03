"""`detector export`: a trained network becomes a bundle that the worker can run."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from detector.cli.material import read_pictures
from detector.cli.output import ERR, Json, print_json
from detector.core.frame import Image
from detector.errors import ConfigError, DatasetError


class Precision(StrEnum):
    """How the weights are stored."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


def export(
    source: Annotated[Path, typer.Argument(help="state.pt of a run, or a checkpoint of ultralytics")],
    data: Annotated[Path, typer.Option(help="data.yaml that it was trained on (`detector dataset merge`)")],
    out: Annotated[Path, typer.Option(help="folder of the bundle, e.g. models/street-14")],
    name: Annotated[str, typer.Option(help="name of the model; default: the folder's")] = "",
    version: Annotated[str, typer.Option(help="version of the model; default: the date")] = "",
    precision: Annotated[
        Precision, typer.Option(help="fp16: half the file, the same arithmetic; int8: needs --check")
    ] = Precision.FP16,
    check: Annotated[
        list[Path] | None,
        typer.Option(help="data.yaml whose val pictures an int8 model must do as well on; repeat for several sets"),
    ] = None,
    mean_with: Annotated[
        list[Path] | None,
        typer.Option(help="state.pt of another run of the same network: the mean of the weights; repeat for several"),
    ] = None,
    size: Annotated[int, typer.Option(min=64, help="side of the canvas it is run at by default, pixels")] = 640,
    figures: Annotated[
        Path | None, typer.Option(help="output of `detector evaluate --json`: thresholds and AP50 for the manifest")
    ] = None,
    golden: Annotated[Path | None, typer.Option(help="picture for the self-test at load; it will be published")] = None,
    notes: Annotated[Path | None, typer.Option(help="Markdown to put into the card")] = None,
    as_json: Json = False,
) -> None:
    """Write the averaged weights of a run as ONNX (any batch and size) with a manifest, and prove that it loads.

    What the file finds in validation pictures of --data is compared with what the network finds, in onnxruntime and,
    where it is installed, in OpenVINO, which opens the same file. parity.json in the folder tells; `detector promote`
    wants it. Exit code 1 when they disagree.

    Examples (export once without figures, measure it, and export again with them):

      detector export runs/city/state.pt --data runs/data/city/data.yaml --out runs/city/bundle

      detector evaluate --model runs/city/bundle --data data/bins/data.yaml --json > figures.json

      detector export runs/city/state.pt --data runs/data/city/data.yaml --out runs/city/bundle --figures figures.json

    The mean of two runs, one of which started from the other:

      detector export runs/city/state.pt --mean-with runs/before/state.pt --data runs/data/city/data.yaml --out mean
    """
    os.environ.setdefault("YOLO_VERBOSE", "false")  # read at the import below: it would write to stdout
    try:
        from detector.inference.bundle import PARITY
        from detector.training.export_bundle import export_bundle, read_figures
    except ModuleNotFoundError as error:
        raise ConfigError(f"needs the extra `train` ({error}): pip install 'street-detector[train]'") from error
    now = datetime.now(UTC).replace(microsecond=0)
    bundle = export_bundle(
        source,
        data,
        out,
        name=name or out.resolve().name,
        version=version or f"{now:%Y.%m.%d}",
        created=now,
        precision=precision.value,
        check=read_pictures(check, "val") if check else (),
        nominal_size=size,
        mean_with=mean_with or (),
        figures=read_figures(figures) if figures else None,
        golden=_picture(golden) if golden else None,
        notes=notes.read_text(encoding="utf-8") if notes else "",
    )
    report = json.loads((bundle.path / PARITY).read_text(encoding="utf-8"))
    if as_json:
        print_json(
            {
                "folder": bundle.path,
                "model_version": bundle.model_version,
                "labels": bundle.labels,
                "parity": {"passed": report["passed"], "text": report["text"]},
            }
        )
    else:
        typer.echo(f"{bundle.path}: {bundle.model_version}, {bundle.manifest.size_bytes / 1e6:.1f} MB")
    for line in (*report["text"].split("; "), *report["notes"]):
        ERR.print(line, soft_wrap=True)
    if not report["passed"]:
        ERR.print("exported file and network disagree: `detector promote` will refuse it")
        raise typer.Exit(1)


def _picture(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{path}: cannot be decoded as a picture")
    return np.asarray(image, np.uint8)
