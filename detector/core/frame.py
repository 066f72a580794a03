"""One picture from one camera."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.core.geo import Pose

Image = NDArray[np.uint8]
"""(H, W, 3) uint8, blue-green-red order."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture with what one model's network takes of it, made before its turn comes."""

    image: Image
    form: object  # how that model takes pictures; a model that takes them otherwise begins with the picture
    tensor: NDArray[Any]


Picture = Image | Prepared
"""What a model looks at."""


def plain(picture: Picture) -> Image:
    """The picture alone."""
    return picture.image if isinstance(picture, Prepared) else picture


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A decoded picture with the moment it was taken."""

    camera_id: str
    captured_at: datetime  # aware, UTC; the stream's own clock where it has one
    image: Image
    pose: Pose | None = None  # moving cameras only
    prepared: Prepared | None = None  # made while the picture was fresh in the cache, where that was done

    def __post_init__(self) -> None:
        if self.captured_at.tzinfo is None:
            raise ValueError("captured_at must be an aware datetime in UTC")
        if self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(f"image must have shape (H, W, 3), not {self.image.shape}")

    @property
    def picture(self) -> Picture:
        """What a model is given: the picture as it was prepared, else as it is."""
        return self.image if self.prepared is None else self.prepared

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return int(self.image.shape[1]), int(self.image.shape[0])
