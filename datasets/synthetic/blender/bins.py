"""Street bins, closed and overflowing."""

from __future__ import annotations

from random import Random

from mathutils import Matrix

from datasets.synthetic.blender.litter import bag, carton, scraps
from datasets.synthetic.blender.materials import RGB, surface
from datasets.synthetic.blender.meshes import Object, box, mesh, place, tube

WHEELED: tuple[RGB, ...] = (
    (0.03, 0.16, 0.06),
    (0.04, 0.12, 0.3),
    (0.09, 0.09, 0.1),
    (0.4, 0.03, 0.03),
    (0.05, 0.2, 0.1),
)


def wheeled(rng: Random, full: bool, colour: RGB | None = None) -> list[Object]:
    """A two-wheeled 240-litre bin; `full`: lid up, bags above the rim."""
    rgb = colour if colour is not None else rng.choice(WHEELED)
    shell = surface(rgb, 0.45, grain=5, spread=0.18, bump=0.05)
    dark = surface((0.03, 0.03, 0.03), 0.7)
    low = [(-0.22, -0.25, 0.06), (0.22, -0.25, 0.06), (0.22, 0.22, 0.06), (-0.22, 0.22, 0.06)]
    top = [(-0.29, -0.34, 0.98), (0.29, -0.34, 0.98), (0.29, 0.34, 0.98), (-0.29, 0.34, 0.98)]
    rim = [(-0.31, -0.36, 0.98), (0.31, -0.36, 0.98), (0.31, 0.36, 0.98), (-0.31, 0.36, 0.98)]
    up = [(x, y, 1.03) for x, y, _ in rim]
    inner = [(x * 0.9, y * 0.9, 0.9) for x, y, _ in top]
    points = [*low, *top, *rim, *up, *inner]
    faces: list[tuple[int, ...]] = [(0, 3, 2, 1), (16, 17, 18, 19)]
    for base in (0, 4, 8, 12):
        faces += [(base + i, base + (i + 1) % 4, base + 4 + (i + 1) % 4, base + 4 + i) for i in range(4)]
    things = [mesh(points, faces, shell, bevel=0.012)]
    for side in (-1, 1):
        things.append(tube(0.1, 0.06, (side * 0.27 - 0.03, 0.24, 0.1), dark, axis="X"))
    things.append(tube(0.02, 0.5, (-0.25, 0.4, 0.98), shell, axis="X", sides=10))
    lid = box((0.63, 0.74, 0.05), (0, 0, 0), shell, bevel=0.02)
    swing = rng.uniform(1.75, 2.1) if full else rng.choice((0.0, 0.0, 0.0, 0.06))
    lid.matrix_world = (
        Matrix.Translation((0, 0.36, 1.03)) @ Matrix.Rotation(-swing, 4, "X") @ Matrix.Translation((0, -0.36, 0))
    )
    things.append(lid)
    if full:
        for _ in range(rng.randint(3, 4)):
            things += place(
                bag(rng, rng.uniform(0.2, 0.27)),
                rng.uniform(-0.16, 0.16),
                rng.uniform(-0.25, 0.15),
                rng.uniform(0.82, 0.98),
                rng.uniform(0, 6.28),
            )
        things += place(bag(rng, 0.2), rng.uniform(-0.1, 0.1), -0.1, 1.12, rng.uniform(0, 6))
        if rng.random() < 0.5:
            things += place(carton(rng, 0.3), 0.08, -0.05, 1.12, rng.uniform(0, 6))
    return things


def pedestal(rng: Random, full: bool) -> list[Object]:
    """A roofed pair of litter boxes as they stand along pavements."""
    frame = surface((0.12, 0.13, 0.14), 0.4, metallic=0.6)
    left = surface((0.05, 0.2, 0.42), 0.4)
    right = surface((0.1, 0.11, 0.12), 0.45)
    things: list[Object] = []
    for x, material in ((-0.27, left), (0.27, right)):
        things.append(box((0.44, 0.4, 0.72), (x, 0, 0.08), material, bevel=0.02))
        things.append(box((0.3, 0.03, 0.13), (x, -0.2, 0.6), surface((0.01, 0.01, 0.01), 0.9)))
    for x in (-0.52, 0.52):
        things.append(box((0.05, 0.42, 1.1), (x, 0, 0), frame))
    things.append(box((1.15, 0.5, 0.05), (0, 0, 1.08), frame, bevel=0.01))
    if full:
        for _ in range(rng.randint(3, 5)):
            things += place(
                bag(rng, rng.uniform(0.13, 0.18)),
                rng.uniform(-0.38, 0.38),
                -0.1,
                rng.uniform(0.72, 0.82),
                rng.uniform(0, 6.28),
            )
        for _ in range(rng.randint(2, 4)):
            things += place(
                bag(rng, rng.uniform(0.16, 0.24)),
                rng.uniform(-0.6, 0.6),
                -rng.uniform(0.35, 0.5),
                0,
                rng.uniform(0, 6.28),
            )
        things += place(scraps(rng, 5, 0.4, 0.15), 0, -0.4)
    return things


def any_bin(rng: Random, full: bool) -> list[Object]:
    """Either kind of bin."""
    if rng.random() < 0.7:
        return place(wheeled(rng, full), 0, 0, 0, rng.gauss(0, 0.25))
    return place(pedestal(rng, full), 0, 0, 0, rng.gauss(0, 0.1))


def row(rng: Random, count: int) -> list[list[Object]]:
    """`count` closed wheeled bins side by side, one object list each."""
    return [
        place(wheeled(rng, False), i * 0.75 - (count - 1) * 0.375, rng.gauss(0, 0.04), 0, rng.gauss(0, 0.08))
        for i in range(count)
    ]
