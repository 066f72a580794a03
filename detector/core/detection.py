"""What a model saw in one picture."""

from __future__ import annotations

from dataclasses import dataclass

from detector.core.geo import GeoPoint


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """An upright rectangle in pixels of the ORIGINAL frame; x grows to the right, y down; right/bottom exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels; never negative."""
        return max(0.0, self.right - self.left)

    @property
    def height(self) -> float:
        """Pixels; never negative."""
        return max(0.0, self.bottom - self.top)

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    @property
    def foot(self) -> tuple[float, float]:
        """(x, y) of the middle of the lower edge: where the thing stands on the ground."""
        return (self.left + self.right) / 2, self.bottom

    def intersection(self, other: BoundingBox) -> float:
        """Square pixels that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def iou(self, other: BoundingBox) -> float:
        """Intersection over union, 0..1; 0 for two empty boxes."""
        both = self.intersection(other)
        union = self.area + other.area - both
        return both / union if union > 0 else 0.0

    def covered_by(self, other: BoundingBox) -> float:
        """Share of this box that `other` covers, 0..1."""
        return self.intersection(other) / self.area if self.area > 0 else 0.0

    def moved_towards(self, other: BoundingBox, share: float) -> BoundingBox:
        """The box `share` (0..1) of the way from this one to `other`."""
        return BoundingBox(
            self.left + share * (other.left - self.left),
            self.top + share * (other.top - self.top),
            self.right + share * (other.right - self.right),
            self.bottom + share * (other.bottom - self.bottom),
        )


@dataclass(frozen=True, slots=True)
class Detection:
    """One object that the model reports."""

    label: str
    box: BoundingBox
    score: float  # 0..1
    ground: GeoPoint | None = None  # where its foot stands, when the camera is placed on the map
    count: int = 1  # things that it stands for: more than one where several that stand together are one problem
