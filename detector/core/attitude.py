"""How a camera is turned in space: angles to directions and back.

Frames: north, east, down. Angles as in aviation (MISB ST 0601, DJI): heading clockwise from north, pitch up from level,
roll with the right side down, applied in this order (z, y, x; Titterton and Weston, Strapdown Inertial Navigation
Technology, chapter 3). A camera's own axes are forward (the optical axis), right and down in its picture.
"""

from __future__ import annotations

from math import asin, atan2, cos, degrees, radians, sin
from typing import NamedTuple

Vector = tuple[float, float, float]
"""(north, east, down)."""


class Attitude(NamedTuple):
    """The camera's own axes in the street's frame, each of length 1."""

    forward: Vector
    right: Vector
    down: Vector

    def turned(self, forward: float, right: float, down: float) -> Vector:
        """A direction that is given along the camera's own axes, in the street's frame."""
        return (
            forward * self.forward[0] + right * self.right[0] + down * self.down[0],
            forward * self.forward[1] + right * self.right[1] + down * self.down[1],
            forward * self.forward[2] + right * self.right[2] + down * self.down[2],
        )

    def own(self, north: float, east: float, down: float) -> Vector:
        """(forward, right, down) along the camera's own axes of a direction in the street's frame."""
        forward, right, below = (axis[0] * north + axis[1] * east + axis[2] * down for axis in self)
        return forward, right, below


def attitude(heading_deg: float, pitch_deg: float, roll_deg: float) -> Attitude:
    """From angles in degrees."""
    (ch, sh), (cp, sp), (cr, sr) = ((cos(radians(a)), sin(radians(a))) for a in (heading_deg, pitch_deg, roll_deg))
    return Attitude(
        (cp * ch, cp * sh, -sp),
        (sp * sr * ch - cr * sh, sp * sr * sh + cr * ch, cp * sr),
        (sp * cr * ch + sr * sh, sp * cr * sh - sr * ch, cp * cr),
    )


def on_board(platform: Attitude, sensor: Attitude) -> Attitude:
    """How a sensor is turned in the street's frame whose attitude is known in the frame of its platform."""
    return Attitude(*(platform.turned(*axis) for axis in sensor))


def angles(one: Attitude) -> tuple[float, float, float]:
    """(heading 0..360, pitch, roll), degrees. Straight up or down, where heading and roll are one turn, roll is 0."""
    pitch = asin(max(-1.0, min(1.0, -one.forward[2])))
    if cos(pitch) < 1e-6:
        return degrees(atan2(-one.right[0], one.right[1])) % 360.0, degrees(pitch), 0.0
    heading = atan2(one.forward[1], one.forward[0])
    return degrees(heading) % 360.0, degrees(pitch), degrees(atan2(one.right[2], one.down[2]))
