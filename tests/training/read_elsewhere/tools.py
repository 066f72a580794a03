"""Label Studio's and labelme's own code reads what we write, and writes for us to read. Run by hand, in their world:

    python -m venv theirs && theirs/bin/pip install label-studio-sdk labelme
    .venv/bin/python -m tests.training.read_elsewhere.ours OUR_FOLDER
    export QT_QPA_PLATFORM=offscreen HERE=tests/training/read_elsewhere
    theirs/bin/python $HERE/tools.py OUR_FOLDER $HERE

Both weigh hundreds of megabytes (Qt, pandas, another OpenCV), so tests do not install them: `read.json` keeps what
they said and the SHA-256 of every file that they read; test_read_elsewhere.py compares both with what we write today.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ["LOCAL_FILES_DOCUMENT_ROOT"] = str(Path(sys.argv[1]).resolve())  # where Label Studio serves pictures from

from label_studio_sdk.converter import Converter  # type: ignore[import-not-found]
from label_studio_sdk.converter.imports.coco import convert_coco_to_ls  # type: ignore[import-not-found]
from label_studio_sdk.label_interface import LabelInterface  # type: ignore[import-not-found]
from labelme._label_file import LabelFile  # type: ignore[import-not-found]

Boxes = list[list[Any]]
"""Of each box: picture, label, left, top, right, bottom."""


def label_studio(folder: Path, scratch: Path) -> dict[str, Any]:
    """What its converter makes of our annotations, and what its validation says of our pre-labels."""
    config = folder / "mined" / "label_config.xml"
    interface = LabelInterface(config.read_text(encoding="utf-8"))
    interface.validate()
    tasks = json.loads((folder / "mined" / "tasks.json").read_text(encoding="utf-8"))
    wrong = [text for task in tasks for one in task["predictions"] for text in interface.validate_prediction(one, True)]
    done = json.loads((folder / "labelstudio" / "tasks.json").read_text(encoding="utf-8"))
    valid = [interface.validate_annotation(one) for task in done for one in task["annotations"]]
    converter = Converter(config=str(config), project_dir=None, download_resources=False)
    converter.convert_to_coco(str(folder / "labelstudio" / "tasks.json"), str(scratch), is_dir=False)
    coco = json.loads((scratch / "result.json").read_text(encoding="utf-8"))
    names = {one["id"]: one["name"] for one in coco["categories"]}
    pictures = {one["id"]: Path(one["file_name"]).name for one in coco["images"]}
    boxes = [
        [pictures[one["image_id"]], names[one["category_id"]], left, top, left + width, top + height]
        for one in coco["annotations"]
        for left, top, width, height in [one["bbox"]]
    ]
    sizes = {pictures[one["id"]]: [one["width"], one["height"]] for one in coco["images"]}  # of the files it found
    return {"wrong": wrong, "valid": valid, "sizes": sizes, "boxes": boxes}


def labelme(folder: Path) -> dict[str, Any]:
    """What it opens: shapes, and that it finds the picture."""
    boxes: Boxes = []
    pictures = []
    for path in sorted((folder / "labelme").glob("*.json")):
        opened = LabelFile(str(path))
        pictures.append(opened.image_path)
        for shape in opened.shapes:
            assert shape["shape_type"] == "rectangle"
            boxes.append([opened.image_path, shape["label"], *shape["points"][0], *shape["points"][1]])
    return {"pictures": pictures, "boxes": boxes}


def write(folder: Path, out: Path) -> None:
    """Sets for us to read, written by their code."""
    coco = json.loads((folder / "coco" / "annotations.json").read_text(encoding="utf-8"))
    target = out / "from_label_studio"
    target.mkdir(exist_ok=True)
    convert_coco_to_ls(
        str(folder / "coco" / "annotations.json"), str(target / "tasks.json"),
        image_root_url="/data/local-files/?d=street/", use_super_categories=False,
    )  # fmt: skip
    for path in target.glob("*.xml"):
        path.unlink()
    target = out / "from_labelme"
    target.mkdir(exist_ok=True)
    for picture in coco["images"]:
        drawn = [one for one in coco["annotations"] if one["image_id"] == picture["id"]]
        names = {one["id"]: one["name"] for one in coco["categories"]}
        shapes = [
            {
                "label": names[one["category_id"]], "points": [[left, top], [left + width, top + height]],
                "shape_type": "rectangle", "flags": {}, "description": "", "group_id": None, "mask": None,
            }
            for one in drawn
            for left, top, width, height in [one["bbox"]]
        ]  # fmt: skip
        LabelFile().save(
            filename=str(target / f"{Path(picture['file_name']).stem}.json"), shapes=shapes,
            image_path=picture["file_name"], image_height=picture["height"], image_width=picture["width"],
        )  # fmt: skip


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    read = {
        "versions": {name: importlib.metadata.version(name) for name in ("label-studio-sdk", "labelme")},
        "sha256": {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for pattern in ("labelme/*.json", "labelstudio/tasks.json", "mined/tasks.json", "mined/label_config.xml")
            for path in sorted(folder.glob(pattern))
        },
        "label_studio": label_studio(folder, scratch),
        "labelme": labelme(folder),
    }
    (out / "read.json").write_text(json.dumps(read, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write(folder, out)


if __name__ == "__main__":
    main()
