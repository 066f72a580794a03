"""A teacher boxes what the annotators never looked for, and never overrules them."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.core.detection import BoundingBox, Detection
from detector.errors import DatasetError
from detector.inference.scripted import ScriptedDetector
from detector.training.partial_sets import MixtureRecipe, set_boxes
from detector.training.partial_teacher import read_taught, teach
from tests.training.drawn import SIDE, draw_sets


def teacher(*said: Detection) -> ScriptedDetector:
    """Says the same of every picture."""
    return ScriptedDetector(lambda image: said)


def mixture() -> MixtureRecipe:
    sets = {"squares": {"taught": {"disc": 0.2}}, "discs": {}}
    return MixtureRecipe.model_validate({"name": "shapes", "labels": ["square", "disc", "star"], "sets": sets})


def test_only_sure_boxes_of_taught_labels_are_kept(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets", pictures=3)
    corner = BoundingBox(0, 0, 24, 12)
    sure_and_not = teacher(
        Detection("disc", corner, 0.9), Detection("disc", corner, 0.3), Detection("star", corner, 0.9)
    )
    out = tmp_path / "taught.jsonl"
    assert teach(mixture(), [root], sure_and_not, out, min_score=0.5) == 3
    taught = read_taught(out)
    assert {name for name, _ in taught} == {"squares"}
    [(label, *box)] = taught["squares", "000.png"]
    assert label == "disc"
    assert box == pytest.approx([12 / SIDE, 6 / SIDE, 24 / SIDE, 12 / SIDE])


def test_a_box_on_an_annotated_object_is_dropped(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets", pictures=1)
    [(_, (cx, cy, w, h))] = set_boxes(root / "squares/labels/train/000.txt")
    drawn = BoundingBox((cx - w / 2) * SIDE + 1, (cy - h / 2) * SIDE, (cx + w / 2) * SIDE, (cy + h / 2) * SIDE)
    out = tmp_path / "taught.jsonl"
    assert teach(mixture(), [root], teacher(Detection("disc", drawn, 0.9)), out) == 0


def test_broken_pictures_and_files_are_named(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets", pictures=1)
    (root / "squares/images/train/000.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"000\.png"):
        teach(mixture(), [root], teacher(), tmp_path / "taught.jsonl")
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"set": "squares"}\n')
    with pytest.raises(DatasetError, match=r"broken\.jsonl:1"):
        read_taught(broken)
