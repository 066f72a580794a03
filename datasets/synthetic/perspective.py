"""Where an object stands in a street picture and how large it is there.

Pinhole camera, level ground, no roll. All the geometry hangs on the horizon's row: a ground point seen `v` pixels
below the horizon lies `height * focal / v` metres ahead, so one metre there measures `v / height` pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels, left and top inclusive, right and bottom exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Square pixels; 0 when empty."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def cut(self, other: Box) -> Box:
        """The part shared with `other` (area 0 when there is none)."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def share_under(self, other: Box) -> float:
        """Share of this box that `other` covers, 0..1."""
        return self.cut(other).area / self.area if self.area else 0.0


@dataclass(frozen=True, slots=True)
class View:
    """How a set of pictures looks at the street, roughly: typical values, not a calibration.

    `horizon`: row of the horizon as a share of the height (may be negative: above the picture); `height`: of the
    camera above the ground, metres; `focal`: focal length as a share of the picture's width.
    """

    horizon: float
    height: float
    focal: float = 0.87  # a horizontal view angle of 60 degrees

    def pixels_per_metre(self, row: float, picture_height: int) -> float:
        """Size of one upright metre standing on the ground at `row` (0 above the horizon)."""
        return max(0.0, row - self.horizon * picture_height) / self.height

    def pitch(self, row: float, picture_height: int, picture_width: int) -> float:
        """Angle in degrees below the horizontal at which the ground at `row` is seen."""
        return math.degrees(math.atan2(row - self.horizon * picture_height, self.focal * picture_width))

    def project(self, x: float, ahead: float, width: int, height: int) -> tuple[float, float]:
        """Pixel of the ground point `x` metres right of the middle and `ahead` metres away."""
        focal = self.focal * width
        return width / 2 + focal * x / ahead, self.horizon * height + focal * self.height / ahead

    def ahead(self, row: float, picture_height: int, picture_width: int) -> float:
        """Ground distance in metres of a row below the horizon."""
        return self.height * self.focal * picture_width / max(1e-6, row - self.horizon * picture_height)


@dataclass(frozen=True, slots=True)
class Camera:
    """A known camera without roll: place and aim in metres (z up), horizontal view angle in degrees."""

    at: tuple[float, float, float]
    look_at: tuple[float, float, float]
    view_angle: float

    def project(self, x: float, y: float, z: float, size: tuple[int, int]) -> tuple[float, float]:
        """Pixel of a point, in a picture of `size` (width, height); the point must lie before the camera."""
        ahead = _unit(tuple(b - a for a, b in zip(self.at, self.look_at, strict=True)))
        right = _unit((ahead[1], -ahead[0], 0.0))
        up = (right[1] * ahead[2], -right[0] * ahead[2], right[0] * ahead[1] - right[1] * ahead[0])
        d = (x - self.at[0], y - self.at[1], z - self.at[2])
        a, r, u = (sum(p * q for p, q in zip(d, axis, strict=True)) for axis in (ahead, right, up))
        focal = size[0] / 2 / math.tan(math.radians(self.view_angle) / 2)
        return size[0] / 2 + focal * r / a, size[1] / 2 - focal * u / a

    def pitch(self, x: float, y: float, z: float) -> float:
        """Angle in degrees below the horizontal at which the camera sees a point."""
        flat = math.hypot(x - self.at[0], y - self.at[1])
        return math.degrees(math.atan2(self.at[2] - z, flat))


def _unit(v: tuple[float, ...]) -> tuple[float, ...]:
    length = math.sqrt(sum(c * c for c in v))
    return tuple(c / length for c in v)


def choose_row(rng: Random, view: View, height: int, metres: float, smallest: float, largest: float) -> float | None:
    """A row of the ground where something `metres` wide measures between `smallest` and `largest` pixels.

    None when the picture has no such row.
    """
    low = view.horizon * height + smallest * view.height / metres
    high = view.horizon * height + largest * view.height / metres
    low, high = max(low, 0.25 * height), min(high, 0.98 * height)
    return rng.uniform(low, high) if low < high else None


def place_free(box: Box, taken: list[Box], width: int, height: int, share: float = 0.12) -> bool:
    """Whether `box` lies mostly inside the picture and hardly touches what is annotated already."""
    if box.share_under(Box(0, 0, width, height)) < 0.7:
        return False
    return all(box.share_under(other) <= share and other.share_under(box) <= share for other in taken)
