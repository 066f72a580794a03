"""Passers-by: clothed figures in a walking or standing pose, facing +x."""

from __future__ import annotations

import math
from random import Random

from datasets.synthetic.blender.materials import RGB, surface
from datasets.synthetic.blender.meshes import Object, ball, box, limbs, place

TOPS: tuple[RGB, ...] = (
    (0.5, 0.5, 0.48),
    (0.1, 0.15, 0.3),
    (0.4, 0.06, 0.06),
    (0.05, 0.05, 0.05),
    (0.15, 0.3, 0.2),
    (0.55, 0.45, 0.15),
    (0.3, 0.12, 0.3),
    (0.6, 0.3, 0.3),
)
LEGS: tuple[RGB, ...] = ((0.04, 0.06, 0.14), (0.03, 0.03, 0.03), (0.2, 0.17, 0.12), (0.12, 0.12, 0.13))


def person(rng: Random, phase: float = 0.0, stride: float = 1.0, **look: RGB) -> list[Object]:
    """One adult, 1.58-1.78 m; `phase` (radians) of the step, `stride` 0 (standing) to 1."""
    top = surface(look.get("top") or rng.choice(TOPS), 0.85, grain=12, bump=0.3, bump_scale=14)
    legs = surface(look.get("legs") or rng.choice(LEGS), 0.85, grain=10, bump=0.3, bump_scale=14)
    skin = surface((0.45, 0.27, 0.19), 0.55, spread=0.06)
    hair = surface((0.015, 0.012, 0.01), 0.6)
    shoe = surface((0.08, 0.08, 0.08), 0.6)
    swing = 0.5 * stride * math.sin(phase)
    lift = 0.5 * stride * max(0.0, math.cos(phase))
    things: list[Object] = []
    hip, thigh, shin = 0.92, 0.45, 0.43
    for side, angle, bend in ((-1, swing, lift), (1, -swing, 0.5 * stride - lift)):
        knee_x, knee_z = thigh * math.sin(angle), hip - thigh * math.cos(angle)
        back = angle - max(0.08, bend)
        foot_x, foot_z = knee_x + shin * math.sin(back), knee_z - shin * math.cos(back)
        y = side * 0.09
        things.append(
            limbs(
                [(0, y * 0.9, hip + 0.02), (knee_x, y, knee_z), (foot_x, y, foot_z + 0.03)],
                [(0, 1), (1, 2)],
                [0.098, 0.07, 0.052],
                legs,
            )
        )
        things.append(ball((0.13, 0.05, 0.045), (foot_x + 0.06, y, max(0.04, foot_z)), shoe, detail=8))
        arm = -angle * 0.8
        elbow = (0.28 * math.sin(arm), side * 0.25, 1.36 - 0.27 * math.cos(arm))
        hand = (elbow[0] + 0.24 * math.sin(arm + 0.35), side * 0.24, elbow[2] - 0.24 * math.cos(arm + 0.35))
        things.append(limbs([(0, side * 0.19, 1.38), elbow, hand], [(0, 1), (1, 2)], [0.058, 0.047, 0.04], top))
        things.append(ball((0.045, 0.035, 0.06), (hand[0], hand[1], hand[2] - 0.05), skin, detail=8))
    things.append(
        limbs(
            [(0, 0, 0.9), (0, 0, 1.12), (0.01, 0, 1.34), (0, -0.14, 1.4), (0, 0.14, 1.4), (0, 0, 1.46)],
            [(0, 1), (1, 2), (2, 3), (2, 4), (2, 5)],
            [0.145, 0.135, 0.15, 0.085, 0.085, 0.06],
            top,
        )
    )
    things.append(ball((0.06, 0.055, 0.08), (0.01, 0, 1.49), skin, detail=8))
    things.append(ball((0.098, 0.078, 0.122), (0.02, 0, 1.61), skin, detail=12))
    things.append(ball((0.105, 0.09, 0.11), (-0.012, 0, 1.65), hair, detail=12))
    if rng.random() < 0.4:
        pack = surface(rng.choice(TOPS), 0.7, spread=0.15)
        things.append(box((0.16, 0.28, 0.4), (-0.2, 0, 1.0), pack, bevel=0.05))
    return place(things, 0, 0, 0, 0, rng.uniform(0.93, 1.04))
