"""What an import could not take: boxes of no area, by picture and label, for people to draw anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from detector.training.manifest import Row


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Boxes of one label on one picture that enclose nothing of it, and so were left out of its label file."""

    source: str  # name of the set
    file: str  # name of the annotation file
    picture: str  # relative to the folder of the set that was written
    label: str  # as ours
    places: tuple[str, ...]  # where they stand in the file, one each

    @property
    def count(self) -> int:
        """How many boxes."""
        return len(self.places)


def left_out(rows: Iterable[Row], sources: Collection[str]) -> list[LeftOut]:
    """The boxes of no area in the rows of some sets, in the order of the pictures."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for row in rows:
        for label, *_, written in row.empty if row.source in sources else ():
            file, _, place = written.partition(": ")
            found.setdefault((row.source, file, row.path, label), []).append(place)
    return [LeftOut(*key, tuple(places)) for key, places in found.items()]
