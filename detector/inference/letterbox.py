"""Place a picture of any size on the model's canvas, and carry boxes back.

The arithmetic follows the trainer's (ultralytics 8.4, `LetterBox` and `scale_boxes`): scale by the smaller ratio, round
each side to whole pixels (halves to even, as Python rounds), bilinear without antialiasing, grey around, the odd
pixel of padding at the right and bottom. A model judged on other pixels than it was trained on loses accuracy
without a sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.core.frame import Image


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How one picture lies on the canvas. All sizes are (width, height) in pixels."""

    source: tuple[int, int]
    scaled: tuple[int, int]
    canvas: tuple[int, int]
    left: int  # columns of padding before the picture
    top: int  # rows of padding above it

    @property
    def window(self) -> tuple[slice, slice]:
        """(rows, columns) of the canvas that the picture covers."""
        width, height = self.scaled
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def scale(self, image: Image) -> Image:
        """(H, W, 3) `image` in the size it has on the canvas; the same array when that is its own."""
        if (image.shape[1], image.shape[0]) != self.source:
            raise ValueError(f"picture is {image.shape[1]}x{image.shape[0]}, letterbox was made for {self.source}")
        if self.scaled == self.source:
            return image
        scaled: Image = np.asarray(cv2.resize(image, self.scaled, interpolation=cv2.INTER_LINEAR), np.uint8)
        return scaled

    def apply(self, image: Image, fill: int = 114) -> Image:
        """Return `image` on a new (H', W', 3) canvas of grey value `fill`."""
        canvas: Image = np.full((self.canvas[1], self.canvas[0], 3), fill, np.uint8)
        canvas[self.window] = self.scale(image)
        return canvas

    def to_source(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Carry (N, 4) left-top-right-bottom boxes from canvas pixels to source pixels, clipped to the picture."""
        (width, height), (scaled_width, scaled_height) = self.source, self.scaled
        shift = np.array([self.left, self.top] * 2, np.float32)
        gain = np.array([scaled_width / width, scaled_height / height] * 2, np.float32)
        limit = np.array([width, height] * 2, np.float32)
        placed: NDArray[np.float32] = np.clip((boxes - shift) / gain, np.float32(0), limit)
        return placed.astype(np.float32, copy=False)

    def to_canvas(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Carry (N, 4) boxes from source pixels to canvas pixels."""
        (width, height), (scaled_width, scaled_height) = self.source, self.scaled
        shift = np.array([self.left, self.top] * 2, np.float32)
        gain = np.array([scaled_width / width, scaled_height / height] * 2, np.float32)
        return (boxes * gain + shift).astype(np.float32, copy=False)


def fit(source: tuple[int, int], canvas: tuple[int, int], *, stride: int | None = None) -> Letterbox:
    """Place a picture of `source` (width, height) pixels on a `canvas` (width, height).

    With `stride` the canvas shrinks to the smallest multiple of the stride that holds the scaled picture (the
    trainer's `rect` prediction; for models of dynamic size); without it the canvas is kept whole.
    Raises ValueError for an empty picture.
    """
    width, height = source
    if width < 1 or height < 1:
        raise ValueError(f"an empty picture ({width}x{height}) cannot be looked at")
    ratio = min(canvas[1] / height, canvas[0] / width)
    scaled = max(round(width * ratio), 1), max(round(height * ratio), 1)
    spare_x, spare_y = canvas[0] - scaled[0], canvas[1] - scaled[1]
    if stride is not None:
        spare_x, spare_y = spare_x % stride, spare_y % stride
    # The tenth keeps exact halves from being rounded to even: half a pixel always goes right and down.
    left, right = round(spare_x / 2 - 0.1), round(spare_x / 2 + 0.1)
    top, bottom = round(spare_y / 2 - 0.1), round(spare_y / 2 + 0.1)
    return Letterbox(source, scaled, (scaled[0] + left + right, scaled[1] + top + bottom), left, top)
