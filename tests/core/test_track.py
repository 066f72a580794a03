"""Between two fixes a camera moves and turns evenly; where fixes are missing nothing is claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.geo import GeoPoint, Pose, distance_m, shifted
from detector.core.track import EDGE_S, GAP_S, MOUNT_ERROR_M, Fix, Mount, course_at, fitted, pose_at

START = GeoPoint(35.0, 111.0)


def way(*seconds: float, speed: float = 10.0) -> list[Fix]:
    """Northwards, turning from 350 degrees by 10 a second."""
    return [Fix(s, Pose(shifted(START, speed * s, 0), 50 + s, (350 + 10 * s) % 360, -45.0)) for s in seconds]


@given(st.floats(0, 8))
def test_between_fixes_it_moves_and_turns_evenly(seconds: float) -> None:
    pose = pose_at(way(*range(9)), seconds)
    assert pose is not None
    assert distance_m(pose.position, shifted(START, 10 * seconds, 0)) < 0.01
    assert pose.height_m == pytest.approx(50 + seconds)
    assert pose.heading_deg is not None
    assert (pose.heading_deg - 350 - 10 * seconds + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)
    assert pose.roll_deg is None


def test_over_a_long_gap_nothing_is_invented() -> None:
    fixes = way(0, 1, 1 + GAP_S + 0.5)
    assert pose_at(fixes, 1 + EDGE_S) == fixes[1].pose
    assert pose_at(fixes, 1.1 + EDGE_S) is None
    assert pose_at(fixes, 3.6) == fixes[2].pose
    assert pose_at(way(0, GAP_S), GAP_S / 2) is not None
    assert pose_at(fixes, -EDGE_S - 0.1) is None
    assert pose_at([], 0) is None


def test_a_course_needs_a_way() -> None:
    assert course_at(way(*range(5)), 0) == pytest.approx(0, abs=1e-6)
    assert course_at(way(*range(5)), 4.5) == pytest.approx(0, abs=1e-6)
    assert course_at(way(*range(5), speed=-10), 2) == pytest.approx(180)
    assert course_at(way(*range(5), speed=0.5), 2) is None
    assert course_at(way(0), 0) is None


def test_what_the_owner_says_goes_first() -> None:
    told = Pose(START, 80.0, 10.0, -20.0, 1.0, 60.0)
    assert fitted(told, Mount(), 90.0) == told
    mounted = fitted(told, Mount(2.5, -10.0, -90.0, 75.0), 30.0)
    assert mounted == Pose(START, 2.5, 300.0, -10.0, 1.0, 75.0, MOUNT_ERROR_M)
    assert fitted(told, Mount(heading_deg=0.0), None).heading_deg is None
    assert fitted(Pose(START), Mount(2.5), None) == replace(Pose(START), height_m=2.5, height_error_m=MOUNT_ERROR_M)
