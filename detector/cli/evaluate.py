"""`detector evaluate`: how good is a model, measured as it will run."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from detector.cli.material import DEFAULT_MODEL, model_folder, read_measured, read_pictures
from detector.cli.output import ERR, Json, print_json
from detector.cli.progress import progress_bar

if TYPE_CHECKING:
    from detector.training.evaluation.measure import Evaluation


def evaluate(
    data: Annotated[
        list[Path],
        typer.Option(help="data.yaml of a labelled set (paths in it are relative to it); repeat for several sets"),
    ],
    model: Annotated[str, typer.Option(help="model name, or folder of a model bundle")] = DEFAULT_MODEL,
    split: Annotated[
        str | None,
        typer.Option(help="which split to measure on; default, set by set: val, else test, else the one that is there"),
    ] = None,
    threshold_from: Annotated[
        str,
        typer.Option(
            help="where operating thresholds come from: `model` (its manifest), or a split of the same data to choose "
            "them on; `auto`: the manifest for labels that were measured before it was sealed, the measured split "
            "itself for others"
        ),
    ] = "auto",
    wanted_precision: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="precision that operating thresholds aim at")
    ] = 0.8,
    as_json: Json = False,
    report: Annotated[
        Path | None, typer.Option(help="folder for a report to browse (index.html, curves, worst pictures)")
    ] = None,
    save_predictions: Annotated[
        Path | None, typer.Option(help="keep what the model said, one JSON line per picture")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="measure a file written by --save-predictions instead of running the model")
    ] = None,
    min_score: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="detections below take no part; low, or AP is cut off")
    ] = 0.001,
    single_label: Annotated[
        bool, typer.Option(help="take AP over the best label of each box only, not over all its labels")
    ] = False,
    samples: Annotated[int, typer.Option(min=0, help="bootstrap samples over groups for the intervals; 0: none")] = 200,
    threads: Annotated[int, typer.Option(min=0, help="inference threads; 0: the runtime's choice")] = 0,
) -> None:
    """Measure an exported model on labelled pictures, through the code that the worker runs.

    Labels are matched by name, and a label is scored only on pictures of the sets that annotate it.
    AP50 and AP50-95 come from faster-coco-eval; intervals are bootstrapped over cameras, sites and videos.

    Examples:

      detector evaluate --data data/bins/data.yaml --json

      detector evaluate --model models/street-14 --data a/data.yaml --data b/data.yaml --report runs/report

      detector evaluate --data mine/data.yaml --split test --threshold-from val
    """
    from detector.inference.open import open_detector
    from detector.inference.yolo import Limits
    from detector.training.evaluation.measure import measure
    from detector.training.evaluation.predict import Predictions, predict, read_predictions, write_predictions
    from detector.training.evaluation.report import write_report
    from detector.training.evaluation.thresholds import Operating

    pictures = read_pictures(data, split) if split else read_measured(data)
    split = split or ", ".join(sorted({str(picture.split) for picture in pictures}))
    limits = Limits(min_score=min_score, multi_label=not single_label)
    detector = open_detector(model_folder(model), threads=threads, limits=limits)
    thresholds: dict[str, Operating] = {}
    if threshold_from in ("auto", "model"):
        thresholds = {
            entry.name: Operating(entry.threshold, reached=True)
            for entry in detector.bundle.manifest.labels
            if threshold_from == "model" or entry.ap50 is not None
        }
    elif threshold_from != split:
        earlier = read_pictures(data, threshold_from)
        with progress_bar(f"detecting in {threshold_from}", len(earlier)) as advance:
            before = predict(detector, earlier, progress=advance)
        first = measure(
            earlier,
            before,
            detector.labels,
            split=threshold_from,
            wanted_precision=wanted_precision,
            samples=0,
            slices=False,
        )
        thresholds = {label: figures.operating for label, figures in first.labels.items()}
    if predictions is not None:
        found: Predictions = read_predictions(predictions, pictures)
    else:
        with progress_bar(f"detecting in {split}", len(pictures)) as advance:
            found = predict(detector, pictures, progress=advance)
    if save_predictions is not None:
        write_predictions(save_predictions, pictures, found)
    origin = "the model's manifest" if threshold_from in ("auto", "model") else threshold_from
    with progress_bar("measuring") as advance:
        result = measure(
            pictures,
            found,
            detector.labels,
            split=split,
            wanted_precision=wanted_precision,
            thresholds=thresholds,
            thresholds_from=origin,
            samples=samples,
            slices=report is not None,
            progress=lambda _: advance(1),
        )
    if report is not None:
        index = write_report(report, result, pictures, found, detector.bundle.synthetic_only)
        ERR.print(f"report: {index}")
    _tell(result, detector.bundle.synthetic_only)
    if as_json:
        print_json(result.to_json())
    else:
        ERR.print(table(result))


def table(result: Evaluation) -> Table:
    """The figures for people."""
    shown = Table(title=f"{result.model_version} on {result.split} ({result.evaluator})")
    for column in ("label", "AP50", "95 %", "AP50-95", "threshold", "precision", "recall", "objects", "pictures"):
        shown.add_column(column, justify="left" if column == "label" else "right", no_wrap=True)
    for item in result.labels.values():
        spread = f"{item.interval.low:.2f}-{item.interval.high:.2f}" if item.interval else ""
        mark = "" if item.operating.reached or not item.known else " (best F1)"
        shown.add_row(
            item.label,
            f"{item.ap50:.3f}",
            spread,
            f"{item.ap50_95:.3f}",
            f"{item.operating.threshold:.3f}{mark}" if item.known else "-",
            f"{item.precision:.2f}",
            f"{item.recall:.2f}",
            str(item.instances),
            str(item.pictures),
        )
    return shown


def _tell(result: Evaluation, synthetic_only: Collection[str]) -> None:
    if result.evaluator == "built-in":
        ERR.print("note: faster-coco-eval is not installed; AP comes from the built-in evaluator (same rules)")
    if unknown := [item.label for item in result.labels.values() if not item.known]:
        ERR.print(f"not in the model, scored 0: {', '.join(unknown)}", soft_wrap=True)
    if drawn := sorted(set(result.labels) & set(synthetic_only)):
        ERR.print(f"trained on synthetic pictures only: {', '.join(drawn)}", soft_wrap=True)
    if result.without_objects:
        ERR.print(f"annotated, but no object in {result.split}: {', '.join(result.without_objects)}", soft_wrap=True)
    if result.not_annotated:
        ERR.print(f"labels of the model that nobody annotated here: {', '.join(result.not_annotated)}", soft_wrap=True)
