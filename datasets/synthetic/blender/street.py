"""The street itself: road, kerbs, pavements, shop fronts, trees, poles."""

from __future__ import annotations

import math
import pathlib
from dataclasses import dataclass
from random import Random
from typing import Any

import bpy
import numpy as np

from datasets.synthetic.blender import materials as m
from datasets.synthetic.blender.ground import manhole, patch
from datasets.synthetic.blender.meshes import Object, ball, box, limbs, mesh, place, text, tube

SIGNS = (
    "鲜果便利店",
    "老王面馆",
    "五金日杂",
    "阳光超市",
    "美发沙龙",
    "好邻居药房",
    "手机维修",
    "四季服装",
    "早餐包子铺",
    "茶叶批发",
    "文具图文",
    "川味小吃",
    "家电维修",
    "福利彩票",
)
WALLS: tuple[m.RGB, ...] = (
    (0.42, 0.36, 0.3),
    (0.5, 0.48, 0.44),
    (0.35, 0.2, 0.14),
    (0.3, 0.32, 0.34),
    (0.48, 0.42, 0.3),
)
BOARDS: tuple[m.RGB, ...] = (
    (0.5, 0.03, 0.03),
    (0.03, 0.12, 0.4),
    (0.03, 0.28, 0.1),
    (0.55, 0.3, 0.02),
    (0.08, 0.08, 0.09),
    (0.4, 0.05, 0.2),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Lengths in metres; the far pavement begins at y = half_road, shop fronts end it."""

    half_road: float = 4.0
    pavement: float = 3.6
    half_length: float = 36.0
    kerb: float = 0.14

    @property
    def front(self) -> float:
        """y of the far shop fronts."""
        return self.half_road + self.pavement


def font() -> Any:
    """Blender's own CJK font."""
    folder = pathlib.Path(bpy.utils.resource_path("LOCAL")) / "datafiles" / "fonts"
    return bpy.data.fonts.load(str(folder / "Noto Sans CJK Regular.woff2"))


def _rectangle(x0: float, x1: float, y0: float, y1: float, z: float, material: Any) -> Object:
    return mesh([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], [(0, 1, 2, 3)], material)


def road(
    layout: Layout,
    holes: list[tuple[float, float, float]],
    wet: float,
    rng: Random,
) -> list[Object]:
    """Carriageway with round `holes` (x, y, radius) left out; lines; sound manhole covers."""
    tone = rng.uniform(0.09, 0.17)
    tar = m.asphalt((tone, tone, tone * 1.03), wet)
    edge, end, side = layout.half_road, layout.half_length, 0.7
    things: list[Object] = []
    x = -end
    for hx, hy, radius in sorted(holes):
        things += [
            _rectangle(x, hx - side, -edge, edge, 0, tar),
            _rectangle(hx - side, hx + side, -edge, hy - side, 0, tar),
            _rectangle(hx - side, hx + side, hy + side, edge, 0, tar),
        ]
        things += place([patch(radius, side, tar)], hx, hy)
        x = hx + side
    things.append(_rectangle(x, end, -edge, edge, 0, tar))
    white = m.surface((0.55, 0.55, 0.52), 0.7, grain=3, spread=0.35, world=True)
    yellow = m.surface((0.5, 0.33, 0.04), 0.7, grain=3, spread=0.35, world=True)
    if rng.random() < 0.5:
        things += [_rectangle(-end, end, y, y + 0.1, 0.004, yellow) for y in (-0.15, 0.05)]
    else:
        things += [_rectangle(float(a), float(a) + 2, -0.07, 0.07, 0.004, white) for a in np.arange(-end, end, 5.0)]
    for y in (-edge + 0.35, edge - 0.45):
        things.append(_rectangle(-end, end, y, y + 0.1, 0.004, white))
    return things


def pavements(layout: Layout, rng: Random) -> list[Object]:
    """Both pavements with kerb stones."""
    tone = rng.choice(((0.3, 0.28, 0.26), (0.36, 0.3, 0.26), (0.27, 0.28, 0.29)))
    slab = m.paving(tone, m.shade(tone, rng.uniform(0.75, 0.95)), rng.choice((0.3, 0.5)), rng.choice((0.25, 0.3)))
    stone = m.paving((0.42, 0.42, 0.41), (0.36, 0.36, 0.36), 0.9, 9.13)
    tactile = m.paving((0.5, 0.36, 0.07), (0.45, 0.32, 0.06), 0.3, 0.3)
    end, edge, front = layout.half_length, layout.half_road, layout.front
    things = [
        box((2 * end, front - edge, layout.kerb), (0, (edge + front) / 2 + 0.1, 0), slab),
        box((2 * end, 6.0, layout.kerb), (0, -edge - 3.1, 0), slab),
    ]
    things += [box((2 * end, 0.16, layout.kerb + 0.012), (0, s * (edge + 0.08), 0), stone) for s in (-1, 1)]
    things.append(_rectangle(-end, end, edge + 1.5, edge + 1.8, layout.kerb + 0.004, tactile))
    return things


def _shop(rng: Random, width: float, lit: bool, face: Any) -> list[Object]:
    """One ground-floor shop bay in the x-z plane at y = 0, facing -y."""
    board = rng.choice(BOARDS)
    frame = m.surface((0.25, 0.25, 0.26), 0.4, metallic=0.6)
    things = [
        box(
            (width - 0.3, 0.18, 0.85),
            (0, -0.12, 2.75),
            m.glow(board, 1.6) if lit else m.surface(board, 0.5),
            bevel=0.02,
        )
    ]
    ink = rng.choice(((0.8, 0.8, 0.78), (0.75, 0.6, 0.1)))
    letters = text(rng.choice(SIGNS), 0.56, m.glow(ink, 4.0 if lit else 0.15), face)
    things += place([letters], 0, -0.23, 3.15)
    if rng.random() < 0.22:  # shutter down
        steel = m.surface((0.4, 0.41, 0.42), 0.45, metallic=0.5)
        things += [
            box((width - 0.5, 0.05, 0.09), (0, -0.02 - 0.02 * (i % 2), 0.02 + i * 0.1), steel) for i in range(26)
        ]
        return things
    inside = m.glow((1.0, 0.86, 0.66), 2.2 if lit else 0.25)
    things.append(box((width - 0.5, 0.05, 2.6), (0, 1.4, 0.05), inside))
    shelf = m.surface((0.5, 0.45, 0.38), 0.6)
    for level in range(4):
        z = 0.3 + 0.55 * level
        things.append(box((width - 0.7, 0.35, 0.04), (0, 0.95, z), shelf))
        x = -width / 2 + 0.5
        while x < width / 2 - 0.5:
            w = rng.uniform(0.12, 0.3)
            tone = m.surface(rng.choice((*BOARDS, (0.6, 0.6, 0.58), (0.6, 0.5, 0.2))), 0.5)
            things.append(box((w * 0.9, 0.25, rng.uniform(0.15, 0.42)), (x, 0.92, z + 0.04), tone))
            x += w
    door = rng.choice((-1, 1)) * width * 0.26
    pane = m.glass((0.05, 0.06, 0.065), 0.35)
    things.append(box((width * 0.5, 0.03, 1.85), (-door * 0.8, 0, 0.6), pane))
    things.append(box((width * 0.5, 0.1, 0.6), (-door * 0.8, 0, 0), m.surface(rng.choice(WALLS), 0.6)))
    if rng.random() < 0.5:
        things.append(box((1.0, 0.03, 2.3), (door, 0, 0.05), pane))
    for x in (door - 0.55, door + 0.55, -door * 0.8 - width * 0.25, -door * 0.8 + width * 0.25):
        things.append(box((0.06, 0.08, 2.5), (x, -0.02, 0), frame))
    return things


def shop_fronts(layout: Layout, rng: Random, lit: bool) -> list[Object]:
    """The far row of houses: shops below, two storeys with windows above."""
    face = font()
    things: list[Object] = []
    x = -layout.half_length
    while x < layout.half_length:
        width = rng.choice((3.6, 4.2, 4.8))
        centre, rgb = x + width / 2, rng.choice(WALLS)
        wall = (
            m.paving(rgb, m.shade(rgb, 0.85), 0.2, 0.08, "XZ")
            if rng.random() < 0.5
            else m.surface(rgb, 0.9, grain=0.8, spread=0.2, bump=0.2, world=True)
        )
        house = [box((width, 0.4, 6.2), (0, 0.2, 3.55), wall), box((0.3, 0.5, 3.6), (-width / 2 + 0.1, 0.22, 0), wall)]
        house += _shop(rng, width, lit, face)
        for level in (4.3, 7.2):
            for side in (-0.25, 0.25):
                pane = m.glow((1.0, 0.8, 0.5), 1.5) if lit and rng.random() < 0.4 else m.glass()
                house.append(box((1.1, 0.1, 1.4), (side * width, -0.02, level), pane))
                trim = m.surface((0.5, 0.5, 0.5), 0.6)
                house.append(box((1.25, 0.14, 0.07), (side * width, -0.06, level - 0.07), trim))
                house.append(box((0.05, 0.12, 1.4), (side * width, -0.04, level), trim))
            if rng.random() < 0.6:
                unit = m.surface((0.55, 0.55, 0.53), 0.5)
                house.append(box((0.85, 0.35, 0.6), (0, -0.22, level - 0.2), unit, bevel=0.02))
                fan = m.surface((0.1, 0.1, 0.1), 0.8)
                house.append(tube(0.22, 0.01, (-0.1, -0.41, level + 0.1), fan, axis="Y"))
        things += place(house, centre, layout.front, layout.kerb)
        x += width
    return things


def tree(rng: Random, height: float = 5.5) -> list[Object]:
    """A street tree: forked trunk and a crown of leaf quads; lime-washed foot."""
    bark = m.surface((0.12, 0.085, 0.06), 0.95, grain=14, spread=0.4, bump=0.8)
    white = m.surface((0.55, 0.55, 0.52), 0.9)
    fork = height * 0.42
    joints = [(0.0, 0.0, 0.0), (rng.gauss(0, 0.06), rng.gauss(0, 0.06), fork)]
    bones, radii = [(0, 1)], [0.13, 0.1]
    tips: list[tuple[float, float, float]] = []
    for i in range(5):
        a = 2 * math.pi * i / 5 + rng.uniform(-0.4, 0.4)
        tip = (1.0 * math.cos(a), 1.0 * math.sin(a), height * rng.uniform(0.68, 0.85))
        joints.append(tip)
        bones.append((1, len(joints) - 1))
        radii.append(0.035)
        tips.append(tip)
    trunk = limbs(joints, bones, radii, bark)
    foot = tube(0.145, 1.0, (0, 0, 0), white, top=0.13)
    centres = [*tips, (0.0, 0.0, height * 0.95), (0.4, 0.3, height * 0.8)]
    gen = np.random.default_rng(rng.randrange(2**31))
    count = 15000
    home = np.array(centres)[gen.integers(0, len(centres), count)]
    spread = gen.normal(size=(count, 3))
    spread /= np.linalg.norm(spread, axis=1, keepdims=True)
    at = home + spread * (gen.random((count, 1)) ** 0.45) * np.array([1.0, 1.0, 0.72])
    u, v = gen.normal(size=(2, count, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v -= u * np.sum(u * v, axis=1, keepdims=True)
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    size = gen.uniform(0.03, 0.06, (count, 1))
    corners = np.stack(
        [at + size * (su * u + 0.6 * sv * v) for su, sv in ((-1, -1), (1, -1), (1, 1), (-1, 1))], axis=1
    ).reshape(-1, 3)
    faces = np.arange(count * 4).reshape(-1, 4).tolist()
    tone = rng.choice(((0.10, 0.2, 0.04), (0.14, 0.23, 0.05), (0.08, 0.16, 0.04)))
    leaf = m.surface(tone, 0.6, grain=2.5, spread=0.45, world=True)
    pit = box((1.1, 1.1, 0.02), (0, 0, 0), m.surface((0.1, 0.07, 0.05), 1.0, bump=0.6))
    return [trunk, foot, mesh(corners, faces, leaf), pit]


def lamp_post(lit: bool, warm: bool = True) -> list[Object]:
    """A street lamp on the pavement whose arm reaches over the road (towards -y)."""
    steel = m.surface((0.3, 0.31, 0.32), 0.4, metallic=0.7)
    things = [
        tube(0.09, 6.2, (0, 0, 0), steel, top=0.06),
        tube(0.04, 2.0, (0, -2.0, 6.2), steel, axis="Y", sides=10),
        ball((0.14, 0.34, 0.07), (0, -2.1, 6.17), m.glow((1.0, 0.8, 0.5), 30.0 if lit else 0.2), detail=8),
    ]
    if lit:
        light = bpy.data.lights.new("lamp", "SPOT")
        light.energy, light.spot_size, light.spot_blend = 2600.0, 2.5, 0.6
        light.color = (1.0, 0.72, 0.42) if warm else (0.86, 0.93, 1.0)
        light.shadow_soft_size = 0.2
        thing = bpy.data.objects.new("lamp", light)
        thing.location = (0, -2.1, 6.0)
        bpy.context.scene.collection.objects.link(thing)
        bpy.context.view_layer.update()
        things.append(thing)
    return things


def skyline(layout: Layout, rng: Random) -> list[Object]:
    """Plain blocks that close the street at both ends, and taller houses behind."""
    things: list[Object] = []
    for x in (-layout.half_length - 9, layout.half_length + 9):
        for y in range(-24, 26, 8):
            wall = m.surface(rng.choice(WALLS), 0.9, grain=0.6)
            things.append(box((8, 7.6, rng.uniform(6, 16)), (x, y, 0), wall))
    for x in range(-40, 42, 10):
        wall = m.surface(rng.choice(WALLS), 0.9, grain=0.6)
        things.append(box((9, 6, rng.uniform(9, 22)), (x, layout.front + 14, 0), wall))
    return things


def sound_covers(
    layout: Layout,
    rng: Random,
    avoid: list[tuple[float, float, float]],
) -> list[Object]:
    """Intact manhole covers as negatives."""
    things: list[Object] = []
    for _ in range(rng.randint(1, 3)):
        x, y = rng.uniform(-8, 8), rng.uniform(-0.8, 0.8) * layout.half_road
        if all(math.hypot(x - a, y - b) > 1.5 for a, b, _ in avoid):
            things += place(manhole(rng, "sound"), x, y, 0.002)
    return things
