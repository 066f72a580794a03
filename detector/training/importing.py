"""Bring labelled sets of other tools into one set of ours.

A recipe (YAML) names the sets, their formats and how their labels become ours:

    name: city
    labels: [garbage, bin, bin_overflow]     # class order; default: as met
    sets:
      - name: bins
        format: coco                          # coco yolo voc cvat labelstudio labelme masks
        path: bins/instances.json             # relative to the recipe
        images: bins/photos
        map: {litter: garbage, umbrella: null}   # theirs -> ours; null drops it; what is not named keeps its name
        exhaustive: [garbage, bin]            # of OUR labels; default: all that the set has
        licence: CC-BY-4.0
        group_pattern: "^(cam\\d+)_"          # first group of the match on the file name: camera, site, video
        time_pattern: "(\\d{8}_\\d{6})"        # and when it was taken
        time_format: "%Y%m%d_%H%M%S"
        split: test                           # all of it; default: as the set says, else unassigned
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.formats.coco import read_coco, write_coco
from detector.training.formats.cvat import read_cvat, write_cvat
from detector.training.formats.labelme import read_labelme, write_labelme
from detector.training.formats.labelstudio import read_label_studio, write_label_studio
from detector.training.formats.masks import read_masks
from detector.training.formats.voc import read_voc, write_voc
from detector.training.formats.yolo import label_text, read_groups, read_yolo, write_yolo
from detector.training.labelled import LabelledPicture, LabelledSet
from detector.training.manifest import HEADER, Dataset, Row, file_hash, read_dataset, write_dataset
from detector.training.written import fault_of, read_mapping, read_written

Progress = Callable[[int], None]
WRITERS: dict[str, Callable[[LabelledSet, Path], None]] = {
    "coco": write_coco,
    "yolo": write_yolo,
    "voc": write_voc,
    "cvat": write_cvat,
    "labelstudio": write_label_studio,
    "labelme": write_labelme,
}
"""Formats that `export_set` can write."""


class SetRecipe(BaseModel):
    """One set to import; see the module's text."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    format: Literal["coco", "yolo", "voc", "cvat", "labelstudio", "labelme", "masks"]
    path: Path
    images: Path | None = None
    map: dict[str, str | None] = {}
    exhaustive: list[str] | None = None
    licence: str | None = None
    groups: Path | None = Field(None, description="CSV with columns image (relative to it) and group")
    group_pattern: str | None = None
    time_pattern: str | None = None
    time_format: str = "%Y%m%d_%H%M%S"
    split: Literal["train", "val", "test"] | None = None
    values: dict[str, str] | None = None
    suffixes: dict[str, str] | None = None

    @field_validator("group_pattern", "time_pattern")
    @classmethod
    def _has_a_group(cls, pattern: str | None) -> str | None:
        if pattern is not None and re.compile(pattern).groups < 1:
            raise ValueError("needs a group in parentheses: what it matches is taken")
        return pattern


class ImportRecipe(BaseModel):
    """Several sets that become one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    labels: list[str] = []
    sets: list[SetRecipe] = Field(min_length=1)


def read_recipe(path: Path) -> ImportRecipe:
    """Read an import recipe, its paths made relative to it; raises DatasetError naming file, line and field."""
    recipe = read_written(path, ImportRecipe)
    names = [entry.name for entry in recipe.sets]
    if len(set(names)) < len(names):
        raise DatasetError(f"{path}: sets: a name stands twice")

    def beside(value: Path | None) -> Path | None:
        return None if value is None else path.parent / value

    moved = [
        entry.model_copy(
            update={
                "path": beside(entry.path),
                "images": beside(entry.images),
                "groups": beside(entry.groups),
            }
        )
        for entry in recipe.sets
    ]
    return recipe.model_copy(update={"sets": moved})


def recipe_of_one(name: str, fields: Mapping[str, Any], class_map: Path | None) -> ImportRecipe:
    """The recipe of a single set: `fields` of SetRecipe, and a YAML file of `their label: ours` or of further fields.

    Raises DatasetError naming file and field.
    """
    further = {} if class_map is None else read_mapping(class_map)
    if class_map is not None and "map" not in further:
        further = {"map": further}
    try:
        return ImportRecipe(name=name, sets=[SetRecipe.model_validate({**fields, **further})])
    except ValidationError as error:
        raise DatasetError(f"{class_map or fields['name']}: {fault_of(error)}") from error


def read_source(entry: SetRecipe) -> LabelledSet:
    """Read one set with its labels mapped to ours and groups, times and splits filled in. Raises DatasetError."""
    data = _read(entry)
    if unknown := set(entry.map) - set(data.labels):
        raise DatasetError(
            f"set {entry.name!r}: map names {sorted(unknown)}, which the set does not have: {', '.join(data.labels)}"
        )
    ours = {label: entry.map.get(label, label) for label in data.labels}
    kept = tuple(dict.fromkeys(label for label in ours.values() if label is not None))
    if entry.exhaustive is None:
        partial = {ours[label] for label in data.labels if label not in data.exhaustive}
        exhaustive: frozenset[str] = frozenset(label for label in kept if label not in partial)
    else:
        exhaustive = frozenset(entry.exhaustive)
        if unknown := set(exhaustive) - set(kept):
            raise DatasetError(f"set {entry.name!r}: exhaustive names {sorted(unknown)}, which the set does not have")
    groups = read_groups(entry.groups) if entry.groups else {}
    pictures = tuple(
        replace(
            picture,
            boxes=tuple(replace(box, label=label) for box in picture.boxes if (label := ours[box.label]) is not None),
            empty=tuple(replace(box, label=label) for box in picture.empty if (label := ours[box.label]) is not None),
            annotated=frozenset(kept),
            exhaustive=exhaustive,
            source=entry.name,
            split=entry.split or picture.split,
            group=groups.get(picture.path.resolve()) or _matched(entry.group_pattern, picture.path) or picture.group,
            captured_at=_time(entry, picture) or picture.captured_at,
            licence=entry.licence or picture.licence,
        )
        for picture in data.pictures
    )
    return LabelledSet(entry.name, kept, pictures, exhaustive)


def import_sets(recipe: ImportRecipe, folder: Path, *, link: bool = False, progress: Progress | None = None) -> Dataset:
    """Import all sets of a recipe into `folder`, beside those already there; a set of the same name is replaced.

    `link`: symbolic links instead of copies of the pictures. Raises DatasetError; then nothing was changed but files
    that the manifest does not list.
    """
    earlier = read_dataset(folder) if (folder / HEADER).exists() else None
    read = [read_source(entry) for entry in recipe.sets]
    replaced = {data.name for data in read}
    rows = [row for row in earlier.rows if row.source not in replaced] if earlier else []
    labels = tuple(
        dict.fromkeys(
            [*(earlier.labels if earlier else ()), *recipe.labels, *(name for data in read for name in data.labels)]
        )
    )
    for data in read:
        shutil.rmtree(folder / "images" / data.name, ignore_errors=True)
        shutil.rmtree(folder / "labels" / data.name, ignore_errors=True)
        for picture, name in _named(data):
            rows.append(_store(folder, picture, f"images/{data.name}/{name}", labels, link))
            if progress is not None:
                progress(1)
    return write_dataset(folder, recipe.name, labels, rows)


def export_set(data: LabelledSet, form: str, folder: Path, *, pictures: bool = True, prefix: str = "") -> None:
    """Write `data` in another tool's format; with `pictures`, copies of them go to `folder`/images, but for labelme,
    which looks for them beside its files.

    `prefix`: labelstudio only, see `write_label_studio`.
    Raises DatasetError for an unknown format, or for two pictures of the same name (most formats know names only).
    """
    if form not in WRITERS:
        raise DatasetError(f"unknown format {form!r}: can write {', '.join(WRITERS)}")
    named = [(picture, name) for picture, name in _named(data)]
    flat = replace(data, pictures=tuple(replace(picture, path=picture.path.with_name(name)) for picture, name in named))
    if form == "labelstudio":
        write_label_studio(flat, folder, prefix=prefix)
    else:
        WRITERS[form](flat, folder)
    for picture, name in named if pictures else ():
        place = {"yolo": f"images/{picture.split or 'train'}", "labelme": "."}.get(form, "images")
        target = folder / place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture.path, target)


def _read(entry: SetRecipe) -> LabelledSet:
    if entry.format == "yolo":
        return read_yolo(entry.path)
    if entry.format == "masks":
        return read_masks(entry.path, entry.images, values=entry.values, suffixes=entry.suffixes)
    readers: dict[str, Callable[[Path, Path | None], LabelledSet]] = {
        "coco": read_coco,
        "voc": read_voc,
        "cvat": read_cvat,
        "labelstudio": read_label_studio,
        "labelme": read_labelme,
    }
    return readers[entry.format](entry.path, entry.images)


def _matched(pattern: str | None, path: Path) -> str | None:
    found = re.search(pattern, path.name) if pattern else None
    return found.group(1) if found else None


def _time(entry: SetRecipe, picture: LabelledPicture) -> datetime | None:
    text = _matched(entry.time_pattern, picture.path)
    if text is None:
        return None
    try:
        return datetime.strptime(text, entry.time_format)  # noqa: DTZ007 - file names rarely say their zone
    except ValueError as error:
        raise DatasetError(f"{picture.path}: {text!r} does not fit time_format {entry.time_format!r}") from error


def _named(data: LabelledSet) -> Iterator[tuple[LabelledPicture, str]]:
    """Each picture with a file name of its own: the plain name, or where two clash with a mark from its path.

    Names that differ in the suffix only clash too: their label files would be one.
    """
    stems: dict[str, Path] = {}
    for picture in data.pictures:
        name = PurePosixPath(picture.path.name)
        if stems.get(name.stem, picture.path) != picture.path:
            mark = hashlib.sha256(picture.path.parent.name.encode() + name.suffix.encode()).hexdigest()[:8]
            name = name.with_name(f"{name.stem}-{mark}{name.suffix}")
        if stems.setdefault(name.stem, picture.path) != picture.path:
            raise DatasetError(f"{picture.path}: a second picture of this name in set {data.name!r}; rename one")
        yield picture, name.name


def _store(folder: Path, picture: LabelledPicture, path: str, labels: tuple[str, ...], link: bool) -> Row:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        target.symlink_to(picture.path.resolve())
    else:
        shutil.copyfile(picture.path, target)
    text = label_text(picture.boxes, labels, picture.size)
    label = folder / "labels" / Path(path).relative_to("images").with_suffix(".txt")
    label.parent.mkdir(parents=True, exist_ok=True)
    label.write_text(text, encoding="utf-8")
    return Row.model_validate(_fields(picture, path, file_hash(target), hashlib.sha256(text.encode()).hexdigest()))


def _edges(box: BoundingBox) -> tuple[float, float, float, float]:
    return round(box.left, 3), round(box.top, 3), round(box.right, 3), round(box.bottom, 3)


def _fields(picture: LabelledPicture, path: str, sha256: str, label_sha256: str) -> dict[str, Any]:
    return {
        "path": path,
        "sha256": sha256,
        "width": picture.size[0],
        "height": picture.size[1],
        "label_sha256": label_sha256,
        "source": picture.source,
        "licence": picture.licence,
        "group": picture.group,
        "captured_at": picture.captured_at,
        "split": picture.split,
        "annotated": sorted(picture.annotated),
        "exhaustive": sorted(picture.exhaustive),
        "boxes": [(item.label, *_edges(item.box)) for item in picture.boxes],
        "empty": [(item.label, *_edges(item.box), item.place) for item in picture.empty],
    }
