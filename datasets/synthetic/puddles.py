"""Water on the road, drawn into a real picture: the picture's own mirror image in an irregular pool."""

from __future__ import annotations

import math
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.synthetic.cutouts import Picture, box_from_mask
from datasets.synthetic.perspective import Box, View

SMALLEST = 14  # pixels: less is no puddle that anyone could label


def outline(rng: Random, length: float, depth: float, corners: int = 64) -> NDArray[np.float64]:
    """(corners, 2) ground points in metres around the origin: an ellipse made uneven by a few waves."""
    waves = [(k, rng.uniform(0, 2 * math.pi), rng.uniform(0.4, 1.0) * 0.34 / k) for k in (1, 2, 3, 5, 8)]
    points = []
    for index in range(corners):
        a = 2 * math.pi * index / corners
        r = 1 + sum(size * math.sin(k * a + phase) for k, phase, size in waves)
        points.append((max(0.25, r) * length / 2 * math.cos(a), max(0.25, r) * depth / 2 * math.sin(a)))
    return np.array(points)


def footprint(
    rng: Random, view: View, column: float, row: float, length: float, depth: float, width: int, height: int
) -> NDArray[np.float32] | None:
    """Weights (H, W) 0..1 of a pool whose middle is seen at (column, row); None if it is not in the picture."""
    ahead = view.ahead(row, height, width)
    aside = (column - width / 2) * ahead / (view.focal * width)
    turn = rng.uniform(0, math.pi)
    shape = outline(rng, length, depth)
    c, s = math.cos(turn), math.sin(turn)
    ground = shape @ np.array([[c, s], [-s, c]])
    pixels = []
    for x, y in ground:
        if ahead + y < 0.5:
            return None
        pixels.append(view.project(aside + x, ahead + y, width, height))
    mask = np.zeros((height, width), np.uint8)
    # eight bits of fraction keep the outline smooth
    cv2.fillPoly(mask, [np.round(np.array(pixels) * 256).astype(np.int32)], 255, cv2.LINE_AA, 8)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.8), np.float32) / np.float32(255)


def mirror(picture: Picture, mask: NDArray[np.float32], rng: Random) -> NDArray[np.float32]:
    """What the pool reflects: each column turned over at the pool's far edge, softened and rippled."""
    height, width = mask.shape
    inside = mask > 0.5
    far = np.where(inside.any(axis=0), inside.argmax(axis=0), 0).astype(np.float32)
    edge = cv2.GaussianBlur(far[None, :], (0, 0), 6)[0] if inside.any() else far
    edge = np.where(inside.any(axis=0), np.minimum(edge, far), edge)
    level = float(edge[inside.any(axis=0)].min()) if inside.any() else 0.0
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    gap = rng.uniform(0.0, 0.1) * height
    wave = rng.uniform(0.3, 1.6) * np.sin(rows * rng.uniform(0.25, 0.7) + columns * rng.uniform(-0.08, 0.08))
    source = 2 * level - rows - gap
    source = np.abs(source)  # above the picture's edge the reflection folds back: sky stays sky
    seen = cv2.remap(picture, columns + wave, np.clip(source, 0, height - 1), cv2.INTER_LINEAR)
    return cv2.GaussianBlur(seen, (0, 0), sigmaX=1.0, sigmaY=rng.uniform(1.5, 3.5)).astype(np.float32)


def flood(picture: Picture, view: View, rng: Random, column: float, row: float) -> Box | None:
    """Draws one puddle into the picture in place and returns its box; None where none fits."""
    height, width = picture.shape[:2]
    length = rng.uniform(1.5, 6.0)
    mask = footprint(rng, view, column, row, length, length * rng.uniform(0.3, 0.7), width, height)
    if mask is None or not (mask > 0.5).any():
        return None
    box = box_from_mask(mask > 0.5)
    if box.right - box.left < SMALLEST or box.bottom - box.top < SMALLEST / 2 or box.area > 0.3 * width * height:
        return None
    ground = picture.astype(np.float32)
    damp = cv2.GaussianBlur(cv2.dilate(mask, np.ones((5, 9), np.uint8)), (0, 0), 3)[..., None]
    ground *= 1 - rng.uniform(0.15, 0.4) * damp
    rows = np.arange(height, dtype=np.float32)[:, None]
    share = np.clip((rows - box.top) / max(1.0, box.bottom - box.top), 0, 1)
    far, near = rng.uniform(0.7, 0.92), rng.uniform(0.35, 0.65)  # grazing views mirror more (Fresnel)
    strength = (far + (near - far) * share)[..., None]
    mud = np.array(rng.choice(((0.9, 0.95, 1.0), (0.75, 0.88, 1.0), (1.0, 1.0, 1.0))), np.float32)
    water = mirror(picture, mask, rng) * strength * mud + ground * 0.45 * (1 - strength)
    mixed = ground + (water - ground) * mask[..., None]
    picture[:] = np.clip(mixed, 0, 255).astype(np.uint8)
    return box
