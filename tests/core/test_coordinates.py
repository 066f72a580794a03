from __future__ import annotations

import prcoords
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.coordinates import CoordinateSystem, from_wgs84, to_wgs84
from detector.core.geo import GeoPoint, distance_m

CHINA = st.builds(GeoPoint, st.floats(18.0, 53.5), st.floats(73.6, 134.8))
OTHERS = {CoordinateSystem.GCJ02: prcoords.wgs_gcj, CoordinateSystem.BD09: prcoords.wgs_bd}


@pytest.mark.parametrize("system", OTHERS)
@given(point=CHINA)
def test_the_same_as_an_independent_library(system: CoordinateSystem, point: GeoPoint) -> None:
    theirs = OTHERS[system]((point.latitude, point.longitude))
    ours = from_wgs84(point, system)
    assert distance_m(ours, GeoPoint(theirs.lat, theirs.lon)) < 0.01


@pytest.mark.parametrize("system", CoordinateSystem)
@given(point=CHINA)
def test_there_and_back(system: CoordinateSystem, point: GeoPoint) -> None:
    assert distance_m(to_wgs84(from_wgs84(point, system), system), point) < 0.01


def test_a_known_place() -> None:
    """Tiananmen: the shift is some 550 m in GCJ-02 and 1.4 km in BD-09."""
    here = GeoPoint(39.90734, 116.39089)
    assert 400 < distance_m(here, from_wgs84(here, CoordinateSystem.GCJ02)) < 700
    assert 1000 < distance_m(here, from_wgs84(here, CoordinateSystem.BD09)) < 1800
    assert from_wgs84(here, CoordinateSystem.CGCS2000) == here


@pytest.mark.parametrize("system", CoordinateSystem)
def test_outside_of_china_nothing_is_shifted(system: CoordinateSystem) -> None:
    athens = GeoPoint(37.98, 23.73)
    assert from_wgs84(athens, system) == to_wgs84(athens, system) == athens


def test_distance() -> None:
    assert distance_m(GeoPoint(0, 0), GeoPoint(0, 0)) == 0
    assert distance_m(GeoPoint(0, 0), GeoPoint(0, 1)) == pytest.approx(111_195, rel=1e-4)
    assert distance_m(GeoPoint(90, 0), GeoPoint(-90, 77)) == pytest.approx(20_015_115, rel=1e-4)
