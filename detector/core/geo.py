"""Positions on the ground, WGS-84 inside the house; other systems are converted at the border."""

from __future__ import annotations

from dataclasses import dataclass


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
