"""The nouns of labelled data: what a person said stands in a picture, and what their silence means."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from detector.core.detection import BoundingBox

SPLITS = ("train", "val", "test")
PICTURE_SUFFIXES = frozenset({".webp", ".jpg", ".jpeg", ".png", ".bmp"})


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """One object that a person drew."""

    label: str
    box: BoundingBox  # pixels of the picture, clipped to it


@dataclass(frozen=True, slots=True)
class EmptyBox:
    """A box that encloses nothing of its picture: an edge of no length, turned inside out, or all of it outside."""

    label: str
    box: BoundingBox  # pixels of the picture, as it was drawn: not clipped
    place: str  # the annotation file and where in it, e.g. `bins.json: annotations.id 7`


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One picture with all that was drawn on it.

    `annotated` are the labels somebody looked for in this picture; `exhaustive` those of which every object was
    boxed. Any other label says nothing here: neither a hit nor a miss can be counted.
    """

    path: Path  # the picture file
    size: tuple[int, int]  # (width, height), pixels
    boxes: tuple[LabelledBox, ...]
    annotated: frozenset[str]
    exhaustive: frozenset[str]
    source: str  # name of the set it came from
    split: str | None = None  # train, val, test, or a name of the set's own; None when not yet assigned
    group: str | None = None  # camera, site or video: pictures of a group must stay in one split
    captured_at: datetime | None = None  # as far as known; naive when the source gives no zone
    licence: str | None = None  # as declared by the source
    label_path: Path | None = None  # the file the boxes came from
    empty: tuple[EmptyBox, ...] = ()  # drawn, but of no area: nothing can be learnt from them

    def labels(self) -> frozenset[str]:
        """Labels of the boxes on it."""
        return frozenset(box.label for box in self.boxes)


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """A named collection of labelled pictures."""

    name: str
    labels: tuple[str, ...]  # in the order of the set's own class numbers
    pictures: tuple[LabelledPicture, ...]
    exhaustive: frozenset[str] = field(default_factory=frozenset)

    def split(self, name: str) -> tuple[LabelledPicture, ...]:
        """The pictures of one split."""
        return tuple(picture for picture in self.pictures if picture.split == name)


@dataclass(slots=True)
class Drawn:
    """What stands in an annotation file for one picture, sorted as it is read."""

    file: Path  # the annotation file
    size: tuple[int, int]  # (width, height) of the picture, pixels
    boxes: list[LabelledBox] = field(default_factory=list)  # clipped to the picture
    empty: list[EmptyBox] = field(default_factory=list)

    def add(self, label: str, box: BoundingBox, place: str) -> None:
        """Take a box as drawn (pixels, not clipped); `place`: where it stands in the file.

        Raises ValueError when an edge is no finite number.
        """
        if not all(map(math.isfinite, (box.left, box.top, box.right, box.bottom))):
            raise ValueError("an edge of the box is not finite")
        if (inside := clipped(box, self.size)).area > 0:
            self.boxes.append(LabelledBox(label, inside))
        else:
            self.empty.append(EmptyBox(label, box, f"{self.file.name}: {place}"))

    def labels(self) -> frozenset[str]:
        """Labels that somebody drew, be it a box of no area."""
        return frozenset(box.label for box in self.boxes) | frozenset(box.label for box in self.empty)


def drawn_set(name: str, read: Iterable[tuple[Path, Drawn]], declared: Iterable[str] = ()) -> LabelledSet:
    """A set of pictures (path, what was drawn on it) in which everybody looked for every label.

    Its labels are those `declared`, then those that were drawn besides, by name.
    """
    pairs = list(read)
    labels = tuple(dict.fromkeys([*declared, *sorted({label for _, drawn in pairs for label in drawn.labels()})]))
    known = frozenset(labels)
    pictures = (
        LabelledPicture(
            path=picture,
            size=drawn.size,
            boxes=tuple(drawn.boxes),
            empty=tuple(drawn.empty),
            annotated=known,
            exhaustive=known,
            source=name,
            label_path=drawn.file,
        )
        for picture, drawn in pairs
    )
    return LabelledSet(name, labels, tuple(pictures), known)


def clipped(box: BoundingBox, size: tuple[int, int]) -> BoundingBox:
    """The part of `box` inside a picture of `size` (width, height); may be empty."""
    width, height = size
    return BoundingBox(
        min(max(box.left, 0.0), float(width)),
        min(max(box.top, 0.0), float(height)),
        min(max(box.right, 0.0), float(width)),
        min(max(box.bottom, 0.0), float(height)),
    )


def around(points: Iterable[tuple[float, float]]) -> BoundingBox:
    """The smallest upright box around a polygon's corners (x, y); raises ValueError without a point."""
    corners = list(points)
    if not corners:
        raise ValueError("a polygon without points")
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return BoundingBox(min(xs), min(ys), max(xs), max(ys))
