"""Tipper trucks with what they carry: an open heap, a covered one, nothing, boxes. They head towards +x."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from mathutils import Vector, noise

from datasets.synthetic.blender.ground import SOILS
from datasets.synthetic.blender.materials import RGB, glass, glow, paint, surface
from datasets.synthetic.blender.meshes import Object, ball, box, mesh, tube

CABS: tuple[RGB, ...] = (
    (0.72, 0.72, 0.71),
    (0.62, 0.10, 0.06),
    (0.75, 0.32, 0.05),
    (0.05, 0.13, 0.38),
    (0.65, 0.52, 0.10),
    (0.10, 0.28, 0.16),
    (0.35, 0.36, 0.38),
)
BEDS: tuple[RGB, ...] = (*CABS, (0.20, 0.20, 0.21), (0.45, 0.22, 0.10))
SHEETS: tuple[RGB, ...] = (
    (0.06, 0.22, 0.12),
    (0.03, 0.03, 0.035),
    (0.05, 0.14, 0.36),
    (0.30, 0.31, 0.32),
    (0.12, 0.30, 0.10),
    (0.45, 0.20, 0.06),
)
LOADS: tuple[RGB, ...] = (
    *(soil for soil, _ in SOILS),
    (0.50, 0.40, 0.24),  # sand
    (0.13, 0.09, 0.06),  # wet earth
    (0.40, 0.40, 0.40),  # grit
    (0.46, 0.25, 0.14),  # laterite
)
WALL = 0.07  # metres, thickness of the bed's walls


@dataclass(frozen=True, slots=True)
class Bed:
    """The open body: `rear` and `front` along x, half width, floor and wall top, all in metres."""

    rear: float
    front: float
    half: float
    floor: float
    top: float


def _wheels(xs: list[float], radius: float, half: float) -> list[Object]:
    tyre, rim = surface((0.02, 0.02, 0.02), 0.85), surface((0.3, 0.3, 0.31), 0.5, metallic=0.5)
    things: list[Object] = []
    for x in xs:
        for side in (-1, 1):
            y = side * half - (0.3 if side > 0 else 0.0)
            things.append(tube(radius, 0.3, (x, y, radius), tyre, axis="Y", sides=28, bevel=0.03))
            things.append(tube(radius * 0.55, 0.34, (x, y - 0.02, radius), rim, axis="Y", sides=18))
    return things


def _cab(rng: Random, front: float, length: float, half: float, height: float) -> list[Object]:
    """The cab: its side outline drawn across the width; panes, grille, bumper, lamps and mirrors set on it."""
    coat, pane, dark = paint(rng.choice(CABS)), glass(), surface((0.03, 0.03, 0.032), 0.6)
    belt, slope = 0.55 + 0.52 * (height - 0.55), rng.uniform(0.08, 0.3)
    outline = [
        (front - length, 0.6),
        (front - 0.04, 0.55),
        (front, belt),
        (front - slope, height - 0.12),
        (front - slope - 0.18, height),
        (front - length, height - 0.04),
    ]
    n = len(outline)
    points = [(x, y, z) for y in (-half, half) for x, z in outline]
    faces: list[tuple[int, ...]] = [tuple(range(n)), tuple(reversed(range(n, 2 * n)))]
    faces += [(i, n + i, n + (i + 1) % n, (i + 1) % n) for i in range(n)]
    things = [mesh(points, faces, coat, bevel=0.05)]

    def screen(share: float) -> tuple[float, float]:
        return front + 0.012 - slope * share, belt + (height - 0.12 - belt) * share

    (x0, z0), (x1, z1) = screen(0.1), screen(0.97)
    y = half * 0.9
    things.append(mesh([(x0, -y, z0), (x0, y, z0), (x1, y, z1), (x1, -y, z1)], [(0, 1, 2, 3)], pane))
    for side in (-1, 1):
        y = side * (half + 0.012)
        rear = front - length * 0.62
        quad = [(rear, y, z0), (x0 - 0.12, y, z0 - 0.08), (x1 - 0.1, y, z1), (rear, y, z1)]
        things.append(mesh(quad, [(0, 1, 2, 3)], pane))
        things.append(box((0.1, 0.2, 0.42), (front - 0.02, side * (half + 0.16), belt + 0.1), dark))
        things.append(ball((0.06, 0.16, 0.1), (front, side * half * 0.72, 0.85), glow((1, 0.95, 0.85), 0.5), detail=6))
    things.append(box((0.06, half * 1.3, 0.42), (front, 0, 0.98), dark, bevel=0.02))
    things.append(box((0.22, half * 2, 0.32), (front - 0.02, 0, 0.42), rng.choice((dark, coat)), bevel=0.03))
    things.append(box((0.02, 0.5, 0.16), (front + 0.1, 0, 0.5), surface((0.6, 0.55, 0.2), 0.5)))
    return things


def _tub(rng: Random, bed: Bed) -> list[Object]:
    """Floor, walls with ribs, headboard and tailgate."""
    coat = surface(rng.choice(BEDS), 0.6, grain=3, spread=0.18, bump=0.1)
    inside = surface((0.22, 0.19, 0.17), 0.85, grain=4, spread=0.3)
    length, tall = bed.front - bed.rear, bed.top - bed.floor
    middle = (bed.front + bed.rear) / 2
    things = [
        box((length, bed.half * 2, 0.12), (middle, 0, bed.floor - 0.12), coat),
        box((length - 0.02, bed.half * 2 - 0.02, 0.02), (middle, 0, bed.floor), inside),
        box((WALL, bed.half * 2, tall + rng.choice((0.0, 0.2, 0.4))), (bed.front, 0, bed.floor), coat),
        box((WALL, bed.half * 2, tall * rng.uniform(0.85, 1.0)), (bed.rear, 0, bed.floor), coat),
    ]
    ribs = max(3, round(length / rng.uniform(0.6, 1.0)))
    for side in (-1, 1):
        things.append(box((length, WALL, tall), (middle, side * (bed.half - WALL / 2), bed.floor), coat))
        things.append(box((length + 0.06, 0.14, 0.1), (middle, side * bed.half, bed.top - 0.1), coat))
        for i in range(ribs + 1):
            x = bed.rear + length * i / ribs
            things.append(box((0.1, 0.08, tall), (x, side * (bed.half + 0.03), bed.floor), coat))
    for i in range(4):
        y = (i - 1.5) * bed.half * 0.62
        things.append(box((0.08, 0.1, tall * 0.8), (bed.rear - 0.06, y, bed.floor), coat))
    return things


def _field(rng: Random, bed: Bed, low: float, high: float) -> list[list[tuple[float, float, float]]]:
    """Rows of points over the inside of the bed: one to three mounds between `low` and `high` above the wall top."""
    seed = Vector((rng.uniform(0, 99), rng.uniform(0, 99), 0))
    length = bed.front - bed.rear
    mounds = [
        (
            bed.rear + length * (i + rng.uniform(0.35, 0.65)) / count,
            rng.uniform(-0.25, 0.25) * bed.half,
            rng.uniform(0.7, 1),
        )
        for count in [rng.choice((1, 1, 2, 3))]
        for i in range(count)
    ]
    reach = length / (1.6 * len(mounds))
    rows = []
    for i in range(34):
        x = bed.rear + WALL + (length - 2 * WALL) * i / 33
        row = []
        for j in range(20):
            y = (bed.half - WALL) * (2 * j / 19 - 1)
            rise = max(
                tall * max(0.0, 1 - math.hypot((x - mx) / reach, (y - my) / (bed.half * 1.15)) ** 1.5)
                for mx, my, tall in mounds
            )
            p = Vector((x, y, 0))
            rough = 0.09 * noise.noise(p * 1.3 + seed) + 0.045 * noise.noise(p * 4.5 + seed)
            row.append((x, y, bed.top + low + (high - low) * rise + rough))
        rows.append(row)
    return rows


def _grid(rows: list[list[tuple[float, float, float]]], material: object) -> Object:
    n = len(rows[0])
    faces = [
        (i * n + j, (i + 1) * n + j, (i + 1) * n + j + 1, i * n + j + 1)
        for i in range(len(rows) - 1)
        for j in range(n - 1)
    ]
    return mesh([p for row in rows for p in row], faces, material, smooth=True)


def heap_load(rng: Random, bed: Bed) -> list[Object]:
    """Soil, sand or rubble up to or above the walls, open to the sky."""
    low = rng.uniform(-0.3, -0.02)
    rows = _field(rng, bed, low, rng.uniform(0.25, 0.95))
    colour = rng.choice(LOADS)
    things = [_grid(rows, surface(colour, 0.95, grain=6, spread=0.4, bump=1.0, bump_scale=20))]
    if rng.random() < 0.55:
        grey: RGB = (0.42, 0.41, 0.39)
        stones = [surface(c, 0.95, grain=10, spread=0.35, bump=0.6) for c in (grey, colour, (0.36, 0.13, 0.08))]
        largest = rng.uniform(0.08, 0.26)
        for _ in range(rng.randint(20, 90)):
            x, y, z = rng.choice(rng.choice(rows[1:-1])[1:-1])
            size = rng.uniform(0.05, largest)
            flat = (size, size * rng.uniform(0.6, 1), size * rng.uniform(0.4, 0.9))
            kind = rng.choice(stones)
            things.append(ball(flat, (x, y, z), kind, rough=0.9, seed=rng.uniform(0, 99), detail=5, smooth=False))
    return things


def sheet_load(rng: Random, bed: Bed) -> list[Object]:
    """A tarpaulin over the load, drawn over the walls and tied down."""
    wide = Bed(bed.rear - 0.06, bed.front + 0.02, bed.half + WALL + 0.06, bed.floor, bed.top)
    rows = _field(rng, wide, 0.04, rng.uniform(0.08, 0.6))
    drop = rng.uniform(0.15, 0.5)
    hem = [(x, y, z - drop * (1 + 0.25 * noise.noise(Vector((x * 2, y, 0))))) for x, y, z in (row[0] for row in rows)]
    other = [
        (x, y, z - drop * (1 + 0.25 * noise.noise(Vector((x * 2, y, 5))))) for x, y, z in (row[-1] for row in rows)
    ]
    draped = [[a, *row, b] for a, row, b in zip(hem, rows, other, strict=True)]
    for end, shift in ((0, -0.03), (-1, 0.03)):
        edge = [(x + shift, y, z - drop * 0.7) for x, y, z in draped[end]]
        draped.insert(0 if end == 0 else len(draped), edge)
    film = surface(rng.choice(SHEETS), rng.uniform(0.35, 0.7), grain=2, spread=0.15, bump=0.5, bump_scale=5)
    things = [_grid(draped, film)]
    if rng.random() < 0.5:
        rope = surface((0.5, 0.48, 0.42), 0.9)
        for row in draped[4:-4:8]:
            for (x, y, z), (_, y1, z1) in pairwise(row[1:-1]):
                middle = ((y + y1) / 2, (z + z1) / 2 + 0.02)
                things.append(box((0.03, abs(y1 - y) + 0.02, 0.02), (x, *middle), rope))
    return things


def lid_load(rng: Random, bed: Bed) -> list[Object]:
    """A folding metal lid that closes the bed, as city muck trucks must have."""
    coat = surface(rng.choice((*BEDS[:7], (0.5, 0.5, 0.5))), 0.5, grain=2, spread=0.1)
    length, middle, rise = bed.front - bed.rear, (bed.front + bed.rear) / 2, rng.uniform(0.05, 0.3)
    roof = [(x, y, z) for x in (bed.rear, bed.front) for y, z in ((-1, 0), (-0.06, rise), (0.06, rise), (1, 0))]
    points = [(x, y * (bed.half + 0.04), bed.top + 0.02 + z) for x, y, z in roof]
    things = [mesh(points, [(i, 4 + i, 5 + i, 1 + i) for i in range(3)] + [(0, 1, 2, 3), (7, 6, 5, 4)], coat)]
    for i in range(1, 8):
        x = bed.rear + length * i / 8
        things.append(box((0.05, bed.half * 1.9, 0.05), (x, 0, bed.top + rise * 0.55), coat))
    things.append(box((length, 0.1, 0.06), (middle, 0, bed.top + rise), surface((0.05, 0.05, 0.05), 0.6)))
    return things


def crates_load(rng: Random, bed: Bed) -> list[Object]:
    """Piece goods in an open bed: cartons, crates, sacks in rows."""
    tones: tuple[RGB, ...] = (
        (0.45, 0.32, 0.18),
        (0.55, 0.42, 0.28),
        (0.1, 0.2, 0.45),
        (0.6, 0.6, 0.58),
        (0.5, 0.15, 0.08),
    )
    side, tall = rng.uniform(0.5, 1.0), bed.top - bed.floor + rng.uniform(-0.2, 0.9)
    own = [surface(rng.choice(tones), 0.8, grain=3, spread=0.12) for _ in range(2)]
    things: list[Object] = []
    x = bed.rear + 0.15 + side / 2
    while x < bed.front - side / 2:
        y = -bed.half + 0.12 + side / 2
        while y < bed.half - side / 2:
            if rng.random() < 0.9:
                height = tall * rng.uniform(0.85, 1.0)
                at = (x + rng.uniform(-0.04, 0.04), y, bed.floor)
                things.append(box((side * 0.94, side * 0.94, height), at, rng.choice(own), bevel=0.02))
            y += side
        x += side
    return things


def _box_body(rng: Random, bed: Bed) -> list[Object]:
    """A closed van body instead of the tub."""
    coat = surface(
        rng.choice(((0.75, 0.75, 0.74), (0.6, 0.6, 0.62), (0.1, 0.2, 0.4), (0.5, 0.4, 0.1))), 0.45, spread=0.06
    )
    length, middle = bed.front - bed.rear, (bed.front + bed.rear) / 2
    tall = rng.uniform(1.9, 2.4)
    seam = surface((0.2, 0.2, 0.2), 0.7)
    things = [box((length, bed.half * 2, tall), (middle, 0, bed.floor - 0.1), coat, bevel=0.03)]
    things.append(box((0.02, 0.03, tall - 0.1), (bed.rear - 0.01, 0, bed.floor - 0.05), seam))
    return things


LOADED = {"heap": heap_load, "sheet": sheet_load, "lid": lid_load, "empty": None, "crates": crates_load, "box": None}


def truck(rng: Random, load: str) -> list[Object]:
    """A truck of two to four axles, 5.6 to 9 m long. `load`: heap, sheet, lid, empty, crates or box."""
    small = rng.random() < 0.4
    length = rng.uniform(5.6, 6.6) if small else rng.uniform(7.2, 9.0)
    half = rng.uniform(1.0, 1.12) if small else rng.uniform(1.2, 1.27)
    radius = 0.42 if small else 0.52
    cab = rng.uniform(1.5, 1.8) if small else rng.uniform(1.7, 2.2)
    front, rear = length / 2, -length / 2
    floor = radius * 2 + rng.uniform(0.12, 0.3)
    walls = rng.uniform(0.45, 0.8) if small else rng.uniform(0.75, 1.45)
    bed = Bed(rear, front - cab - rng.uniform(0.15, 0.35), half, floor, floor + walls)
    height = floor + rng.uniform(1.25, 1.5) if small else floor + rng.uniform(1.5, 1.9)
    dark = surface((0.04, 0.04, 0.045), 0.7)
    things = _cab(rng, front, cab, half * 0.97, height)
    things.append(box((length - 0.5, 0.9, 0.3), (-0.1, 0, floor - 0.44), dark))
    things.append(box((1.0, 0.5, 0.5), (front - cab - 0.9, -half * 0.65, 0.5), dark, bevel=0.05))
    things.append(box((0.08, half * 1.9, 0.12), (rear + 0.05, 0, 0.6), dark))
    for side in (-1, 1):
        lamp = (0.06, 0.3, 0.12)
        things.append(box(lamp, (rear - 0.02, side * half * 0.75, 0.85), glow((0.55, 0.02, 0.01), 0.4)))
    axles = [front - cab * 0.62, rear + 1.0]
    if not small:
        axles += [rear + 1.0 + radius * 2.35] + ([front - cab * 0.62 - radius * 2.5] if rng.random() < 0.35 else [])
    things += _wheels(axles, radius, half * 0.98)
    things += _box_body(rng, bed) if load == "box" else _tub(rng, bed)
    filling = LOADED[load]
    return things + (filling(rng, bed) if filling is not None else [])
