"""What one picture alone tells, on real street pictures and on decoders' leavings."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.core.frame import Image
from detector.sources.picture import fingerprint, grey_bottom, is_dark, small_grey, without_street


def street_pictures(shared: Path, count: int) -> list[Path]:
    pictures = sorted((shared / "data").glob("*/images/val/*"))
    return random.Random(7).sample(pictures, min(count, len(pictures)))


def read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def test_real_street_pictures_pass(shared: Path) -> None:
    refused = {}
    for path in street_pictures(shared, 300):
        grey = small_grey(read(path))
        why = without_street(grey) or ("dark" if is_dark(grey) else None)
        if why is not None:
            refused[path.name] = why
    assert len(refused) <= 1, refused


@pytest.mark.parametrize("colour", [(130, 130, 130), (0, 0, 0), (255, 255, 255), (0, 135, 0)])
def test_one_colour_is_refused(colour: tuple[int, int, int]) -> None:
    assert without_street(small_grey(np.full((1080, 1920, 3), colour, np.uint8))) == "one plain colour"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_half_decoded_pictures_are_refused(shared: Path, share: float) -> None:
    for path in street_pictures(shared, 20):
        image = read(path)
        image[round(image.shape[0] * (1 - share)) :] = 130
        assert without_street(small_grey(image)) in (
            "the lower part was not decoded",
            "one plain colour",
        ), path.name


def test_a_grey_road_is_not_taken_for_undecoded(shared: Path) -> None:
    for path in street_pictures(shared, 100):
        assert grey_bottom(small_grey(read(path))) < 0.15, path.name


def test_fingerprints_survive_scaling_and_compression_and_tell_pictures_apart(shared: Path) -> None:
    prints = []
    for path in street_pictures(shared, 60):
        image = read(path)
        own = fingerprint(small_grey(image))
        small = cv2.resize(image, (480, 270), interpolation=cv2.INTER_AREA)
        _, coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 50])
        again = fingerprint(small_grey(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)))
        assert (own ^ again).bit_count() <= 6, path.name
        prints.append(own)
    close = sum((a ^ b).bit_count() <= 6 for index, a in enumerate(prints) for b in prints[index + 1 :])
    assert close <= 3  # of 1770 pairs; the sets hold near-duplicates


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 2000, 3), (3000, 20, 3), (33, 65, 3)])
def test_any_shape_is_judged(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    grey = small_grey(image)
    assert grey.shape[1] == 320
    without_street(grey)
    is_dark(grey)
    fingerprint(grey)
