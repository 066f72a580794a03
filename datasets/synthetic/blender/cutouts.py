"""Renders single objects with alpha and contact shadow, for pasting on real pictures.

Run with an interpreter that has `bpy`:  python -m datasets.synthetic.blender.cutouts PLAN.jsonl FOLDER
Each line of the plan is one `plan_cutouts.Cutout`. Writes NAME.png (RGBA, straight alpha), NAME-mask.png (the
object's own pixels, without shadow) and NAME.json; what stands already is skipped.
"""

from __future__ import annotations

import json
import math
import pathlib
from random import Random
from typing import Any

import bpy
import numpy as np

from datasets.synthetic.blender import materials, stage
from datasets.synthetic.blender.ground import patch
from datasets.synthetic.blender.meshes import Object, box, merge, place
from datasets.synthetic.blender.planned import render_plan
from datasets.synthetic.blender.props import KINDS

VIEW_ANGLE = 40.0
HOLE = 0.36  # radius of a manhole (ground.manhole)
TRUCK_AIM = 1.5
ENOUGH = 16  # samples from which the denoiser, whose start costs more CPU than they do, is left out


def _ground(kind: str) -> list[Object]:
    tar = materials.surface((0.16, 0.16, 0.16), 0.9)
    if kind.startswith("manhole") and kind != "manhole_sound":
        return [patch(HOLE, 12.0, tar)]
    return [box((60.0, 60.0, 0.1), (0, 0, -0.1), tar)]


def _save_mask(path: pathlib.Path, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    height, width = mask.shape
    picture = bpy.data.images.new("mask", width, height)
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = mask[::-1, :, None]
    picture.pixels.foreach_set(rgba.ravel())
    picture.filepath_raw, picture.file_format = str(path), "PNG"
    picture.save()
    bpy.data.images.remove(picture)


def render_one(plan: dict[str, Any], folder: pathlib.Path) -> None:
    """One cut-out; the side file is written last and marks it complete."""
    stage.clear()
    for thing in _ground(plan["kind"]):
        thing.is_shadow_catcher = True
    things = merge(place(KINDS[plan["kind"]](Random(plan["seed"])), 0, 0, 0, math.radians(plan["turn"])))
    stage.number(things, 1)
    elevation, azimuth, cloud = plan["sun"]
    stage.daylight(elevation, azimuth, cloud)
    bpy.context.scene.world.cycles.sampling_method = "NONE"  # a map of the sky took half the time of a cut-out
    distance = plan["reach"] / math.tan(math.radians(VIEW_ANGLE / 2))
    pitch = math.radians(plan["pitch"])
    aim = {
        "stall": 0.95,
        "goods": 0.6,
        "rubble": 0.3,
        "heap": 0.25,
        "big_heap": 0.25,
        "bag": 0.2,
        "wheeled_bin": 0.5,
        "wheeled_bin_full": 0.75,
        "bin": 0.5,
        "bin_full": 0.6,
    }.get(plan["kind"], TRUCK_AIM if plan["kind"].startswith("truck") else 0.0)
    at = (0.0, -distance * math.cos(pitch), aim + distance * math.sin(pitch))
    stage.camera(at, (0.0, 0.0, aim), VIEW_ANGLE)
    size, samples = (plan["size"], plan["size"]), plan["samples"]
    stage.quality(size, samples, plan["seed"] % 1000, transparent=True, denoise=samples < ENOUGH)
    mask = stage.render(folder / f"{plan['name']}.png") == 1
    _save_mask(folder / f"{plan['name']}-mask.png", mask)
    record = {**plan, "pixels_per_metre": plan["size"] / (2 * plan["reach"])}
    (folder / f"{plan['name']}.json").write_text(json.dumps(record))


if __name__ == "__main__":
    render_plan(render_one)
