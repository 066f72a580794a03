"""Cars, vans and buses: lofted bodies with windows, wheels and lamps. They head towards +x."""

from __future__ import annotations

from random import Random
from typing import Any

from datasets.synthetic.blender.materials import RGB, glass, glow, paint, surface
from datasets.synthetic.blender.meshes import Object, ball, box, mesh, tube

PAINTS: tuple[RGB, ...] = (
    (0.7, 0.7, 0.7),
    (0.75, 0.75, 0.74),
    (0.05, 0.05, 0.055),
    (0.25, 0.26, 0.28),
    (0.35, 0.03, 0.03),
    (0.05, 0.1, 0.3),
    (0.4, 0.35, 0.25),
    (0.1, 0.12, 0.13),
)

# (x, sill z, belt z, roof z, half width at the belt, half width at the roof), all as a share of
# length, height and half width; rear to front. roof = belt where there is no cabin.
SEDAN = (
    (0.0, 0.30, 0.58, 0.60, 0.82, 0.70),
    (0.03, 0.20, 0.66, 0.68, 0.92, 0.80),
    (0.14, 0.17, 0.68, 0.71, 0.98, 0.84),
    (0.20, 0.16, 0.68, 0.78, 0.99, 0.80),
    (0.33, 0.15, 0.67, 0.97, 1.0, 0.72),
    (0.45, 0.15, 0.66, 1.0, 1.0, 0.72),
    (0.58, 0.15, 0.65, 0.98, 1.0, 0.72),
    (0.72, 0.15, 0.63, 0.70, 1.0, 0.80),
    (0.80, 0.15, 0.62, 0.65, 0.99, 0.82),
    (0.93, 0.17, 0.56, 0.58, 0.94, 0.78),
    (0.98, 0.20, 0.48, 0.50, 0.86, 0.72),
    (1.0, 0.26, 0.42, 0.44, 0.76, 0.62),
)
HATCH = (
    (0.0, 0.28, 0.56, 0.60, 0.86, 0.74),
    (0.02, 0.20, 0.62, 0.76, 0.94, 0.76),
    (0.10, 0.17, 0.63, 0.95, 0.99, 0.76),
    (0.22, 0.16, 0.62, 1.0, 1.0, 0.76),
    (0.40, 0.15, 0.61, 1.0, 1.0, 0.76),
    (0.56, 0.15, 0.60, 0.97, 1.0, 0.75),
    (0.72, 0.15, 0.58, 0.66, 1.0, 0.80),
    (0.82, 0.15, 0.57, 0.60, 0.99, 0.82),
    (0.94, 0.17, 0.52, 0.54, 0.93, 0.78),
    (0.98, 0.20, 0.45, 0.47, 0.86, 0.72),
    (1.0, 0.25, 0.40, 0.42, 0.76, 0.62),
)
VAN = (
    (0.0, 0.22, 0.50, 0.93, 0.95, 0.86),
    (0.02, 0.16, 0.51, 0.99, 1.0, 0.88),
    (0.25, 0.13, 0.51, 1.0, 1.0, 0.88),
    (0.55, 0.13, 0.51, 1.0, 1.0, 0.88),
    (0.74, 0.13, 0.51, 0.97, 1.0, 0.86),
    (0.90, 0.14, 0.50, 0.58, 0.99, 0.84),
    (0.96, 0.16, 0.46, 0.50, 0.94, 0.80),
    (1.0, 0.22, 0.38, 0.40, 0.86, 0.74),
)


def _body(profile: Any, length: float, height: float, width: float, coat: Any) -> list[Object]:
    """Lower shell and cabin as one smooth loft; cabin faces between belt and roof are glass."""
    pane = glass()
    half = width / 2
    points: list[tuple[float, float, float]] = []
    for x, sill, belt, roof, wide, narrow in profile:
        px = (x - 0.5) * length
        ring = (
            (-0.86 * wide, sill),
            (-wide, (sill + belt) / 2),
            (-0.985 * wide, belt),
            (-narrow, roof - 0.035),
            (-narrow * 0.8, roof),
            (narrow * 0.8, roof),
            (narrow, roof - 0.035),
            (0.985 * wide, belt),
            (wide, (sill + belt) / 2),
            (0.86 * wide, sill),
        )
        points += [(px, y * half, z * height) for y, z in ring]
    n = 10
    faces: list[tuple[int, ...]] = []
    marks: list[int] = []
    for i in range(len(profile) - 1):
        mid = (profile[i][3] + profile[i + 1][3]) / 2 - (profile[i][2] + profile[i + 1][2]) / 2
        steep = abs(profile[i][3] - profile[i + 1][3]) > 0.12
        for j in range(n):
            faces.append((i * n + j, i * n + (j + 1) % n, (i + 1) * n + (j + 1) % n, (i + 1) * n + j))
            side = j in (2, 6)
            screen = steep and j in (3, 4, 5)
            marks.append(1 if (mid > 0.1 and side) or screen else 0)
    faces += [tuple(reversed(range(n))), tuple(range((len(profile) - 1) * n, len(profile) * n))]
    marks += [0, 0]
    shell = mesh(points, faces, coat, smooth=True, subdivide=2)
    shell.data.materials.append(pane)
    for polygon, mark in zip(shell.data.polygons, marks, strict=False):
        polygon.material_index = mark
    return [shell]


def _wheels(xs: tuple[float, ...], radius: float, half: float) -> list[Object]:
    tyre = surface((0.015, 0.015, 0.015), 0.8)
    rim = surface((0.4, 0.4, 0.42), 0.3, metallic=0.8)
    arch = surface((0.005, 0.005, 0.005), 0.9)
    things: list[Object] = []
    for x in xs:
        for side in (-1, 1):
            inner = side * half - (0.2 if side > 0 else 0.0)
            things.append(tube(radius * 1.16, 0.2, (x, inner - side * 0.006, radius * 1.04), arch, axis="Y", sides=32))
            things.append(tube(radius, 0.2, (x, inner + side * 0.012, radius), tyre, axis="Y", sides=32, bevel=0.02))
            things.append(tube(radius * 0.62, 0.2, (x, inner + side * 0.02, radius), rim, axis="Y", sides=20))
    return things


def _lamps(length: float, width: float, z: float, lit: bool) -> list[Object]:
    white = glow((1.0, 0.95, 0.85), 12.0 if lit else 0.4)
    red = glow((0.6, 0.01, 0.01), 3.0 if lit else 0.3)
    plate = surface((0.05, 0.12, 0.4), 0.4)
    things: list[Object] = []
    for side in (-1, 1):
        y = side * width * 0.34
        things.append(ball((0.16, 0.2, 0.08), (length * 0.462, y, z), white, detail=8))
        things.append(ball((0.1, 0.2, 0.09), (-length * 0.475, y, z * 1.15), red, detail=8))
    things.append(box((0.02, 0.44, 0.14), (length * 0.5, 0, z * 0.55), plate))
    things.append(box((0.02, 0.44, 0.14), (-length * 0.5, 0, z * 0.75), plate))
    return things


def car(rng: Random, colour: RGB | None = None, lit: bool = False) -> list[Object]:
    """A saloon or hatchback of ordinary size."""
    coat = paint(colour if colour is not None else rng.choice(PAINTS))
    sedan = rng.random() < 0.6
    length = rng.uniform(4.4, 4.8) if sedan else rng.uniform(3.8, 4.3)
    height, width = (1.45, 1.8) if sedan else (1.58, 1.76)
    things = _body(SEDAN if sedan else HATCH, length, height, width, coat)
    things += _wheels((-length * 0.3, length * 0.32), 0.32, width * 0.475)
    things += _lamps(length, width, 0.62, lit)
    for side in (-1, 1):
        things.append(ball((0.07, 0.1, 0.07), (length * 0.16, side * width * 0.53, 0.98), coat, detail=6))
    return things


def van(rng: Random, colour: RGB | None = None, lit: bool = False) -> list[Object]:
    """A delivery van."""
    coat = paint(colour if colour is not None else rng.choice(PAINTS[:4]))
    things = _body(VAN, 4.7, 1.95, 1.78, coat)
    things += _wheels((-1.4, 1.5), 0.33, 0.85)
    things += _lamps(4.7, 1.78, 0.72, lit)
    return things


def bus(rng: Random, colour: RGB | None = None, lit: bool = False) -> list[Object]:
    """A city bus, 10.5 m long."""
    rgb = colour if colour is not None else rng.choice(((0.05, 0.3, 0.2), (0.08, 0.2, 0.5), (0.6, 0.5, 0.1)))
    coat, pane = paint(rgb), glass((0.02, 0.025, 0.03))
    band = paint((0.75, 0.75, 0.75))
    length, width = 10.5, 2.5
    things = [
        box((length, width, 1.05), (0, 0, 0.32), coat, bevel=0.12),
        box((length, width, 0.32), (0, 0, 1.3), band, bevel=0.04),
        box((length, width, 0.4), (0, 0, 2.62), coat, bevel=0.15),
        box((length * 0.985, width * 0.985, 1.1), (0, 0, 1.58), pane, bevel=0.06),
        box((2.4, 1.6, 0.22), (-1.5, 0, 3.0), band, bevel=0.06),
    ]
    for i in range(7):
        x = -length / 2 + 0.15 + i * (length - 0.3) / 6
        things.append(box((0.09, width * 0.995, 1.06), (x, 0, 1.6), coat))
    route = glow((1.0, 0.35, 0.05), 2.5)
    things.append(box((0.02, 1.3, 0.25), (length / 2, 0, 2.68), route))
    for door in (3.9, -0.6):
        things.append(box((1.15, 0.03, 2.0), (door, -width / 2, 0.45), pane, bevel=0.02))
    things += _wheels((-3.0, 2.9), 0.48, width * 0.485)
    things += _lamps(length, width, 0.75, lit)
    return things
