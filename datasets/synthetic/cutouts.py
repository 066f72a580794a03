"""Rendered cut-outs on disk: reading, turning them over, sizing, light, and setting them into a picture."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.synthetic.perspective import Box

Picture = NDArray[np.uint8]
Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A cut-out as rendered, still on disk. `pitch` in degrees, see `plan_cutouts.Cutout`."""

    name: str
    label: str
    split: str
    pitch: float
    pixels_per_metre: float
    picture: pathlib.Path
    mask: pathlib.Path


@dataclass(frozen=True, slots=True)
class Sprite:
    """A cut-out ready to be set: colour (h, w, 3), alpha with shadow and solid mask (h, w), both 0..1."""

    colour: Weights
    alpha: Weights
    solid: Weights

    @property
    def solid_box(self) -> Box:
        """Box of the object's own pixels."""
        return box_from_mask(self.solid > 0.5)


def box_from_mask(mask: NDArray[np.bool_]) -> Box:
    """The smallest box around the true pixels; raises ValueError when there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise ValueError("empty mask: the object is not in the picture")
    return Box(float(columns[0]), float(rows[0]), float(columns[-1]) + 1, float(rows[-1]) + 1)


def read_picture(path: pathlib.Path) -> Picture:
    """A colour picture (H, W, 3) BGR; raises FileNotFoundError when it is missing or unreadable."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(f"{path}: picture missing or unreadable")
    return np.asarray(picture, np.uint8)


def find(folder: pathlib.Path) -> list[Rendered]:
    """All complete cut-outs of a folder, sorted by name."""
    found = []
    for side in sorted(folder.glob("*.json")):
        record = json.loads(side.read_text())
        stem = side.with_suffix("")
        found.append(
            Rendered(
                record["name"],
                record["label"],
                record["split"],
                record["pitch"],
                record["pixels_per_metre"],
                stem.with_suffix(".png"),
                stem.with_name(f"{stem.name}-mask.png"),
            )
        )
    return found


def nearest_pitch(rng: Random, choices: Sequence[Rendered], pitch: float, keep: int = 5) -> Rendered:
    """One of the `keep` cut-outs seen most nearly from the wanted angle."""
    return rng.choice(sorted(choices, key=lambda c: (abs(c.pitch - pitch), c.name))[:keep])


def load(rendered: Rendered, scale: float, flip: bool) -> Sprite:
    """Reads a cut-out at `scale` (output pixels per rendered pixel), mirrored if `flip`; cut to its content."""
    rgba = cv2.imread(str(rendered.picture), cv2.IMREAD_UNCHANGED)
    mask = cv2.imread(str(rendered.mask), cv2.IMREAD_GRAYSCALE)
    if rgba is None or mask is None:
        raise FileNotFoundError(f"{rendered.picture}: cut-out missing or unreadable; render it again")
    touched = box_from_mask((rgba[..., 3] > 6) | (mask > 127))
    window = np.s_[int(touched.top) : int(touched.bottom), int(touched.left) : int(touched.right)]
    rgba, mask = rgba[window], mask[window]
    if flip:
        rgba, mask = rgba[:, ::-1], mask[:, ::-1]
    size = (max(2, round(rgba.shape[1] * scale)), max(2, round(rgba.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    solid = cv2.resize(mask.astype(np.float32) / 255, size, interpolation=how)
    alpha = cv2.resize(rgba[..., 3].astype(np.float32) / 255, size, interpolation=how)
    weighted = cv2.resize(
        rgba[..., :3].astype(np.float32) * (rgba[..., 3:].astype(np.float32) / 255), size, interpolation=how
    )
    colour = weighted / np.maximum(alpha, 1e-3)[..., None]
    return Sprite(
        np.clip(colour, 0, 255).astype(np.float32),
        np.clip(alpha, 0, 1).astype(np.float32),
        np.clip(solid, 0, 1).astype(np.float32),
    )


def tune(sprite: Sprite, around: Picture, rng: Random) -> Sprite:
    """Takes over brightness, a little of the tint and the softness of the place where it is set."""
    mean = around.reshape(-1, 3).mean(axis=0)
    light = float(mean.mean())
    gain = float(np.clip(0.4 + 0.6 * light / 118, 0.28, 1.3)) * rng.uniform(0.88, 1.12)
    tint = 1 + 0.25 * (mean / max(light, 1.0) - 1)
    lit = sprite.colour * gain * tint.astype(np.float32)
    colour = np.asarray(cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.35, 0.9)), np.float32)
    alpha = np.asarray(cv2.GaussianBlur(sprite.alpha, (0, 0), 0.5), np.float32)
    return Sprite(np.clip(colour, 0, 255).astype(np.float32), alpha, sprite.solid)


def set_in(picture: Picture, sprite: Sprite, left: int, top: int) -> Box | None:
    """Sets the sprite into the picture in place; returns the box of its own visible pixels.

    None when less than 60 % of the object or fewer than 60 pixels stay inside the picture.
    """
    height, width = picture.shape[:2]
    h, w = sprite.alpha.shape
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + w), min(height, top + h)
    if x0 >= x1 or y0 >= y1:
        return None
    inside = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    solid = sprite.solid[inside] > 0.5
    total = float((sprite.solid > 0.5).sum())
    if solid.sum() < 60 or solid.sum() < 0.6 * total:
        return None
    under = picture[y0:y1, x0:x1].astype(np.float32)
    weight = sprite.alpha[inside][..., None]
    picture[y0:y1, x0:x1] = np.clip(under + (sprite.colour[inside] - under) * weight, 0, 255).astype(np.uint8)
    box = box_from_mask(solid)
    return Box(box.left + x0, box.top + y0, box.right + x0, box.bottom + y0)
