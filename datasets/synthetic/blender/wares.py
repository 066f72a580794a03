"""Vending: street stalls, and goods set out in front of a shop."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from datasets.synthetic.blender.litter import carton
from datasets.synthetic.blender.materials import RGB, surface
from datasets.synthetic.blender.meshes import Object, ball, box, mesh, place, tube

FRUIT: tuple[RGB, ...] = (
    (0.55, 0.06, 0.03),
    (0.7, 0.28, 0.02),
    (0.65, 0.5, 0.05),
    (0.1, 0.32, 0.04),
    (0.25, 0.03, 0.1),
    (0.5, 0.35, 0.1),
)
CLOTH: tuple[RGB, ...] = (
    (0.6, 0.05, 0.05),
    (0.05, 0.2, 0.5),
    (0.05, 0.35, 0.15),
    (0.65, 0.45, 0.05),
    (0.6, 0.6, 0.58),
    (0.45, 0.1, 0.3),
)


def crate(rng: Random, size: tuple[float, float, float] = (0.55, 0.38, 0.22)) -> list[Object]:
    """A crate heaped with one kind of fruit or vegetable."""
    shell = surface(rng.choice(((0.05, 0.2, 0.45), (0.4, 0.3, 0.17), (0.5, 0.05, 0.05))), 0.6)
    things = [box((size[0], size[1], size[2] * 0.8), (0, 0, 0), shell, bevel=0.01)]
    skin = surface(rng.choice(FRUIT), 0.45, spread=0.3)
    r = rng.uniform(0.036, 0.06)
    nx, ny = int(size[0] / (2.1 * r)), int(size[1] / (2.1 * r))
    for i in range(nx):
        for j in range(ny):
            x = (i - (nx - 1) / 2) * 2.05 * r + rng.gauss(0, 0.006)
            y = (j - (ny - 1) / 2) * 2.05 * r + rng.gauss(0, 0.006)
            hump = 0.09 * (1 - (2 * x / size[0]) ** 2) * (1 - (2 * y / size[1]) ** 2)
            things.append(ball((r, r, r * 0.95), (x, y, size[2] * 0.8 + hump), skin, detail=6))
    return things


def _parasol(rng: Random, radius: float, height: float) -> list[Object]:
    """An eight-panelled sunshade, plain or striped."""
    first, second = rng.sample(CLOTH, 2)
    if rng.random() < 0.4:
        second = first
    sides, rise = 8, radius * 0.32
    points: list[tuple[float, float, float]] = [(0, 0, height + rise)]
    for ring, drop in ((0.55, 0.36), (1.0, 1.0)):
        points += [
            (
                radius * ring * math.cos(2 * math.pi * i / sides),
                radius * ring * math.sin(2 * math.pi * i / sides),
                height + rise * (1 - drop),
            )
            for i in range(sides)
        ]
    points += [
        (radius * 1.0 * math.cos(2 * math.pi * i / sides), radius * math.sin(2 * math.pi * i / sides), height - 0.14)
        for i in range(sides)
    ]
    faces: list[tuple[int, ...]] = []
    for i in range(sides):
        k = (i + 1) % sides
        faces += [
            (0, 1 + i, 1 + k),
            (1 + i, 1 + sides + i, 1 + sides + k, 1 + k),
            (1 + sides + i, 1 + 2 * sides + i, 1 + 2 * sides + k, 1 + sides + k),
        ]
    cover = mesh(points, faces, surface(first, 0.8, spread=0.12))
    cover.data.materials.append(surface(second, 0.8, spread=0.12))
    for index, polygon in enumerate(cover.data.polygons):
        polygon.material_index = (index // 3) % 2
    pole = tube(0.022, height + rise, (0, 0, 0), surface((0.5, 0.5, 0.5), 0.4, metallic=0.6))
    return [cover, pole]


def _tent(rng: Random, length: float, depth: float) -> list[Object]:
    """Four poles and a folding roof."""
    steel = surface((0.5, 0.5, 0.52), 0.4, metallic=0.6)
    cloth = surface(rng.choice(CLOTH), 0.8, spread=0.12)
    x, y, eave, ridge = length / 2 + 0.1, depth / 2 + 0.35, 2.05, 2.6
    things = [tube(0.02, eave, (sx * x, sy * y, 0), steel, sides=8) for sx in (-1, 1) for sy in (-1, 1)]
    base = [(-x, -y), (x, -y), (x, y), (-x, y)]
    points = [(px, py, eave) for px, py in base] + [(-x * 0.25, 0, ridge), (x * 0.25, 0, ridge)]
    points += [(px, py, eave - 0.2) for px, py in base]
    faces: list[tuple[int, ...]] = [(0, 1, 5, 4), (2, 3, 4, 5), (1, 2, 5), (3, 0, 4)]
    faces += [(i, (i + 1) % 4, 6 + (i + 1) % 4, 6 + i) for i in range(4)]
    return [*things, mesh(points, faces, cloth)]


def _table(rng: Random, length: float, depth: float, height: float) -> list[Object]:
    """A covered table full of small wares."""
    cloth = surface(rng.choice(CLOTH), 0.85, spread=0.15)
    drop = height * rng.uniform(0.35, 0.95)
    things = [
        box((length, depth, 0.04), (0, 0, height), cloth),
        box((length, 0.02, drop), (0, -depth / 2, height - drop), cloth),
    ]
    leg = surface((0.3, 0.3, 0.3), 0.5, metallic=0.5)
    things += [
        tube(0.02, height, (sx * length * 0.46, sy * depth * 0.42, 0), leg, sides=8) for sx in (-1, 1) for sy in (-1, 1)
    ]
    kind = rng.random()
    if kind < 0.5:
        n = max(2, int(length / 0.6))
        for i in range(n):
            for y in (-depth * 0.25, depth * 0.25):
                things += place(crate(rng), (i - (n - 1) / 2) * 0.6, y, height + 0.04)
        return things
    for _ in range(int(26 * length * depth)):
        x, y = rng.uniform(-length, length) * 0.46, rng.uniform(-depth, depth) * 0.42
        size = rng.uniform(0.08, 0.22)
        tone: Any = surface(rng.choice((*CLOTH, *FRUIT)), 0.6)
        if rng.random() < 0.5:
            things.append(
                box(
                    (size, size * 0.7, size * rng.uniform(0.3, 1.4)),
                    (x, y, height + 0.04),
                    tone,
                    turn=rng.uniform(0, 3),
                )
            )
        else:
            things.append(tube(size * 0.4, size * rng.uniform(0.6, 1.6), (x, y, height + 0.04), tone, sides=12))
    return things


def stall(rng: Random) -> list[Object]:
    """A street stall: table or tricycle cart, shade, crates, stool; without its vendor."""
    length, depth = rng.uniform(1.3, 2.2), rng.uniform(0.7, 0.95)
    kind = rng.random()
    things = _table(rng, length, depth, rng.uniform(0.68, 0.85))
    if kind < 0.35:  # cart on wheels
        tyre = surface((0.02, 0.02, 0.02), 0.8)
        body = surface(rng.choice(CLOTH), 0.5)
        things.append(box((length, depth, 0.32), (0, 0, 0.36), body, bevel=0.02))
        for x in (-length * 0.3, length * 0.3):
            for y in (-depth * 0.52, depth * 0.46):
                things.append(tube(0.28, 0.06, (x, y, 0.28), tyre, axis="Y"))
    if rng.random() < 0.65:
        shade = _parasol(rng, rng.uniform(1.0, 1.5), rng.uniform(1.9, 2.2))
        things += place(shade, rng.uniform(-0.3, 0.3), rng.uniform(0.0, 0.3), 0, rng.uniform(0, 1))
    else:
        things += _tent(rng, length, depth)
    for _ in range(rng.randint(1, 4)):
        side = rng.choice((-1, 1))
        item = crate(rng) if rng.random() < 0.6 else carton(rng, 0.45)
        things += place(
            item, side * rng.uniform(0.3, 0.62) * length, -depth * rng.uniform(0.7, 0.95), 0, rng.gauss(0, 0.25)
        )
    stool = surface(rng.choice(CLOTH), 0.5)
    things.append(tube(0.16, 0.42, (rng.uniform(-0.5, 0.5), depth * 0.85, 0), stool, top=0.13))
    return things


def _rail(rng: Random) -> list[Object]:
    """A clothes rail."""
    steel = surface((0.6, 0.6, 0.62), 0.3, metallic=0.8)
    things = [tube(0.015, 1.5, (x, 0, 0), steel, sides=8) for x in (-0.7, 0.7)]
    things += [tube(0.015, 1.4, (-0.7, 0, 1.5), steel, axis="X", sides=8)]
    things += [box((0.04, 0.5, 0.03), (x, 0, 0), steel) for x in (-0.7, 0.7)]
    for i in range(14):
        cloth = surface(rng.choice((*CLOTH, (0.05, 0.05, 0.05), (0.55, 0.5, 0.42))), 0.9, bump=0.3)
        drop = rng.uniform(0.6, 0.95)
        things.append(
            box((0.05, 0.42, drop), (-0.62 + i * 0.095, 0, 1.48 - drop), cloth, bevel=0.02, turn=rng.gauss(0, 0.12))
        )
    return things


def _basins(rng: Random) -> list[Object]:
    """Household plastics: stacked basins, buckets and brooms."""
    things: list[Object] = []
    for i in range(5):
        tone = surface(rng.choice(CLOTH), 0.35)
        for k in range(rng.randint(2, 6)):
            things.append(tube(0.15, 0.11, ((i - 2) * 0.38, rng.gauss(0, 0.02), k * 0.075), tone, top=0.2, sides=18))
    for _ in range(4):
        x = rng.uniform(-0.9, 0.9)
        things.append(tube(0.012, 1.3, (x, 0.28, 0), surface(rng.choice(CLOTH), 0.4), sides=6))
        things.append(box((0.3, 0.06, 0.16), (x, 0.28, 1.25), surface(rng.choice(CLOTH), 0.9)))
    return things


def _steps(rng: Random) -> list[Object]:
    """Stepped display of crates, as in front of fruit shops."""
    things: list[Object] = []
    wood = surface((0.3, 0.2, 0.1), 0.8)
    for level in range(3):
        things.append(box((1.9, 0.42, 0.12 + 0.22 * level), (0, (level - 1) * 0.42, 0), wood))
        for i in range(3):
            things += place(crate(rng), (i - 1) * 0.62, (level - 1) * 0.42, 0.12 + 0.22 * level, rng.gauss(0, 0.03))
    return things


def _packs(rng: Random) -> list[Object]:
    """Stacked cartons and shrink-wrapped drinks."""
    things: list[Object] = []
    for column in range(5):
        tone = surface(rng.choice((*CLOTH, (0.42, 0.28, 0.15), (0.42, 0.28, 0.15))), 0.5)
        for k in range(rng.randint(1, 5)):
            things.append(
                box(
                    (0.4, 0.3, 0.24), ((column - 2) * 0.42, rng.gauss(0, 0.02), k * 0.25), tone, turn=rng.gauss(0, 0.04)
                )
            )
    return things


def goods(rng: Random) -> list[Object]:
    """Two or three displays in a row in front of a shop, 2-5 m long."""
    kinds = rng.choices((_rail, _basins, _steps, _packs), k=rng.choice((1, 2, 2, 3)))
    things: list[Object] = []
    for i, kind in enumerate(kinds):
        things += place(kind(rng), (i - (len(kinds) - 1) / 2) * 2.0, rng.gauss(0, 0.06), 0, rng.gauss(0, 0.05))
    return things
