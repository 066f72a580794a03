"""Write what was mined as a task for a labelling tool, with pre-labels and the reason for each picture."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree  # only writes

from detector.errors import DatasetError
from detector.training.formats.cvat import write_cvat
from detector.training.formats.labelstudio import write_label_studio
from detector.training.formats.yolo import write_yolo
from detector.training.headers import decodable_size
from detector.training.labelled import LabelledBox, LabelledPicture, LabelledSet, clipped
from detector.training.mining.choose import Mined

TOOLS = ("labelstudio", "cvat", "yolo")


def write_task(
    mined: Sequence[Mined], labels: Sequence[str], tool: str, folder: Path, *, name: str, prefix: str = ""
) -> LabelledSet:
    """Write pictures, pre-labels and reasons.jsonl into `folder`; returns the pre-labels as a set.

    `labels`: the tool's list; labels that people introduced are added. `prefix`: see `write_label_studio`.
    label_config.xml (Label Studio: Labeling Setup, Code) and labels.json (CVAT: constructor, Raw) set the project up.
    Pictures get the camera and day as group, so that a later split keeps them together. Raises DatasetError.
    """
    if tool not in TOOLS:
        raise DatasetError(f"unknown tool {tool!r}: {', '.join(TOOLS)}")
    names = tuple(dict.fromkeys([*labels, *(item.label for one in mined for item in one.boxes)]))
    images = folder / ("images/train" if tool == "yolo" else "images")
    images.mkdir(parents=True, exist_ok=True)
    pictures: list[LabelledPicture] = []
    reasons: list[str] = []
    for one in mined:
        target = images / one.look.path.name
        shutil.copyfile(one.look.path, target)
        size = decodable_size(target)
        boxes = [LabelledBox(item.label, clipped(item.box, size)) for item in one.boxes]
        pictures.append(
            LabelledPicture(
                path=target,
                size=size,
                boxes=tuple(box for box in boxes if box.box.area > 0),
                annotated=frozenset(names),
                exhaustive=frozenset(),
                source=name,
                split="train",
                group=one.look.camera_id,
                captured_at=one.look.at,
            )
        )
        row = {
            "picture": target.name,
            "why": [why.value for why in one.why],
            "camera": one.look.camera_id,
            "captured_at": one.look.at.isoformat(),
            "model": one.look.model_version,
        }
        reasons.append(json.dumps(row))
    data = LabelledSet(name, names, tuple(pictures))
    if tool == "labelstudio":
        write_label_studio(data, folder, as_predictions=True, prefix=prefix)
        (folder / "label_config.xml").write_text(label_config(names), encoding="utf-8")
    elif tool == "cvat":
        write_cvat(data, folder)
        text = json.dumps([{"name": name, "attributes": []} for name in names], indent=1)
        (folder / "labels.json").write_text(text + "\n", encoding="utf-8")
    else:
        write_yolo(data, folder)
    (folder / "reasons.jsonl").write_text("".join(f"{line}\n" for line in reasons), encoding="utf-8")
    groups = ["image,group,split"]
    groups += [f"{item.path.relative_to(folder).as_posix()},{item.group},train" for item in pictures]
    (folder / "groups.csv").write_text("\n".join(groups) + "\n", encoding="utf-8")
    return data


def label_config(labels: Sequence[str]) -> str:
    """The labelling interface of a Label Studio project that the tasks' pre-labels fit."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name="image", value="$image")
    rectangles = ElementTree.SubElement(view, "RectangleLabels", name="label", toName="image")
    for label in labels:
        ElementTree.SubElement(rectangles, "Label", value=label)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"
