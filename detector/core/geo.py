"""Positions on the ground, WGS-84 inside the house; other systems are converted at the border."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, atan2, cos, degrees, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the earth, metres (IUGG)."""


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """A point on the ground: latitude and longitude in degrees, WGS-84."""

    latitude: float
    longitude: float
    error_m: float | None = (
        None  # it truly lies within so many metres in about 95 of 100 cases; None: as marked by hand
    )

    def __post_init__(self) -> None:
        if not (-90.0 <= self.latitude <= 90.0 and -180.0 <= self.longitude <= 180.0):
            raise ValueError(f"not a WGS-84 position: latitude {self.latitude}, longitude {self.longitude}")


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a moving camera stood and looked when a frame was taken; None for what is not known."""

    position: GeoPoint
    height_m: float | None = None  # above ground, metres
    heading_deg: float | None = None  # of the optical axis, clockwise from true north, degrees
    pitch_deg: float | None = None  # 0 = level, -90 = straight down, degrees
    roll_deg: float | None = None  # about the optical axis, right side down is positive, degrees
    field_of_view_deg: float | None = None  # horizontal, degrees
    height_error_m: float | None = None  # as of GeoPoint, where the height is known better or worse than from a drone


def distance_m(one: GeoPoint, other: GeoPoint) -> float:
    """Metres along the ground between two points, on a sphere (haversine): off by up to 0.6 % of the distance."""
    north = radians(other.latitude - one.latitude)
    east = radians(other.longitude - one.longitude)
    chord = sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))


def offset_m(origin: GeoPoint, point: GeoPoint) -> tuple[float, float]:
    """(north, east) from `origin` to `point`, metres, on the plane that touches the earth at `origin`."""
    east = (point.longitude - origin.longitude + 180.0) % 360.0 - 180.0
    north = radians(point.latitude - origin.latitude) * EARTH_RADIUS_M
    return north, radians(east) * cos(radians(origin.latitude)) * EARTH_RADIUS_M


def shifted(origin: GeoPoint, north_m: float, east_m: float, error_m: float | None = None) -> GeoPoint:
    """The point that lies so far from `origin`, the inverse of `offset_m`. Raises ValueError beyond the poles."""
    east = degrees(east_m / (EARTH_RADIUS_M * max(1e-9, cos(radians(origin.latitude)))))
    longitude = (origin.longitude + east + 180.0) % 360.0 - 180.0
    return GeoPoint(origin.latitude + degrees(north_m / EARTH_RADIUS_M), longitude, error_m)


def bearing_deg(origin: GeoPoint, point: GeoPoint) -> float:
    """Direction from `origin` to a near `point`, degrees clockwise from north, 0..360."""
    north, east = offset_m(origin, point)
    return degrees(atan2(east, north)) % 360.0
