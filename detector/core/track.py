"""The way of a moving camera: where it was and how it was turned, from fix to fix."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from detector.core.geo import GeoPoint, Pose, bearing_deg, distance_m, offset_m, shifted

GAP_S = 3.0
"""Longest time between two fixes over which is interpolated, seconds: recorders write one a second, and lose one."""

EDGE_S = 1.0
"""How far beyond a single fix it still holds, seconds: a vehicle is 14 m further at 50 km/h, so no longer."""

COURSE_S, COURSE_M = 2.0, 3.0
"""A course is told by the way of this time, seconds, and only where that is this long, metres: receivers that stand
still wander."""

MOUNT_ERROR_M = 0.2
"""Of the height of a camera on a vehicle that was measured: the street under it is the street that it sees."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One entry of a track."""

    at: float  # seconds on the clock of the track
    pose: Pose


@dataclass(frozen=True, slots=True)
class Mount:
    """What the owner says of a moving camera; None for what only the telemetry tells."""

    height_m: float | None = None  # above the street, metres
    pitch_deg: float | None = None  # 0 = level, -90 = straight down, degrees
    heading_deg: float | None = None  # against the direction in which it moves, clockwise, degrees
    field_of_view_deg: float | None = None  # horizontal, degrees


def pose_at(fixes: Sequence[Fix], seconds: float) -> Pose | None:
    """The pose at a time, interpolated; `fixes` in order of time.

    None where the fixes around it are more than GAP_S apart and none is within EDGE_S.
    """
    after = bisect_left(fixes, seconds, key=lambda fix: fix.at)
    if 0 < after < len(fixes) and fixes[after].at - fixes[after - 1].at <= GAP_S:
        return _between(fixes[after - 1], fixes[after], seconds)
    near = [fix for fix in fixes[max(0, after - 1) : after + 1] if abs(fix.at - seconds) <= EDGE_S]
    return min(near, key=lambda fix: abs(fix.at - seconds)).pose if near else None


def course_at(fixes: Sequence[Fix], seconds: float) -> float | None:
    """In which direction it moves at a time, degrees clockwise from north; None where it hardly does."""
    here = pose_at(fixes, seconds)
    for begin, end in ((pose_at(fixes, seconds - COURSE_S), here), (here, pose_at(fixes, seconds + COURSE_S))):
        if begin is not None and end is not None and distance_m(begin.position, end.position) >= COURSE_M:
            return bearing_deg(begin.position, end.position)
    return None


def fitted(pose: Pose, mount: Mount, course_deg: float | None) -> Pose:
    """A pose with what the owner says of the camera, which goes before what the telemetry says."""
    if mount.height_m is not None:
        pose = replace(pose, height_m=mount.height_m, height_error_m=MOUNT_ERROR_M)
    if mount.heading_deg is not None:
        heading = None if course_deg is None else (course_deg + mount.heading_deg) % 360.0
        pose = replace(pose, heading_deg=heading)
    return replace(
        pose,
        pitch_deg=pose.pitch_deg if mount.pitch_deg is None else mount.pitch_deg,
        field_of_view_deg=pose.field_of_view_deg if mount.field_of_view_deg is None else mount.field_of_view_deg,
    )


def _between(one: Fix, other: Fix, seconds: float) -> Pose:
    share = (seconds - one.at) / (other.at - one.at) if other.at > one.at else 1.0
    here, there = one.pose, other.pose
    north, east = offset_m(here.position, there.position)
    return Pose(
        _worse(shifted(here.position, share * north, share * east), here.position, there.position),
        _mixed(here.height_m, there.height_m, share),
        _turned(here.heading_deg, there.heading_deg, share),
        _mixed(here.pitch_deg, there.pitch_deg, share),
        _turned(here.roll_deg, there.roll_deg, share),
        _mixed(here.field_of_view_deg, there.field_of_view_deg, share),
        _mixed(here.height_error_m, there.height_error_m, share),
    )


def _worse(point: GeoPoint, *ends: GeoPoint) -> GeoPoint:
    return replace(point, error_m=max((end.error_m for end in ends if end.error_m is not None), default=None))


def _mixed(one: float | None, other: float | None, share: float) -> float | None:
    return None if one is None or other is None else one + share * (other - one)


def _turned(one: float | None, other: float | None, share: float) -> float | None:
    """Between two directions, the shorter way round, degrees 0..360."""
    if one is None or other is None:
        return None
    return (one + share * ((other - one + 180.0) % 360.0 - 180.0)) % 360.0
