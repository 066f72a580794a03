"""Places where problems come back: cases of one category that lie at the same spot, put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from detector.core.detection import BoundingBox
from detector.core.geo import GeoPoint, distance_m

SAME_GROUND_M = 15.0
"""Metres within which two points on the ground are one spot: about a shop front on both sides of a tree."""

SAME_PICTURE_IOU = 0.2
"""Overlap (intersection over union) from which two boxes of one camera are one spot; heaps differ in size."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One case, as far as its place and time go."""

    case_id: str
    category: str
    camera_id: str
    at: datetime  # aware UTC
    times: int = 1  # it counts once, and once more for each time that it came back
    box: BoundingBox | None = None
    ground: GeoPoint | None = None

    def at_same_spot(self, other: Incident) -> bool:
        """By the ground where both have one, otherwise by the picture of one camera."""
        if self.category != other.category:
            return False
        if self.ground is not None and other.ground is not None:
            return distance_m(self.ground, other.ground) <= SAME_GROUND_M
        if self.camera_id != other.camera_id or self.box is None or other.box is None:
            return False
        return self.box.iou(other.box) >= SAME_PICTURE_IOU


@dataclass(frozen=True, slots=True)
class HotSpot:
    """A spot with more than one occurrence."""

    incidents: tuple[Incident, ...]  # oldest first; all are at the spot of the first

    @property
    def times(self) -> int:
        """Occurrences."""
        return sum(one.times for one in self.incidents)

    @property
    def category(self) -> str:
        """What happens there."""
        return self.incidents[0].category


def hot_spots(incidents: Iterable[Incident], least: int = 2) -> list[HotSpot]:
    """Spots with at least `least` occurrences, those with most first; which spots there are depends on no order."""
    spots: list[list[Incident]] = []
    for one in sorted(incidents, key=lambda incident: (incident.at, incident.case_id)):
        spot = next((spot for spot in spots if spot[0].at_same_spot(one)), None)
        if spot is None:
            spots.append([one])
        else:
            spot.append(one)
    found = [HotSpot(tuple(spot)) for spot in spots]
    return sorted(
        (spot for spot in found if spot.times >= least), key=lambda spot: (-spot.times, spot.incidents[0].case_id)
    )
