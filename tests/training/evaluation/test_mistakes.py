"""Each of the six error types from a scene that shows exactly it."""

from __future__ import annotations

import pytest

from detector.core.detection import Detection
from detector.training.evaluation.mistakes import NOTHING, Mistake, tally
from tests.training.conftest import box, picture, seen

LABELS = ("garbage", "bin")
THRESHOLDS = {"garbage": 0.5, "bin": 0.5}
TRUTH = box("garbage", 100, 100, 200, 200)
HIT = seen("garbage", 0.9, 100, 100, 200, 200)


@pytest.mark.parametrize(
    ("detections", "expected"),
    [
        ([HIT], {}),
        ([seen("bin", 0.9, 100, 100, 200, 200)], {("bin", Mistake.CLASSIFICATION): 1}),
        ([seen("garbage", 0.9, 160, 100, 260, 200)], {("garbage", Mistake.LOCALISATION): 1}),
        ([seen("bin", 0.9, 160, 100, 260, 200)], {("bin", Mistake.BOTH): 1, ("garbage", Mistake.MISSED): 1}),
        ([HIT, seen("garbage", 0.8, 102, 100, 202, 200)], {("garbage", Mistake.DUPLICATE): 1}),
        ([HIT, seen("garbage", 0.8, 400, 400, 500, 500)], {("garbage", Mistake.BACKGROUND): 1}),
        ([], {("garbage", Mistake.MISSED): 1}),
        ([seen("garbage", 0.4, 100, 100, 200, 200)], {("garbage", Mistake.MISSED): 1}),
    ],
    ids=["right", "label", "place", "both", "twice", "nothing there", "missed", "below the threshold"],
)
def test_the_six_types(detections: list[Detection], expected: dict[tuple[str, Mistake], int]) -> None:
    result = tally([picture(TRUTH, labels=LABELS)], [detections], THRESHOLDS)
    assert dict(result.mistakes) == expected
    assert result.per_picture == [sum(expected.values())]


def test_labels_not_annotated_in_a_picture_take_no_part() -> None:
    result = tally([picture(TRUTH, labels=("garbage",))], [[HIT, seen("bin", 0.9, 0, 0, 50, 50)]], THRESHOLDS)
    assert not result.mistakes
    assert dict(result.confusion) == {("garbage", "garbage"): 1}


def test_an_extra_detection_of_an_incompletely_boxed_label_is_no_mistake() -> None:
    partly = picture(TRUTH, labels=LABELS, exhaustive=("bin",))
    result = tally([partly], [[HIT, seen("garbage", 0.9, 400, 400, 500, 500)]], THRESHOLDS)
    assert not result.mistakes


def test_confusion_pairs_by_place() -> None:
    scene = picture(TRUTH, box("bin", 300, 300, 350, 400), labels=LABELS)
    found = [seen("bin", 0.9, 100, 100, 200, 200), seen("garbage", 0.8, 500, 0, 600, 50)]
    result = tally([scene], [found], THRESHOLDS)
    assert dict(result.confusion) == {("garbage", "bin"): 1, (NOTHING, "garbage"): 1, ("bin", NOTHING): 1}
