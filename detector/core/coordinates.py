"""The coordinate systems of Chinese maps, at the border only: inside the house everything is WGS-84.

CGCS2000 (EPSG:4490) differs from WGS-84 by decimetres and passes unchanged. GCJ-02 ("Mars coordinates", all licensed
maps in China) and BD-09 (Baidu) are shifts that were never published officially; the polynomials here are those that
became public as "eviltransform" and in geoChina (Caijun 2014), and which PRCoords (CC0) uses too; the tests
compare with it.
"""

from __future__ import annotations

from enum import StrEnum
from math import atan2, cos, hypot, pi, radians, sin, sqrt

from detector.core.geo import GeoPoint


class CoordinateSystem(StrEnum):
    """What numbers for a place mean."""

    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"


_AXIS_M, _ECCENTRICITY2 = 6_378_245.0, 0.00669342162296594323  # Krasovsky 1940, on which GCJ-02 rests
_BAIDU = GeoPoint(0.0060, 0.0065)  # BD-09's constant part, degrees
_ROUNDS = 6  # of the fixed-point search back to WGS-84; each gains about three digits, from 1e-2 degrees to below 1e-9


def from_wgs84(point: GeoPoint, system: CoordinateSystem) -> GeoPoint:
    """A WGS-84 point in another system. Outside of the box that GCJ-02 covers all systems agree."""
    if system in (CoordinateSystem.WGS84, CoordinateSystem.CGCS2000) or not _shifted(point):
        return point
    gcj = _gcj_of(point)
    return gcj if system is CoordinateSystem.GCJ02 else _bd_of(gcj)


def to_wgs84(point: GeoPoint, system: CoordinateSystem) -> GeoPoint:
    """A point given in `system` as WGS-84, to within a millimetre of what `from_wgs84` undoes."""
    if system in (CoordinateSystem.WGS84, CoordinateSystem.CGCS2000) or not _shifted(point):
        return point
    guess = point
    for _ in range(_ROUNDS):
        there = _gcj_of(guess) if system is CoordinateSystem.GCJ02 else _bd_of(_gcj_of(guess))
        guess = GeoPoint(
            guess.latitude + point.latitude - there.latitude, guess.longitude + point.longitude - there.longitude
        )
    return guess


def _shifted(point: GeoPoint) -> bool:
    """Whether GCJ-02 shifts here at all: a box around China, as all users of it have it."""
    return 0.8293 <= point.latitude <= 55.8271 and 72.004 <= point.longitude <= 137.8347


def _gcj_of(point: GeoPoint) -> GeoPoint:
    x, y = point.longitude - 105.0, point.latitude - 35.0
    ripple = 20.0 * sin(6.0 * pi * x) + 20.0 * sin(2.0 * pi * x)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    north_m += (
        ripple + 20.0 * sin(pi * y) + 40.0 * sin(pi * y / 3.0) + 160.0 * sin(pi * y / 12.0) + 320.0 * sin(pi * y / 30.0)
    ) * (2.0 / 3.0)
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    east_m += (
        ripple + 20.0 * sin(pi * x) + 40.0 * sin(pi * x / 3.0) + 150.0 * sin(pi * x / 12.0) + 300.0 * sin(pi * x / 30.0)
    ) * (2.0 / 3.0)
    latitude = radians(point.latitude)
    flattening = 1.0 - _ECCENTRICITY2 * sin(latitude) ** 2
    metres_a_degree_north = radians(_AXIS_M * (1.0 - _ECCENTRICITY2) / flattening**1.5)
    metres_a_degree_east = radians(_AXIS_M * cos(latitude) / sqrt(flattening))
    return GeoPoint(point.latitude + north_m / metres_a_degree_north, point.longitude + east_m / metres_a_degree_east)


def _bd_of(gcj: GeoPoint) -> GeoPoint:
    x, y = gcj.longitude, gcj.latitude
    away = hypot(x, y) + 0.00002 * sin(radians(3000.0 * y))
    angle = atan2(y, x) + 0.000003 * cos(radians(3000.0 * x))
    return GeoPoint(away * sin(angle) + _BAIDU.latitude, away * cos(angle) + _BAIDU.longitude)
