"""COCO detection JSON: images, annotations (bbox [left, top, width, height] in pixels), categories.

A box that is missing is taken around the polygons of `segmentation`. Crowd regions (`iscrowd`: 1) are left out:
they are no single objects. https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.formats.lookup import PictureIndex
from detector.training.headers import decodable_size
from detector.training.labelled import Drawn, LabelledPicture, LabelledSet, around


def read_coco(path: Path, images: Path | None = None) -> LabelledSet:
    """Read an instances JSON; pictures are looked for below `images` (default: beside the file).

    Raises DatasetError naming the file and the annotation that is wrong.
    """
    data = read_json(path)
    if not isinstance(data, dict) or not {"images", "categories"} <= data.keys():
        raise DatasetError(f"{path}: no COCO file: needs images, annotations and categories")
    index = PictureIndex(images or path.parent)
    names = {entry["id"]: str(entry["name"]) for entry in data["categories"]}
    licences = {entry.get("id"): entry.get("name") for entry in data.get("licenses") or []}
    by_picture: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for item in data.get("annotations") or []:
        by_picture[item.get("image_id")].append(item)
    pictures: list[LabelledPicture] = []
    for entry in data["images"]:
        found = index.find(str(entry["file_name"]), str(path))
        size = decodable_size(found)
        if (entry.get("width", size[0]), entry.get("height", size[1])) != size:
            raise DatasetError(f"{path}: images.id {entry['id']}: says another size than {found} has, {size}")
        drawn = _drawn(path, by_picture.pop(entry["id"], []), names, size)
        pictures.append(
            LabelledPicture(
                path=found,
                size=size,
                boxes=tuple(drawn.boxes),
                empty=tuple(drawn.empty),
                annotated=frozenset(names.values()),
                exhaustive=frozenset(names.values()),
                source=path.stem,
                captured_at=_time(entry.get("date_captured")),
                licence=licences.get(entry.get("license")),
                label_path=path,
            )
        )
    if by_picture:
        raise DatasetError(f"{path}: annotations of image_id {next(iter(by_picture))!r}, which images does not list")
    labels = tuple(names[number] for number in sorted(names))
    return LabelledSet(path.stem, labels, tuple(pictures), frozenset(labels))


def write_coco(data: LabelledSet, folder: Path) -> None:
    """Write `folder`/annotations.json; pictures are named by their file name."""
    numbers = {label: number for number, label in enumerate(data.labels, start=1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index, picture in enumerate(data.pictures, start=1):
        images.append(
            {"id": index, "file_name": picture.path.name, "width": picture.size[0], "height": picture.size[1]}
            | ({"date_captured": picture.captured_at.isoformat()} if picture.captured_at else {})
        )
        for item in picture.boxes:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": index,
                    "category_id": numbers[item.label],
                    "bbox": [item.box.left, item.box.top, item.box.width, item.box.height],
                    "area": item.box.area,
                    "iscrowd": 0,
                }
            )
    document = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": label} for label, number in numbers.items()],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "annotations.json").write_text(json.dumps(document), encoding="utf-8")


def read_json(path: Path) -> Any:
    """Parse a JSON file; raises DatasetError with the line."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DatasetError(f"{path}{line}: not JSON ({error})") from error


def _drawn(path: Path, items: list[dict[str, Any]], names: dict[Any, str], size: tuple[int, int]) -> Drawn:
    drawn = Drawn(path, size)
    for item in items:
        place = f"annotations.id {item.get('id')}"
        where = f"{path}: {place}"
        if item.get("iscrowd"):
            continue
        if item.get("category_id") not in names:
            raise DatasetError(f"{where}: category_id {item.get('category_id')!r} is not in categories")
        try:
            drawn.add(names[item["category_id"]], _box(item), place)
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{where}: neither a bbox of four numbers nor polygons ({error})") from error
    return drawn


def _box(item: dict[str, Any]) -> BoundingBox:
    if item.get("bbox"):
        left, top, width, height = (float(value) for value in item["bbox"])
        return BoundingBox(left, top, left + width, top + height)
    corners = [float(value) for polygon in item["segmentation"] for value in polygon]
    return around(zip(corners[0::2], corners[1::2], strict=True))


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
