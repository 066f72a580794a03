"""CVAT for images 1.1: one XML file with <image> elements holding <box>, <polygon>, <mask> and friends, in pixels.

https://docs.cvat.ai/docs/manual/advanced/formats/format-cvat/
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.formats.lookup import PictureIndex
from detector.training.formats.xmlfile import number, read_xml
from detector.training.headers import decodable_size
from detector.training.labelled import Drawn, LabelledSet, around, drawn_set


def read_cvat(path: Path, images: Path | None = None) -> LabelledSet:
    """Read an annotations.xml; pictures are looked for below `images` (default: beside the file).

    Rotated boxes, polygons and masks become the upright box around them. Raises DatasetError, also for exports in the
    other dialect ("CVAT for video", with <track>).
    """
    root = read_xml(path)
    if root.tag != "annotations":
        raise DatasetError(f"{path}: root is <{root.tag}>, a CVAT file has <annotations>")
    if root.find("track") is not None:
        raise DatasetError(f"{path}: is 'CVAT for video'; export the task as 'CVAT for images 1.1'")
    index = PictureIndex(images or path.parent)
    declared = [element.text or "" for element in root.iterfind("meta//labels/label/name")]
    read = [_picture(path, image, index) for image in root.iterfind("image")]
    return drawn_set(path.stem, read, declared)


def write_cvat(data: LabelledSet, folder: Path) -> None:
    """Write `folder`/annotations.xml, fit for CVAT's upload of annotations."""
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    job = ET.SubElement(ET.SubElement(root, "meta"), "task")
    ET.SubElement(job, "name").text = data.name
    listed = ET.SubElement(job, "labels")
    for label in data.labels:
        ET.SubElement(ET.SubElement(listed, "label"), "name").text = label
    for index, picture in enumerate(data.pictures):
        image = ET.SubElement(
            root,
            "image",
            {
                "id": str(index),
                "name": picture.path.name,
                "width": str(picture.size[0]),
                "height": str(picture.size[1]),
            },
        )
        for item in picture.boxes:
            box = item.box
            edges = {"xtl": box.left, "ytl": box.top, "xbr": box.right, "ybr": box.bottom}
            fixed = {name: f"{edge:.3f}" for name, edge in edges.items()}
            ET.SubElement(
                image, "box", {"label": item.label, "occluded": "0", "source": "file", "z_order": "0"} | fixed
            )
    ET.indent(root)
    folder.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(folder / "annotations.xml", encoding="utf-8", xml_declaration=True)


def _picture(path: Path, image: ET.Element, index: PictureIndex) -> tuple[Path, Drawn]:
    name = image.get("name") or ""
    where = f"{path}: image {name!r}"
    found = index.find(name, str(path))
    size = decodable_size(found)
    if (int(number(image, "width", where)), int(number(image, "height", where))) != size:
        raise DatasetError(f"{where}: says another size than {found} has, {size}")
    drawn = Drawn(path, size)
    for position, shape in enumerate(image, start=1):
        if (box := _box(shape, where)) is not None:
            try:
                drawn.add(shape.get("label") or "", box, f"image {name!r}, shape {position}")
            except ValueError as error:
                raise DatasetError(f"{where}: shape {position}: {error}") from error
    return found, drawn


def _box(shape: ET.Element, where: str) -> BoundingBox | None:
    """The box around a shape; None for tags and others without an area."""
    if shape.tag == "box":
        box = BoundingBox(*(number(shape, name, where) for name in ("xtl", "ytl", "xbr", "ybr")))
        return rotated(box, float(shape.get("rotation") or 0))
    if shape.tag == "polygon":
        try:
            pairs = [pair.split(",") for pair in (shape.get("points") or "").split(";") if pair]
            return around([(float(x), float(y)) for x, y in pairs])
        except ValueError as error:
            raise DatasetError(f"{where}: polygon: points are not x,y;x,y;... ({error})") from error
    if shape.tag == "mask":
        left, top = number(shape, "left", where), number(shape, "top", where)
        return BoundingBox(left, top, left + number(shape, "width", where), top + number(shape, "height", where))
    return None


def rotated(box: BoundingBox, degrees: float) -> BoundingBox:
    """The upright box around `box` turned clockwise by `degrees` about its centre (y points down)."""
    if not degrees:
        return box
    cx, cy, angle = (box.left + box.right) / 2, (box.top + box.bottom) / 2, math.radians(degrees)
    corners = [(x - cx, y - cy) for x in (box.left, box.right) for y in (box.top, box.bottom)]
    return around(
        (cx + x * math.cos(angle) - y * math.sin(angle), cy + x * math.sin(angle) + y * math.cos(angle))
        for x, y in corners
    )
