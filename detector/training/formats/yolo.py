"""The YOLO layout: `data.yaml`, `images/<split>`, `labels/<split>/*.txt`; boxes and polygons.

A label line is `class cx cy w h` (a box) or `class x1 y1 x2 y2 x3 y3 ...` (a polygon, at least three points), all
but the class as fractions of the picture's sides. Beside what ultralytics defines, two things of ours are read
where they exist:
`exhaustive` in data.yaml (labels of which every object is boxed; default: all names) and `groups.csv`
(image,group,split).
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.headers import decodable_size
from detector.training.labelled import (
    PICTURE_SUFFIXES,
    SPLITS,
    Drawn,
    LabelledBox,
    LabelledPicture,
    LabelledSet,
    around,
)
from detector.training.written import read_mapping

_NOT_SPLITS = frozenset({*SPLITS, "path", "names", "exhaustive"})


@dataclass(frozen=True, slots=True)
class DataYaml:
    """What a data.yaml says."""

    path: Path  # the file itself
    root: Path  # folder that the split entries are relative to
    splits: Mapping[str, tuple[Path, ...]]  # train, val, test or a name of its own -> folders or .txt lists of pictures
    names: tuple[str, ...]  # in the order of the class numbers
    exhaustive: frozenset[str]  # may be empty: then no label is boxed completely

    def has(self, split: str) -> bool:
        """Whether the split is named and its pictures are there."""
        return split in self.splits and all(map(_is_split, self.splits[split]))

    def pictures(self, split: str) -> Iterator[Path]:
        """The pictures of a split in name order; raises DatasetError when a folder or list of it is missing."""
        for place in self.splits[split]:
            if not _is_split(place):
                raise DatasetError(f"{self.path}: {split}: {place} is neither a folder nor a .txt list of pictures")
            yield from pictures_in(place)


def read_data_yaml(path: Path) -> DataYaml:
    """Read a data.yaml; relative paths in it are relative to the file. Raises DatasetError naming file and key.

    A split that is named but not there is no error until it is read: sets are handed on in parts.
    """
    data = read_mapping(path)
    names = _names(path, data.get("names"))
    exhaustive = data.get("exhaustive", list(names))
    if not isinstance(exhaustive, list) or (unknown := [name for name in exhaustive if name not in names]):
        unknown = unknown if isinstance(exhaustive, list) else exhaustive
        raise DatasetError(f"{path}: exhaustive: {unknown!r} is not a list of labels that stand in names")
    root = (path.parent / str(data.get("path", "."))).resolve()
    if not root.is_dir():  # a path of the machine that wrote it
        root = path.parent.resolve()
    splits = {name: _places(root, data[name]) for name in SPLITS if data.get(name)}
    # A split of its own name (`private: images/private`) is told from other keys by the pictures it leads to.
    others = {str(name): _places(root, value) for name, value in data.items() if name not in _NOT_SPLITS}
    splits |= {name: places for name, places in others.items() if places and all(map(_is_split, places))}
    if not splits:
        raise DatasetError(f"{path}: names no split; add train: or val: with a folder of pictures")
    return DataYaml(path=path, root=root, splits=splits, names=names, exhaustive=frozenset(exhaustive))


def read_yolo(path: Path, splits: Collection[str] = SPLITS, *, licence: str | None = None) -> LabelledSet:
    """Read the set that a data.yaml describes.

    `path` is the data.yaml or the folder that holds it. Raises DatasetError on a broken file, an unknown class
    number or a malformed label line.
    """
    data = read_data_yaml(path / "data.yaml" if path.is_dir() else path)
    name = data.path.resolve().parent.name
    groups = read_groups(data.path.parent / "groups.csv")
    pictures: list[LabelledPicture] = []
    for split in (entry for entry in data.splits if entry in splits):
        for picture in data.pictures(split):
            labels = label_path(picture)
            drawn = read_label_file(labels, data.names, decodable_size(picture))
            pictures.append(
                LabelledPicture(
                    path=picture,
                    size=drawn.size,
                    boxes=tuple(drawn.boxes),
                    empty=tuple(drawn.empty),
                    annotated=frozenset(data.names),
                    exhaustive=data.exhaustive,
                    source=name,
                    split=split,
                    group=groups.get(picture.resolve()),
                    licence=licence,
                    label_path=labels if labels.exists() else None,
                )
            )
    return LabelledSet(name, data.names, tuple(pictures), data.exhaustive)


def pictures_in(folder: Path) -> Iterator[Path]:
    """Pictures below `folder` in name order, or those that a .txt list names (relative to the list)."""
    if folder.is_file():
        for line in folder.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield folder.parent / line.strip()
        return
    yield from sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())


def label_path(picture: Path) -> Path:
    """Where the layout keeps a picture's labels: the last folder called `images` becomes `labels`, the suffix
    `.txt`.
    """
    parts = list(picture.parts)
    for index in range(len(parts) - 1, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def read_label_file(path: Path, names: tuple[str, ...], size: tuple[int, int]) -> Drawn:
    """The boxes of one label file; none when the file does not exist (a picture without objects)."""
    drawn = Drawn(path, size)
    if not path.exists():
        return drawn
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: cannot read the labels ({error})") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            drawn.add(*read_label_line(line, names, size), f"line {number}")
        except ValueError as error:
            raise DatasetError(f"{path}:{number}: {error}") from error
    return drawn


def read_label_line(line: str, names: tuple[str, ...], size: tuple[int, int]) -> tuple[str, BoundingBox]:
    """Label and box (pixels, not clipped) of one line; raises ValueError that says what is wrong with it."""
    first, *rest = line.split()
    number = first.removesuffix(".0")  # some tools write all numbers of a line as floats
    if not number.isdigit():
        raise ValueError(f"class {first!r} is not a whole number")
    if int(number) >= len(names):
        raise ValueError(f"class {number} is unknown: names has only {len(names)} labels")
    try:
        values = [float(value) for value in rest]
    except ValueError as error:
        raise ValueError(f"not numbers: {line[:60]!r}") from error
    if any(value != value or abs(value) == float("inf") for value in values):
        raise ValueError(f"not finite: {line[:60]!r}")
    width, height = size
    if len(values) == 4:
        cx, cy, w, h = values
        fractions = BoundingBox(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    elif len(values) >= 6 and len(values) % 2 == 0:
        fractions = around(zip(values[0::2], values[1::2], strict=True))
    else:
        raise ValueError(f"{len(values)} numbers after the class: need 4 (box) or an even count from 6 (polygon)")
    return names[int(number)], BoundingBox(
        fractions.left * width, fractions.top * height, fractions.right * width, fractions.bottom * height
    )


def read_groups(path: Path) -> dict[Path, str]:
    """groups.csv (columns image, group) as picture -> group; empty when there is none."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not {"image", "group"} <= set(reader.fieldnames or ()):
            raise DatasetError(f"{path}:1: needs the columns image and group")
        return {(path.parent / row["image"]).resolve(): row["group"] for row in reader}


def _names(path: Path, value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):
        if set(value) != set(map(str, range(len(value)))):
            raise DatasetError(f"{path}: names: class numbers must run from 0 without a gap")
        value = [value[str(index)] for index in range(len(value))]
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise DatasetError(f"{path}: names: expected a list of label names")
    if len(set(value)) != len(value):
        raise DatasetError(f"{path}: names: a label stands twice")
    return tuple(value)


def _places(root: Path, value: Any) -> tuple[Path, ...]:
    entries = value if isinstance(value, list) else [value]
    return tuple(_place(root, entry) for entry in entries if isinstance(entry, str) and entry)


def _place(root: Path, entry: str) -> Path:
    """Roboflow writes `../train/images` for a folder that lies beside the file: taken so where only that is there."""
    place, beside = root / entry, root / entry.removeprefix("../")
    return beside if not _is_split(place) and _is_split(beside) else place


def _is_split(place: Path) -> bool:
    return place.is_dir() or (place.suffix == ".txt" and place.is_file())


def write_yolo(data: LabelledSet, folder: Path) -> None:
    """Write `folder`/labels/<split>/*.txt and data.yaml; pictures belong beside them under images/<split>."""
    splits = sorted({picture.split or "train" for picture in data.pictures})
    for picture in data.pictures:
        target = folder / "labels" / (picture.split or "train") / f"{picture.path.stem}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(label_text(picture.boxes, data.labels, picture.size), encoding="utf-8")
    document: dict[str, Any] = {"path": ".", **{split: f"images/{split}" for split in splits}}
    document |= {"names": list(data.labels), "exhaustive": sorted(data.exhaustive)}
    (folder / "data.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def label_text(boxes: Iterable[LabelledBox], names: tuple[str, ...], size: tuple[int, int]) -> str:
    """The content of a label file; eight decimals keep a box within 0.001 px up to 100 000 px wide."""
    width, height = size
    lines = []
    for item in boxes:
        box = item.box
        numbers = (
            (box.left + box.right) / 2 / width,
            (box.top + box.bottom) / 2 / height,
            box.width / width,
            box.height / height,
        )
        lines.append(f"{names.index(item.label)} " + " ".join(f"{number:.8f}" for number in numbers) + "\n")
    return "".join(lines)
