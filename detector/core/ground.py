"""From a pixel to a point on the ground, for fixed cameras whose view has been matched with the map.

A flat street and its picture are related by a homography. Four or more marked points (a manhole, the end of a kerb, a
corner of a crossing), each known in the picture and on the map, determine it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, degrees, radians

import numpy as np
from numpy.typing import NDArray

from detector.core.geo import EARTH_RADIUS_M, GeoPoint, distance_m

Share = tuple[float, float]
"""(x, y) as shares of the picture's width and height, so that a change of resolution does not matter."""

FARTHEST_M = 500.0
"""Points farther from the marked ones than this are not believed: near the horizon a pixel is a hundred metres."""


@dataclass(frozen=True, slots=True)
class GroundMark:
    """One point known in the picture and on the map."""

    picture: Share
    ground: GeoPoint


class GroundPlane:
    """The street as one camera sees it."""

    def __init__(self, marks: Sequence[GroundMark]) -> None:
        """Fit by the normalised direct linear transform (Hartley and Zisserman, Multiple View Geometry, 4.4).

        Raises ValueError for fewer than four marks, or marks of which too many lie on one line.
        """
        if len(marks) < 4:
            raise ValueError(f"at least 4 marks are needed, not {len(marks)}")
        self._origin = GeoPoint(
            float(np.mean([mark.ground.latitude for mark in marks])),
            float(np.mean([mark.ground.longitude for mark in marks])),
        )
        picture = np.array([mark.picture for mark in marks], float)
        metres = np.array([self._metres(mark.ground) for mark in marks], float)
        if _on_a_line(picture) or _on_a_line(metres):
            raise ValueError("the marks lie on one line: spread them over the street")
        self._matrix = _homography(picture, metres)
        self.marks = tuple(marks)

    def ground_of(self, point: Share) -> GeoPoint | None:
        """Where a point of the picture lies on the ground; None above the horizon, or too far away to tell."""
        x, y, w = self._matrix @ np.array([*point, 1.0])
        centre = self._matrix @ np.array([*np.mean([mark.picture for mark in self.marks], axis=0), 1.0])
        if w * centre[2] <= 1e-9 * abs(centre[2]):
            return None
        east, north = x / w, y / w
        if east**2 + north**2 > FARTHEST_M**2:
            return None
        latitude = self._origin.latitude + degrees(north / EARTH_RADIUS_M)
        longitude = self._origin.longitude + degrees(east / (EARTH_RADIUS_M * cos(radians(self._origin.latitude))))
        return GeoPoint(latitude, longitude)

    def error_m(self) -> float:
        """Largest distance, metres, between a mark on the map and where the fit puts it; 0 with exactly four marks."""
        found = ((self.ground_of(mark.picture), mark.ground) for mark in self.marks)
        return max(float("inf") if place is None else distance_m(place, true) for place, true in found)

    def _metres(self, point: GeoPoint) -> tuple[float, float]:
        """(east, north) of the origin, metres, on the plane that touches the earth there."""
        east = radians(point.longitude - self._origin.longitude) * cos(radians(self._origin.latitude))
        return east * EARTH_RADIUS_M, radians(point.latitude - self._origin.latitude) * EARTH_RADIUS_M


def _homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    scale_source, scale_target = _normalisation(source), _normalisation(target)
    rows = []
    for (x, y), (u, v) in zip(_moved(scale_source, source), _moved(scale_target, target), strict=True):
        rows.append([-x, -y, -1, 0, 0, 0, u * x, u * y, u])
        rows.append([0, 0, 0, -x, -y, -1, v * x, v * y, v])
    _, _, right = np.linalg.svd(np.array(rows))
    matrix: NDArray[np.float64] = np.linalg.inv(scale_target) @ right[-1].reshape(3, 3) @ scale_source
    return matrix


def _normalisation(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moves points to mean 0 and mean distance sqrt(2), so that the equations are well conditioned."""
    centre = points.mean(axis=0)
    scale = np.sqrt(2) / np.linalg.norm(points - centre, axis=1).mean()
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])


def _moved(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    moved: NDArray[np.float64] = homogeneous[:, :2] / homogeneous[:, 2:]
    return moved


def _on_a_line(points: NDArray[np.float64]) -> bool:
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(spread[1] < 1e-6 * max(spread[0], 1e-12))
