"""Contact sheets: what a person must look at, as PNG files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from detector.core.frame import Image
from detector.errors import DatasetError
from detector.training.check.finding import Finding
from detector.training.check.suspects import Suspect
from detector.training.drawing import TRUTH, WRONG, Mark, contact_sheet, marked, write_picture
from detector.training.evaluation.predict import read_picture
from detector.training.labelled import LabelledPicture

TILES = 40


def sheets_of_findings(
    folder: Path, findings: Sequence[Finding], pictures: Mapping[Path, LabelledPicture]
) -> list[Path]:
    """One sheet per kind of finding, with the first pictures of each; returns the files written."""
    by_kind: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.pictures:
            by_kind[finding.kind.value].append(finding)
    written: list[Path] = []
    for kind, found in sorted(by_kind.items()):
        shown = [path for finding in _varied(found) for path in finding.pictures[:2]][:TILES]
        tiles = [(_drawn(pictures.get(path), path), _caption(path)) for path in shown]
        written.append(folder / f"{kind}.png")
        write_picture(written[-1], contact_sheet(tiles, columns=6))
    return written


def sheet_of_suspects(folder: Path, found: Sequence[Suspect]) -> list[Path]:
    """A sheet per label with the heaviest suspects: drawn boxes green, what the model says red."""
    by_label: dict[str, list[Suspect]] = defaultdict(list)
    for suspect in found:
        by_label[suspect.label].append(suspect)
    written: list[Path] = []
    for label, group in sorted(by_label.items()):
        tiles = []
        for suspect in group[:TILES]:
            marks = [Mark(box.box, "", TRUTH) for box in suspect.picture.boxes if box.label == label]
            if suspect.detection is not None:
                marks.append(Mark(suspect.detection.box, suspect.detection.label, WRONG))
            tiles.append((marked(read_picture(suspect.picture.path), marks, 240), suspect.text))
        written.append(folder / f"suspects-{label}.png")
        write_picture(written[-1], contact_sheet(tiles, columns=6))
    return written


def sheets_of_labels(folder: Path, pictures: Sequence[LabelledPicture], per_label: int = 24) -> list[Path]:
    """A sheet per label with pictures spread evenly over the set, boxes of that label drawn."""
    written: list[Path] = []
    for label in sorted({box.label for picture in pictures for box in picture.boxes}):
        having = [picture for picture in pictures if label in picture.labels()]
        step = max(1, len(having) // per_label)
        tiles = [
            (
                marked(
                    read_picture(picture.path),
                    [Mark(box.box, "", TRUTH) for box in picture.boxes if box.label == label],
                    240,
                ),
                _caption(picture.path),
            )
            for picture in having[::step][:per_label]
        ]
        written.append(folder / f"label-{label}.png")
        write_picture(written[-1], contact_sheet(tiles, columns=6))
    return written


def _varied(findings: Sequence[Finding]) -> list[Finding]:
    """The findings with those first that show a picture for the first time."""
    times: Counter[Path] = Counter()
    ranked: list[tuple[int, int]] = []
    for index, finding in enumerate(findings):
        ranked.append((max(times[path] for path in finding.pictures[:2]), index))
        times.update(finding.pictures[:2])
    return [findings[index] for _, index in sorted(ranked)]


def _drawn(picture: LabelledPicture | None, path: Path) -> Image:
    """The picture with its boxes, or a grey tile where it cannot be read."""
    try:
        image = read_picture(path)
    except DatasetError:
        return np.full((240, 240, 3), 190, np.uint8)
    return marked(image, [Mark(box.box, box.label, TRUTH) for box in picture.boxes] if picture else [], 240)


def _caption(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
