from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from datasets.synthetic.labels import LABELS
from datasets.synthetic.layout import Labelled, SetWriter, data_yaml, yolo_line
from datasets.synthetic.perspective import Box


@given(left=st.integers(0, 600), top=st.integers(0, 300), width=st.integers(1, 300), height=st.integers(1, 200))
def test_a_label_line_gives_the_box_back(left: int, top: int, width: int, height: int) -> None:
    box = Box(left, top, min(640, left + width), min(360, top + height))
    index, *values = yolo_line("ponding", box, 640, 360).split()
    cx, cy, w, h = (float(v) for v in values)
    assert LABELS[int(index)] == "ponding"
    assert (cx - w / 2) * 640 == pytest.approx(box.left, abs=0.01)
    assert (cx + w / 2) * 640 == pytest.approx(box.right, abs=0.01)
    assert (cy - h / 2) * 360 == pytest.approx(box.top, abs=0.01)
    assert (cy + h / 2) * 360 == pytest.approx(box.bottom, abs=0.01)


def test_a_box_is_cut_to_the_picture_and_refused_outside() -> None:
    assert yolo_line("bin", Box(-20, 0, 20, 10), 100, 100) == "1 0.100000 0.050000 0.200000 0.100000"
    with pytest.raises(ValueError, match="outside"):
        yolo_line("bin", Box(-20, 0, -1, 10), 100, 100)


def test_data_yaml_names_every_label_and_says_what_is_exhaustive() -> None:
    described = yaml.safe_load(data_yaml(("rubble_pile", "ponding")))
    assert described["names"] == list(LABELS)
    assert len(described["names"]) == 26
    assert described["exhaustive"] == ["rubble_pile", "ponding"]
    assert described["synthetic"] is True
    assert (described["train"], described["val"]) == ("images/train", "images/val")


def test_a_written_set_is_whole(tmp_path: Path) -> None:
    writer = SetWriter(tmp_path / "set", ("bin",), "A drawn set.")
    picture = np.full((60, 80, 3), 90, np.uint8)
    pasted, carried = Labelled("ponding", Box(1, 2, 30, 20), True), Labelled("car", Box(40, 2, 70, 50), False)
    writer.write("one", "train", "a", picture, [pasted, carried])
    writer.write("two", "val", "b", picture, [pasted])
    assert writer.finish() == {"train": {"ponding": 1}, "val": {"ponding": 1}}
    with (tmp_path / "set" / "groups.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [(r["image"], r["group"], r["split"]) for r in rows] == [
        ("images/train/one.webp", "a", "train"),
        ("images/val/two.webp", "b", "val"),
    ]
    for row in rows:
        assert (tmp_path / "set" / row["image"]).exists()
    lines = (tmp_path / "set" / "labels" / "train" / "one.txt").read_text().splitlines()
    assert [int(line.split()[0]) for line in lines] == [LABELS.index("ponding"), LABELS.index("car")]
    assert "ponding: 1 train / 1 val" in (tmp_path / "set" / "README.md").read_text()
