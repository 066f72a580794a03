"""A pixel and a point on the map belong together, whatever the resolution; near the horizon nothing is claimed."""

from __future__ import annotations

from math import cos, radians

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.core.geo import EARTH_RADIUS_M, GeoPoint, distance_m
from detector.core.ground import GroundMark, GroundPlane

CENTRE = GeoPoint(35.0228, 110.9977)
HEIGHT_M, FOCAL, TILT = 6.0, 1.1, radians(25)  # a camera on a pole that looks down the street


def point(east: float, north: float) -> GeoPoint:
    return GeoPoint(
        CENTRE.latitude + np.degrees(north / EARTH_RADIUS_M),
        CENTRE.longitude + np.degrees(east / (EARTH_RADIUS_M * cos(radians(CENTRE.latitude)))),
    )


def seen(east: float, north: float) -> tuple[float, float]:
    """Where an ideal camera at the origin, looking north, shows a point of the ground."""
    forward = north * np.cos(TILT) + HEIGHT_M * np.sin(TILT)
    down = HEIGHT_M * np.cos(TILT) - north * np.sin(TILT)
    return 0.5 + FOCAL * east / forward, 0.5 + FOCAL * down / forward


MARKS = [GroundMark(seen(e, n), point(e, n)) for e, n in [(-4, 8), (5, 9), (6, 40), (-5, 45), (0, 20)]]


@settings(max_examples=100, deadline=None)
@given(st.floats(-10, 10), st.floats(7, 80))
def test_what_stands_somewhere_is_found_there(east: float, north: float) -> None:
    found = GroundPlane(MARKS).ground_of(seen(east, north))
    assert found is not None
    assert distance_m(found, point(east, north)) < 0.05


def test_the_sky_is_nowhere() -> None:
    plane = GroundPlane(MARKS)
    assert plane.ground_of((0.5, 0.0)) is None
    assert plane.ground_of(seen(0, 5000)) is None


def test_the_fit_tells_how_well_it_fits() -> None:
    assert GroundPlane(MARKS).error_m() < 0.01
    wrong = [*MARKS[:-1], GroundMark(MARKS[-1].picture, point(8, 20))]
    assert GroundPlane(wrong).error_m() > 1.0


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        (MARKS[:3], "at least 4"),
        ([GroundMark((0.1 * n, 0.5), point(n, 10)) for n in range(5)], "one line"),
    ],
)
def test_marks_that_determine_nothing_are_refused(marks: list[GroundMark], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GroundPlane(marks)
