"""A data set as it is kept: pictures, YOLO label files, and a manifest that pins every byte of both.

    SET/dataset.json     name, labels in class order, number of pictures, root hash
    SET/manifest.jsonl   one line per picture, sorted by path: see `Row`
    SET/images/<source>/<picture>      SET/labels/<source>/<picture>.txt
    SET/data.yaml, train.txt, val.txt  what trainers open; made from the manifest, so a new split touches no picture

The root hash is the SHA-256 over the manifest's lines; each line holds the SHA-256 of its picture and of its label
file. Whoever keeps the root hash (a training run, a model's manifest) can tell any later change of any file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.labelled import SPLITS, EmptyBox, LabelledBox, LabelledPicture, LabelledSet
from detector.training.written import fault_of

MANIFEST, HEADER = "manifest.jsonl", "dataset.json"
BoxRow = tuple[str, float, float, float, float]
"""label, left, top, right, bottom in pixels."""
EmptyRow = tuple[str, float, float, float, float, str]
"""The same of a box of no area as it was drawn, and where: its annotation file and the place in it."""


class Row(BaseModel):
    """One line of manifest.jsonl."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: str = Field(description="of the picture, relative to the set's folder")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the picture file")
    width: int = Field(gt=0, description="pixels")
    height: int = Field(gt=0, description="pixels")
    label_sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the label file")
    source: str = Field(description="the set it was imported from")
    licence: str | None = Field(None, description="as declared by the source")
    group: str | None = Field(None, description="camera, site or video; stays in one split")
    captured_at: datetime | None = Field(None, description="when it was taken, as far as known")
    split: str | None = Field(None, description="train, val, test, or not assigned")
    annotated: list[str] = Field(description="labels that were looked for in it")
    exhaustive: list[str] = Field(description="labels of which every object is boxed")
    boxes: list[BoxRow] = Field(description="label, left, top, right, bottom; pixels")
    empty: list[EmptyRow] = Field([], description="boxes of no area, left out of the label file; see EmptyRow")

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise ValueError("must be relative and stay inside the set's folder")
        return path

    @field_validator("split")
    @classmethod
    def _is_known(cls, split: str | None) -> str | None:
        if split is not None and split not in SPLITS:
            raise ValueError(f"must be one of {', '.join(SPLITS)}")
        return split

    def line(self) -> str:
        """The one way to write it, so that equal rows have equal hashes; without `empty` where there is none, as
        before there was such a field.
        """
        fields = self.model_dump(mode="json", exclude=set() if self.empty else {"empty"})
        return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set on disk: its folder, header and rows."""

    folder: Path
    name: str
    labels: tuple[str, ...]
    rows: tuple[Row, ...]
    root: str  # as computed from the rows

    def labelled(self) -> LabelledSet:
        """The same as labelled pictures."""
        return LabelledSet(self.name, self.labels, tuple(_picture(self.folder, row) for row in self.rows))


def root_hash(rows: Iterable[Row]) -> str:
    """SHA-256 over the rows' lines in path order."""
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda row: row.path):
        digest.update(row.line().encode() + b"\n")
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file; raises DatasetError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}), but the manifest lists it") from error


def label_file(row: Row) -> PurePosixPath:
    """The row's label file, relative to the set's folder."""
    return PurePosixPath("labels", *PurePosixPath(row.path).parts[1:]).with_suffix(".txt")


def read_dataset(folder: Path) -> Dataset:
    """Read header and manifest and compare the root hash; raises DatasetError naming file and line.

    Picture and label files are not opened: `verify` does that.
    """
    header_path, manifest_path = folder / HEADER, folder / MANIFEST
    try:
        header = json.loads(header_path.read_text(encoding="utf-8"))
        name, labels, root = str(header["name"]), tuple(map(str, header["labels"])), str(header["root"])
        lines = manifest_path.read_bytes().decode().removesuffix("\n").split("\n")
    except OSError as error:
        raise DatasetError(f"{folder}: no data set: {error.filename} cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{header_path}: needs name, labels and root ({error!r})") from error
    rows: list[Row] = []
    for number, line in enumerate(lines if lines != [""] else [], start=1):
        try:
            rows.append(Row.model_validate_json(line))
        except ValidationError as error:
            raise DatasetError(f"{manifest_path}:{number}: {fault_of(error)}") from error
        if rows[-1].line() != line:
            raise DatasetError(f"{manifest_path}:{number}: is not as it was written; import again")
    found = root_hash(rows)
    if found != root:
        raise DatasetError(
            f"{manifest_path}: root hash is {found}, {HEADER} says {root}:"
            " the manifest was changed by hand; import again"
        )
    return Dataset(folder, name, labels, tuple(rows), found)


def write_dataset(folder: Path, name: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Dataset:
    """Write header, manifest, data.yaml and the split lists; the header goes last."""
    ordered = tuple(sorted(rows, key=lambda row: row.path))
    root = root_hash(ordered)
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / MANIFEST, "".join(row.line() + "\n" for row in ordered))
    for file, text in _derived(Dataset(folder, name, labels, ordered, root)).items():
        if text is None:
            (folder / file).unlink(missing_ok=True)
        else:
            _replace(folder / file, text)
    return Dataset(folder, name, labels, ordered, root)


def verify(dataset: Dataset) -> Iterator[str]:
    """What is wrong with the files of a set, one line each; nothing when every byte is as it was imported."""
    yield from _altered(dataset)
    listed: set[Path] = set()
    for row in dataset.rows:
        for relative, expected in ((PurePosixPath(row.path), row.sha256), (label_file(row), row.label_sha256)):
            path = dataset.folder / relative
            listed.add(path)
            try:
                if file_hash(path) != expected:
                    yield f"{path}: was changed after the import (SHA-256 differs); restore it or import again"
            except DatasetError as error:
                yield str(error)
    for kind in ("images", "labels"):
        for path in sorted((dataset.folder / kind).rglob("*")):
            if path.is_file() and path not in listed and path.suffix != ".cache":
                yield f"{path}: is not in the manifest; import it or remove it"


def _derived(dataset: Dataset) -> dict[str, str | None]:
    """Content of the files that follow from header and rows, in the order to write them; None: there must be none."""
    rows = dataset.rows
    files: dict[str, str | None] = {}
    for split in SPLITS:
        listed = [f"./{row.path}\n" for row in rows if row.split == split]
        files[f"{split}.txt"] = "".join(listed) or None
    everywhere = set.intersection(*(set(row.exhaustive) for row in rows)) if rows else set()
    document: dict[str, Any] = {"path": ".", **{split: f"{split}.txt" for split in SPLITS if files[f"{split}.txt"]}}
    document |= {"names": list(dataset.labels), "exhaustive": sorted(everywhere)}
    files["data.yaml"] = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    files[HEADER] = _header(dataset, sealed=True)
    return files


def _header(dataset: Dataset, *, sealed: bool) -> str:
    """dataset.json; `sealed`: with the SHA-256 of its other fields, which sets of earlier versions lack."""
    header: dict[str, Any] = {"version": 1, "name": dataset.name, "labels": list(dataset.labels)}
    header |= {"pictures": len(dataset.rows), "root": dataset.root}
    if sealed:
        header["seal"] = hashlib.sha256(json.dumps(header, ensure_ascii=False).encode()).hexdigest()
    return json.dumps(header, indent=2, ensure_ascii=False) + "\n"


def _altered(dataset: Dataset) -> Iterator[str]:
    """Files beside the manifest that no longer say what follows from it."""
    for file, wanted in _derived(dataset).items():
        path = dataset.folder / file
        try:
            found = path.read_text(encoding="utf-8") if path.exists() else None
        except (OSError, UnicodeDecodeError):
            found = ""
        if found != wanted and not (file == HEADER and found == _header(dataset, sealed=False)):
            yield f"{path}: does not say what the manifest says; run `detector dataset split`, or import again"


def _picture(folder: Path, row: Row) -> LabelledPicture:
    return LabelledPicture(
        path=folder / row.path,
        size=(row.width, row.height),
        boxes=tuple(LabelledBox(label, BoundingBox(*edges)) for label, *edges in row.boxes),
        empty=tuple(EmptyBox(label, BoundingBox(*edges), place) for label, *edges, place in row.empty),
        annotated=frozenset(row.annotated),
        exhaustive=frozenset(row.exhaustive),
        source=row.source,
        split=row.split,
        group=row.group,
        captured_at=row.captured_at,
        licence=row.licence,
        label_path=folder / label_file(row),
    )


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
