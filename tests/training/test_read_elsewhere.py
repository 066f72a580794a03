"""Label Studio and labelme read what we write, and we read what they write; see read_elsewhere/tools.py."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from detector.training.formats.labelme import read_labelme
from detector.training.formats.labelstudio import read_label_studio
from detector.training.labelled import LabelledSet
from tests.training.conftest import draw
from tests.training.read_elsewhere.ours import DRAWN, write_ours

HERE = Path(__file__).parent / "read_elsewhere"
BOXES = [(name, label, *edges) for name, (_, boxes) in DRAWN.items() for label, *edges in boxes]


@pytest.fixture(scope="module")
def read() -> dict[str, Any]:
    """What their code said of our files."""
    found: dict[str, Any] = json.loads((HERE / "read.json").read_text(encoding="utf-8"))
    return found


def same(found: list[list[Any]]) -> bool:
    """Whether these are our boxes: picture, label, and edges to 0.001 px, in this order."""
    return [tuple(one[:2]) for one in found] == [one[:2] for one in BOXES] and all(
        edges[2:] == pytest.approx(wanted[2:], abs=0.001) for edges, wanted in zip(found, BOXES, strict=True)
    )


def test_their_code_read_what_we_write_today(read: dict[str, Any], tmp_path: Path) -> None:
    write_ours(tmp_path)
    ours = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in read["sha256"]}
    assert ours == read["sha256"], "written otherwise than their code has read: run read_elsewhere/tools.py again"
    written = [*tmp_path.glob("labelme/*.json"), *tmp_path.glob("labelstudio/*.json"), *tmp_path.glob("mined/*.json")]
    assert {str(path.relative_to(tmp_path)) for path in written} <= ours.keys(), "nothing that they have not read"


def test_label_studio_takes_our_boxes_and_pre_labels_and_finds_the_pictures(read: dict[str, Any]) -> None:
    said = read["label_studio"]
    assert same(said["boxes"])
    assert said["wrong"] == [], "pre-labels fit the labelling interface that comes with them"
    assert said["valid"] == [True] * len(DRAWN)
    assert said["sizes"] == {name: list(size) for name, (size, _) in DRAWN.items()}


def test_labelme_opens_our_files_and_finds_the_pictures(read: dict[str, Any]) -> None:
    said = read["labelme"]
    assert same(said["boxes"])
    assert sorted(said["pictures"]) == sorted(DRAWN)


@pytest.mark.parametrize("tool", ["labelstudio", "labelme"])
def test_what_their_code_wrote_is_read(tool: str, tmp_path: Path) -> None:
    for name, (size, _) in DRAWN.items():
        draw(tmp_path / name, size)
    data: LabelledSet = (
        read_labelme(HERE / "from_labelme", tmp_path)
        if tool == "labelme"
        else read_label_studio(HERE / "from_label_studio/tasks.json", tmp_path)
    )
    assert {picture.path.name for picture in data.pictures} == set(DRAWN)
    found = [
        [picture.path.name, item.label, item.box.left, item.box.top, item.box.right, item.box.bottom]
        for picture in data.pictures
        for item in picture.boxes
    ]
    assert same(found)
    assert [item for picture in data.pictures for item in picture.empty] == []
