"""labelme: one JSON file per picture with `shapes` of points in pixels. https://github.com/wkentaro/labelme"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.formats.coco import read_json
from detector.training.formats.lookup import PictureIndex
from detector.training.headers import decodable_size
from detector.training.labelled import Drawn, LabelledSet, around, drawn_set

_AREAS = frozenset({"rectangle", "polygon", "circle", "mask"})


def read_labelme(path: Path, images: Path | None = None) -> LabelledSet:
    """Read all JSON files below `path`; polygons, circles and masks become the box around them, lines and points
    nothing.

    Raises DatasetError naming file and shape.
    """
    index = PictureIndex(images or path)
    files = sorted(path.rglob("*.json"))
    if not files:
        raise DatasetError(f"{path}: no JSON files below this folder")
    read: list[tuple[Path, Drawn]] = []
    for file in files:
        data = read_json(file)
        if not isinstance(data, dict) or not isinstance(data.get("shapes"), list):
            raise DatasetError(f"{file}: no labelme file: needs a list of shapes")
        picture = index.find(str(data.get("imagePath") or file.stem), str(file))
        drawn = Drawn(file, decodable_size(picture))
        for number, shape in enumerate(data["shapes"], start=1):
            try:
                if (box := _box(shape)) is not None:
                    drawn.add(str(shape["label"]), box, f"shape {number}")
            except (KeyError, TypeError, ValueError) as error:
                raise DatasetError(f"{file}: shape {number}: {error!r}") from error
        read.append((picture, drawn))
    return drawn_set(path.name, read)


def write_labelme(data: LabelledSet, folder: Path) -> None:
    """Write `folder`/<picture>.json; labelme opens them where the pictures lie beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in data.pictures:
        shapes: list[dict[str, Any]] = [
            {
                "label": item.label,
                "points": [[item.box.left, item.box.top], [item.box.right, item.box.bottom]],
                "shape_type": "rectangle",
                "group_id": None,
                "flags": {},
            }
            for item in picture.boxes
        ]
        document: dict[str, Any] = {
            "version": "5.0.0",
            "flags": {},
            "shapes": shapes,
            "imagePath": picture.path.name,
            "imageData": None,
            "imageWidth": picture.size[0],
            "imageHeight": picture.size[1],
        }
        (folder / f"{picture.path.stem}.json").write_text(json.dumps(document), encoding="utf-8")


def _box(shape: dict[str, Any]) -> BoundingBox | None:
    kind = shape.get("shape_type") or "polygon"
    if kind not in _AREAS:
        return None
    points = [(float(x), float(y)) for x, y in shape["points"]]
    if kind == "circle":  # centre and a point on the rim
        (cx, cy), rim = points
        radius = math.dist((cx, cy), rim)
        return BoundingBox(cx - radius, cy - radius, cx + radius, cy + radius)
    return around(points)
