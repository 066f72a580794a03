"""Folders of masks: pictures whose pixels say what is there; each connected patch of a label becomes a box.

Two shapes of it: ONE mask per picture, with a value per label (`values`: grey level `7` or colour `#ff8000` ->
label; palette PNGs decode to their colours), or one black-and-white mask per picture AND label, told apart by what
stands behind the picture's name (`suffixes`: `_CRACK` -> crack). A mask may have another size than its picture (it
is scaled).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.formats.lookup import PictureIndex
from detector.training.headers import decodable_size
from detector.training.labelled import LabelledBox, LabelledPicture, LabelledSet

Mask = NDArray[np.bool_]


def read_masks(
    masks: Path,
    images: Path | None = None,
    *,
    values: Mapping[str, str] | None = None,
    suffixes: Mapping[str, str] | None = None,
    min_side: float = 4.0,
) -> LabelledSet:
    """Read the masks below folder `masks`; exactly one of `values` and `suffixes` must be given.

    `min_side`: patches narrower or lower than this, in pixels of the picture, are dropped as specks.
    Raises DatasetError for a value or a mask that nothing explains.
    """
    if bool(values) == bool(suffixes):
        raise DatasetError(
            f"{masks}: say either which pixel values (values:) or which name endings (suffixes:) mean what"
        )
    index, pictures = PictureIndex(images or masks.parent / "images"), []
    labels = tuple(dict.fromkeys((values or suffixes or {}).values()))
    files = PictureIndex(masks).paths
    for picture in index.paths:
        size = decodable_size(picture)
        boxes: list[LabelledBox] = []
        for mask, label in _masks_of(picture, files, values, suffixes):
            boxes.extend(LabelledBox(label, box) for box in _patches(mask, size, min_side))
        pictures.append(
            LabelledPicture(
                path=picture,
                size=size,
                boxes=tuple(boxes),
                annotated=frozenset(labels),
                exhaustive=frozenset(labels),
                source=masks.parent.name,
            )
        )
    return LabelledSet(masks.parent.name, labels, tuple(pictures), frozenset(labels))


def _masks_of(
    picture: Path, files: list[Path], values: Mapping[str, str] | None, suffixes: Mapping[str, str] | None
) -> Iterator[tuple[Mask, str]]:
    if suffixes:
        for ending, label in suffixes.items():
            for file in files:
                if file.stem in (picture.stem + ending, picture.stem.removesuffix("_RAW") + ending):
                    yield _read(file).max(axis=2) > 127, label
        return
    own = [file for file in files if file.stem == picture.stem]
    if len(own) != 1:
        raise DatasetError(f"{picture}: {len(own)} masks of this name; need exactly one")
    content = _read(own[0])
    known = np.zeros(content.shape[:2], dtype=np.bool_)
    for value, label in (values or {}).items():
        mask = np.all(content == _colour(value), axis=2)
        known |= mask
        yield mask, label
    left = content[~known]
    if len(left) and left.any():
        blue, green, red = (int(channel) for channel in left[left.any(axis=1)][0])
        raise DatasetError(f"{own[0]}: value {red},{green},{blue} (red, green, blue) is not in the class map; map it")


def _read(path: Path) -> NDArray[np.uint8]:
    decodable_size(path)
    content = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if content is None:
        raise DatasetError(f"{path}: the mask cannot be decoded")
    return np.asarray(content, dtype=np.uint8)


def _colour(value: str) -> NDArray[np.uint8]:
    """(3,) blue, green, red of a grey level or #rrggbb."""
    try:
        if value.startswith("#") and len(value) == 7:
            return np.array([int(value[i : i + 2], 16) for i in (5, 3, 1)], dtype=np.uint8)
        return np.full(3, int(value), dtype=np.uint8)
    except (ValueError, OverflowError) as error:
        raise DatasetError(f"class map: {value!r} is neither a grey level 0..255 nor a colour #rrggbb") from error


def _patches(mask: Mask, size: tuple[int, int], min_side: float) -> Iterator[BoundingBox]:
    sx, sy = size[0] / mask.shape[1], size[1] / mask.shape[0]
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for left, top, width, height, _ in stats[1:].tolist():
        if width * sx >= min_side and height * sy >= min_side:
            yield BoundingBox(left * sx, top * sy, (left + width) * sx, (top + height) * sy)
