"""Rubbish: bags with folds and knots, cartons, bottles, loose paper, and heaps of them."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from mathutils import Euler, Matrix, Vector, noise

from datasets.synthetic.blender.materials import RGB, bag_film, surface
from datasets.synthetic.blender.meshes import Object, box, mesh, place, ring_faces, tube

BAG_COLOURS: tuple[RGB, ...] = (
    (0.012, 0.012, 0.014),
    (0.012, 0.012, 0.014),
    (0.018, 0.018, 0.02),
    (0.02, 0.03, 0.09),
    (0.55, 0.55, 0.53),
    (0.62, 0.60, 0.55),
    (0.35, 0.03, 0.03),
    (0.03, 0.14, 0.07),
    (0.10, 0.22, 0.42),
    (0.5, 0.36, 0.05),
)


def bag(rng: Random, radius: float, colour: RGB | None = None) -> list[Object]:
    """One tied rubbish bag of about `radius` metres: sagging body, pleats, neck, ruffled end."""
    rows, sides = 34, 44
    folds, phase = rng.randint(7, 12), rng.uniform(0, 6.28)
    seed = Vector((rng.uniform(0, 99), rng.uniform(0, 99), rng.uniform(0, 99)))
    wide, deep = rng.uniform(0.85, 1.2), rng.uniform(0.8, 1.1)
    tall = rng.uniform(1.0, 1.45)
    lean = Euler((rng.gauss(0, 0.45), rng.gauss(0, 0.45), rng.uniform(0, 6.28))).to_matrix()
    points = []
    for i in range(rows):
        u = i / (rows - 1)
        if u < 0.86:  # body, fuller below the middle because the load sags
            v = u / 0.86
            ring = math.sin(math.pi * min(1.0, v * 0.93 + 0.03) ** 0.85) ** 0.62
            height = tall * v
        elif u < 0.93:  # neck
            ring = 0.2 - 0.09 * (u - 0.86) / 0.07
            height = tall + (u - 0.86) * 1.2
        else:  # ruffled end above the knot
            ring = 0.11 + 0.3 * ((u - 0.93) / 0.07) ** 1.2
            height = tall + 0.084 + (u - 0.93) * 2.6
        pleat = 0.02 + 0.26 * max(0.0, u - 0.45) ** 1.4
        for j in range(sides):
            a = 2 * math.pi * j / sides
            fold = 1 + pleat * math.sin(folds * a + phase + 1.5 * math.sin(a + phase))
            p = Vector((ring * fold * math.cos(a) * wide, ring * fold * math.sin(a) * deep, height))
            if u < 0.9:
                p *= 1 + 0.20 * noise.noise(p * 1.3 + seed) + 0.09 * noise.noise(p * 3.1 + seed)
                p += 0.035 * noise.noise_vector(p * 6.5 + seed)
            points.append(lean @ (p - Vector((0, 0, tall / 2))))
    cloud = np.array([tuple(p) for p in points]) * radius
    cloud[:, 2] += tall / 2 * radius
    low = float(np.quantile(cloud[:, 2], 0.12))  # settle: the ground flattens the lowest part
    cloud[:, 2] -= low
    under = cloud[:, 2] < 0
    cloud[under, 2] *= 0.05
    cloud[:, 2] += 0.01
    rgb = colour if colour is not None else rng.choice(BAG_COLOURS)
    film = bag_film(rgb, rng.uniform(0.2, 0.42))
    return [mesh(cloud, ring_faces(rows, sides), film, smooth=True)]


def carton(rng: Random, size: float) -> list[Object]:
    """A cardboard box, open flaps or closed, slightly squashed."""
    kraft = surface((0.42, 0.27, 0.14), 0.85, grain=6, spread=0.2, bump=0.15)
    x, y = size * rng.uniform(0.8, 1.3) / 2, size * rng.uniform(0.6, 1.0) / 2
    z = size * rng.uniform(0.5, 0.9)
    skew = rng.uniform(-0.12, 0.12) * size
    low = [(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)]
    top = [(px + skew, py + skew / 2, z + rng.uniform(-0.05, 0.05) * size) for px, py, _ in low]
    points: list[tuple[float, float, float]] = [*low, *top]
    faces: list[tuple[int, ...]] = [(0, 3, 2, 1)]
    faces += [(i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i) for i in range(4)]
    if rng.random() < 0.35:
        faces.append((4, 5, 6, 7))
    else:
        outward = ((0, -1), (1, 0), (0, 1), (-1, 0))
        for i in range(4):
            ox, oy = outward[i]
            reach, lift = size * 0.32, size * rng.uniform(-0.15, 0.3)
            base = len(points)
            for k in (i, (i + 1) % 4):
                px, py, pz = points[4 + k]
                points.append((px + ox * reach, py + oy * reach, pz + lift))
            faces.append((4 + i, 4 + (i + 1) % 4, base + 1, base))
    return [mesh(points, faces, kraft)]


def scraps(rng: Random, count: int, spread_x: float, spread_y: float) -> list[Object]:
    """Paper, wrappers and bottles strewn around the origin."""
    things: list[Object] = []
    tones: tuple[RGB, ...] = (
        (0.7, 0.7, 0.68),
        (0.6, 0.55, 0.45),
        (0.55, 0.08, 0.06),
        (0.1, 0.2, 0.4),
        (0.6, 0.5, 0.1),
        (0.35, 0.24, 0.14),
    )
    for _ in range(count):
        x = max(-1.3, min(1.3, rng.gauss(0, 1))) * spread_x
        y = max(-1.3, min(1.3, rng.gauss(0, 1))) * spread_y
        if rng.random() < 0.25:
            r = rng.uniform(0.03, 0.045)
            shell = surface(rng.choice(tones), 0.25)
            bottle = [
                tube(r, 0.22, (0, 0, r), shell, axis="X", sides=12),
                tube(r * 0.4, 0.06, (0.22, 0, r), shell, axis="X", sides=8),
            ]
            things += place(bottle, x, y, 0, rng.uniform(0, 6.28))
            continue
        n, size = 5, rng.uniform(0.08, 0.28)
        seed = Vector((rng.uniform(0, 99), 0, 0))
        points = []
        for i in range(n):
            for j in range(n):
                p = Vector((i / (n - 1) - 0.5, j / (n - 1) - 0.5, 0))
                lift = abs(noise.noise(p * 2.2 + seed)) * 0.55
                points.append((p.x * size, p.y * size * 0.75, lift * size + 0.012))
        faces = [
            (i * n + j, i * n + j + 1, (i + 1) * n + j + 1, (i + 1) * n + j) for i in range(n - 1) for j in range(n - 1)
        ]
        sheet = mesh(points, faces, surface(rng.choice(tones), 0.8, spread=0.3), smooth=True)
        things += place([sheet], x, y, 0, rng.uniform(0, 6.28))
    return things


def heap(rng: Random, width: float = 1.8, depth: float = 1.1, bags: int = 9) -> list[Object]:
    """A garbage heap: a lower layer of bags, some on top, cartons at the side, scraps around."""
    things: list[Object] = []
    spots: list[tuple[float, float, float]] = []
    for _ in range(bags * 12):
        if len(spots) >= bags:
            break
        r = rng.uniform(0.2, 0.34)
        x, y = rng.uniform(-width / 2, width / 2), rng.uniform(-depth / 2, depth / 2)
        if (2 * x / width) ** 2 + (2 * y / depth) ** 2 > 1:
            continue
        if all(math.hypot(x - a, y - b) > 0.72 * (r + c) for a, b, c in spots):
            spots.append((x, y, r))
    for x, y, r in spots:
        things += place(bag(rng, r), x, y, 0, rng.uniform(0, 6.28))
    middle = sorted(spots, key=lambda s: math.hypot(s[0], s[1]))
    for x, y, r in middle[: max(1, len(spots) // 3)]:
        things += place(
            bag(rng, rng.uniform(0.18, 0.28)),
            x + rng.uniform(-0.12, 0.12),
            y + rng.uniform(-0.1, 0.1),
            r * rng.uniform(0.85, 1.1),
            rng.uniform(0, 6.28),
        )
    for _ in range(rng.randint(1, 3)):
        side = rng.choice((-1, 1))
        things += place(
            carton(rng, rng.uniform(0.35, 0.55)),
            side * width * rng.uniform(0.35, 0.6),
            rng.uniform(-depth / 2, depth / 3),
            0,
            rng.uniform(0, 6.28),
        )
    if rng.random() < 0.5:
        board = box((0.9, 0.03, 0.7), (0, 0, 0), surface((0.42, 0.28, 0.15), 0.85), tilt=0.45)
        things += place([board], rng.uniform(-0.4, 0.4), depth * 0.5, 0.02, rng.uniform(-0.5, 0.5))
    things += scraps(rng, rng.randint(5, 12), width * 0.45, depth * 0.5)
    return things


def tilt(things: list[Object], angle: float) -> list[Object]:
    """Leans a group about the x axis (radians)."""
    for thing in things:
        thing.matrix_world = Matrix.Rotation(angle, 4, "X") @ thing.matrix_world
    return things
