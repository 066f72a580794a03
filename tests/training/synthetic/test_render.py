"""Needs Blender's bpy: in this interpreter (extra `synthetic`) or in the one that STREET_BPY_PYTHON names."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.synthetic import cutouts
from datasets.synthetic.layout import SetWriter
from datasets.synthetic.perspective import Camera
from datasets.synthetic.plan_cutouts import plan_cutouts
from datasets.synthetic.plan_scenes import Item, Light, Scene
from datasets.synthetic.rendered import collect_scenes

NO_BPY = "no bpy: pip install '.[synthetic]' on Python 3.11, or name an interpreter that has it in STREET_BPY_PYTHON"


@pytest.fixture(scope="module")
def bpy_python() -> str:
    python = os.environ.get("STREET_BPY_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import bpy"], capture_output=True, check=False).returncode != 0:
        pytest.skip(NO_BPY)
    return python


def render(python: str, root: Path, module: str, plan: Path, out: Path) -> str:
    done = subprocess.run(
        [python, "-m", f"datasets.synthetic.blender.{module}", str(plan), str(out)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_cutouts_have_alpha_shadow_and_an_exact_mask(bpy_python: str, root: Path, tmp_path: Path) -> None:
    plans = [dataclasses.replace(p, size=72, samples=2) for p in plan_cutouts(3, 5)[:4]]
    plan = tmp_path / "plan.jsonl"
    plan.write_text("\n".join(json.dumps(p.as_record()) for p in plans))
    render(bpy_python, root, "cutouts", plan, tmp_path / "out")
    found = cutouts.find(tmp_path / "out")
    assert {f.label for f in found} == {p.label for p in plans}
    for rendered in found:
        rgba = cv2.imread(str(rendered.picture), cv2.IMREAD_UNCHANGED)
        mask = cv2.imread(str(rendered.mask), cv2.IMREAD_GRAYSCALE)
        assert rgba is not None
        assert mask is not None
        assert rgba.shape == (72, 72, 4)
        assert set(np.unique(mask)) == {0, 255}
        assert (rgba[..., 3][mask == 255] > 100).mean() > 0.9, "the object is opaque"
        assert (rgba[..., 3][0] < 100).all(), "the ground is transparent"
        assert cutouts.load(rendered, 1.0, flip=False).solid_box.area > 50
    before = {f: f.stat().st_mtime_ns for f in (tmp_path / "out").iterdir()}
    render(bpy_python, root, "cutouts", plan, tmp_path / "out")
    assert before == {f: f.stat().st_mtime_ns for f in (tmp_path / "out").iterdir()}, "what stands is kept"


@pytest.mark.slow
def test_a_street_gives_the_box_of_what_stands_in_it(bpy_python: str, root: Path, tmp_path: Path) -> None:
    scene = Scene(
        "one",
        "train",
        5,
        4.0,
        3.6,
        Light(False, 45.0, 20.0, 0.2, 0.0, 0.0),
        (-6.0, -6.0, 5.0),
        (3.0, 4.0, 0.4),
        66.0,
        (160, 90),
        2,
        [
            Item("wheeled_bin", "bin", 3, 1.0, 4.9, 0.14),
            Item("tree", "", 4, -2.0, 4.9, 0.14),
            Item("manhole_missing", "manhole_abnormal", 5, 0.5, 0.5),
        ],
    )
    plan = tmp_path / "plan.jsonl"
    plan.write_text(json.dumps(scene.as_record()))
    render(bpy_python, root, "scenes", plan, tmp_path / "scenes")
    objects = {o["label"]: o for o in json.loads((tmp_path / "scenes" / "one.json").read_text())["objects"]}
    assert set(objects) == {"bin", "manhole_abnormal"}
    left, top, right, bottom = objects["bin"]["box"]
    camera = Camera(scene.at, scene.look_at, scene.view_angle)
    foot = camera.project(1.0, 4.9, 0.14, scene.size)
    assert (left + right) / 2 == pytest.approx(foot[0], abs=4), "the plan's camera is the renderer's"
    assert bottom == pytest.approx(foot[1], abs=5)
    assert bottom - top > right - left, "a bin is taller than wide"
    assert objects["manhole_abnormal"]["box"][3] > bottom, "the nearer object is lower in the picture"
    counts = collect_scenes(tmp_path / "scenes", ["one"], tmp_path / "set")
    assert counts["train"].get("bin") == 1
    assert SetWriter(tmp_path / "set", (), "").has("one")
