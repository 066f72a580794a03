"""Writes a set in YOLO layout: pictures, labels, data.yaml, groups.csv, README; can go on where it stopped."""

from __future__ import annotations

import csv
import json
import pathlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.synthetic.labels import INDEX, LABELS
from datasets.synthetic.perspective import Box


@dataclass(frozen=True, slots=True)
class Labelled:
    """One object of a picture: product label, box in pixels, and whether it was put there by us."""

    label: str
    box: Box
    synthetic: bool


@dataclass(slots=True)
class SetWriter:
    """One set on disk. A picture counts as written once its side file stands in `.done/`."""

    root: pathlib.Path
    exhaustive: tuple[str, ...]
    readme: str

    def has(self, name: str) -> bool:
        """Whether the picture is complete from an earlier run."""
        return self._side(name).exists()

    def _side(self, name: str) -> pathlib.Path:
        return self.root / ".done" / f"{name}.json"

    def write(
        self,
        name: str,
        split: str,
        group: str,
        picture: NDArray[np.uint8],
        objects: Sequence[Labelled],
        quality: int = 88,
    ) -> None:
        """Stores one picture (WebP) with its boxes, cut to the picture; the side file last."""
        height, width = picture.shape[:2]
        for part in ("images", "labels"):
            (self.root / part / split).mkdir(parents=True, exist_ok=True)
        (self.root / ".done").mkdir(exist_ok=True)
        file = self.root / "images" / split / f"{name}.webp"
        if not cv2.imwrite(str(file), picture, [cv2.IMWRITE_WEBP_QUALITY, quality]):
            raise OSError(f"{file}: the picture could not be written")
        lines = [yolo_line(o.label, o.box, width, height) for o in objects]
        (self.root / "labels" / split / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
        record = {
            "image": f"images/{split}/{name}.webp",
            "group": group,
            "split": split,
            "synthetic": Counter(o.label for o in objects if o.synthetic),
            "carried": Counter(o.label for o in objects if not o.synthetic),
        }
        self._side(name).write_text(json.dumps(record))

    def finish(self) -> dict[str, dict[str, int]]:
        """Writes the set's own files from all complete pictures; returns {split: {label: synthetic boxes}}."""
        records = [json.loads(side.read_text()) for side in sorted((self.root / ".done").glob("*.json"))]
        with (self.root / "groups.csv").open("w", newline="") as table:
            rows = csv.writer(table)
            rows.writerow(("image", "group", "split"))
            rows.writerows((r["image"], r["group"], r["split"]) for r in records)
        (self.root / "data.yaml").write_text(data_yaml(self.exhaustive))
        counts: dict[str, Counter[str]] = {"train": Counter(), "val": Counter()}
        pictures = Counter(r["split"] for r in records)
        for record in records:
            counts[record["split"]].update(record["synthetic"])
        table_lines = [
            f"- {label}: {counts['train'][label]} train / {counts['val'][label]} val"
            for label in LABELS
            if counts["train"][label] or counts["val"][label]
        ]
        (self.root / "README.md").write_text(
            f"# {self.root.name}\n\n{self.readme}\n\nPictures: {pictures['train']} train / {pictures['val']} val. "
            "Synthetic boxes:\n\n" + "\n".join(table_lines) + "\n"
        )
        return {split: dict(counter) for split, counter in counts.items()}


def yolo_line(label: str, box: Box, width: int, height: int) -> str:
    """`class cx cy w h` in shares of the picture, the box cut to it; raises ValueError when nothing is left."""
    seen = box.cut(Box(0, 0, width, height))
    if seen.area <= 0:
        raise ValueError(f"{label}: box {box} lies outside the {width} x {height} picture")
    cx, cy = (seen.left + seen.right) / 2 / width, (seen.top + seen.bottom) / 2 / height
    return (
        f"{INDEX[label]} {cx:.6f} {cy:.6f} {(seen.right - seen.left) / width:.6f} "
        f"{(seen.bottom - seen.top) / height:.6f}"
    )


def data_yaml(exhaustive: Sequence[str]) -> str:
    """The description of a set: all product labels by name, and which of them are annotated everywhere."""
    return (
        "path: .\ntrain: images/train\nval: images/val\n"
        f"names: {json.dumps(list(LABELS))}\n"
        "# labels annotated in EVERY picture of this set; objects of other labels may be present without a box\n"
        f"exhaustive: {json.dumps(list(exhaustive))}\n"
        "# every label put there by us is synthetic: figures on it say nothing about real streets\n"
        "synthetic: true\n"
    )
