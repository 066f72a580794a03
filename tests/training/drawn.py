"""Two small drawn sets with different labels: one boxes the squares, one the discs; all pictures show both shapes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import yaml

SIDE = 96  # pixels


def draw_sets(root: Path, pictures: int = 12, seed: int = 3) -> Path:
    """root/squares annotates only squares, root/discs only discs; each picture shows one of both."""
    generator = np.random.default_rng(seed)
    for name, label in (("squares", "square"), ("discs", "disc")):
        for split, count in (("train", pictures), ("val", 4)):
            for number in range(count):
                _draw(root / name, split, number, label, generator)
        text = yaml.safe_dump({"names": [label], "exhaustive": [label], "train": "images/train"})
        (root / name / "data.yaml").write_text(text)
    return root


def _draw(folder: Path, split: str, number: int, label: str, generator: np.random.Generator) -> None:
    image = generator.integers(60, 120, (SIDE, SIDE, 3)).astype(np.uint8)
    left, right = (int(generator.integers(20, 30)), int(generator.integers(62, 74)))
    square = (left, int(generator.integers(30, 60)))
    disc = (right, int(generator.integers(30, 60)))
    cv2.rectangle(image, (square[0] - 12, square[1] - 12), (square[0] + 12, square[1] + 12), (20, 20, 230), -1)
    cv2.circle(image, disc, 12, (30, 230, 30), -1)
    centre = square if label == "square" else disc
    box = (centre[0] / SIDE, centre[1] / SIDE, 24 / SIDE, 24 / SIDE)
    for kind in ("images", "labels"):
        (folder / kind / split).mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / "images" / split / f"{number:03}.png"), image)
    line = "0 " + " ".join(f"{value:.6f}" for value in box)
    (folder / "labels" / split / f"{number:03}.txt").write_text(line + "\n")
