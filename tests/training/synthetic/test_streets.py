from __future__ import annotations

import json
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.synthetic import cutouts, paste_streets
from datasets.synthetic.labels import LABELS
from datasets.synthetic.layout import SetWriter
from datasets.synthetic.perspective import Camera
from datasets.synthetic.plan_scenes import plan_scene
from datasets.synthetic.rendered import SMALLEST, objects_of
from tests.training.synthetic.drawn import cutout

CAMERA = Camera((-7.0, -6.0, 5.0), (3.0, 4.0, 0.4), 66.0)


def test_the_aim_is_the_middle_and_up_is_up() -> None:
    assert CAMERA.project(3.0, 4.0, 0.4, (640, 360)) == pytest.approx((320, 180))
    column, row = CAMERA.project(3.0, 4.0, 1.4, (640, 360))
    assert column == pytest.approx(320)
    assert row < 180
    assert CAMERA.project(6.0, 4.0, 0.4, (640, 360))[0] > 320, "x runs to the right"


@given(x=st.floats(-2, 12), y=st.floats(0, 8))
def test_pictures_of_any_size_show_the_same(x: float, y: float) -> None:
    small, large = CAMERA.project(x, y, 0.0, (640, 360)), CAMERA.project(x, y, 0.0, (1280, 720))
    assert large == pytest.approx((2 * small[0], 2 * small[1]))


def grey_street(folder: Path, index: int) -> dict[str, object]:
    """A planned street whose picture is plain grey, with one object too small to name."""
    scene = plan_scene(1, index).as_record()
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{scene['name']}.png"), np.full((360, 640, 3), 120, np.uint8))
    record = {
        "name": scene["name"],
        "split": scene["split"],
        "objects": [
            {"label": "car", "pixels": SMALLEST - 1, "box": [5, 5, 9, 9]},
            {"label": "person", "pixels": 900, "box": [600, 20, 630, 80]},
        ],
    }
    (folder / f"{scene['name']}.json").write_text(json.dumps(record))
    return json.loads(json.dumps(scene))


def test_what_is_too_small_to_name_has_no_box(tmp_path: Path) -> None:
    scene = grey_street(tmp_path, 0)
    record = json.loads((tmp_path / f"{scene['name']}.json").read_text())
    assert [o.label for o in objects_of(record)] == ["person"]


def test_streets_are_multiplied_with_exact_boxes(tmp_path: Path) -> None:
    for label in paste_streets.LANES:
        for n, pitch in enumerate((8.0, 15.0, 25.0)):
            cutout(tmp_path / "c", label, f"{label}-{n}", "train", pitch)
    scene = grey_street(tmp_path / "s", 0)
    record = json.loads((tmp_path / "s" / f"{scene['name']}.json").read_text())
    rendered = cutouts.find(tmp_path / "c")
    total = 0
    for seed in range(6):
        picture, objects = paste_streets.compose(scene, record, tmp_path / "s", rendered, Random(seed))
        pasted = objects[1:]
        total += len(pasted)
        red = (picture[..., 2].astype(int) - picture[..., 1]) > 40
        for thing in pasted:
            b = thing.box
            assert red[int(b.top) : int(b.bottom), int(b.left) : int(b.right)].mean() > 0.5
            red[int(b.top) - 3 : int(b.bottom) + 3, max(0, int(b.left) - 3) : int(b.right) + 3] = False
        assert red.mean() < 0.002, "every pasted object has a box"
    assert total >= 6


def test_a_val_street_takes_val_objects_only_and_unrendered_streets_are_left_out(tmp_path: Path) -> None:
    cutout(tmp_path / "c", "garbage", "garbage-0", "train")
    scenes = [grey_street(tmp_path / "s", 5), plan_scene(1, 6).as_record()]
    assert scenes[0]["split"] == "val"
    writer = SetWriter(tmp_path / "set", LABELS, "drawn")
    paste_streets.make_set(writer, scenes, tmp_path / "s", cutouts.find(tmp_path / "c"), 1, 2)
    counts = writer.finish()
    assert counts == {"train": {}, "val": {"person": 2}}
