"""The model's card: what it was trained on, how it did, and what nobody has tested. Written from measurements only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.inference.bundle import LabelEntry, Manifest
from detector.training.evaluation.measure import Evaluation, LabelFigures
from detector.training.evaluation.slices import NIGHT_BELOW
from detector.training.labelled import LabelledPicture

FEW = 20
"""Fewer objects of a kind than this count as `hardly tested`."""


@dataclass(frozen=True, slots=True)
class Source:
    """One set that the model was trained or measured on."""

    name: str
    licence: str | None
    train: int  # pictures
    val: int


def sources_of(
    train: Sequence[LabelledPicture], val: Sequence[LabelledPicture], licences: Mapping[str, str] | None = None
) -> tuple[Source, ...]:
    """The sets in both splits, with their sizes; `licences` by set, where the pictures do not say theirs."""
    names = sorted({picture.source for picture in (*train, *val)})
    said = {picture.source: picture.licence for picture in (*train, *val)}
    return tuple(
        Source(
            name,
            said[name] or (licences or {}).get(name),
            sum(picture.source == name for picture in train),
            sum(picture.source == name for picture in val),
        )
        for name in names
    )


def labelled_with(manifest: Manifest, result: Evaluation) -> Manifest:
    """The manifest with thresholds, AP50 and validation counts as measured.

    What it was trained on (counts, synthetic_only) is the exporter's to say and stays. Labels that were not
    measured keep their threshold and get no AP50; those learned from synthetic pictures alone keep theirs too, as a
    few real objects that came along in a set say nothing about them.
    """
    entries: list[LabelEntry] = []
    for entry in manifest.labels:
        figures = None if entry.synthetic_only else result.labels.get(entry.name)
        entries.append(
            entry.model_copy(
                update={
                    "threshold": round(figures.operating.threshold, 4) if figures else entry.threshold,
                    "ap50": round(figures.ap50, 4) if figures else None,
                    "val_instances": figures.instances if figures else 0,
                }
            )
        )
    return Manifest.model_validate(manifest.model_dump() | {"labels": tuple(entries)})


def write_card(
    manifest: Manifest, result: Evaluation, sources: Sequence[Source], notes: str = "", *, data_root: str = ""
) -> str:
    """card.md for a manifest made by `labelled_with`."""
    parts = [
        f"# {manifest.name} {manifest.version}",
        f"{manifest.input.width}x{manifest.input.height} px, {manifest.precision}, {manifest.size_bytes / 1e6:.1f} MB, "
        f"licence {manifest.licence}, model `{manifest.sha256[:12]}`"
        + (f", trained on data `{data_root or manifest.dataset}`" if data_root or manifest.dataset else "")
        + ".",
        "## What it recognises",
        _figures(manifest, result),
        _explained(result),
        "## What it was never tested on",
        "\n".join(f"- {line}" for line in untested(manifest, result)),
        "## Data",
        _sources(sources),
    ]
    if notes.strip():
        parts.append("## Known limits\n\n" + notes.strip())
    return "\n\n".join(parts) + "\n"


def untested(manifest: Manifest, result: Evaluation) -> Iterator[str]:
    """What the figures say nothing about, one line each."""
    for entry in manifest.labels:
        figures = result.labels.get(entry.name)
        if entry.synthetic_only:
            yield (
                f"**{entry.name}**: trained on synthetic pictures only. No figure here says anything about the street; "
                "its problems go to a person first."
            )
        elif figures is None:
            yield f"**{entry.name}**: no validation object at all; it is unmeasured."
        else:
            yield from _gaps(figures)
    yield "Any city, camera height, season or weather that the sets below do not show."


def _gaps(figures: LabelFigures) -> Iterator[str]:
    parts = {part.name: part.instances for part in figures.slices}
    sources = [name.removeprefix("source=") for name in parts if name.startswith("source=")]
    said: list[str] = []
    if figures.instances < FEW:
        said.append(f"only {figures.instances} validation objects: the figure is a guess")
    if len(sources) == 1:
        said.append(f"measured on one set only ({sources[0]})")
    night = parts.get("light=night", 0)
    if night == 0:
        said.append(f"never at night (mean grey below {NIGHT_BELOW:g})")
    elif night < FEW:
        said.append(f"hardly at night ({night} objects)")
    for size, meaning in (("small", "far away (under 32 px at 640)"), ("large", "close up (over 96 px at 640)")):
        count = parts.get(f"size={size}", 0)
        if count < FEW:
            said.append(f"{'never' if not count else 'hardly'} {meaning}" + (f" ({count} objects)" if count else ""))
    if said:
        yield f"{figures.label}: {'; '.join(said)}."


def _explained(result: Evaluation) -> str:
    return (
        f"AP50 and AP50-95: {result.evaluator}, on the {result.split} split, each label on the pictures of the "
        "sets that annotate it. The interval is the middle 95 % of a bootstrap over cameras, sites and videos. The "
        f"threshold aims at a precision of {result.wanted_precision:g}; `F1` marks labels that cannot reach it at a "
        "useful recall: theirs is the best F1. Precision and recall are at the threshold, IoU 0.5; in brackets the "
        "same with the threshold chosen on one half of the groups and applied to the other, both ways."
    )


def _figures(manifest: Manifest, result: Evaluation) -> str:
    rows = [
        "| label | trained on (real) | measured on | AP50 | 95 % | AP50-95 | threshold | precision | recall |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for entry in manifest.labels:
        figures = result.labels.get(entry.name)
        name = f"{entry.name} (synthetic only)" if entry.synthetic_only else entry.name
        if figures is None:
            rows.append(f"| {name} | {entry.train_instances} | 0 | - | - | - | {entry.threshold:.3f} | - | - |")
            continue
        spread = f"{figures.interval.low:.2f}-{figures.interval.high:.2f}" if figures.interval else "-"
        checked = figures.cross_checked
        precision = f"{figures.precision:.2f}" + (f" ({checked[0]:.2f})" if checked else "")
        recall = f"{figures.recall:.2f}" + (f" ({checked[1]:.2f})" if checked else "")
        threshold = f"{entry.threshold:.3f}" + ("" if figures.operating.reached else " F1")
        rows.append(
            f"| {name} | {entry.train_instances} | {figures.instances} | {figures.ap50:.3f} | {spread} | "
            f"{figures.ap50_95:.3f} | {threshold} | {precision} | {recall} |"
        )
    return "\n".join(rows)


def _sources(sources: Sequence[Source]) -> str:
    rows = ["| set | licence as declared | training pictures | validation pictures |", "|---|---|--:|--:|"]
    rows += [f"| {item.name} | {item.licence or 'not stated'} | {item.train} | {item.val} |" for item in sources]
    return "\n".join(rows)
