"""How high the sun stands: whether a street is lit by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import asin, atan2, cos, degrees, radians, sin

from detector.core.geo import GeoPoint

EPOCH = datetime(2000, 1, 1, 12, tzinfo=UTC)
"""J2000.0; that it is counted in terrestrial time, a minute ahead, moves the sun by less than 0.001 degrees."""


def elevation_deg(point: GeoPoint, at: datetime) -> float:
    """Angle of the sun's centre above the horizon at `point`, degrees, without refraction; `at` is aware.

    The low-precision formulas of the Astronomical Almanac, which are good to about 0.01 degrees from 1950 to 2050.
    """
    days = (at - EPOCH) / timedelta(days=1)
    anomaly = radians(357.529 + 0.98560028 * days)
    longitude = radians(280.459 + 0.98564736 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    tilt = radians(23.439 - 0.00000036 * days)
    ascension = atan2(cos(tilt) * sin(longitude), cos(longitude))
    declination = asin(sin(tilt) * sin(longitude))
    sidereal = radians(15 * (18.697374558 + 24.06570982441908 * days))  # at Greenwich
    hour = sidereal + radians(point.longitude) - ascension
    latitude = radians(point.latitude)
    return degrees(asin(sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour)))


def is_day(point: GeoPoint, at: datetime) -> bool:
    """Whether the sun is up at `point`: no lamp of the street, and no infrared lamp of a camera, lights the picture."""
    return elevation_deg(point, at) > 0
