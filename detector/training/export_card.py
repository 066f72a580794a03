"""card.md of a bundle: for people who must decide whether to trust the model with their street."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detector.inference.bundle import LabelEntry
from detector.training.partial_sets import read_merged

FEW = 30
"""Validation boxes below which a figure is called rough."""

CARD = """\
# {name} {version}

A YOLO detector of {count} labels for street pictures, run at {size} px by default. Any size that is a multiple
of 32 works; boxes are best near the default.

## Labels

Boxes: real ones it was trained on, drawn by a teacher model, synthetic, and real ones it was measured on. AP50 and
the operating point (precision and recall at the threshold) are measured on the validation pictures of the sets that
annotate the label, by `detector evaluate` on this very file. The thresholds were chosen on the same pictures, so
precision and recall are a little too kind.

| label | real train | taught | synthetic | val | AP50 | AP50-95 | threshold | precision | recall |
|---|---|---|---|---|---|---|---|---|---|
{rows}

## Data

Real sets: {sets} (datasets/{mixture}/manifest.yaml; root hash `{root_hash}`). Splits are by camera, site or video.
{notes}
## Limits

- Never seen in a real picture: {drawn}. Nothing is known about these labels on a real street; a person looks first.
- Fewer than {few} real boxes to measure on, so the figure is a rough one: {thin}.
- Cities, cameras, seasons and weather outside these sets were not tested. Measure on your own cameras
  (`detector evaluate`) and choose your own thresholds before you act on it.
- It finds things, it does not judge them: whether a stall is permitted or a car parked wrongly is decided by the
  rules, from zone, hour and permit.
"""


def card_text(
    name: str,
    version: str,
    data: Path,
    entries: Sequence[LabelEntry],
    figures: Mapping[str, Mapping[str, Any]],
    nominal_size: int,
    notes: str = "",
) -> str:
    """The card as Markdown: what was learned from what, how it was measured, and what nobody knows about it.

    `data` is the merged dataset (data.yaml), `figures` the "labels" object of `detector evaluate --json`; `notes` is
    Markdown put before the limits.
    """
    content = read_merged(data)
    real = sorted(set_name for set_name, entry in content["evidence"].items() if not entry.get("synthetic"))
    drawn = [entry.name for entry in entries if entry.synthetic_only]
    thin = [entry.name for entry in entries if not entry.synthetic_only and entry.val_instances < FEW]
    return CARD.format(
        name=name,
        version=version,
        count=len(entries),
        size=nominal_size,
        rows="\n".join(_row(entry, content["boxes"][entry.name], figures.get(entry.name, {})) for entry in entries),
        sets=", ".join(real),
        mixture=content.get("name", name),
        root_hash=content["root_hash"][:16],
        notes=f"\n{notes.strip()}\n" if notes.strip() else "",
        drawn=", ".join(drawn) or "none",
        few=FEW,
        thin=", ".join(thin) or "none",
    )


def _row(entry: LabelEntry, boxes: Mapping[str, int], figure: Mapping[str, Any]) -> str:
    if entry.ap50 is None:
        figure = {}

    def said(key: str) -> str:
        value = figure.get(key)
        return "-" if value is None else f"{value:.2f}"

    cells = [
        entry.name + (" (synthetic only)" if entry.synthetic_only else ""),
        *(str(boxes[origin]) for origin in ("train", "taught", "synthetic")),
        str(figure.get("instances", entry.val_instances)),
        *(said(key) for key in ("ap50", "ap50_95")),
        f"{entry.threshold:.2f}",
        *(said(key) for key in ("precision", "recall")),
    ]
    return f"| {' | '.join(cells)} |"
