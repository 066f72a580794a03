"""Average precision: three evaluators that were written apart from each other agree."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.core.detection import Detection
from detector.training.evaluation.independent import coco_precisions, own_precisions
from detector.training.evaluation.matching import match
from detector.training.evaluation.precision import at_threshold, average_precision, curve
from detector.training.labelled import LabelledPicture
from tests.training.conftest import box, picture, seen

LABELS = ("garbage", "bin")


def random_scene(
    seed: int, pictures: int = 12, *, ties: bool = True
) -> tuple[list[LabelledPicture], list[list[Detection]]]:
    """Pictures with boxes, and detections that are moved copies of them, doubles, wrong labels and noise."""
    random = np.random.default_rng(seed)
    drawn: list[LabelledPicture] = []
    found: list[list[Detection]] = []
    for number in range(pictures):
        boxes, guesses = [], []
        for _ in range(int(random.integers(0, 6))):
            left, top = random.uniform(0, 500, 2)
            width, height = random.uniform(8, 140, 2)
            label = LABELS[int(random.integers(2))]
            boxes.append(box(label, left, top, left + width, top + height))
            for _ in range(int(random.integers(0, 4))):
                moved = random.normal(0, 0.12, 4) * (width, height, width, height)
                said = label if random.random() < 0.85 else LABELS[int(random.integers(2))]
                score = round(float(random.random()), 1 if ties else 12)
                edges = np.array([left, top, left + width, top + height]) + moved
                guesses.append(seen(said, score, *edges.tolist()))
        for _ in range(int(random.integers(0, 4))):
            left, top = random.uniform(0, 500, 2)
            guesses.append(
                seen(LABELS[int(random.integers(2))], float(random.random()), left, top, left + 40, top + 40)
            )
        # one set annotates both labels, one only the first, one both but only the second completely
        kind = number % 3
        names = LABELS if kind != 1 else LABELS[:1]
        drawn.append(
            picture(
                *(item for item in boxes if item.label in names),
                labels=names,
                exhaustive=("bin",) if kind == 2 else names,
                name=str(number),
            )
        )
        found.append(guesses)
    return drawn, found


def peers() -> list[tuple[str, object, object]]:
    faster = pytest.importorskip("faster_coco_eval")
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    return [("faster", faster.COCO, faster.COCOeval_faster), ("pycocotools", coco.COCO, cocoeval.COCOeval)]


@pytest.mark.parametrize("seed", range(12))
def test_three_evaluators_agree(seed: int) -> None:
    pictures, detections = random_scene(seed)
    ours = own_precisions(LABELS, pictures, detections)
    assert any(value[0] for value in ours.values()), "the scene must hold something to find"
    for name, coco, evaluator in peers():
        with contextlib.redirect_stdout(io.StringIO()):
            theirs = coco_precisions(coco, evaluator, LABELS, pictures, detections)
        for label in LABELS:
            assert ours[label] == pytest.approx(theirs[label], abs=1e-6), (name, label)


def test_no_detection_at_all_is_zero_and_no_object_is_none() -> None:
    pictures = [picture(box("garbage", 0, 0, 9, 9), labels=LABELS)]
    for _, coco, evaluator in peers():
        assert coco_precisions(coco, evaluator, LABELS, pictures, [[]]) == {"garbage": (0.0, 0.0), "bin": (None, None)}
    assert own_precisions(LABELS, pictures, [[]]) == {"garbage": (0.0, 0.0), "bin": (None, None)}


def test_a_label_counts_only_where_its_set_annotates_it() -> None:
    truth = picture(box("garbage", 0, 0, 100, 100))
    elsewhere = picture(labels=("bin",), name="b")
    false_alarm = seen("garbage", 0.9, 300, 300, 400, 400)
    hit = seen("garbage", 0.5, 0, 0, 100, 100)
    assert ap([truth, elsewhere], [[hit], [false_alarm]]) == 1.0
    negative = picture(labels=("garbage",), name="c")
    assert ap([truth, negative], [[hit], [false_alarm]]) == pytest.approx(0.5)


def test_where_a_label_is_not_boxed_completely_an_extra_detection_counts_neither_way() -> None:
    partly = picture(box("garbage", 0, 0, 100, 100), labels=LABELS, exhaustive=("bin",))
    found = [[seen("garbage", 0.9, 300, 300, 400, 400), seen("garbage", 0.5, 0, 0, 100, 100)]]
    assert ap([partly], found) == 1.0


def test_a_set_without_any_complete_label_is_scored_as_if_complete() -> None:
    unclear = picture(box("garbage", 0, 0, 100, 100), exhaustive=())
    found = [[seen("garbage", 0.9, 300, 300, 400, 400), seen("garbage", 0.5, 0, 0, 100, 100)]]
    assert ap([unclear], found) == pytest.approx(0.5)


def test_a_size_range_leaves_other_objects_and_what_found_them_out() -> None:
    scene = [picture(box("garbage", 0, 0, 20, 20), box("garbage", 100, 100, 300, 300), size=(640, 480))]
    found = [[seen("garbage", 0.9, 100, 100, 300, 300), seen("garbage", 0.8, 400, 0, 500, 100)]]
    large = match("garbage", scene, found, size_range=(96.0, 1e9))
    small = match("garbage", scene, found, size_range=(0.0, 32.0))
    assert (large.instances, average_precision(large)) == (1, 1.0)
    assert (small.instances, average_precision(small)) == (1, 0.0)
    assert small.ignored[0].tolist() == [True, True]


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_picture_that_counts_twice_is_the_same_as_two_copies_of_it(seed: int) -> None:
    pictures, detections = random_scene(seed, pictures=4, ties=False)
    once = match("garbage", pictures, detections)
    twice = match("garbage", [*pictures, pictures[0]], [*detections, detections[0]])
    weighted = average_precision(once, 0, np.array([2.0, 1, 1, 1]))
    assert weighted == pytest.approx(average_precision(twice), abs=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_curve_says_what_each_threshold_gives(seed: int) -> None:
    pictures, detections = random_scene(seed, pictures=5)
    matches = match("garbage", pictures, detections)
    points = curve(matches)
    assert np.all(np.diff(points.recall) >= 0)
    assert np.all(np.diff(points.scores) < 0)
    for score, precision, recall in zip(points.scores, points.precision, points.recall, strict=True):
        if matches.instances:
            assert at_threshold(matches, score) == pytest.approx((precision, recall))


def ap(pictures: Sequence[LabelledPicture], detections: Sequence[Sequence[Detection]]) -> float | None:
    return average_precision(match("garbage", pictures, detections))
