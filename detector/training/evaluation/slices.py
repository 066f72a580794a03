"""The same figure on parts of the data: where it came from, by day or night, by size of the object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.core.detection import Detection
from detector.training.evaluation.matching import AP50, LabelMatches, match
from detector.training.labelled import LabelledPicture

NIGHT_BELOW = 75.0
"""Mean grey value (0..255) under which a picture counts as night. Of the municipal reports, whose README calls
about half night shots, 40 % lie below it; of the daytime sets fewer than 5 %."""

SIZES: dict[str, tuple[float, float]] = {"small": (0.0, 32.0), "medium": (32.0, 96.0), "large": (96.0, 1e9)}
"""COCO's limits on the side of a box, here in pixels of the picture scaled to 640 on its long side: as the model
sees it.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One label on one part of the data."""

    kind: str  # source, light or size
    value: str
    matches: LabelMatches
    pictures: tuple[int, ...]  # which of the pictures given it was measured on, in the order of its matches

    @property
    def name(self) -> str:
        """`kind=value`, as printed."""
        return f"{self.kind}={self.value}"


def slices_of(
    label: str,
    pictures: Sequence[LabelledPicture],
    detections: Sequence[Sequence[Detection]],
    brightness: Sequence[float],
) -> Iterator[Slice]:
    """All parts of the data that hold an object of `label`; `brightness`: mean grey value of each picture, 0..255."""
    light = ["night" if value < NIGHT_BELOW else "day" for value in brightness]
    for kind, values in (("source", [picture.source for picture in pictures]), ("light", light)):
        for value in sorted(set(values)):
            inside = tuple(index for index, item in enumerate(values) if item == value)
            part = match(label, [pictures[index] for index in inside], [detections[index] for index in inside], AP50)
            if part.instances:
                yield Slice(kind, value, part, inside)
    for value, limits in SIZES.items():
        part = match(label, pictures, detections, AP50, limits)
        if part.instances:
            yield Slice("size", value, part, tuple(range(len(pictures))))
