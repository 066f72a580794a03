"""Labels from a teacher: an older model says what the annotators of a set never looked for.

A set of litter photos shows people and cars without boxes. A model that knows people and cars boxes
the ones it is sure of; those count as positives, and its silence as weak evidence (the recipe's
`taught` weight), because it misses some. The teacher never overrules people: its boxes on top of an
annotated object are dropped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.errors import DatasetError
from detector.ports import Detector
from detector.training.partial_sets import (
    MixtureRecipe,
    SetRecipe,
    TaughtBox,
    picture_files,
    set_boxes,
    set_folder,
)


def teach(
    recipe: MixtureRecipe,
    roots: Sequence[Path],
    teacher: Detector,
    out: Path,
    min_score: float = 0.45,
    batch: int = 8,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Write JSON lines {"set", "picture", "boxes": [[label, cx, cy, w, h], ...]} for every train
    picture of the sets that the recipe marks `taught`; returns the number of boxes. Give the file
    to `merge_sets`.

    `min_score` must leave few errors: a wrong box is a wrong positive. Raises DatasetError when a
    picture cannot be read.
    """
    written = 0
    done = 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as file:
        for name, entry in recipe.sets.items():
            if not entry.taught:
                continue
            folder = set_folder(roots, name, entry)
            files = list(picture_files(folder / "images" / "train"))
            for start in range(0, len(files), batch):
                for picture, boxes in _chunk(files[start : start + batch], teacher, entry, min_score):
                    drawn = set_boxes(folder / "labels" / "train" / f"{picture.stem}.txt")
                    kept = [one for one in boxes if not _covers(one[1:], [box for _, box in drawn])]
                    written += len(kept)
                    done += 1
                    file.write(json.dumps({"set": name, "picture": picture.name, "boxes": kept}) + "\n")
                progress(done)
    return written


def read_taught(path: Path) -> dict[tuple[str, str], list[TaughtBox]]:
    """(set, picture) -> boxes, from the file that `teach` wrote."""
    taught: dict[tuple[str, str], list[TaughtBox]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            taught[row["set"], row["picture"]] = [tuple(box) for box in row["boxes"]]
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{path}:{number}: not a line of taught boxes ({error})") from error
    return taught


def _chunk(
    files: Sequence[Path], teacher: Detector, entry: SetRecipe, min_score: float
) -> list[tuple[Path, list[TaughtBox]]]:
    images: list[NDArray[np.uint8]] = []
    for path in files:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise DatasetError(f"{path}: cannot be decoded as a picture")
        images.append(np.asarray(image, np.uint8))
    chunk = []
    for path, image, found in zip(files, images, teacher.detect(images), strict=True):
        height, width = image.shape[:2]
        boxes: list[TaughtBox] = []
        for one in found:
            if one.score >= min_score and one.label in entry.taught:
                box = one.box
                boxes.append(
                    (
                        one.label,
                        round((box.left + box.right) / 2 / width, 6),
                        round((box.top + box.bottom) / 2 / height, 6),
                        round((box.right - box.left) / width, 6),
                        round((box.bottom - box.top) / height, 6),
                    )
                )
        chunk.append((path, boxes))
    return chunk


def _covers(box: Sequence[float], drawn: Sequence[Sequence[float]]) -> bool:
    """Whether a taught box lies on an annotated one (IoU over 0.5)."""
    for other in drawn:
        sides = [
            min(box[i] + box[i + 2] / 2, other[i] + other[i + 2] / 2)
            - max(box[i] - box[i + 2] / 2, other[i] - other[i + 2] / 2)
            for i in (0, 1)
        ]
        shared = max(sides[0], 0.0) * max(sides[1], 0.0)
        if shared > 0.5 * (box[2] * box[3] + other[2] * other[3] - shared):
            return True
    return False
