"""How a network takes pictures: size, colour order, number format; and pictures in that form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from detector.core.frame import Image, Picture, Prepared
from detector.inference.bundle import InputEntry
from detector.inference.letterbox import Letterbox, fit

Tensor = NDArray[Any]

_DTYPES: Mapping[str, DTypeLike] = {
    "float32": np.float32,
    "float16": np.float16,
    "uint8": np.uint8,
    "int8": np.int8,
}


@dataclass(frozen=True, slots=True)
class InputForm:
    """Networks of equal form take equal tensors of a picture, so what was prepared for one serves the other."""

    size: tuple[int, int]  # (width, height) of the canvas, pixels
    stride: int | None  # the canvas shrinks to multiples of it; None: it is kept whole
    dtype: str  # see InputEntry.dtype
    colour: str  # rgb or bgr
    fill: int  # grey value around the picture, 0..255

    @classmethod
    def of(cls, entry: InputEntry, size: tuple[int, int]) -> InputForm:
        """The form that a manifest tells, with a canvas of `size` (width, height), pixels."""
        return cls(size, entry.stride if entry.dynamic_size else None, entry.dtype, entry.colour, entry.fill)

    def place(self, image: Image) -> Letterbox:
        """Where a picture lies on its canvas. Raises ValueError for an array that is no picture."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"a picture is (H, W, 3) uint8, not {image.shape} {image.dtype}")
        return fit((image.shape[1], image.shape[0]), self.size, stride=self.stride)

    def prepared(self, picture: Picture) -> Prepared:
        """The picture in this form, its tensor of shape (1, 3, height, width); as it is when it already has it.

        Raises ValueError for an array that is no picture.
        """
        if not isinstance(picture, Prepared):
            return Prepared(picture, self, self._tensor(picture))
        if picture.form != self:
            return Prepared(picture.image, self, self._tensor(picture.image))
        return picture

    def _tensor(self, image: Image) -> Tensor:
        """Letterbox straight into the network's input: no canvas between, padding filled once."""
        place = self.place(image)
        dtype = np.dtype(_DTYPES[self.dtype])
        tensor = np.empty((1, 3, place.canvas[1], place.canvas[0]), dtype)
        slot, (rows, columns) = tensor[0], place.window
        for padding in (
            slot[:, : rows.start],
            slot[:, rows.stop :],
            slot[:, rows, : columns.start],
            slot[:, rows, columns.stop :],
        ):
            if padding.size:
                padding[:] = _value(self.fill, dtype)
        planes = cv2.split(place.scale(image))
        for channel, plane in enumerate(planes if self.colour == "bgr" else planes[::-1]):
            _write_plane(np.asarray(plane), slot[channel, rows, columns])
        return tensor


def _write_plane(plane: NDArray[np.uint8], target: Tensor) -> None:
    """Write one (H, W) colour plane in the form the network takes (see InputEntry.dtype)."""
    if target.dtype == np.uint8:
        target[:] = plane
    elif target.dtype == np.int8:
        target[:] = (plane ^ np.uint8(0x80)).view(np.int8)  # value - 128 in two's complement
    elif target.dtype == np.float32:
        np.divide(plane, np.float32(255), out=target)
    else:
        target[:] = np.divide(plane, np.float32(255))


def _value(grey: int, dtype: np.dtype[Any]) -> Any:
    """One value in the form the network takes."""
    single = np.empty((1, 1), dtype)
    _write_plane(np.full((1, 1), grey, np.uint8), single)
    return single[0, 0]
