"""What lies on or in the road: rubble, manholes in every state, puddles."""

from __future__ import annotations

import math
from random import Random

from mathutils import Matrix, Vector, noise

from datasets.synthetic.blender.materials import RGB, surface, water
from datasets.synthetic.blender.meshes import Object, ball, box, mesh, place, ring_faces, tube

SOILS: tuple[tuple[RGB, RGB], ...] = (
    ((0.27, 0.24, 0.21), (0.38, 0.36, 0.34)),
    ((0.26, 0.17, 0.1), (0.3, 0.22, 0.16)),
    ((0.4, 0.37, 0.33), (0.5, 0.49, 0.47)),
    ((0.33, 0.16, 0.1), (0.4, 0.2, 0.13)),
)


def rubble(rng: Random, width: float | None = None) -> list[Object]:
    """A pile of construction rubble: mound of spoil, stones, bricks, slabs, a few boards."""
    w = width if width is not None else rng.uniform(1.6, 3.2)
    d, h = w * rng.uniform(0.6, 0.85), w * rng.uniform(0.26, 0.4)
    soil, stone = rng.choice(SOILS)
    seed = Vector((rng.uniform(0, 99), rng.uniform(0, 99), 0))
    rows, sides = 26, 48

    def height(x: float, y: float) -> float:
        q = math.hypot(2 * x / w, 2 * y / d)
        p = Vector((x, y, 0))
        rough = 0.3 * noise.noise(p * 1.4 + seed) + 0.14 * noise.noise(p * 4 + seed)
        lumps = 0.06 * w * noise.noise(p * 2.5 + seed) * (1 - q)
        return max(0.0, float(h * (1 - q**1.35) * (1 + rough) + lumps))

    points = []
    for i in range(rows):
        q = i / (rows - 1)
        for j in range(sides):
            a = 2 * math.pi * j / sides
            edge = 1 + 0.2 * noise.noise(Vector((math.cos(a), math.sin(a), 0)) * 1.6 + seed)
            x, y = q * edge * w / 2 * math.cos(a), q * edge * d / 2 * math.sin(a)
            points.append((x, y, height(x, y) + 0.006))
    mound = surface(soil, 0.95, grain=7, spread=0.4, bump=1.0, bump_scale=26)
    things = [mesh(points, ring_faces(rows, sides), mound, smooth=True)]
    bricky = rng.random() < 0.7
    tones = [
        surface(stone, 0.95, grain=14, spread=0.3, bump=0.6),
        surface(soil, 0.95, grain=14, spread=0.35, bump=0.6),
        surface((0.36, 0.12, 0.07), 0.9, grain=14, spread=0.3),
    ]
    for _ in range(int(70 * w)):
        a, q = rng.uniform(0, 6.28), rng.random() ** 0.6 * 1.12
        x, y = q * w / 2 * math.cos(a), q * d / 2 * math.sin(a)
        size = rng.uniform(0.025, 0.1) * (1.3 if rng.random() < 0.1 else 1)
        z = height(x, y) + size * 0.25
        if bricky and rng.random() < 0.3:
            part = box((0.22 * rng.uniform(0.4, 1), 0.11, 0.06), (0, 0, 0), tones[2])
            part.matrix_world = (
                Matrix.Translation((x, y, z)) @ Matrix.Rotation(a, 4, "Z") @ Matrix.Rotation(rng.uniform(-1, 1), 4, "X")
            )
            things.append(part)
        else:
            things.append(
                ball(
                    (size, size * rng.uniform(0.6, 1), size * rng.uniform(0.5, 0.9)),
                    (x, y, z),
                    rng.choice(tones[:2]),
                    rough=0.9,
                    seed=rng.uniform(0, 99),
                    detail=5,
                    smooth=False,
                )
            )
    for _ in range(rng.randint(2, 6)):
        a, q = rng.uniform(0, 6.28), rng.uniform(0.2, 1.0)
        x, y = q * w / 2 * math.cos(a), q * d / 2 * math.sin(a)
        slab = box((rng.uniform(0.3, 0.6), rng.uniform(0.2, 0.45), 0.06), (0, 0, 0), tones[0])
        slab.matrix_world = (
            Matrix.Translation((x, y, height(x, y)))
            @ Matrix.Rotation(a, 4, "Z")
            @ Matrix.Rotation(rng.uniform(-0.7, 0.7), 4, "X")
        )
        things.append(slab)
    return things


def patch(radius: float, half: float, material: object) -> Object:
    """A square of ground of half side `half` with a round hole of `radius` in its middle."""
    n = 48
    points: list[tuple[float, float, float]] = []
    for j in range(n):
        a = 2 * math.pi * j / n
        points.append((radius * math.cos(a), radius * math.sin(a), 0.0))
    for j in range(n):
        a = 2 * math.pi * j / n
        reach = half / max(abs(math.cos(a)), abs(math.sin(a)))
        points.append((reach * math.cos(a), reach * math.sin(a), 0.0))
    return mesh(points, ring_faces(2, n), material)


def _cover(rng: Random, radius: float, bite: float) -> Object:
    """A cast-iron lid with ribs; `bite` > 0 breaks that share of it away."""
    iron = surface((0.06, 0.055, 0.05), 0.55, metallic=0.7, grain=20, spread=0.4, bump=0.8, bump_scale=45)
    n, seed = 64, rng.uniform(0, 99)
    rim: list[tuple[float, float]] = []
    for j in range(n):
        a = 2 * math.pi * j / n
        x, y = radius * math.cos(a), radius * math.sin(a)
        edge = radius * (1 - 2 * bite) + 0.13 * radius * noise.noise(Vector((y * 9, seed, 0)))
        rim.append((min(x, edge) if bite else x, y))
    points = [(x, y, z) for z in (-0.04, 0.0) for x, y in rim]
    faces: list[tuple[int, ...]] = [tuple(range(n, 2 * n))]
    faces += [(i, (i + 1) % n, n + (i + 1) % n, n + i) for i in range(n)]
    return mesh(points, faces, iron)


def manhole(rng: Random, state: str = "missing", radius: float = 0.36) -> list[Object]:
    """A manhole: `sound`, `missing`, `broken`, `displaced` or `sunken`; surface flush with z = 0.

    Needs ground with a hole of `radius` (see `patch`), except when `sound`.
    """
    iron = surface((0.09, 0.08, 0.07), 0.6, metallic=0.6, grain=16, spread=0.35, bump=0.5)
    wall = surface((0.16, 0.15, 0.13), 0.95, grain=8, spread=0.4, bump=0.5)
    n = 48
    ring = [
        (r * math.cos(2 * math.pi * j / n), r * math.sin(2 * math.pi * j / n), 0.008)
        for r in (radius, radius * 1.16)
        for j in range(n)
    ]
    things = [mesh(ring, ring_faces(2, n), iron)]
    if state == "sound":
        lid = place([_cover(rng, radius * 0.985, 0.0)], 0, 0, 0.006, rng.uniform(0, 6.28))
        return things + lid
    depth = rng.uniform(0.9, 1.6)
    shaft = [
        (r * radius * math.cos(2 * math.pi * j / n), r * radius * math.sin(2 * math.pi * j / n), z)
        for r, z in ((1.0, 0.004), (1.0, -0.18), (1.05, -depth), (0.0, -depth))
        for j in range(n)
    ]
    things.append(mesh(shaft, ring_faces(4, n), wall, smooth=True))
    if rng.random() < 0.4:
        pool = tube(radius * 1.02, 0.01, (0, 0, -depth * 0.85), water(), sides=32)
        things.append(pool)
    if state == "broken":
        things += place([_cover(rng, radius * 0.985, rng.uniform(0.2, 0.45))], 0, 0, 0.0, rng.uniform(0, 6.28))
    elif state == "displaced":
        lid = _cover(rng, radius, 0.0)
        a, off = rng.uniform(0, 6.28), radius * rng.uniform(0.5, 2.1)
        lid.matrix_world = (
            Matrix.Translation((off * math.cos(a), off * math.sin(a), 0.05))
            @ Matrix.Rotation(a, 4, "Z")
            @ Matrix.Rotation(rng.uniform(0, 0.12), 4, "Y")
        )
        things.append(lid)
    elif state == "sunken":
        lid = _cover(rng, radius * 0.97, 0.0)
        lid.matrix_world = Matrix.Translation((0, 0, -rng.uniform(0.08, 0.16))) @ Matrix.Rotation(
            rng.uniform(0.1, 0.35), 4, Vector((math.cos(1), math.sin(1), 0))
        )
        things.append(lid)
    return things


def puddle(rng: Random, length: float | None = None) -> list[Object]:
    """A shallow pool of irregular outline with wet, darker ground around it."""
    size = length if length is not None else rng.uniform(1.6, 4.5)
    deep = size * rng.uniform(0.3, 0.55)
    seed = Vector((rng.uniform(0, 99), rng.uniform(0, 99), 0))
    n = 72

    def outline(grow: float, z: float) -> list[tuple[float, float, float]]:
        points = []
        for j in range(n):
            a = 2 * math.pi * j / n
            p = Vector((math.cos(a), math.sin(a), 0))
            r = grow * (1 + 0.45 * noise.noise(p * 1.3 + seed) + 0.2 * noise.noise(p * 3 + seed))
            points.append((r * size / 2 * p.x, r * deep / 2 * p.y, z))
        return points

    damp = surface((0.03, 0.03, 0.03), 0.45, grain=3, spread=0.3)
    return [mesh(outline(1.12, 0.004), [tuple(range(n))], damp), mesh(outline(1.0, 0.008), [tuple(range(n))], water())]
