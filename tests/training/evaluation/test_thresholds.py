"""Operating thresholds, and intervals over groups."""

from __future__ import annotations

import numpy as np
import pytest

from detector.training.evaluation.confidence import group_weights, interval
from detector.training.evaluation.matching import LabelMatches, match
from detector.training.evaluation.precision import at_threshold
from detector.training.evaluation.thresholds import as_reported, choose, cross_checked
from tests.training.conftest import box, picture, seen


def scored(*found: tuple[float, bool], objects: int) -> LabelMatches:
    """Matches of one picture: detections as (score, right or wrong) and a number of objects."""
    truth = [box("garbage", 100 * index, 0, 100 * index + 50, 50) for index in range(objects)]
    right = iter(truth)
    detections = []
    for score, good in found:
        place = next(right).box if good else box("garbage", 0, 500, 50, 600).box
        detections.append(seen("garbage", score, place.left, place.top, place.right, place.bottom))
    return match("garbage", [picture(*truth)], [detections])


def test_the_lowest_threshold_that_keeps_the_wanted_precision() -> None:
    matches = scored((0.9, True), (0.8, True), (0.7, False), (0.6, True), (0.5, False), (0.4, False), objects=4)
    operating = choose(matches, 0.75)
    assert operating.reached
    assert operating.threshold == pytest.approx(0.55)
    assert at_threshold(matches, operating.threshold) == (0.75, 0.75)
    assert choose(matches, 0.9).threshold == pytest.approx(0.75)


def test_an_unreachable_precision_falls_back_to_the_best_f1_and_says_so() -> None:
    matches = scored((0.9, False), (0.8, True), (0.7, True), (0.6, False), objects=2)
    operating = choose(matches, 0.95)
    assert not operating.reached
    assert operating.threshold == pytest.approx(0.65)


def test_a_single_lucky_detection_is_no_operating_point() -> None:
    matches = scored((0.99, True), *((0.5 - 0.01 * i, i % 2 == 1) for i in range(20)), objects=20)
    assert not choose(matches, 0.9).reached


def test_without_detections_there_is_a_threshold_all_the_same() -> None:
    assert choose(scored(objects=2), 0.8).threshold == 0.5


def test_cross_checking_uses_the_other_half() -> None:
    # Half of the groups score high, half low: a threshold from one half cannot serve the other.
    pictures, found, groups = [], [], []
    for index in range(40):
        pictures.append(picture(box("garbage", 0, 0, 50, 50), name=str(index)))
        found.append([seen("garbage", 0.8, 0, 0, 50, 50), seen("garbage", 0.6, 300, 300, 350, 350)])
        groups.append(f"camera{index}")
    matches = match("garbage", pictures, found)
    assert cross_checked(matches, groups, 0.9) == pytest.approx((1.0, 1.0))
    assert cross_checked(matches, ["one"] * 40, 0.9) is None


def test_one_box_with_two_labels_is_reported_once() -> None:
    both = [seen("bin", 0.4, 0, 0, 9, 9), seen("bin_overflow", 0.6, 0, 0, 9, 9), seen("bin", 0.5, 1, 0, 9, 9)]
    assert [item.label for item in as_reported(both)] == ["bin_overflow", "bin"]


def test_groups_are_drawn_whole() -> None:
    weights = group_weights(["a", "a", "b", "c"], samples=50, seed=1)
    assert np.array_equal(weights[:, 0], weights[:, 1])
    assert {row.tolist()[0] + row.tolist()[2] + row.tolist()[3] for row in weights} == {3.0}


def test_an_interval_is_repeatable_and_wider_when_the_groups_are_few() -> None:
    random = np.random.default_rng(3)
    pictures = [picture(box("garbage", 0, 0, 50, 50), name=str(index)) for index in range(60)]
    found = [[seen("garbage", random.random(), *(0, 0, 50, 50))] if index % 3 else [] for index in range(60)]
    matches = match("garbage", pictures, found)
    fine = interval(matches, [str(index) for index in range(60)], 200, seed=0)
    coarse = interval(matches, [str(index % 3) for index in range(60)], 200, seed=0)
    assert fine == interval(matches, [str(index) for index in range(60)], 200, seed=0)
    assert fine is not None
    assert coarse is not None
    assert fine.low < 2 / 3 < fine.high
    assert coarse.high - coarse.low > fine.high - fine.low
    assert (fine.groups, coarse.groups) == (60, 3)
