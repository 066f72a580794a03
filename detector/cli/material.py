"""Which model and which labelled sets a command is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from detector.cli.output import ERR
from detector.errors import DatasetError, DetectorError

if TYPE_CHECKING:
    from detector.training.labelled import LabelledPicture

DEFAULT_MODEL = "street-14"


def model_folder(name: str) -> Path:
    """The bundle folder for a model name or path; raises DetectorError when there is neither."""
    from detector.config.shipped import shipped
    from detector.inference.bundle import MANIFEST

    for folder in (Path(name), Path("models") / name, shipped(f"models/{name}")):
        if (folder / MANIFEST).exists():
            return folder
    raise DetectorError(f"no model {name!r}: neither a folder with {MANIFEST} nor a name under models/")


def read_measured(data: Sequence[Path]) -> list[LabelledPicture]:
    """Of each set the split to measure on when none is named; raises DatasetError when there are no pictures."""
    pictures = [picture for path in data for picture in _read([path], measured_split(path))]
    if not pictures:
        raise DatasetError(f"no pictures in {', '.join(map(str, data))}")
    return pictures


def measured_split(path: Path) -> str:
    """val if the set has it, else test, else a split of its own name, else train."""
    from detector.training.formats.yolo import read_data_yaml

    data = read_data_yaml(path / "data.yaml" if path.is_dir() else path)
    order = [*("val", "test"), *(name for name in data.splits if name not in ("val", "test", "train")), "train"]
    there = [name for name in order if data.has(name)]
    return there[0] if there else next(name for name in order if name in data.splits)


def read_pictures(data: Sequence[Path], split: str) -> list[LabelledPicture]:
    """All pictures of one split of several sets, those without it are named on stderr; DatasetError when all are."""
    pictures = _read(data, split)
    if not pictures:
        raise DatasetError(f"no pictures in split {split!r} of {', '.join(map(str, data))}")
    return pictures


def _read(data: Sequence[Path], split: str) -> list[LabelledPicture]:
    from detector.training.reading import read_set

    pictures: list[LabelledPicture] = []
    for path in data:
        read = read_set(path, [split]).pictures
        if not read:
            ERR.print(f"{path}: no pictures in split {split!r}", soft_wrap=True)
        pictures.extend(read)
    return pictures
