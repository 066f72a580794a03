"""What we write for Label Studio and labelme, always the same: for their code to read."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from detector.core.detection import BoundingBox, Detection
from detector.evidence.looks import KeptLook
from detector.training.importing import export_set
from detector.training.labelled import LabelledBox, LabelledPicture, LabelledSet
from detector.training.mining.choose import Mined, Why
from detector.training.mining.tasks import write_task
from tests.training.conftest import draw

LABELS = ("garbage", "bin", "bin_overflow")
PREFIX = "/data/local-files/?d="
DRAWN: dict[str, tuple[tuple[int, int], list[tuple[str, float, float, float, float]]]] = {
    "street_1.png": ((97, 64), [("garbage", 3, 4, 33, 24), ("bin", 40, 10, 73.5, 51.25), ("bin", 0, 0, 97, 64)]),
    "街道 & 2.png": ((64, 96), [("bin_overflow", 0.125, 1 / 3, 63.9, 95.5)]),
    "street_3.png": ((64, 48), []),
}
"""Picture to its size and boxes (label, left, top, right, bottom): whole pixels and parts of them, edge to edge, none;
and a name that an address must quote."""


def write_ours(folder: Path) -> None:
    """Write `folder`/labelstudio, /labelme and /coco by `dataset export`'s code, and /mined by that of `mine`."""
    pictures = tuple(
        LabelledPicture(
            path=draw(folder / "pictures" / name, size),
            size=size,
            boxes=tuple(LabelledBox(label, BoundingBox(*edges)) for label, *edges in boxes),
            annotated=frozenset(LABELS),
            exhaustive=frozenset(LABELS),
            source="street",
            split="train",
        )
        for name, (size, boxes) in DRAWN.items()
    )
    data = LabelledSet("street", LABELS, pictures)
    export_set(data, "labelstudio", folder / "labelstudio", prefix=f"{PREFIX}labelstudio/images/")
    export_set(data, "labelme", folder / "labelme")
    export_set(data, "coco", folder / "coco")
    at = datetime(2026, 3, 1, 8, tzinfo=UTC)
    mined = []
    for picture in pictures:
        found = tuple(Detection(item.label, item.box, 0.5) for item in picture.boxes)
        look = KeptLook(picture.path, "cam", at, "m@1", found)
        mined.append(Mined(look, (Why.NEAR_THRESHOLD,), found))
    write_task(mined, LABELS, "labelstudio", folder / "mined", name="m@1", prefix=f"{PREFIX}mined/images/")


if __name__ == "__main__":
    write_ours(Path(sys.argv[1]))
