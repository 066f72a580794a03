"""Small geometry kit: every builder returns Blender objects around the origin, standing on z = 0."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector, noise
from numpy.typing import NDArray

Object = Any
Points = NDArray[np.float64]


def mesh(
    points: Sequence[Sequence[float]] | Points,
    faces: Sequence[Sequence[int]],
    material: Any,
    *,
    smooth: bool = False,
    subdivide: int = 0,
    bevel: float = 0.0,
) -> Object:
    """One object out of points (n, 3) in metres and faces (indices), linked to the scene."""
    data = bpy.data.meshes.new("mesh")
    data.from_pydata([tuple(map(float, p)) for p in points], [], [tuple(f) for f in faces])
    data.validate()
    thing = bpy.data.objects.new("thing", data)
    bpy.context.scene.collection.objects.link(thing)
    if material is not None:
        data.materials.append(material)
    if smooth:
        data.polygons.foreach_set("use_smooth", [True] * len(data.polygons))
    if bevel:
        edge = thing.modifiers.new("bevel", "BEVEL")
        edge.width, edge.segments, edge.limit_method = bevel, 2, "ANGLE"
    if subdivide:
        smoother = thing.modifiers.new("subdivide", "SUBSURF")
        smoother.levels = smoother.render_levels = subdivide
    return thing


def box(
    size: tuple[float, float, float],
    at: tuple[float, float, float],
    material: Any,
    *,
    bevel: float = 0.0,
    turn: float = 0.0,
    tilt: float = 0.0,
) -> Object:
    """A box of `size`; `at` is the centre of its bottom, `turn` about z and `tilt` about x."""
    x, y, z = size[0] / 2, size[1] / 2, size[2]
    points = [(sx * x, sy * y, h) for h in (0.0, z) for sy in (-1, 1) for sx in (-1, 1)]
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    thing = mesh(points, faces, material, bevel=bevel)
    thing.matrix_world = Matrix.Translation(at) @ Matrix.Rotation(turn, 4, "Z") @ Matrix.Rotation(tilt, 4, "X")
    return thing


def tube(
    radius: float,
    length: float,
    at: tuple[float, float, float],
    material: Any,
    *,
    axis: str = "Z",
    top: float | None = None,
    sides: int = 20,
    bevel: float = 0.0,
) -> Object:
    """A closed cylinder or, with `top` radius, a cone; `at` is the centre of its first end."""
    end = radius if top is None else top
    angles = [2 * math.pi * i / sides for i in range(sides)]
    points = [(radius * math.cos(a), radius * math.sin(a), 0.0) for a in angles]
    points += [(end * math.cos(a), end * math.sin(a), length) for a in angles]
    faces: list[tuple[int, ...]] = [(i, (i + 1) % sides, sides + (i + 1) % sides, sides + i) for i in range(sides)]
    faces += [tuple(reversed(range(sides))), tuple(range(sides, 2 * sides))]
    thing = mesh(points, faces, material, bevel=bevel)
    turn = {
        "Z": Matrix.Identity(4),
        "X": Matrix.Rotation(math.pi / 2, 4, "Y"),
        "Y": Matrix.Rotation(-math.pi / 2, 4, "X"),
    }[axis]
    thing.matrix_world = Matrix.Translation(at) @ turn
    return thing


def ball(
    radius: tuple[float, float, float],
    at: tuple[float, float, float],
    material: Any,
    *,
    rough: float = 0.0,
    seed: float = 0.0,
    detail: int = 12,
    smooth: bool = True,
) -> Object:
    """An ellipsoid centred at `at`; `rough` displaces it by noise (relative to its radius)."""
    rows, sides = detail, detail * 2
    points: list[Vector] = []
    for i in range(rows + 1):
        polar = math.pi * i / rows
        for j in range(sides):
            a = 2 * math.pi * j / sides
            p = Vector((math.sin(polar) * math.cos(a), math.sin(polar) * math.sin(a), math.cos(polar)))
            if rough:
                p *= 1 + rough * noise.noise(p * 1.7 + Vector((seed, seed * 1.3, seed * 0.7)))
            points.append(Vector((p.x * radius[0], p.y * radius[1], p.z * radius[2])))
    thing = mesh(points, ring_faces(rows + 1, sides), material, smooth=smooth)
    thing.matrix_world = Matrix.Translation(at)
    return thing


def ring_faces(rows: int, sides: int) -> list[tuple[int, int, int, int]]:
    """Quads that join `rows` rings of `sides` points each."""
    return [
        (i * sides + j, i * sides + (j + 1) % sides, (i + 1) * sides + (j + 1) % sides, (i + 1) * sides + j)
        for i in range(rows - 1)
        for j in range(sides)
    ]


def limbs(
    joints: Sequence[tuple[float, float, float]],
    bones: Sequence[tuple[int, int]],
    radii: Sequence[float],
    material: Any,
) -> Object:
    """A smooth body around a stick figure (skin modifier): arms, legs, branches."""
    data = bpy.data.meshes.new("limbs")
    data.from_pydata([tuple(j) for j in joints], [tuple(b) for b in bones], [])
    thing = bpy.data.objects.new("limbs", data)
    bpy.context.scene.collection.objects.link(thing)
    thing.modifiers.new("skin", "SKIN").use_smooth_shade = True
    for vertex, radius in zip(data.skin_vertices[0].data, radii, strict=True):
        vertex.radius = (radius, radius)
    data.skin_vertices[0].data[0].use_root = True
    smoother = thing.modifiers.new("subdivide", "SUBSURF")
    smoother.levels = smoother.render_levels = 1
    data.materials.append(material)
    return thing


def text(words: str, height: float, material: Any, font: Any) -> Object:
    """Flat lettering in the x-z plane that faces -y, centred at the origin."""
    curve = bpy.data.curves.new("text", "FONT")
    curve.body, curve.size, curve.font = words, height, font
    curve.align_x, curve.align_y = "CENTER", "CENTER"
    curve.extrude, curve.resolution_u = 0.01, 2
    curve.materials.append(material)
    thing = bpy.data.objects.new("text", curve)
    bpy.context.scene.collection.objects.link(thing)
    thing.matrix_world = Matrix.Rotation(math.pi / 2, 4, "X")
    return thing


def place(
    things: Iterable[Object],
    x: float,
    y: float,
    z: float = 0.0,
    turn: float = 0.0,
    scale: float = 1.0,
) -> list[Object]:
    """Moves a group built around the origin to its spot; `turn` in radians about z."""
    move = Matrix.Translation((x, y, z)) @ Matrix.Rotation(turn, 4, "Z") @ Matrix.Scale(scale, 4)
    moved = list(things)
    for thing in moved:
        thing.matrix_world = move @ thing.matrix_world
    return moved


def merge(things: Iterable[Object]) -> list[Object]:
    """Joins all plain meshes of a group into one object; those with modifiers and lettering stay as they are.

    Cycles and Blender's scene graph pay per object: a street of 1,900 objects took 11 s of CPU before its first sample.
    Done in numpy because the join operator re-evaluates the whole scene each time.
    """
    every = list(things)
    plain = [t for t in every if t.type == "MESH" and not t.modifiers]
    if len(plain) < 2:
        return every
    rest = [t for t in every if t.type != "MESH" or t.modifiers]
    points, corners, totals, slots, smooth = [], [], [], [], []
    materials: list[Any] = []
    offset = 0
    for thing in plain:
        data = thing.data
        at = np.empty(len(data.vertices) * 3, np.float32)
        data.vertices.foreach_get("co", at)
        move = np.array(thing.matrix_world, np.float32)
        points.append(at.reshape(-1, 3) @ move[:3, :3].T + move[:3, 3])
        count = len(data.polygons)
        corner, total, slot = np.empty(len(data.loops), np.int32), np.empty(count, np.int32), np.empty(count, np.int32)
        data.loops.foreach_get("vertex_index", corner)
        data.polygons.foreach_get("loop_total", total)
        data.polygons.foreach_get("material_index", slot)
        flags = np.empty(count, bool)
        data.polygons.foreach_get("use_smooth", flags)
        own = list(data.materials)
        materials += [material for material in own if material not in materials]
        table = np.array([materials.index(material) for material in own] or [0], np.int32)
        corners.append(corner + offset)
        totals.append(total)
        slots.append(table[np.minimum(slot, len(table) - 1)])
        smooth.append(flags)
        offset += len(data.vertices)
        bpy.data.objects.remove(thing, do_unlink=True)
    whole = bpy.data.meshes.new("merged")
    total = np.concatenate(totals)
    whole.vertices.add(offset)
    whole.vertices.foreach_set("co", np.concatenate(points).ravel())
    whole.loops.add(int(total.sum()))
    whole.loops.foreach_set("vertex_index", np.concatenate(corners))
    whole.polygons.add(len(total))
    whole.polygons.foreach_set("loop_start", np.concatenate([[0], np.cumsum(total)[:-1]]).astype(np.int32))
    for material in materials:
        whole.materials.append(material)
    whole.polygons.foreach_set("material_index", np.concatenate(slots))
    whole.polygons.foreach_set("use_smooth", np.concatenate(smooth))
    whole.update(calc_edges=True)
    thing = bpy.data.objects.new("merged", whole)
    bpy.context.scene.collection.objects.link(thing)
    return [thing, *rest]
