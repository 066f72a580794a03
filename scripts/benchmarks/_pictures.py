"""Pictures for benchmarks: streets as a 1080p camera shows them."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PICTURES = Path(os.environ.get("STREET_SHARED", ROOT.parent / "shared")) / "data" / "cctv-vn" / "images" / "val"


def street_pictures() -> list[np.ndarray]:
    """1080p BGR: real ones enlarged where there are any, else noise (which gives few boxes)."""
    read = [image for file in sorted(PICTURES.glob("*"))[:8] if (image := cv2.imread(str(file))) is not None]
    if not read:
        return [np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)]
    return [cv2.resize(image, (1920, 1080)) for image in read]
