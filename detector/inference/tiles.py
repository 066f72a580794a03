"""Small things in large pictures: look at overlapping tiles in full resolution as well as at the whole."""

from __future__ import annotations

from collections.abc import Sequence

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image, Picture, plain
from detector.ports import Detector, Found

Corner = tuple[int, int]  # left, top of a tile, pixels

SAME_IOU = 0.5  # two boxes of a label overlapping more than this are one thing
INSIDE = 0.7  # a box with this share inside a better one of its label is a part of the same thing


class TiledDetector:
    """A Detector around another one; pictures not much larger than a tile go through as they are.

    A thing up to the overlap in size lies whole in at least one tile; larger ones are found in the whole picture.
    """

    def __init__(self, inner: Detector, tile: tuple[int, int] = (640, 640), overlap: float = 0.2) -> None:
        """`tile`: (width, height) in pixels, best the model's input size. `overlap`: share of a tile, 0 to 0.5.

        Raises ValueError for other values.
        """
        if min(tile) < 32 or not 0 <= overlap <= 0.5:
            raise ValueError(f"need a tile of at least 32 pixels and an overlap of 0 to 0.5, not {tile} and {overlap}")
        self._inner = inner
        self._tile = tile
        self._overlap = overlap

    @property
    def model_version(self) -> str:
        """That of the model inside."""
        return self._inner.model_version

    @property
    def labels(self) -> tuple[str, ...]:
        """Those of the model inside."""
        return self._inner.labels

    def prepare(self, image: Image) -> Picture:
        """Nothing is done ahead: the tensors of all tiles would be larger than the picture."""
        return image

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """As any detector; all tiles of a picture go to the model in one batch."""
        return [self._one(plain(image)) for image in images]

    def infer(self, images: Sequence[Picture]) -> Found:
        """All is done at once: between its tiles there is no end of the network's work to stop at."""
        found = self.detect(images)
        return lambda: found

    def _one(self, image: Image) -> list[Detection]:
        height, width = image.shape[:2]
        tile_width, tile_height = self._tile
        if width <= 1.5 * tile_width and height <= 1.5 * tile_height:
            return self._inner.detect([image])[0]
        corners = [
            (left, top)
            for top in starts(height, tile_height, self._overlap)
            for left in starts(width, tile_width, self._overlap)
        ]
        parts = [image[top : top + tile_height, left : left + tile_width] for left, top in corners]
        whole, *tiles = self._inner.detect([image, *parts])
        found = [(detection, False) for detection in whole]
        for corner, part, detections in zip(corners, parts, tiles, strict=True):
            size = part.shape[1], part.shape[0]
            found += [_placed(detection, corner, size, (width, height)) for detection in detections]
        return merge(found)


def starts(length: int, tile: int, overlap: float) -> list[int]:
    """Where tiles begin along a side of `length` pixels: as few as keep the overlap, evenly spread."""
    if length <= tile:
        return [0]
    step = max(1, int(tile * (1 - overlap)))
    count = -(-(length - tile) // step) + 1
    return [round(index * (length - tile) / (count - 1)) for index in range(count)]


def merge(found: Sequence[tuple[Detection, bool]]) -> list[Detection]:
    """One detection for each thing, best score first; the flag says that a tile's edge may have cut the box.

    Whole boxes win over cut ones, then higher scores over lower.
    """
    kept: list[Detection] = []
    for detection, _ in sorted(found, key=lambda entry: (entry[1], -entry[0].score)):
        if not any(_same(detection, other) for other in kept if other.label == detection.label):
            kept.append(detection)
    return sorted(kept, key=lambda detection: -detection.score)


def _same(weaker: Detection, better: Detection) -> bool:
    return weaker.box.iou(better.box) > SAME_IOU or weaker.box.covered_by(better.box) > INSIDE


def _placed(
    detection: Detection, corner: Corner, tile: tuple[int, int], picture: tuple[int, int]
) -> tuple[Detection, bool]:
    """Carry a tile's detection to the picture, and tell whether it touches an edge that is not the picture's own."""
    (left, top), box = corner, detection.box
    near = 2.0  # pixels: boxes seldom end exactly at the edge
    cut = (
        (box.left <= near and left > 0)
        or (box.top <= near and top > 0)
        or (box.right >= tile[0] - near and left + tile[0] < picture[0])
        or (box.bottom >= tile[1] - near and top + tile[1] < picture[1])
    )
    moved = BoundingBox(box.left + left, box.top + top, box.right + left, box.bottom + top)
    return Detection(detection.label, moved, detection.score), cut
