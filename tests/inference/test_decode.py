"""Three layouts against a plain reading of what they mean, one box at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.inference.bundle import Layout
from detector.inference.decode import decode

Row = tuple[float, float, float, float, float, int]


def overlap(a: Row, b: Row) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / union if union > 0 else 0.0


def plain(candidates: list[tuple[list[float], list[float]]], min_score: float, iou: float, most: int) -> list[Row]:
    """Slow and obvious: `candidates` are (centre x, centre y, width, height) with one score for each class."""
    rows: list[Row] = []
    for (x, y, width, height), scores in candidates:
        best = max(range(len(scores)), key=lambda index: scores[index])
        if scores[best] > min_score:
            rows.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2, scores[best], best))
    rows.sort(key=lambda row: -row[4])
    kept: list[Row] = []
    for row in rows:
        if all(other[5] != row[5] or overlap(other, row) <= iou for other in kept):
            kept.append(row)
    return kept[:most]


def random_candidates(seed: int, count: int, classes: int) -> list[tuple[list[float], list[float]]]:
    source = np.random.default_rng(seed)
    return [
        (
            [*source.uniform(0, 600, 2).round(1), *source.uniform(20, 300, 2).round(1)],
            list(source.random(classes) ** 3),
        )
        for _ in range(count)
    ]


def as_v8(candidates: list[tuple[list[float], list[float]]]) -> NDArray[np.float32]:
    return np.array([box + scores for box, scores in candidates], np.float32).T


def as_v5(candidates: list[tuple[list[float], list[float]]]) -> NDArray[np.float32]:
    """Objectness 0.9; class scores such that the products are those wanted."""
    return np.array([[*box, 0.9, *(score / 0.9 for score in scores)] for box, scores in candidates], np.float32)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(0, 60),
    st.integers(1, 5),
    st.sampled_from([0.05, 0.25, 0.6]),
    st.sampled_from([0.3, 0.45, 0.7]),
    st.sampled_from(["yolo-v8", "yolo-v5"]),
)
def test_boxes_equal_the_plain_reading(
    seed: int, count: int, classes: int, min_score: float, iou: float, layout: Layout
) -> None:
    candidates = random_candidates(seed, count, classes)
    if layout == "yolo-v5":
        candidates = [(box, [min(score, 0.9) for score in scores]) for box, scores in candidates]
    make = as_v8 if layout == "yolo-v8" else as_v5
    output = make(candidates) if candidates else make(random_candidates(0, 1, classes))[..., :0]
    if not candidates and layout == "yolo-v5":
        output = np.empty((0, 5 + classes), np.float32)
    rows = decode(output, layout, min_score=min_score, iou=iou)
    expected = plain(candidates, min_score, iou, 300)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert row[5] == wanted[5]
        # the class step of 7680 pixels costs digits only in suppression, never in the boxes reported
        assert np.abs(row[:5] - np.array(wanted[:5])).max() < 1e-3


def test_a_score_must_exceed_the_limit_and_boxes_of_other_labels_stay() -> None:
    box = [100.0, 100.0, 50.0, 50.0]
    output = as_v8([(box, [0.5, 0.0]), (box, [0.0, 0.75]), (box, [0.625, 0.0])])
    rows = decode(output, "yolo-v8", min_score=0.5)
    assert rows[:, 4:].tolist() == [[0.75, 1.0], [0.625, 0.0]]
    assert rows[0, :4].tolist() == [75, 75, 125, 125]


def test_multi_label_reports_each_class_of_a_box() -> None:
    output = as_v8([([100.0, 100.0, 50.0, 50.0], [0.9, 0.6, 0.1])])
    assert len(decode(output, "yolo-v8", min_score=0.3)) == 1
    rows = decode(output, "yolo-v8", min_score=0.3, multi_label=True)
    assert rows[:, 5].tolist() == [0, 1]


def test_end2end_is_read_as_it_comes_and_sorted() -> None:
    output = np.zeros((300, 6), np.float32)
    output[0] = [1, 2, 3, 4, 0.4, 7]
    output[1] = [1, 2, 3, 4, 0.9, 7]  # the same box twice: removing duplicates was the network's business
    output[2] = [5, 6, 7, 8, 0.25, 1]
    rows = decode(output, "yolo-end2end", min_score=0.25)
    assert rows.tolist() == [output[1].tolist(), output[0].tolist()]


def test_no_more_than_the_wanted_number_of_boxes() -> None:
    apart = [([40.0 * n, 40.0 * n, 20.0, 20.0], [0.3 + n / 1000]) for n in range(400)]
    rows = decode(as_v8(apart), "yolo-v8", min_score=0.1)
    assert len(rows) == 300
    assert rows[0, 4] == pytest.approx(0.699, abs=1e-6)
    assert len(decode(as_v8(apart), "yolo-v8", min_score=0.1, max_boxes=5)) == 5


def test_values_that_are_not_numbers_are_no_boxes() -> None:
    output = np.full((7, 10), np.nan, np.float32)
    with np.errstate(invalid="ignore"):
        assert len(decode(output, "yolo-v8", min_score=0.1)) == 0
