"""`detector compare`, `promote`, `rollback`: which model is in production, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from detector.cli.gate_listing import as_document, markdown, show
from detector.cli.material import model_folder, read_pictures
from detector.cli.output import ERR, Json, print_json
from detector.cli.progress import progress_bar
from detector.errors import BundleError, DatasetError

if TYPE_CHECKING:
    from detector.training.evaluation.measure import Evaluation
    from detector.training.gate import Verdict
    from detector.training.labelled import LabelledPicture

BLOCKED = 1
Data = Annotated[list[Path], typer.Option(help="data.yaml of a labelled set of real pictures; repeat for several")]
Floors = Annotated[Path | None, typer.Option(help="YAML of least AP50 by label")]
Parity = Annotated[
    Path | None,
    typer.Option(help="parity report of the export; default: parity.json in the candidate's folder"),
]
WithoutParity = Annotated[
    bool,
    typer.Option(help="do not ask for a parity report: for a bundle that `detector export` did not make"),
]
Few = Annotated[list[str] | None, typer.Option(help="label that may have too few validation objects; repeat")]
Store = Annotated[Path, typer.Option(help="folder of pointers and bundles")]
MinInstances = Annotated[int, typer.Option(min=1, help="validation objects that each real label needs")]
STORE = Path("var/models")


def compare(
    candidate: Annotated[str, typer.Argument(help="model name, or folder of a bundle")],
    production: Annotated[str, typer.Argument(help="the same for the model to beat")],
    data: Data,
    split: Annotated[str, typer.Option(help="which split to measure on")] = "val",
    floors: Floors = None,
    parity: Parity = None,
    without_parity: WithoutParity = False,
    few: Few = None,
    min_instances: MinInstances = 10,
    samples: Annotated[int, typer.Option(min=20, help="bootstrap samples over groups")] = 400,
    table: Annotated[Path | None, typer.Option(help="write the labels' AP50 as a Markdown table to this file")] = None,
    as_json: Json = False,
) -> None:
    """Measure two models on the same pictures, label by label and slice by slice; exit code 1 when the first is worse.

    A figure is worse when it lies below the bootstrap interval of the model to beat.

    Examples:

      detector compare runs/new/bundle models/street-14 --data data/bins/data.yaml --floors floors.yaml

      detector compare runs/masked/bundle runs/plain/bundle --data data/bins/data.yaml --table masked-plain.md
    """
    pictures = read_pictures(data, split)
    asked = Asked(floors, parity, without_parity, tuple(few or ()), min_instances)
    verdict, _ = _judge(candidate, production, pictures, split, asked, samples, 0.8)
    show(verdict)
    if table is not None:
        table.write_text(markdown(verdict, candidate, production), encoding="utf-8")
    if as_json:
        print_json(as_document(verdict))
    raise typer.Exit(0 if verdict.passed else BLOCKED)


def promote(
    candidate: Annotated[str, typer.Argument(help="folder of the bundle to put into production")],
    data: Data,
    store: Store = STORE,
    name: Annotated[str | None, typer.Option(help="name of the pointer; default: the model's own name")] = None,
    against: Annotated[
        str | None, typer.Option(help="model to beat, where the store has none in production yet")
    ] = None,
    split: Annotated[str, typer.Option(help="which split to measure on and to choose thresholds on")] = "val",
    wanted_precision: Annotated[float, typer.Option(min=0.01, max=1.0, help="what thresholds aim at")] = 0.8,
    floors: Floors = None,
    parity: Parity = None,
    without_parity: WithoutParity = False,
    few: Few = None,
    min_instances: MinInstances = 10,
    samples: Annotated[int, typer.Option(min=20, help="bootstrap samples over groups")] = 400,
    limits: Annotated[Path | None, typer.Option(help="Markdown of known limits, for the card")] = None,
    origins: Annotated[
        Path | None, typer.Option(help="datasets/NAME/origins.yaml: licences of the sets, for the card")
    ] = None,
    force: Annotated[
        bool, typer.Option(help="promote although the gate blocks; the history keeps its reasons")
    ] = False,
    note: Annotated[str, typer.Option(help="why, for the history")] = "",
    into: Annotated[
        Path | None, typer.Option(help="write the finished bundle into this plain folder, without store and pointer")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a candidate, ask the gate, write thresholds and card, and move the pointer that workers follow.

    The worker's `model.path` is STORE/NAME. Exit code 1 when the gate blocks; then nothing changes.

    Examples:

      detector promote runs/new/bundle --data data/bins/data.yaml --data data/roads/data.yaml

      detector promote runs/new/bundle --data data/bins/data.yaml --force --note "first model with ponding"

      detector promote bought/model --data data/bins/data.yaml --without-parity --note "made elsewhere"
    """
    from detector.inference.bundle import CARD, load_bundle
    from detector.inference.seal import copy_bundle, write_manifest
    from detector.training.card import labelled_with, sources_of, write_card
    from detector.training.origins import read_origins
    from detector.training.promote import current, store_bundle
    from detector.training.promote import promote as move

    bundle = load_bundle(model_folder(candidate))
    pointer = name or bundle.manifest.name
    before = current(store, pointer) if into is None else None
    rival = str(before) if before else against
    pictures = read_pictures(data, split)
    asked = Asked(floors, parity, without_parity, tuple(few or ()), min_instances)
    verdict, result = _judge(candidate, rival, pictures, split, asked, samples, wanted_precision)
    show(verdict)
    document: dict[str, Any] = as_document(verdict)
    if not verdict.passed and not force:
        ERR.print("blocked: nothing was changed")
        if as_json:
            print_json(document)
        raise typer.Exit(BLOCKED)
    manifest = labelled_with(bundle.manifest, result)
    notes = limits.read_text(encoding="utf-8") if limits else ""
    licences = {name: entry.licence for name, entry in read_origins(origins).sets.items()} if origins else {}
    card = write_card(manifest, result, sources_of(_training(data), pictures, licences), notes)
    if into is not None:
        copy_bundle(bundle, into)
        (into / CARD).write_text(card, encoding="utf-8")
        write_manifest(into, manifest)
        load_bundle(into)
        ERR.print(f"{into}: {manifest.name} with thresholds and card")
    else:
        stored = store_bundle(store, bundle, manifest, card)
        reasons = [reason.text for reason in verdict.reasons]
        note = "; ".join(part for part in (note, "parity waived" if without_parity else "") if part)
        step = move(store, pointer, stored, datetime.now(UTC), passed=verdict.passed, reasons=reasons, note=note)
        document["step"] = step
        ERR.print(f"{store / pointer} -> {stored.name} ({step.model_version})")
    if as_json:
        print_json(document)


def rollback(
    name: Annotated[str, typer.Argument(help="name of the pointer")],
    store: Store = STORE,
    to: Annotated[
        str | None, typer.Option(help="first digits of a bundle of the history; default: the one before")
    ] = None,
    note: Annotated[str, typer.Option(help="why, for the history")] = "",
    show: Annotated[bool, typer.Option(help="only print the history")] = False,
    as_json: Json = False,
) -> None:
    """Take back a promotion: the pointer goes to the bundle that was in force before.

    Examples:

      detector rollback street-14

      detector rollback street-14 --show          (with --json: also what the gate had against each)
    """
    from detector.training.promote import history
    from detector.training.promote import rollback as go_back

    if not show:
        step = go_back(store, name, datetime.now(UTC), to=to, note=note)
        ERR.print(f"{store / name} -> {step.bundle} ({step.model_version})")
        if as_json:
            print_json(step)
        return
    steps = history(store, name)
    if as_json:
        print_json(list(steps))
        return
    table = Table("when", "what", "bundle", "model", "gate", "note", box=None)
    for item in steps:
        against = f"{len(item.reasons)} against it" if item.reasons else "forced"
        gate = "" if item.action == "rollback" else "passed" if item.passed else against
        table.add_row(f"{item.at[:19]}Z", item.action, item.bundle, item.model_version, gate, item.note)
    ERR.print(table)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a candidate beside not being worse."""

    floors: Path | None
    parity: Path | None  # None: the report in the candidate's folder
    without_parity: bool
    few: tuple[str, ...]
    min_instances: int


def _judge(
    candidate: str,
    production: str | None,
    pictures: Sequence[LabelledPicture],
    split: str,
    asked: Asked,
    samples: int,
    wanted_precision: float,
) -> tuple[Verdict, Evaluation]:
    from detector.inference.bundle import PARITY, load_bundle
    from detector.training.gate import GateRules, decide, read_floors, read_parity

    bundle = load_bundle(model_folder(candidate))
    rules = GateRules(
        min_instances=asked.min_instances,
        floors=read_floors(asked.floors) if asked.floors else None,
        waived=frozenset(asked.few),
    )
    report = asked.parity or bundle.path / PARITY
    failures = [] if asked.without_parity else read_parity(report, bundle.manifest.sha256)
    try:
        first = _measured(model_folder(candidate), pictures, split, samples, wanted_precision)
    except BundleError as error:
        raise BundleError(f"blocked, the candidate is unfit: {error}") from error
    second = (
        _measured(model_folder(production), pictures, split, samples, wanted_precision)
        if production is not None
        else None
    )
    verdict = decide(
        first,
        second,
        rules=rules,
        claimed=bundle.labels,
        synthetic_only=bundle.synthetic_only,
        failures=failures,
    )
    return verdict, first


def _measured(
    folder: Path, pictures: Sequence[LabelledPicture], split: str, samples: int, wanted_precision: float
) -> Evaluation:
    from detector.inference.open import open_detector
    from detector.inference.yolo import Limits
    from detector.training.evaluation.measure import measure
    from detector.training.evaluation.predict import predict

    detector = open_detector(folder, limits=Limits(min_score=0.001, multi_label=True))
    with progress_bar(f"detecting with {detector.model_version}", len(pictures)) as advance:
        found = predict(detector, pictures, progress=advance)
    with progress_bar("measuring") as advance:
        return measure(
            pictures,
            found,
            detector.labels,
            split=split,
            wanted_precision=wanted_precision,
            samples=samples,
            progress=lambda _: advance(1),
        )


def _training(data: Sequence[Path]) -> list[LabelledPicture]:
    try:
        return read_pictures(data, "train")
    except DatasetError:
        return []
