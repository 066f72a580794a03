"""Detections of a camera whose picture has been matched with the map know where on the ground they stand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from detector.assembly import Places
from detector.core.camera import Camera
from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Frame
from detector.core.geo import GeoPoint, distance_m
from detector.core.ground import GroundMark

# the lower half of the picture is a square of about 100 m
MARKS = tuple(
    GroundMark((x, y), GeoPoint(35.0 + (1 - y) * 0.001, 111.0 + x * 0.001)) for x in (0.0, 1.0) for y in (0.5, 1.0)
)
HEAP = Detection("garbage", BoundingBox(40, 60, 60, 100), 0.8)


def test_the_foot_of_the_box_is_placed_and_other_cameras_are_left_alone() -> None:
    placed = Camera("placed", "rtsp://host/a", marks=MARKS)
    other = Camera("other", "rtsp://host/b")
    places = Places({"placed": placed, "other": other})
    at, picture = datetime(2026, 5, 1, tzinfo=UTC), np.zeros((100, 100, 3), np.uint8)
    (found,) = places(Frame("placed", at, picture), [HEAP])
    assert found.ground is not None
    assert distance_m(found.ground, GeoPoint(35.0, 111.0005)) < 0.5
    assert places(Frame("other", at, picture), [HEAP]) == (HEAP,)
