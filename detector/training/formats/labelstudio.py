"""Label Studio JSON: a list of tasks whose results hold rectangles and polygons in PERCENT of the picture.

A rectangle is x, y of its top left corner, width, height, and a clockwise rotation in degrees about that corner.
https://labelstud.io/guide/export (section "Raw JSON format of completed tasks")
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from urllib.parse import quote

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.formats.coco import read_json
from detector.training.formats.lookup import PictureIndex
from detector.training.headers import decodable_size
from detector.training.labelled import Drawn, LabelledBox, LabelledSet, around, drawn_set


def read_label_studio(path: Path, images: Path | None = None) -> LabelledSet:
    """Read an exported JSON; of a task with several annotations the newest that was not cancelled counts.

    Tasks nobody annotated are left out: their silence says nothing. Raises DatasetError naming the task.
    """
    tasks = read_json(path)
    if not isinstance(tasks, list):
        raise DatasetError(f"{path}: no Label Studio export: expected a list of tasks")
    index = PictureIndex(images or path.parent)
    read: list[tuple[Path, Drawn]] = []
    for task in tasks:
        where = f"{path}: task {task.get('id', '?')}"
        done = [item for item in task.get("annotations") or [] if not item.get("was_cancelled")]
        if not done:
            continue
        newest = max(done, key=lambda item: str(item.get("updated_at") or ""))
        picture = index.find(_reference(task, where), where)
        drawn = Drawn(path, decodable_size(picture))
        for result in newest.get("result") or []:
            try:
                _take(result, drawn, f"task {task.get('id', '?')}, result {result.get('id')}")
            except (KeyError, TypeError, ValueError) as error:
                raise DatasetError(
                    f"{where}: result {result.get('id')}: not a rectangle or polygon ({error!r})"
                ) from error
        read.append((picture, drawn))
    return drawn_set(path.stem, read)


def write_label_studio(data: LabelledSet, folder: Path, *, as_predictions: bool = False, prefix: str = "") -> None:
    """Write `folder`/tasks.json; `as_predictions`: as pre-labels for people to correct.

    `prefix` goes before each picture's name to make its address, e.g. `/data/local-files/?d=street/`; the name is then
    quoted. Without one it is the plain name, for tools that look for pictures themselves.
    """
    tasks = []
    for number, picture in enumerate(data.pictures, start=1):
        results = [_result(f"{number}-{index}", item, picture.size) for index, item in enumerate(picture.boxes)]
        outcome: dict[str, Any] = {"result": results}
        if as_predictions:
            outcome["model_version"] = data.name
        key = "predictions" if as_predictions else "annotations"
        address = prefix + quote(picture.path.name) if prefix else picture.path.name
        tasks.append({"id": number, "data": {"image": address}, key: [outcome]})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")


def _reference(task: dict[str, Any], where: str) -> str:
    values = [value for value in (task.get("data") or {}).values() if isinstance(value, str)]
    named = (task.get("data") or {}).get("image") or (values[0] if len(values) == 1 else None)
    if not isinstance(named, str):
        raise DatasetError(f"{where}: data.image does not name a picture")
    return named


def _take(result: dict[str, Any], drawn: Drawn, place: str) -> None:
    kind = result.get("type")
    if kind not in ("rectanglelabels", "polygonlabels"):
        return
    if result.get("image_rotation"):
        raise ValueError("the picture was turned while labelling (image_rotation); turn the file instead")
    value, (width, height) = result["value"], drawn.size
    if kind == "polygonlabels":
        box = around([(float(x) * width / 100, float(y) * height / 100) for x, y in value["points"]])
    else:
        left, top = float(value["x"]) * width / 100, float(value["y"]) * height / 100
        across, down = float(value["width"]) * width / 100, float(value["height"]) * height / 100
        angle = math.radians(float(value.get("rotation") or 0))
        cos, sin = math.cos(angle), math.sin(angle)
        corners = [(0.0, 0.0), (across, 0.0), (0.0, down), (across, down)]
        box = around((left + x * cos - y * sin, top + x * sin + y * cos) for x, y in corners)
    for label in value[kind]:
        drawn.add(str(label), box, place)


def _result(key: str, item: LabelledBox, size: tuple[int, int]) -> dict[str, Any]:
    box: BoundingBox = item.box
    return {
        "id": key,
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": size[0],
        "original_height": size[1],
        "image_rotation": 0,
        "value": {
            "x": 100 * box.left / size[0],
            "y": 100 * box.top / size[1],
            "width": 100 * box.width / size[0],
            "height": 100 * box.height / size[1],
            "rotation": 0,
            "rectanglelabels": [item.label],
        },
    }
