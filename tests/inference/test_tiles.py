"""Tiles find what the whole picture is too coarse for, each thing once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.inference.scripted import ScriptedDetector
from detector.inference.tiles import TiledDetector, merge, starts

TILE = 100


def squares(image: Image) -> Sequence[Detection]:
    """A short-sighted detector: reduces its picture to 100 pixels and sees white things of 8 pixels or more there."""
    scale = min(1.0, TILE / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    count, _, stats, _ = cv2.connectedComponentsWithStats((small[:, :, 0] > 127).astype(np.uint8))
    found = []
    for left, top, width, height, _ in stats[1:count].tolist():
        if min(width, height) >= 8:
            box = BoundingBox(left / scale, top / scale, (left + width) / scale, (top + height) / scale)
            found.append(Detection("thing", box, min(0.99, 0.3 + width * height / 10_000)))
    return found


def tiled() -> TiledDetector:
    return TiledDetector(ScriptedDetector(squares, labels=("thing",)), (TILE, TILE), overlap=0.3)


@given(st.integers(1, 5000), st.integers(32, 900), st.floats(0, 0.5))
def test_tiles_cover_the_side_and_keep_their_overlap(length: int, tile: int, overlap: float) -> None:
    begins = starts(length, tile, overlap)
    assert begins[0] == 0
    assert begins[-1] + tile >= length
    assert all(0 <= begin <= max(0, length - tile) for begin in begins)
    for first, second in itertools.pairwise(begins):
        assert first + tile - second >= int(tile * overlap) - 1


@settings(deadline=None, max_examples=80)
@given(
    st.integers(160, 400),
    st.integers(160, 400),
    st.lists(st.tuples(st.integers(0, 380), st.integers(0, 380), st.integers(10, 28)), max_size=6),
)
def test_every_small_thing_is_found_once(width: int, height: int, things: list[tuple[int, int, int]]) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    placed: list[BoundingBox] = []
    for left, top, side in things:
        box = BoundingBox(left, top, left + side, top + side)
        apart = BoundingBox(left - 4, top - 4, left + side + 4, top + side + 4)
        if box.right <= width and box.bottom <= height and all(apart.intersection(other) == 0 for other in placed):
            image[top : top + side, left : left + side] = 255
            placed.append(box)
    found = tiled().detect([image])[0]
    assert len(found) == len(placed)
    for box in placed:
        assert max(detection.box.iou(box) for detection in found) > 0.6
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)


def test_the_whole_picture_alone_would_miss_the_small_thing() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    image[210:225, 110:125] = 255
    assert squares(image) == []
    assert [d.box for d in tiled().detect([image])[0]] == [BoundingBox(110, 210, 125, 225)]


def test_a_thing_larger_than_a_tile_is_one() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    image[60:340, 40:360] = 255
    (found,) = tiled().detect([image])[0]
    assert found.box.iou(BoundingBox(40, 60, 360, 340)) > 0.95


def test_small_pictures_go_through_as_they_are() -> None:
    inner = ScriptedDetector(squares)
    TiledDetector(inner, (TILE, TILE)).detect([np.zeros((150, 150, 3), np.uint8)])
    assert inner.batches == [1]


def test_a_whole_box_wins_over_a_cut_one_of_higher_score() -> None:
    whole = Detection("thing", BoundingBox(0, 0, 100, 100), 0.5)
    part = Detection("thing", BoundingBox(50, 0, 100, 100), 0.9)
    other = Detection("else", BoundingBox(50, 0, 100, 100), 0.7)
    assert merge([(part, True), (whole, False), (other, False)]) == [other, whole]


def test_impossible_tiles_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        TiledDetector(ScriptedDetector(), overlap=0.9)
