"""Renders the layers of the demo clip: one clean plate, one patch per problem, moving sprites.

Run with an interpreter that has `bpy`:  python -m datasets.synthetic.blender.demo FOLDER
What already stands in FOLDER is kept, so a broken run goes on where it stopped.
"""

from __future__ import annotations

import json
import math
import pathlib
import sys
from collections.abc import Sequence
from random import Random
from typing import Any

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Matrix, Vector

from datasets.synthetic.blender import stage, street
from datasets.synthetic.blender.meshes import Object, place
from datasets.synthetic.blender.people import person
from datasets.synthetic.blender.props import KINDS
from datasets.synthetic.blender.vehicles import bus, car, van
from datasets.synthetic.plan_demo import (
    CAMERA,
    FIXTURES,
    FPS,
    LIGHT,
    PROBLEMS,
    SIZE,
    STREET_SEED,
    TRACKS,
    Spot,
    Track,
)

SAMPLES_PLATE, SAMPLES_SPRITE = 32, 8
EXPOSURE = 0.1  # stops
VEHICLE_SCALE = 0.5  # moving vehicles are soft in a camera picture; half the resolution costs a quarter


def put(spot: Spot) -> list[Object]:
    """Builds one fixed object at its spot."""
    things = place(KINDS[spot.kind](Random(spot.seed)), spot.x, spot.y, spot.z, math.radians(spot.turn))
    for thing in things:
        thing["spot"] = spot.name
    return things


def set_up() -> tuple[list[Object], list[Object], list[Object]]:
    """The empty street; returns (ground, houses, fixtures)."""
    stage.clear()
    rng = Random(STREET_SEED)
    layout = street.Layout()
    ground = street.road(layout, [], 0.0, rng) + street.pavements(layout, rng)
    houses = street.shop_fronts(layout, rng, False) + street.skyline(layout, rng)
    fixtures = [thing for spot in FIXTURES for thing in put(spot)]
    stage.daylight(**LIGHT)
    stage.camera(CAMERA.at, CAMERA.look_at, CAMERA.view_angle)
    stage.quality(SIZE, SAMPLES_PLATE, 1, exposure=EXPOSURE)
    bpy.context.view_layer.update()
    return ground, houses, fixtures


def bounds(
    things: Sequence[Object], margin: float = 0.03, size: tuple[int, int] = SIZE
) -> tuple[int, int, int, int] | None:
    """Pixels, in a picture of `size`, that the group and its shadow can touch; None when it is out of the picture."""
    scene = bpy.context.scene
    sun = next(o for o in scene.objects if o.type == "LIGHT")
    ray = sun.matrix_world.to_3x3() @ Vector((0, 0, -1))
    seen = []
    for thing in things:
        for corner in thing.bound_box:
            p = thing.matrix_world @ Vector(corner)
            for q in (p, p + ray * (p.z / -ray.z)):
                view = world_to_camera_view(scene, scene.camera, q)
                if view.z > 0.3:
                    seen.append((view.x, 1 - view.y))
    if not seen:
        return None
    xy = np.array(seen)
    low, high = xy.min(0) - margin, xy.max(0) + margin
    low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    box = (int(low[0] * size[0]), int(low[1] * size[1]), math.ceil(high[0] * size[0]), math.ceil(high[1] * size[1]))
    return box if box[2] - box[0] > 4 and box[3] - box[1] > 4 else None


def remove(things: Sequence[Object]) -> None:
    """Takes objects out of the scene."""
    for thing in things:
        bpy.data.objects.remove(thing, do_unlink=True)


def save(path: pathlib.Path, record: dict[str, Any]) -> None:
    """Writes the side file last: it marks the layer as complete."""
    path.write_text(json.dumps(record))


def plates(folder: pathlib.Path) -> None:
    """The clean plate and a patch per problem, with the mask of the problem's own pixels."""
    if not (folder / "plate.png").exists():
        stage.render(folder / "plate.png")
    for problem in PROBLEMS:
        side = folder / f"problem-{problem.name}.json"
        if side.exists():
            continue
        things = put(problem.spot)
        stage.number(things, 1)
        extra = [put(spot) for spot in problem.extras]
        for i, group in enumerate(extra):
            stage.number(group, 2 + i)
        hidden = [o for o in bpy.context.scene.objects if o.get("spot") == problem.replaces]
        for thing in hidden if problem.replaces else []:
            thing.hide_render = True
        bpy.context.view_layer.update()
        everything = things + [o for group in extra for o in group]
        area = bounds(everything)
        if area is None:
            raise ValueError(f"problem {problem.name} lies outside the picture: correct its spot in plan_demo")
        with stage.window(*area):
            mask = stage.render(folder / f"problem-{problem.name}.png")
        np.save(folder / f"problem-{problem.name}.npy", mask.astype(np.uint8))
        save(side, {"left": area[0], "top": area[1]})
        for thing in hidden if problem.replaces else []:
            thing.hide_render = False
        remove(everything)


def build(track: Track, step: int) -> list[Object]:
    """The moving object of a track in its pose at frame `step`, at the origin."""
    rng = Random(track.seed)
    if track.kind == "person":
        return person(rng, 2 * math.pi * step / (FPS * 1.05))
    maker = {"car": car, "van": van, "bus": bus}[track.kind]
    return maker(rng, track.colour)


def sprites(
    folder: pathlib.Path, ground: Sequence[Object], houses: Sequence[Object], fixtures: Sequence[Object]
) -> None:
    """Each track, every `stride` frames, on a transparent film.

    People are cut by the trees and bins in front of them; vehicles pass in front of everything.
    """
    for thing in ground:
        thing.is_shadow_catcher = True
    remove(houses)
    for thing in fixtures:
        thing.is_holdout = True
    for track in TRACKS:
        where = folder / f"track-{track.name}"
        where.mkdir(exist_ok=True)
        things: list[Object] = []
        home: list[Matrix] = []
        for thing in fixtures:
            thing.hide_render = track.kind != "person"
        scale = 1.0 if track.kind == "person" else VEHICLE_SCALE
        size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
        stage.quality(size, SAMPLES_SPRITE, 2, transparent=True, exposure=EXPOSURE)
        for step in range(0, track.steps, track.stride):
            side = where / f"{step:04d}.json"
            if side.exists():
                continue
            if not things or track.kind == "person":
                remove(things)
                things = build(track, step)
                bpy.context.view_layer.update()
                home = [thing.matrix_world.copy() for thing in things]
            move = Matrix.Translation((track.x(step), track.y, track.z))
            if track.end < track.start:
                move = move @ Matrix.Rotation(math.pi, 4, "Z")
            for thing, matrix in zip(things, home, strict=True):
                thing.matrix_world = move @ matrix
            bpy.context.view_layer.update()
            area = bounds(things, 0.006, size)
            if area is None:
                save(side, {"empty": True})
                continue
            with stage.window(*area):
                stage.render(where / f"{step:04d}.png")
            save(side, {"left": area[0], "top": area[1], "scale": scale})
        remove(things)
        print(f"track {track.name} done", flush=True)


def main() -> None:
    """Renders whatever is missing in the folder given on the command line."""
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    ground, houses, fixtures = set_up()
    plates(folder)
    print("plates done", flush=True)
    if len(sys.argv) < 3:
        sprites(folder, ground, houses, fixtures)


if __name__ == "__main__":
    main()
