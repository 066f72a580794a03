"""`detector dataset ...`: from pictures that other tools labelled to a set that can be trained on and trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from detector.cli.material import model_folder
from detector.cli.output import ERR, Json, print_json
from detector.cli.progress import progress_bar
from detector.cli.train import merge, teach
from detector.errors import DatasetError

if TYPE_CHECKING:
    from detector.training.check.finding import Finding
    from detector.training.check.scan import Scan
    from detector.training.check.suspects import Suspect
    from detector.training.left_out import LeftOut

app = typer.Typer(help="Import, check, split and export labelled pictures.", no_args_is_help=True)
app.command()(merge)
app.command()(teach)
FORMATS = "coco, yolo, voc, cvat, labelstudio, labelme or masks"
SHOWN = 10
"""Entries of boxes of no area that an import prints; --json and the manifest name all."""


@app.command("import")
def import_(
    out: Annotated[Path, typer.Argument(help="folder of the set; pictures already there stay")],
    recipe: Annotated[Path | None, typer.Option(help="YAML that names several sets and their class maps")] = None,
    form: Annotated[str | None, typer.Option("--format", help=f"for a single set: {FORMATS}")] = None,
    path: Annotated[Path | None, typer.Option(help="its annotation file or folder (yolo: data.yaml)")] = None,
    images: Annotated[Path | None, typer.Option(help="folder of its pictures; default: beside the annotations")] = None,
    name: Annotated[str | None, typer.Option(help="its name, kept as the source of its pictures")] = None,
    class_map: Annotated[Path | None, typer.Option("--map", help="YAML: their label: ours (null drops it)")] = None,
    licence: Annotated[str | None, typer.Option(help="as declared by the source")] = None,
    link: Annotated[bool, typer.Option(help="link pictures instead of copying them")] = False,
    as_json: Json = False,
) -> None:
    """Bring sets of other tools into one set with a manifest of every byte.

    Examples:

      detector dataset import data/city --recipe sets.yaml

      detector dataset import data/city --format coco --path bins.json --images bins/ --name bins --map map.yaml

    A recipe:

      name: city

      sets: [{name: bins, format: coco, path: bins.json, images: bins, map: {litter: garbage}, licence: CC0-1.0}]
    """
    from detector.training.importing import import_sets, read_recipe, recipe_of_one
    from detector.training.left_out import left_out

    if recipe is not None:
        wanted = read_recipe(recipe)
    elif form and path and name:
        fields = {"name": name, "format": form, "path": path, "images": images, "licence": licence}
        wanted = recipe_of_one(out.name, fields, class_map)
    else:
        raise DatasetError("say either --recipe, or --format, --path and --name")
    with progress_bar("importing") as advance:
        data = import_sets(wanted, out, link=link, progress=advance)
    lost = left_out(data.rows, {entry.name for entry in wanted.sets})
    if as_json:
        empty = [{**asdict(item), "count": item.count} for item in lost]
        print_json({"pictures": len(data.rows), "labels": list(data.labels), "root": data.root, "empty_boxes": empty})
    ERR.print(f"{out}: {len(data.rows)} pictures, {len(data.labels)} labels, root hash {data.root}")
    _print_left_out(lost)
    if any(row.split is None for row in data.rows):
        ERR.print("some pictures have no split yet: run `detector dataset split`")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="a set with a manifest")],
    out: Annotated[Path, typer.Argument(help="where to write")],
    form: Annotated[str, typer.Option("--format", help="coco, yolo, voc, cvat, labelstudio or labelme")] = "coco",
    split: Annotated[str | None, typer.Option(help="only this split")] = None,
    pictures: Annotated[bool, typer.Option(help="copy the pictures too")] = True,
    prefix: Annotated[str, typer.Option(help="labelstudio: goes before each picture's name to make its address")] = "",
) -> None:
    """Write a set in another tool's format.

    Examples:

      detector dataset export data/city out/ --format cvat --split val

      detector dataset export data/city out/ --format labelstudio --prefix "/data/local-files/?d=city/images/"
    """
    from detector.training.importing import export_set
    from detector.training.labelled import LabelledSet
    from detector.training.manifest import read_dataset

    data = read_dataset(folder).labelled()
    chosen = data.split(split) if split else data.pictures
    only = LabelledSet(data.name, data.labels, chosen, data.exhaustive)
    export_set(only, form, out, pictures=pictures, prefix=prefix)
    ERR.print(f"{out}: {len(chosen)} pictures as {form}")


@app.command("verify")
def verify_(folder: Annotated[Path, typer.Argument(help="a set with a manifest")], as_json: Json = False) -> None:
    """Compare every picture and label file with its SHA-256 in the manifest; exit code 1 when one differs.

    Examples:

      detector dataset verify data/city
    """
    from detector.training.manifest import read_dataset, verify

    data = read_dataset(folder)
    problems = list(verify(data))
    for line in problems:
        ERR.print(line)
    ERR.print(f"{folder}: {len(data.rows)} pictures, {len(problems)} problems, root hash {data.root}")
    if as_json:
        print_json({"root": data.root, "problems": problems})
    raise typer.Exit(1 if problems else 0)


@app.command()
def check(
    sets: Annotated[list[Path], typer.Argument(help="data.yaml files, or folders with a data.yaml or a manifest")],
    sheets: Annotated[Path | None, typer.Option(help="folder for contact sheets (PNG)")] = None,
    model: Annotated[str | None, typer.Option(help="also doubt labels: a model to compare them with")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="the same from a file of `detector evaluate --save-predictions`")
    ] = None,
    near: Annotated[int, typer.Option(min=0, max=20, help="bits that near-duplicates may differ in, of 64")] = 6,
    show: Annotated[int, typer.Option(min=1, help="findings to print of each kind")] = 5,
    as_json: Json = False,
) -> None:
    """Look for leaks between splits, broken pictures and labels, duplicates, rare labels; exit code 1 on errors.

    Examples:

      detector dataset check data/bins/data.yaml data/roads/data.yaml --sheets runs/sheets

      detector dataset check data/city --model street-14 --sheets runs/sheets
    """
    from detector.training.check.compare import compare
    from detector.training.check.finding import Finding, Kind
    from detector.training.check.scan import scan_sets
    from detector.training.check.sheets import sheet_of_suspects, sheets_of_findings, sheets_of_labels

    with progress_bar("scanning") as advance:
        scan = scan_sets(sets, advance)
    scan.findings.extend(compare(scan, near))
    doubted = _doubted(scan, model, predictions)
    scan.findings.extend(
        Finding(Kind.SUSPECT, str(item.picture.path), item.text, (item.picture.path,)) for item in doubted
    )
    written: list[Path] = []
    if sheets is not None:
        by_path = {picture.path: picture for picture in scan.pictures}
        others = [finding for finding in scan.findings if finding.kind is not Kind.SUSPECT]
        written = [
            *sheets_of_findings(sheets, others, by_path),
            *sheet_of_suspects(sheets, doubted),
            *sheets_of_labels(sheets, scan.pictures),
        ]
        ERR.print(f"{len(written)} contact sheets in {sheets}")
    ERR.print(_count_table(scan))
    _print_findings(scan.findings, show)
    errors = sum(finding.is_error for finding in scan.findings)
    ERR.print(f"{len(scan.pictures)} pictures, {errors} errors, {len(scan.findings) - errors} warnings")
    if as_json:
        print_json(_as_json(scan, errors, written))
    raise typer.Exit(1 if errors else 0)


@app.command()
def split(
    folder: Annotated[Path, typer.Argument(help="a set with a manifest")],
    val: Annotated[float, typer.Option(help="share of the groups that measures")] = 0.15,
    test: Annotated[float, typer.Option(help="share of the groups that is kept for the last check")] = 0.0,
    seed: Annotated[int, typer.Option(help="another seed, another split")] = 0,
    keep: Annotated[bool, typer.Option(help="leave splits that are already given")] = True,
    near: Annotated[int, typer.Option(min=0, max=20, help="bits that near-duplicates may differ in, of 64")] = 6,
    as_json: Json = False,
) -> None:
    """Assign pictures to train, val and test: by group, else by day, else by content; stable when data is added.

    Examples:

      detector dataset split data/city --val 0.15 --test 0.1 --seed 1
    """
    from detector.training.check.scan import scan_sets
    from detector.training.manifest import read_dataset, write_dataset
    from detector.training.split import Shares, shared_keys, split_pictures

    data = read_dataset(folder)
    shares = Shares(val, test)
    with progress_bar("looking", len(data.rows)) as advance:
        scan = scan_sets([folder], advance)
    if len(scan.pictures) != len(data.rows):
        raise DatasetError(f"{folder}: some pictures cannot be read; run `detector dataset check {folder}` first")
    divided = split_pictures(scan.pictures, scan.hashes, shares, seed, near=near, keep=keep)
    chosen = {str(picture.path.relative_to(folder)): picture.split for picture in divided}
    rows = [row.model_copy(update={"split": chosen[row.path]}) for row in data.rows]
    fresh = write_dataset(folder, data.name, data.labels, rows)
    table: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for picture in divided:
        table[str(picture.split)]["pictures"] += 1
        for box in picture.boxes:
            table[str(picture.split)][box.label] += 1
    if as_json:
        print_json({"splits": table, "shared_groups": len(shared_keys(divided)), "root": fresh.root})
    for name, found in sorted(table.items()):
        ERR.print(f"{name}: {', '.join(f'{count} {label}' for label, count in found.items())}")
    ERR.print(f"groups in more than one split: {len(shared_keys(divided))}; root hash {fresh.root}")


def _print_left_out(lost: Sequence[LeftOut]) -> None:
    if not lost:
        return
    boxes, pictures = sum(item.count for item in lost), len({item.picture for item in lost})
    ERR.print(
        f"boxes of no area: {boxes} on {pictures} pictures, left out; delete them or draw them anew, import again:"
    )
    for item in lost[:SHOWN]:
        text = f"  {item.file} ({', '.join(item.places)}): {item.picture}: {item.count} {item.label}"
        ERR.print(text, soft_wrap=True, markup=False)
    if len(lost) > SHOWN:
        ERR.print(
            f"  ... and {len(lost) - SHOWN} more pictures or labels (--json, manifest.jsonl, `detector dataset check`)"
        )


def _doubted(scan: Scan, model: str | None, predictions: Path | None) -> list[Suspect]:
    from detector.inference.open import open_detector
    from detector.inference.yolo import Limits
    from detector.training.check.suspects import suspects
    from detector.training.evaluation.predict import predict, read_predictions

    if predictions is not None:
        splits = sorted({picture.split or "" for picture in scan.pictures})
        for chosen in [scan.pictures, *([p for p in scan.pictures if p.split == name] for name in splits)]:
            try:
                said = read_predictions(predictions, chosen)
            except DatasetError:
                continue
            labels = frozenset(item.label for seen in said.detections for item in seen)
            return suspects(chosen, said.detections, labels)
        raise DatasetError(f"{predictions}: does not cover these pictures, nor any one split of them")
    if model is None:
        return []
    detector = open_detector(model_folder(model), limits=Limits(min_score=0.01))
    with progress_bar("comparing with the model", len(scan.pictures)) as advance:
        found = predict(detector, scan.pictures, progress=advance)
    return suspects(scan.pictures, found.detections, frozenset(detector.labels))


def _count_table(scan: Scan) -> Table:
    from detector.training.check.compare import counts

    table = Table(title="boxes by label and source")
    for column in ("label", "source", "train", "val", "test", "unassigned"):
        table.add_column(column, justify="left" if column in ("label", "source") else "right", no_wrap=True)
    before = ""
    for (label, source), splits in sorted(counts(scan).items()):
        numbers = [str(splits[name]) if name in splits else "" for name in ("train", "val", "test", "unassigned")]
        table.add_row(label if label != before else "", source, *numbers)
        before = label
    return table


def _print_findings(findings: list[Finding], show: int) -> None:
    from detector.training.check.finding import ADVICE

    grouped: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        grouped[finding.kind.value].append(finding)
    for kind, found in sorted(grouped.items(), key=lambda item: (not item[1][0].is_error, item[0])):
        level = "error" if found[0].is_error else "warning"
        ERR.print(f"\n{level}: {kind}, {len(found)} times. What to do: {ADVICE[found[0].kind]}")
        for finding in found[:show]:
            ERR.print(f"  {finding.where}: {finding.text}", soft_wrap=True)
        if len(found) > show:
            ERR.print(f"  ... and {len(found) - show} more (--show, --json)")


def _as_json(scan: Scan, errors: int, sheets: list[Path]) -> dict[str, Any]:
    from detector.training.check.compare import counts

    return {
        "pictures": len(scan.pictures),
        "errors": errors,
        "warnings": len(scan.findings) - errors,
        "findings": [
            {"kind": item.kind.value, "error": item.is_error, "where": item.where, "text": item.text}
            for item in scan.findings
        ],
        "counts": [
            {"label": label, "source": source, **splits} for (label, source), splits in sorted(counts(scan).items())
        ],
        "sheets": [str(path) for path in sheets],
    }
