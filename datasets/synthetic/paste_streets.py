"""Pastes cut-outs into whole rendered streets: their camera is known, so place, size and angle are exact.

Multiplies the objects seen in the rendered world at a small part of the cost of rendering each street anew.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from datasets.synthetic import cutouts
from datasets.synthetic.cutouts import Rendered
from datasets.synthetic.layout import Labelled, SetWriter
from datasets.synthetic.paste import camera_look, ground_like
from datasets.synthetic.perspective import Box, Camera, place_free
from datasets.synthetic.plan_scenes import KERB
from datasets.synthetic.rendered import objects_of

# label: where across the street it stands, as (from, to) in metres beyond an edge
LANES: dict[str, tuple[str, float, float]] = {
    "garbage": ("far kerb", 0.7, 1.5),
    "bin": ("far kerb", 0.6, 1.2),
    "bin_overflow": ("far kerb", 0.6, 1.2),
    "street_stall": ("far kerb", 1.0, 2.0),
    "shop_goods": ("front", -1.1, -0.7),
    "rubble_pile": ("road", 0.0, 0.0),
}
WEIGHTS = {"garbage": 3, "bin_overflow": 2, "bin": 2, "street_stall": 2, "rubble_pile": 2, "shop_goods": 1}


def spot(label: str, scene: dict[str, Any], rng: Random) -> tuple[float, float, float]:
    """A place (x, y, z) in metres where the label stands in such a street."""
    lane, low, high = LANES[label]
    x = scene["at"][0] + rng.uniform(3.0, 17.0)
    half = scene["half_road"]
    if lane == "road":
        return x, rng.choice((-1, 1)) * (half - rng.uniform(1.0, 1.6)), 0.0
    edge = half if lane == "far kerb" else half + scene["pavement"]
    return x, edge + rng.uniform(low, high), KERB


def compose(
    scene: dict[str, Any], record: dict[str, Any], folder: pathlib.Path, rendered: Sequence[Rendered], rng: Random
) -> tuple[cutouts.Picture, list[Labelled]]:
    """One picture of a rendered street with two to five further objects."""
    picture = cutouts.read_picture(folder / f"{scene['name']}.png")
    height, width = picture.shape[:2]
    camera = Camera(tuple(scene["at"]), tuple(scene["look_at"]), scene["view_angle"])
    objects = objects_of(record)
    taken = [Box(*(float(v) for v in o["box"])) for o in record["objects"]]
    wanted = rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=rng.randint(4, 8))
    placed: list[tuple[float, str, tuple[float, float, float]]] = []
    for label in wanted:
        at = spot(label, scene, rng)
        away = sum((a - b) ** 2 for a, b in zip(at, camera.at, strict=True))
        placed.append((away, label, at))
    for _, label, at in sorted(placed, reverse=True):  # far ones first
        choices = [c for c in rendered if c.label == label and c.split == scene["split"]]
        if not choices or len(objects) - len(record["objects"]) >= 5:
            continue
        column, row = camera.project(*at, (width, height))
        _, head = camera.project(at[0], at[1], at[2] + 1.0, (width, height))
        chosen = cutouts.nearest_pitch(rng, choices, camera.pitch(*at), keep=7)
        scale = (row - head) / chosen.pixels_per_metre * rng.uniform(0.85, 1.15)
        if not 0.08 < scale < 2.2 or not 0 < column < width or row > height * 1.05:
            continue
        sprite = cutouts.load(chosen, scale, flip=rng.random() < 0.5)
        solid = sprite.solid_box
        left, top = round(column - (solid.left + solid.right) / 2), round(row - solid.bottom)
        box = Box(left + solid.left, top + solid.top, left + solid.right, top + solid.bottom)
        if not place_free(box, taken, width, height, share=0.2) or not ground_like(picture, box):
            continue
        around = picture[max(0, int(box.bottom) - 30) : int(box.bottom) + 8, max(0, int(box.left)) : int(box.right)]
        if around.size == 0:
            continue
        seen = cutouts.set_in(picture, cutouts.tune(sprite, around, rng), left, top)
        if seen is not None:
            objects.append(Labelled(label, seen, True))
            taken.append(seen)
    return camera_look(picture, rng), objects


def make_set(
    writer: SetWriter,
    plan: Sequence[dict[str, Any]],
    folder: pathlib.Path,
    rendered: Sequence[Rendered],
    seed: int,
    variants: int,
    progress: Callable[[], None] | None = None,
) -> None:
    """`variants` pictures of each rendered street; streets that are not rendered yet are left out."""
    for scene in plan:
        side = folder / f"{scene['name']}.json"
        if not side.exists():
            continue
        record = json.loads(side.read_text())
        for variant in range(variants):
            name = f"{scene['name']}-v{variant}"
            if not writer.has(name):
                picture, objects = compose(scene, record, folder, rendered, Random(f"{seed}/{name}"))
                writer.write(name, scene["split"], scene["name"], picture, objects)
            if progress is not None:
                progress()
