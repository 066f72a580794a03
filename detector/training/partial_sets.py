"""The mixture recipe: sets that annotate different labels, merged into one label list.

A dataset recipe (`datasets/<name>/manifest.yaml`) names the sets of a mixture, how their labels
become ours, and what the absence of a box means in each of them. This module reads it and writes
the merged YOLO layout that the trainer opens:

    OUT/images/{train,val}/<set>/<picture>   (symbolic links)
    OUT/labels/{train,val}/<set>/<picture>.txt   class cx cy w h, fractions of the picture's sides
    OUT/data.yaml    names, evidence of every set, boxes by label and origin, root hash of pictures and labels

The folder name <set> is what later tells the loss which labels a picture is evidence for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from detector.errors import DatasetError
from detector.training.formats.yolo import read_groups
from detector.training.partial_draws import group_shares
from detector.training.partial_root import add_picture, add_words_hash, refuse_changed
from detector.training.written import read_mapping, read_written

PICTURE_SUFFIXES = frozenset({".webp", ".jpg", ".jpeg", ".png", ".bmp"})
SPLITS = ("train", "val")

TaughtBox = tuple[str, float, float, float, float]  # label, then cx cy w h in fractions of the sides


class SetAugment(BaseModel):
    """What the training pictures of one set undergo beside the run's augmentations: rotation by up to `degrees` either
    way (instead of the run's), a quarter turn and grey, each with its probability.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    degrees: float = Field(default=0.0, ge=0.0, le=45.0)
    quarter_turns: float = Field(default=0.0, ge=0.0, le=1.0)
    grey: float = Field(default=0.0, ge=0.0, le=1.0)


class SetRecipe(BaseModel):
    """One set of the mixture: what it maps to and what its silence means (see
    `datasets/street-14/manifest.yaml`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: str | None = None
    repeat: float = Field(default=1.0, ge=0.0, le=50.0)
    even: float = Field(default=0.0, ge=0.0, le=1.0)
    map: dict[str, str | None] = {}
    known: list[str] | None = None
    absent: list[str] = []
    hinted: dict[str, float] = {}
    taught: dict[str, float] = {}
    synthetic: bool = False
    augment: SetAugment | None = None


class MixtureRecipe(BaseModel):
    """The whole mixture: label list in model order, groups of mutually exclusive labels, and the
    sets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    labels: list[str] = Field(min_length=1)
    exclusive: list[list[str]] = []
    sets: dict[str, SetRecipe] = Field(min_length=1)

    @model_validator(mode="after")
    def _labels_exist(self) -> MixtureRecipe:
        ours = set(self.labels)
        if len(ours) != len(self.labels):
            raise ValueError("labels: a name stands twice")
        for name, entry in self.sets.items():
            named = (
                {label for label in entry.map.values() if label}
                | set(entry.absent)
                | set(entry.hinted)
                | set(entry.taught)
            )
            named |= set(entry.known or [])
            if unknown := named - ours:
                raise ValueError(f"sets.{name}: {sorted(unknown)} not in labels")
            weights = {**entry.hinted, **entry.taught}
            if bad := [label for label, weight in weights.items() if not 0.0 <= weight <= 1.0]:
                raise ValueError(f"sets.{name}: weight of {bad} must lie in 0..1")
        if unknown := {label for group in self.exclusive for label in group} - ours:
            raise ValueError(f"exclusive: {sorted(unknown)} not in labels")
        return self


def read_mixture(path: Path) -> MixtureRecipe:
    """Read a mixture recipe; raises DatasetError naming file, line and field."""
    return read_written(path, MixtureRecipe)


def merge_sets(
    recipe: MixtureRecipe,
    roots: Sequence[Path],
    out: Path,
    taught: Mapping[tuple[str, str], Sequence[TaughtBox]] | None = None,
) -> Path:
    """Write the merged layout of `recipe` and return its data.yaml.

    A set lies in the first of `roots` that has a folder of its name, unless it names its own path.

    `taught`: (set, picture file name) -> boxes of a teacher, added to the training pictures (see
    partial_teacher.py). Labels are written afresh, pictures are linked; stale files of an earlier
    merge are removed.
    Raises DatasetError on a missing or empty set, an unknown label or a malformed label line.
    """
    evidence: dict[str, dict[str, Any]] = {}
    digest = hashlib.sha256()
    kept: set[Path] = set()
    boxes = {label: dict.fromkeys(("train", "val", "taught", "synthetic"), 0) for label in recipe.labels}
    for name, entry in recipe.sets.items():
        folder = set_folder(roots, name, entry)
        names, exhaustive = _read_data_yaml(folder)
        table = _label_table(recipe, name, entry, names)
        known = entry.known if entry.known is not None else _mapped(names, exhaustive, entry)
        evidence[name] = {
            "known": [label for label in recipe.labels if label in known],
            "absent": list(entry.absent),
            "hinted": dict(entry.hinted),
            "taught": dict(entry.taught) if taught else {},
            "repeat": entry.repeat,
            "synthetic": entry.synthetic,
        }
        if entry.augment is not None:
            evidence[name]["augment"] = entry.augment.model_dump()
        if entry.even:
            pictures = list(picture_files(folder / "images" / "train"))
            evidence[name]["draws"] = group_shares(pictures, read_groups(folder / "groups.csv"), entry.even)
        counted = 0
        for split in SPLITS:
            for picture in picture_files(folder / "images" / split):
                lines = _label_lines(folder / "labels" / split / f"{picture.stem}.txt", table)
                _count(boxes, lines, "synthetic" if entry.synthetic else split)
                if taught and split == "train":
                    extra = _taught_lines(recipe, taught.get((name, picture.name), ()))
                    _count(boxes, extra, "taught")
                    lines += extra
                link = out / "images" / split / name / picture.name
                label_file = out / "labels" / split / name / f"{picture.stem}.txt"
                _write(link, label_file, picture, lines)
                kept |= {link, label_file}
                add_picture(digest, split, name, picture, "\n".join(lines))
                counted += split == "train"
        if not counted:
            raise DatasetError(f"{folder}: no training pictures under images/train; remove the set or fill it")
    _remove_stale(out, kept)
    data = {
        "name": recipe.name,
        "path": str(out.resolve()),
        "train": "images/train",
        "val": "images/val",
        "names": dict(enumerate(recipe.labels)),
        "evidence": evidence,
        "exclusive": recipe.exclusive,
        "boxes": boxes,
        "root_hash": digest.hexdigest(),
    }
    target = out / "data.yaml"
    target.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    add_words_hash(target)
    return target


def read_merged(path: Path) -> dict[str, Any]:
    """data.yaml of a merged dataset, as merge_sets wrote it; DatasetError on one that is broken or was not merged."""
    data = read_mapping(path)
    wanted = ("path", *SPLITS, "names", "evidence", "exclusive", "boxes", "root_hash")
    if missing := [key for key in wanted if key not in data]:
        raise DatasetError(f"{path}: {', '.join(missing)} missing; write it with `detector dataset merge`")
    return data


def refuse_changed_files(path: Path, data: Mapping[str, Any]) -> None:
    """Raise DatasetError when a merged dataset, read from `path`, is not as it was merged; reads every picture."""
    root = Path(data["path"])
    sets = {
        name: {split: list(picture_files(root / "images" / split / name)) for split in SPLITS}
        for name in data["evidence"]
    }
    refuse_changed(path, data, sets)


def merged_pictures(data: Mapping[str, Any], split: str) -> list[Path]:
    """The pictures of one split of a merged dataset, by set and name; what a trainer keeps beside them is none."""
    folders = sorted(path for path in (Path(data["path"]) / data[split]).glob("*") if path.is_dir())
    return [picture for folder in folders for picture in picture_files(folder)]


def set_folder(roots: Sequence[Path], name: str, entry: SetRecipe) -> Path:
    """Where a set of the recipe lies; raises DatasetError when it is in none of the `roots`."""
    for root in roots:
        folder = root / (entry.path or name)
        if folder.is_dir():
            return folder
    places = ", ".join(map(str, roots))
    raise DatasetError(f"set {name!r} of the recipe is not under {places}; name the folders that hold the sets")


def _read_data_yaml(folder: Path) -> tuple[list[str], list[str]]:
    path = folder / "data.yaml"
    data = read_mapping(path)
    if "names" not in data:
        raise DatasetError(f"{path}: names: is missing; list the set's labels in the order of the class numbers")
    names = data["names"]
    names = list(names.values()) if isinstance(names, Mapping) else list(names or [])
    return names, list(data.get("exhaustive", names))


def _label_table(recipe: MixtureRecipe, name: str, entry: SetRecipe, names: list[str]) -> list[int | None]:
    """For each class index of the set: our index, or None when the recipe drops it."""
    table: list[int | None] = []
    for label in names:
        ours = entry.map.get(label, label)
        if ours is not None and ours not in recipe.labels:
            raise DatasetError(f"set {name!r}: label {label!r} is not ours; map it to one of the labels or to null")
        table.append(None if ours is None else recipe.labels.index(ours))
    return table


def _mapped(names: list[str], exhaustive: list[str], entry: SetRecipe) -> set[str]:
    """Our labels that the set annotates everywhere: those whose every name in the set is exhaustive."""
    complete = {entry.map.get(label, label) for label in exhaustive}
    gaps = {entry.map.get(label, label) for label in names if label not in exhaustive}
    return {label for label in complete - gaps if label is not None}


def picture_files(folder: Path) -> Iterator[Path]:
    """The pictures in a folder, by name; none when the folder is missing."""
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)


def _label_lines(path: Path, table: list[int | None]) -> list[str]:
    """Box lines in our classes; a polygon becomes the box around it. No file means no object."""
    lines = []
    for theirs, box in set_boxes(path):
        if not 0 <= theirs < len(table):
            raise DatasetError(f"{path}: class {theirs} is not one of the set's {len(table)} names")
        if (ours := table[theirs]) is not None:
            lines.append(_line(ours, box))
    return lines


def _taught_lines(recipe: MixtureRecipe, boxes: Sequence[TaughtBox]) -> list[str]:
    return [_line(recipe.labels.index(label), box) for label, *box in boxes]


def _count(boxes: dict[str, dict[str, int]], lines: Sequence[str], origin: str) -> None:
    names = list(boxes)
    for line in lines:
        boxes[names[int(line.split(maxsplit=1)[0])]][origin] += 1


def _line(label: int, box: Sequence[float]) -> str:
    return f"{label} " + " ".join(f"{value:.6f}" for value in box)


def set_boxes(path: Path) -> list[tuple[int, tuple[float, float, float, float]]]:
    """(class, (cx, cy, w, h)) of each line of a YOLO label file, clipped to the picture; no file
    means no object. Raises DatasetError naming file and line.
    """
    if not path.exists():
        return []
    boxes = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            first, *rest = line.split()
            boxes.append((int(first), _box([float(value) for value in rest])))
        except ValueError as error:
            raise DatasetError(f"{path}:{number}: not a YOLO box or polygon ({line[:60]!r}: {error})") from error
    return boxes


def _box(values: list[float]) -> tuple[float, float, float, float]:
    """(cx, cy, w, h) clipped to the picture, fractions of its sides, from a box or a polygon x1 y1
    x2 y2 ...
    """
    if len(values) == 4:
        cx, cy, w, h = values
        left, top, right, bottom = cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2
    elif len(values) >= 6 and len(values) % 2 == 0:
        left, right = min(values[0::2]), max(values[0::2])
        top, bottom = min(values[1::2]), max(values[1::2])
    else:
        raise ValueError("four numbers or at least three points")
    left, top, right, bottom = (min(max(value, 0.0), 1.0) for value in (left, top, right, bottom))
    if right <= left or bottom <= top:
        raise ValueError("empty box")
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def _write(link: Path, label_file: Path, picture: Path, lines: list[str]) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    label_file.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink() or link.exists():
        link.unlink()
    link.symlink_to(picture.resolve())
    label_file.write_text("\n".join(lines) + ("\n" if lines else ""), encoding="utf-8")


def _remove_stale(out: Path, kept: set[Path]) -> None:
    for kind in ("images", "labels"):
        for path in (out / kind).rglob("*"):
            if (path.is_file() or path.is_symlink()) and path not in kept and path.suffix != ".cache":
                path.unlink()
