"""Renders whole streets with the box of every labelled object that can be seen.

Run with an interpreter that has `bpy`:  python -m datasets.synthetic.blender.scenes PLAN.jsonl FOLDER
Each line of the plan is one `plan_scenes.Scene`. Writes NAME.png and NAME.json (label, box in pixels, visible
pixels per object); what stands already is skipped.
"""

from __future__ import annotations

import json
import math
import pathlib
from random import Random
from typing import Any

import numpy as np

from datasets.synthetic.blender import stage, street
from datasets.synthetic.blender.meshes import merge, place
from datasets.synthetic.blender.planned import render_plan
from datasets.synthetic.blender.props import KINDS

HOLE = 0.36


def _boxes(mask: np.ndarray[Any, np.dtype[np.int32]], labels: dict[int, str]) -> list[dict[str, Any]]:
    found = []
    for index, label in labels.items():
        rows, columns = np.nonzero(mask == index)
        if rows.size:
            found.append(
                {
                    "label": label,
                    "pixels": int(rows.size),
                    "box": [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1],
                }
            )
    return found


def render_one(plan: dict[str, Any], folder: pathlib.Path) -> None:
    """One street; the side file is written last and marks it complete."""
    stage.clear()
    rng, light = Random(plan["street_seed"]), plan["light"]
    layout = street.Layout(half_road=plan["half_road"], pavement=plan["pavement"])
    holes = [
        (i["x"], i["y"], HOLE)
        for i in plan["items"]
        if i["kind"].startswith("manhole") and i["kind"] != "manhole_sound"
    ]
    merge(
        street.road(layout, holes, light["wet"], rng)
        + street.pavements(layout, rng)
        + street.shop_fronts(layout, rng, light["night"])
        + street.skyline(layout, rng)
    )
    labels: dict[int, str] = {}
    for index, item in enumerate(plan["items"], 1):
        things = merge(
            place(
                KINDS[item["kind"]](Random(item["seed"])), item["x"], item["y"], item["z"], math.radians(item["turn"])
            )
        )
        if item["label"]:
            stage.number(things, index)
            labels[index] = item["label"]
    if light["night"]:
        stage.moonlight()
    else:
        stage.daylight(light["elevation"], light["azimuth"], light["cloud"])
    stage.camera(tuple(plan["at"]), tuple(plan["look_at"]), plan["view_angle"])
    stage.quality(tuple(plan["size"]), plan["samples"], plan["street_seed"] % 1000, exposure=light["exposure"])
    mask = stage.render(folder / f"{plan['name']}.png")
    record = {"name": plan["name"], "split": plan["split"], "objects": _boxes(mask, labels)}
    (folder / f"{plan['name']}.json").write_text(json.dumps(record))


if __name__ == "__main__":
    render_plan(render_one)
