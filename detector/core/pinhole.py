"""From a pixel of a moving camera to a point on the ground and back, by where the camera is and how it is turned.

A pinhole above flat, level ground (Hartley and Zisserman, Multiple View Geometry, 6.1, without distortion): the ray
through the pixel is cut with the plane `height_m` below the camera. What comes out says how far off it may be: each of
the camera's own errors is applied once, and the shifts of the point are added as independent errors are, in quadrature.

Where an angle is not known, the thing is somewhere around the camera. Then its place is the camera's own, as far off as
what it films can be.
"""

from __future__ import annotations

from dataclasses import replace
from math import hypot, radians, sqrt, tan

from detector.core.attitude import attitude
from detector.core.detection import BoundingBox
from detector.core.geo import GeoPoint, Pose, offset_m, shifted
from detector.core.ground import FARTHEST_M, Share

Size = tuple[int, int]
"""(width, height) of a picture, pixels."""

POSITION_ERROR_M = 5.0
"""Of a satellite receiver under open sky (GPS.gov, GPS Accuracy: 4.9 m for telephones)."""

HEIGHT_ERROR_M, HEIGHT_ERROR_SHARE = 2.0, 0.05
"""Of a height above the take-off point, metres and share: barometers drift, and no street is level. This product's own
choice, as are the angles."""

HEADING_ERROR_DEG, PITCH_ERROR_DEG, ROLL_ERROR_DEG = 5.0, 2.0, 2.0
"""Of a compass between buildings, of a gimbal, of its level."""

AROUND_M = 40.0
"""Within which a camera on a vehicle or a low drone finds most things of a street. This product's own choice."""

MOST_ERROR_M = 50.0
"""A point that may be farther off than this is none."""

LEAST_HEIGHT_M = 0.5
"""A camera that is said to be lower knows no height: a drone counts from where it took off, on a roof for example."""


def ground_of(pose: Pose, point: Share, size: Size) -> GeoPoint | None:
    """Where a point of the picture, as shares of width and height, lies on the ground, with its `error_m`.

    None above the horizon, beyond FARTHEST_M, and where it may be more than MOST_ERROR_M off.
    """
    height = pose.height_m if pose.height_m is not None and pose.height_m >= LEAST_HEIGHT_M else None
    if height is None or pose.pitch_deg is None or pose.field_of_view_deg is None:
        reach = AROUND_M if height is None else max(AROUND_M, 2 * height)
        return _at_the_camera(pose, reach)
    towards = pose if pose.heading_deg is not None else replace(pose, heading_deg=0.0)
    found = _on_the_plane(towards, point, size)
    error = None if found is None else _error_m(towards, point, size, found, height)
    if found is None or error is None or hypot(*found) > FARTHEST_M:
        return None
    if pose.heading_deg is None:
        return _at_the_camera(pose, hypot(error, *found))
    return shifted(pose.position, *found, error) if error <= MOST_ERROR_M else None


def seen_at(pose: Pose, spot: GeoPoint, size: Size) -> Share | None:
    """Where in the picture a spot of the ground is, as shares of width and height; outside of 0..1 it is out of view.

    None behind the camera, and where the pose does not say how it is turned.
    """
    own = _own(pose, spot)
    if own is None or pose.field_of_view_deg is None:
        return None
    forward, right, down = own
    if forward <= 1e-6:
        return None
    half = tan(radians(pose.field_of_view_deg) / 2)
    return 0.5 + right / forward / half / 2, 0.5 + down / forward / half / 2 * size[0] / size[1]


def share_of_a_metre(pose: Pose, spot: GeoPoint) -> float | None:
    """How wide one metre is at a spot of the ground, as a share of the picture's width; None as of `seen_at`."""
    own = _own(pose, spot)
    if own is None or pose.field_of_view_deg is None or own[0] <= 1e-6:
        return None
    return 1 / (2 * own[0] * tan(radians(pose.field_of_view_deg) / 2))


def width_m(pose: Pose, box: BoundingBox, size: Size, spot: GeoPoint) -> float | None:
    """How wide the thing in a box is that stands at a spot, metres; None as of `seen_at`."""
    metre = share_of_a_metre(pose, spot)
    return None if metre is None else box.width / size[0] / metre


def _own(pose: Pose, spot: GeoPoint) -> tuple[float, float, float] | None:
    """(forward, right, down) of a spot from the camera, metres along its own axes."""
    if pose.height_m is None or pose.heading_deg is None or pose.pitch_deg is None:
        return None
    north, east = offset_m(pose.position, spot)
    return attitude(pose.heading_deg, pose.pitch_deg, pose.roll_deg or 0.0).own(north, east, pose.height_m)


def _on_the_plane(pose: Pose, point: Share, size: Size) -> tuple[float, float] | None:
    """(north, east) of the camera, metres, where the ray through a point meets the ground."""
    if pose.height_m is None or pose.heading_deg is None or pose.pitch_deg is None or pose.field_of_view_deg is None:
        return None
    half = tan(radians(pose.field_of_view_deg) / 2)
    right, down = (point[0] - 0.5) * 2 * half, (point[1] - 0.5) * 2 * half * size[1] / size[0]
    turned = attitude(pose.heading_deg, pose.pitch_deg, pose.roll_deg or 0.0)
    north, east, below = turned.turned(1.0, right, down)
    if below <= 1e-6:
        return None
    return north * pose.height_m / below, east * pose.height_m / below


def _error_m(pose: Pose, point: Share, size: Size, found: tuple[float, float], height: float) -> float | None:
    """None where an error of the camera would lift the point above the horizon."""
    high = pose.height_error_m
    if high is None:
        high = HEIGHT_ERROR_M + HEIGHT_ERROR_SHARE * height
    heading, pitch, roll = pose.heading_deg or 0.0, pose.pitch_deg or 0.0, pose.roll_deg or 0.0
    total = (pose.position.error_m or POSITION_ERROR_M) ** 2
    for wrong in (
        [replace(pose, height_m=height + high)],  # the shift is proportional to it
        [replace(pose, heading_deg=heading + turn) for turn in (-HEADING_ERROR_DEG, HEADING_ERROR_DEG)],
        [replace(pose, pitch_deg=pitch + turn) for turn in (-PITCH_ERROR_DEG, PITCH_ERROR_DEG)],
        [replace(pose, roll_deg=roll + turn) for turn in (-ROLL_ERROR_DEG, ROLL_ERROR_DEG)],
    ):
        shifts = []
        for other in wrong:
            place = _on_the_plane(other, point, size)
            if place is None:
                return None
            shifts.append(hypot(place[0] - found[0], place[1] - found[1]))
        total += max(shifts) ** 2
    return sqrt(total)


def _at_the_camera(pose: Pose, reach_m: float) -> GeoPoint | None:
    error = hypot(reach_m, pose.position.error_m or POSITION_ERROR_M)
    return replace(pose.position, error_m=error) if error <= MOST_ERROR_M else None
