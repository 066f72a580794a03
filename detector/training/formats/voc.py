"""Pascal VOC: one XML file per picture, boxes as xmin ymin xmax ymax in pixels.

The original devkit counts pixels from 1 and includes the last one; labelImg, CVAT, Roboflow and Datumaro write plain
coordinates from 0 under the same names. The latter is what is found in the wild, so values are taken and written
as they are.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.formats.lookup import PictureIndex
from detector.training.formats.xmlfile import number, read_xml
from detector.training.headers import decodable_size
from detector.training.labelled import Drawn, LabelledSet, drawn_set


def read_voc(path: Path, images: Path | None = None) -> LabelledSet:
    """Read all XML files below `path` (a VOC tree or a folder of XML files); pictures below `images` (default: `path`).

    VOC has no list of labels: those that occur are taken, in name order. Raises DatasetError.
    """
    index = PictureIndex(images or path)
    files = sorted(path.rglob("*.xml"))
    if not files:
        raise DatasetError(f"{path}: no XML files below this folder")
    read: list[tuple[Path, Drawn]] = []
    for file in files:
        root = read_xml(file)
        if root.tag != "annotation":
            raise DatasetError(f"{file}: root is <{root.tag}>, a VOC file has <annotation>")
        picture = index.find(root.findtext("filename") or file.stem, str(file))
        read.append((picture, _drawn(file, root, decodable_size(picture))))
    return drawn_set(path.name, read)


def write_voc(data: LabelledSet, folder: Path) -> None:
    """Write `folder`/Annotations/<picture>.xml."""
    target = folder / "Annotations"
    target.mkdir(parents=True, exist_ok=True)
    for picture in data.pictures:
        root = ET.Element("annotation")
        ET.SubElement(root, "filename").text = picture.path.name
        size = ET.SubElement(root, "size")
        for name, value in (("width", picture.size[0]), ("height", picture.size[1]), ("depth", 3)):
            ET.SubElement(size, name).text = str(value)
        for item in picture.boxes:
            entry = ET.SubElement(root, "object")
            ET.SubElement(entry, "name").text = item.label
            box = ET.SubElement(entry, "bndbox")
            edges = (item.box.left, item.box.top, item.box.right, item.box.bottom)
            for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True):
                ET.SubElement(box, name).text = f"{edge:.3f}"
        ET.indent(root)
        ET.ElementTree(root).write(target / f"{picture.path.stem}.xml", encoding="utf-8")


def _drawn(file: Path, root: ET.Element, size: tuple[int, int]) -> Drawn:
    drawn = Drawn(file, size)
    for index, item in enumerate(root.iter("object"), start=1):
        where = f"{file}: object {index}"
        label, corners = item.findtext("name"), item.find("bndbox")
        if not label or corners is None:
            raise DatasetError(f"{where}: needs a name and a bndbox")
        box = BoundingBox(*(number(corners, name, where) for name in ("xmin", "ymin", "xmax", "ymax")))
        drawn.add(label.strip(), box, f"object {index}")
    return drawn
