"""One way to open a labelled set, whichever of the two shapes it has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from detector.training.formats.yolo import read_yolo
from detector.training.labelled import SPLITS, LabelledSet
from detector.training.manifest import HEADER, read_dataset


def read_set(path: Path, splits: Collection[str] = SPLITS) -> LabelledSet:
    """The pictures of some splits of a set, given as its folder or its data.yaml.

    Where a manifest lies beside the data.yaml it is read instead: in a merged set each picture has labels annotated of
    its own, which a data.yaml cannot say. Raises DatasetError.
    """
    folder = path if path.is_dir() else path.parent
    if not (folder / HEADER).exists():
        return read_yolo(path, splits)
    data = read_dataset(folder).labelled()
    return replace(data, pictures=tuple(picture for picture in data.pictures if picture.split in splits))
