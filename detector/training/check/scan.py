"""Walk over a set without stopping at the first thing that is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from detector.errors import DatasetError
from detector.training.check.finding import Finding, Kind
from detector.training.evaluation.predict import read_picture
from detector.training.formats.yolo import (
    DataYaml,
    label_path,
    read_data_yaml,
    read_groups,
    read_label_line,
)
from detector.training.headers import MAX_PIXELS, picture_size
from detector.training.labelled import LabelledBox, LabelledPicture, clipped
from detector.training.likeness import Hash, flatness, perceptual_hash
from detector.training.manifest import HEADER, read_dataset, verify

FLAT = 8.0
"""Pictures with less contrast (standard deviation of grey) are not compared: their hashes match by chance."""
SLACK = 0.02
"""A box may reach this share of the picture's side beyond its edge: tools round."""


@dataclass(slots=True)
class Scan:
    """What was found on the way, and what is left to compare."""

    pictures: list[LabelledPicture] = field(default_factory=list)
    hashes: list[Hash | None] = field(default_factory=list)  # None: nearly empty picture
    digests: list[str] = field(default_factory=list)  # SHA-256 of the file
    findings: list[Finding] = field(default_factory=list)


def scan_sets(places: Sequence[Path], progress: Callable[[int], None] | None = None) -> Scan:
    """Scan sets given as data.yaml or as the folder that holds one; where a manifest lies beside it, that is read.

    Raises DatasetError only when a data.yaml or manifest itself cannot be read.
    """
    scan = Scan()
    for place in places:
        folder = place if place.is_dir() else place.parent
        if (folder / HEADER).exists():
            _scan_manifest(folder, scan, progress)
        else:
            _scan_yaml(read_data_yaml(place / "data.yaml" if place.is_dir() else place), scan, progress)
    return scan


def _scan_manifest(folder: Path, scan: Scan, progress: Callable[[int], None] | None) -> None:
    data = read_dataset(folder)
    scan.findings.extend(Finding(Kind.CHANGED, str(folder), text) for text in verify(data))
    for picture in data.labelled().pictures:
        if _look(picture.path, scan) is not None:
            _keep(picture, scan)
        scan.findings.extend(_of_no_area(picture))
        if progress is not None:
            progress(1)


def _scan_yaml(data: DataYaml, scan: Scan, progress: Callable[[int], None] | None) -> None:
    name, groups = data.path.resolve().parent.name, read_groups(data.path.parent / "groups.csv")
    label_files: set[Path] = set()
    for split in data.splits:
        for path in data.pictures(split):
            labels = label_path(path)
            label_files.add(labels.resolve())
            size = _look(path, scan)
            if size is not None:
                _keep(
                    LabelledPicture(
                        path=path,
                        size=size,
                        boxes=tuple(_boxes(labels, data.names, size, path, scan)),
                        annotated=frozenset(data.names),
                        exhaustive=data.exhaustive,
                        source=name,
                        split=split,
                        group=groups.get(path.resolve()),
                        label_path=labels,
                    ),
                    scan,
                )
            if not labels.exists():
                scan.findings.append(Finding(Kind.NO_LABELS, str(labels), "no label file", (path,)))
            if progress is not None:
                progress(1)
    for folder in sorted({path.parent for path in label_files}):
        for path in sorted(folder.glob("*.txt")) if folder.is_dir() else ():
            if path.resolve() not in label_files:
                scan.findings.append(Finding(Kind.ORPHAN, str(path), "labels without a picture"))


def _look(path: Path, scan: Scan) -> tuple[int, int] | None:
    """The picture's size when it can be decoded; its hashes go to `scan`, and what is wrong with it."""
    try:
        width, height = picture_size(path)
    except DatasetError as error:
        scan.findings.append(Finding(Kind.UNREADABLE, str(path), str(error)))
        return None
    if width * height > MAX_PIXELS:
        scan.findings.append(Finding(Kind.BOMB, str(path), f"{width}x{height} pixels, more than {MAX_PIXELS:,}"))
        return None
    try:
        image = read_picture(path)
    except DatasetError as error:
        scan.findings.append(Finding(Kind.UNREADABLE, str(path), str(error)))
        return None
    if (image.shape[1], image.shape[0]) != (width, height):
        text = f"header says {width}x{height}, decoded {image.shape[1]}x{image.shape[0]}"
        scan.findings.append(Finding(Kind.UNREADABLE, str(path), text))
        return None
    scan.hashes.append(perceptual_hash(image) if flatness(image) >= FLAT else None)
    scan.digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return width, height


def _keep(picture: LabelledPicture, scan: Scan) -> None:
    scan.pictures.append(picture)
    for index, box in enumerate(picture.boxes):
        if any(box.label == other.label and box.box.iou(other.box) > 0.95 for other in picture.boxes[:index]):
            where = str(picture.label_path or picture.path)
            scan.findings.append(
                Finding(Kind.TWICE, where, f"{box.label} is drawn twice at one place", (picture.path,))
            )


def _of_no_area(picture: LabelledPicture) -> Iterator[Finding]:
    """Boxes of a set with a manifest that the import left out, and those that it kept though no pixel fits in."""
    for item in picture.empty:
        text = f"{item.label}: of no area, left out at the import; drawn in {item.place}"
        yield Finding(Kind.EMPTY_BOX, str(picture.path), text, (picture.path,))
    for number, kept in enumerate(picture.boxes, start=1):
        if min(kept.box.width, kept.box.height) < 1:
            where = f"{picture.label_path}:{number}"
            yield Finding(Kind.EMPTY_BOX, where, f"{kept.label}: less than a pixel inside", (picture.path,))


def _boxes(
    labels: Path, names: tuple[str, ...], size: tuple[int, int], picture: Path, scan: Scan
) -> Iterator[LabelledBox]:
    if not labels.exists():
        return
    try:
        lines = labels.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        scan.findings.append(Finding(Kind.BAD_LINE, str(labels), f"cannot be read: {error}", (picture,)))
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{labels}:{number}"
        try:
            label, box = read_label_line(line, names, size)
        except ValueError as error:
            kind = Kind.UNKNOWN_CLASS if "is unknown" in str(error) else Kind.BAD_LINE
            scan.findings.append(Finding(kind, where, str(error), (picture,)))
            continue
        inside = clipped(box, size)
        if inside.area <= 0 or min(inside.width, inside.height) < 1:
            scan.findings.append(Finding(Kind.EMPTY_BOX, where, f"{label}: less than a pixel inside", (picture,)))
            continue
        over = max(-box.left / size[0], -box.top / size[1], box.right / size[0] - 1, box.bottom / size[1] - 1)
        if over > SLACK:
            text = f"{label}: reaches {100 * over:.0f} % of the side beyond the edge"
            scan.findings.append(Finding(Kind.OUTSIDE, where, text, (picture,)))
        yield LabelledBox(label, inside)
