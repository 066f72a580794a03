"""A pixel of a moving camera and a point on the ground belong together; what is not known well says so."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, radians, tan

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detector.core.attitude import angles, attitude, on_board
from detector.core.detection import BoundingBox
from detector.core.geo import GeoPoint, Pose, distance_m, offset_m, shifted
from detector.core.pinhole import (
    AROUND_M,
    MOST_ERROR_M,
    POSITION_ERROR_M,
    ground_of,
    seen_at,
    share_of_a_metre,
    width_m,
)

HERE = GeoPoint(35.0228, 110.9977)
SIZE = (1920, 1080)
DOWN = Pose(HERE, 40.0, 0.0, -90.0, 0.0, 73.7)


def pose(height: float = 40.0, heading: float = 0.0, pitch: float = -90.0, roll: float = 0.0) -> Pose:
    return Pose(HERE, height, heading, pitch, roll, 73.7)


ANGLES = st.tuples(st.floats(0, 360), st.floats(-89, 89), st.floats(-179, 179))


@given(ANGLES, ANGLES)
def test_angles_describe_an_attitude_fully(one: tuple[float, float, float], other: tuple[float, float, float]) -> None:
    turned = on_board(attitude(*one), attitude(*other))
    again = attitude(*angles(turned))
    assert [x for axis in again for x in axis] == pytest.approx([x for axis in turned for x in axis], abs=1e-6)
    assert attitude(*one).own(*attitude(*one).turned(1, 2, 3)) == pytest.approx((1, 2, 3))


@given(
    st.floats(2, 120),
    st.floats(0, 360),
    st.floats(-90, -20),
    st.floats(-10, 10),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.floats(-60, 70),
)
def test_what_is_found_on_the_ground_is_seen_where_it_was(
    height: float, heading: float, pitch: float, roll: float, point: tuple[float, float], latitude: float
) -> None:
    camera = replace(pose(height, heading, pitch, roll), position=GeoPoint(latitude, 110.9977))
    spot = ground_of(camera, point, SIZE)
    assume(spot is not None)
    assert spot is not None
    assert spot.error_m is not None
    assert POSITION_ERROR_M <= spot.error_m <= MOST_ERROR_M
    assert seen_at(camera, spot, SIZE) == pytest.approx(point, abs=1e-5)


def test_below_a_camera_that_looks_straight_down_the_top_of_the_picture_is_ahead() -> None:
    half = 40 * tan(radians(73.7 / 2))
    for point, north_east in (((0.5, 0.5), (0, 0)), ((1, 0.5), (0, half)), ((0.5, 0), (half * 9 / 16, 0))):
        spot = ground_of(DOWN, point, SIZE)
        assert spot is not None
        assert offset_m(HERE, spot) == pytest.approx(north_east, abs=1e-3)
    east = ground_of(replace(DOWN, heading_deg=90.0), (0.5, 0.0), SIZE)
    assert east is not None
    assert offset_m(HERE, east) == pytest.approx((0, half * 9 / 16), abs=1e-3)


def test_a_level_camera_sees_the_ground_below_its_horizon_only() -> None:
    low = Pose(HERE, 2.5, 180.0, 0.0, 0.0, 60.0, height_error_m=0.2)
    assert ground_of(low, (0.5, 0.5), SIZE) is None
    assert ground_of(low, (0.5, 0.4), SIZE) is None
    near = ground_of(low, (0.5, 1.0), SIZE)
    assert near is not None
    assert offset_m(HERE, near) == pytest.approx((-2.5 / (tan(radians(30)) * 9 / 16), 0), abs=1e-3)


def test_the_farther_the_less_sure_until_nothing_is_claimed() -> None:
    camera = pose(height=30, pitch=-20)
    errors = [spot.error_m for y in (1.0, 0.8, 0.6) if (spot := ground_of(camera, (0.5, y), SIZE)) and spot.error_m]
    assert errors == sorted(errors)
    assert errors[0] < errors[-1]
    assert ground_of(camera, (0.5, 0.1), SIZE) is None


def test_the_stated_error_covers_what_wrong_angles_do() -> None:
    true = pose(height=40, heading=30, pitch=-45)
    told = ground_of(replace(true, heading_deg=33, pitch_deg=-44, height_m=42), (0.7, 0.6), SIZE)
    spot = ground_of(true, (0.7, 0.6), SIZE)
    assert told is not None
    assert spot is not None
    assert told.error_m is not None
    assert 1 < distance_m(told, spot) < told.error_m


@pytest.mark.parametrize(
    ("known", "error"),
    [
        (Pose(HERE), hypot(AROUND_M, POSITION_ERROR_M)),
        (Pose(HERE, 2.5, 90.0), hypot(AROUND_M, POSITION_ERROR_M)),
        (Pose(replace(HERE, error_m=2.0), -2.4, 0.0, -90.0, 0.0, 70.0), hypot(AROUND_M, 2.0)),
        (Pose(HERE, 80.0, 0.0), None),  # who flies so high films far away, and nobody says where
    ],
)
def test_without_angles_it_is_somewhere_around_the_camera(known: Pose, error: float | None) -> None:
    spot = ground_of(known, (0.2, 0.9), SIZE)
    if error is None:
        assert spot is None
    else:
        assert spot == replace(HERE, error_m=pytest.approx(error))
    assert seen_at(replace(known, field_of_view_deg=None), HERE, SIZE) is None


def test_without_a_heading_it_is_as_far_off_as_it_is_away() -> None:
    camera = replace(pose(height=20), heading_deg=None)
    spot, turned = ground_of(camera, (0.9, 0.5), SIZE), ground_of(pose(height=20), (0.9, 0.5), SIZE)
    assert spot is not None
    assert turned is not None
    assert (spot.latitude, spot.longitude) == (HERE.latitude, HERE.longitude)
    assert spot.error_m is not None
    assert distance_m(HERE, turned) < spot.error_m < distance_m(HERE, turned) + 15
    assert seen_at(camera, spot, SIZE) is None


def test_widths_on_the_ground() -> None:
    box = BoundingBox(900, 500, 1000, 560)
    spot = ground_of(DOWN, (0.5, 0.5), SIZE)
    assert spot is not None
    metre = share_of_a_metre(DOWN, spot)
    assert metre == pytest.approx(1 / (2 * 40 * tan(radians(73.7 / 2))))
    assert width_m(DOWN, box, SIZE, spot) == pytest.approx(100 / 1920 / metre)
    assert width_m(Pose(HERE), box, SIZE, spot) is None


@given(st.floats(-80, 80), st.floats(-180, 180), st.floats(-500, 500), st.floats(-500, 500))
def test_shifts_on_the_map_are_undone(latitude: float, longitude: float, north: float, east: float) -> None:
    origin = GeoPoint(latitude, longitude)
    assert offset_m(origin, shifted(origin, north, east)) == pytest.approx((north, east), abs=1e-4)
