"""Positions on the ground, WGS-84 inside the house; other systems are converted at the border."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the earth, metres (IUGG)."""


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """A point on the ground: latitude and longitude in degrees, WGS-84."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90.0 <= self.latitude <= 90.0 and -180.0 <= self.longitude <= 180.0):
            raise ValueError(f"not a WGS-84 position: latitude {self.latitude}, longitude {self.longitude}")


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a moving camera stood and looked when a frame was taken."""

    position: GeoPoint
    height_m: float | None = None  # above ground, metres
    heading_deg: float | None = None  # clockwise from north, degrees
    pitch_deg: float | None = None  # 0 = level, -90 = straight down, degrees


def distance_m(one: GeoPoint, other: GeoPoint) -> float:
    """Metres along the ground between two points, on a sphere (haversine): off by up to 0.6 % of the distance."""
    north = radians(other.latitude - one.latitude)
    east = radians(other.longitude - one.longitude)
    chord = sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))
