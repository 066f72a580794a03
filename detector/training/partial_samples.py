"""A sheet of validation pictures with what the model says (red) and what the annotators said (green)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from detector.training.partial_score import FloatArray, look_at_files, val_pictures

CELL = 320  # pixels
COLUMNS = 4


def draw_samples(
    model: torch.nn.Module,
    folder: Path,
    labels: Sequence[str],
    out: Path,
    size: int,
    count: int = 16,
    score: float = 0.3,
) -> None:
    """Write a JPEG sheet of `count` pictures, spread evenly over folder/<set>/<picture>; boxes scored below `score` are
    left out.
    """
    files = val_pictures(folder)
    chosen = [files[index] for index in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]
    rows = -(-len(chosen) // COLUMNS)
    sheet = np.full((rows * CELL, COLUMNS * CELL, 3), 114, np.uint8)
    for number, (path, result) in enumerate(zip(chosen, look_at_files(model, chosen, size), strict=True)):
        image = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)
        image = _fit(image)
        for row in result.truth:
            _box(image, row[1:], labels[int(row[0])], (60, 200, 60))
        for row in result.found[result.found[:, 4] >= score]:
            _box(image, row[:4], f"{labels[int(row[5])]} {row[4]:.2f}", (40, 40, 230))
        top, left = number // COLUMNS * CELL, number % COLUMNS * CELL
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    cv2.imwrite(str(out), sheet)


def _fit(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = CELL / max(height, width)
    return np.asarray(cv2.resize(image, (max(1, int(width * scale)), max(1, int(height * scale)))), np.uint8)


def _box(image: NDArray[np.uint8], box: FloatArray, text: str, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    left, top, right, bottom = (int(v) for v in box * [width, height, width, height])
    cv2.rectangle(image, (left, top), (right, bottom), colour, 2)
    cv2.putText(image, text, (left, max(top - 3, 10)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
