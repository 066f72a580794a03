"""One picture from one camera."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from detector.core.geo import Pose

Image = NDArray[np.uint8]
"""(H, W, 3) uint8, blue-green-red order."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A decoded picture with the moment it was taken."""

    camera_id: str
    captured_at: datetime  # aware, UTC; the stream's own clock where it has one
    image: Image
    pose: Pose | None = None  # moving cameras only

    def __post_init__(self) -> None:
        if self.captured_at.tzinfo is None:
            raise ValueError("captured_at must be an aware datetime in UTC")
        if self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(f"image must have shape (H, W, 3), not {self.image.shape}")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return int(self.image.shape[1]), int(self.image.shape[0])
