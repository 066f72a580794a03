"""Small stand-ins for rendered cut-outs and real backgrounds."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from datasets.synthetic.backgrounds import Background, Source
from datasets.synthetic.perspective import Box, View

STREET = View(0.3, 1.6)


def cutout(folder: Path, label: str, name: str, split: str = "train", pitch: float = 15.0) -> None:
    """A red disc of 100 px with a soft shadow to its right, as the renderer would leave it."""
    rgba = np.zeros((160, 160, 4), np.uint8)
    cv2.ellipse(rgba, (95, 110), (55, 12), 0, 0, 360, (0, 0, 0, 120), -1)
    cv2.circle(rgba, (70, 70), 50, (20, 20, 200, 255), -1)
    mask = np.zeros((160, 160), np.uint8)
    cv2.circle(mask, (70, 70), 50, 255, -1)
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.png"), rgba)
    cv2.imwrite(str(folder / f"{name}-mask.png"), mask)
    record = {"name": name, "label": label, "split": split, "pitch": pitch, "pixels_per_metre": 60.0}
    (folder / f"{name}.json").write_text(json.dumps(record))


def background(
    folder: Path,
    name: str,
    split: str = "train",
    pasted: tuple[str, ...] = ("rubble_pile",),
    boxes: tuple[tuple[str, Box], ...] = (),
) -> Background:
    """A grey street under a pale sky."""
    picture = np.full((360, 480, 3), 215, np.uint8)
    picture[120:] = 110
    noise = np.random.default_rng(len(name)).normal(0, 4, picture.shape)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.png"
    cv2.imwrite(str(file), np.clip(picture + noise, 0, 255).astype(np.uint8))
    source = Source("street", STREET, pasted, pasted, {"car": "car"})
    return Background(source, file, f"street/{name}", split, boxes)
