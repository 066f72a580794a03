"""AP50 while training."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")

from detector.training.partial_score import PictureResult, average_precision, label_scores

pytestmark = pytest.mark.train
BOX = [0.1, 0.1, 0.5, 0.5]
SHIFTED = [0.3, 0.3, 0.7, 0.7]  # IoU with BOX 1/7
OTHER = [0.6, 0.6, 0.9, 0.9]


def picture(found: list[list[float]], truth: list[list[float]], set_name: str = "a") -> PictureResult:
    return PictureResult(set_name, np.array(found, float).reshape(-1, 6), np.array(truth, float).reshape(-1, 5))


def test_perfect_and_missed() -> None:
    perfect = picture([[*BOX, 0.9, 0], [*OTHER, 0.8, 0]], [[0, *BOX], [0, *OTHER]])
    assert average_precision([perfect], 0).ap50 == pytest.approx(1.0)
    assert average_precision([picture([], [[0, *BOX]])], 0).ap50 == 0.0
    assert average_precision([picture([[*BOX, 0.9, 0]], [])], 0).ap50 is None


def test_a_second_box_on_the_same_object_is_a_false_alarm() -> None:
    doubled = picture([[*BOX, 0.9, 0], [*BOX, 0.8, 0], [*OTHER, 0.7, 0]], [[0, *BOX], [0, *OTHER]])
    # precision 1 up to recall 0.5, then 2/3: 51 of 101 recall points at 1
    assert average_precision([doubled], 0).ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_poor_overlap_and_wrong_label_do_not_count() -> None:
    assert average_precision([picture([[*SHIFTED, 0.9, 0]], [[0, *BOX]])], 0).ap50 == 0.0
    assert average_precision([picture([[*BOX, 0.9, 1]], [[0, *BOX]])], 0).ap50 == 0.0


def test_a_label_is_scored_only_where_it_is_annotated() -> None:
    evidence = {"a": {"known": ["bin"]}, "b": {"known": [], "hinted": {"bin": 0.5}}, "c": {"known": ["car"]}}
    results = [
        picture([[*BOX, 0.9, 0]], [[0, *BOX]], "a"),
        picture([[*BOX, 0.8, 0]], [[0, *BOX]], "b"),
        picture([[*OTHER, 0.95, 0]], [], "c"),  # a bin perhaps: nobody looked
    ]
    scores = label_scores(results, ["bin", "car"], evidence)
    assert scores["bin"].ap50 == pytest.approx(1.0)
    assert scores["bin"].instances == 2
    assert scores["car"].ap50 is None


def test_synthetic_pictures_count_only_for_labels_without_real_ones() -> None:
    evidence = {"a": {"known": ["bin"]}, "drawn": {"known": ["bin", "poster"], "synthetic": True}}
    results = [
        picture([[*BOX, 0.9, 0]], [[0, *BOX]], "a"),
        picture([[*OTHER, 0.9, 1]], [[0, *BOX], [1, *OTHER]], "drawn"),  # misses the drawn bin
    ]
    scores = label_scores(results, ["bin", "poster"], evidence)
    assert scores["bin"].ap50 == pytest.approx(1.0)
    assert scores["bin"].instances == 1
    assert scores["poster"].ap50 == pytest.approx(1.0)
