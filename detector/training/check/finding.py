"""One thing that is wrong with a set, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What can be wrong; the text of ADVICE says what to do."""

    UNREADABLE = "unreadable"
    BOMB = "bomb"
    BAD_LINE = "bad_line"
    UNKNOWN_CLASS = "unknown_class"
    EMPTY_BOX = "empty_box"
    OUTSIDE = "outside"
    TWICE = "box_twice"
    ORPHAN = "orphan_labels"
    NO_LABELS = "no_label_file"
    DUPLICATE = "duplicate"
    LEAK_GROUP = "leak_group"
    LEAK_COPY = "leak_copy"
    LEAK_LIKENESS = "leak_near_duplicate"
    AUGMENTED = "augmented_copies"
    CHANGED = "changed"
    RARE = "rare_label"
    SUSPECT = "label_suspect"


ERRORS = frozenset(
    {
        Kind.UNREADABLE,
        Kind.BOMB,
        Kind.BAD_LINE,
        Kind.UNKNOWN_CLASS,
        Kind.EMPTY_BOX,
        Kind.ORPHAN,
        Kind.LEAK_GROUP,
        Kind.LEAK_COPY,
        Kind.LEAK_LIKENESS,
        Kind.CHANGED,
    }
)
"""These make the set unfit; the others deserve a look."""

ADVICE = {
    Kind.UNREADABLE: "replace or remove the picture",
    Kind.BOMB: "remove the picture, or scale it down with a tool you trust",
    Kind.BAD_LINE: "a line is `class cx cy w h` or a polygon; correct or delete it",
    Kind.UNKNOWN_CLASS: "add the label to names, or correct the class number",
    Kind.EMPTY_BOX: "delete the box or draw it anew",
    Kind.OUTSIDE: "boxes are cut at the picture's edge; check whether the picture was cropped after labelling",
    Kind.TWICE: "delete one of the two boxes",
    Kind.ORPHAN: "bring the picture back or delete the label file",
    Kind.NO_LABELS: "counts as a picture without objects; write an empty label file if that is true",
    Kind.DUPLICATE: "keep one of them",
    Kind.LEAK_GROUP: "run `detector dataset split`: a group must stay in one split",
    Kind.LEAK_COPY: "run `detector dataset split`: copies of one picture must stay in one split",
    Kind.LEAK_LIKENESS: "look at the contact sheet; run `detector dataset split` if they show the same",
    Kind.AUGMENTED: "keep one copy of each and let the trainer augment",
    Kind.CHANGED: "restore the file or import it again",
    Kind.RARE: "collect more, or do not trust a figure on it",
    Kind.SUSPECT: "look at the contact sheet and correct the labels",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem at one place."""

    kind: Kind
    where: str  # file, or file:line
    text: str  # what is wrong
    pictures: tuple[Path, ...] = ()  # to be shown on the contact sheet

    @property
    def is_error(self) -> bool:
        """Whether it makes the set unfit."""
        return self.kind in ERRORS
