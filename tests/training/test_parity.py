"""What counts as the same, and what blocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detector.core.detection import Detection
from detector.training.gate import read_parity
from detector.training.parity import compare_boxes, compare_precision, write_parity
from tests.training.conftest import seen
from tests.training.test_promote import GOOD

WANTED = [[seen("bin", 0.9, 10, 10, 110, 110), seen("garbage", 0.4, 200, 0, 300, 90)], []]


def moved(by: float = 0.0, score: float = 0.0) -> list[list[Detection]]:
    first = WANTED[0][0]
    box = replace(first.box, left=first.box.left + by)
    return [[replace(first, box=box, score=first.score + score), WANTED[0][1]], []]


def test_the_same_boxes_pass_and_the_report_comes_back(tmp_path: Path) -> None:
    parity = compare_boxes(WANTED, moved(0.3, 0.0005), 0.25)
    assert parity.passed
    assert parity.boxes == 2
    assert parity.worst_iou == pytest.approx(0.997)
    write_parity(tmp_path / "p.json", parity)
    assert read_parity(tmp_path / "p.json") == []


@pytest.mark.parametrize(
    "exported",
    [
        moved(by=2),
        moved(score=0.002),
        [WANTED[0][:1], []],
        [[*WANTED[0], seen("bin", 0.5, 400, 400, 500, 500)], []],
        [[], []],
        [[replace(WANTED[0][0], label="garbage"), WANTED[0][1]], []],
    ],
    ids=["place", "score", "missing", "extra", "nothing", "label"],
)
def test_what_differs_is_refused(exported: list[list[Detection]], tmp_path: Path) -> None:
    parity = compare_boxes(WANTED, exported, 0.25)
    assert not parity.passed
    write_parity(tmp_path / "p.json", parity)
    assert read_parity(tmp_path / "p.json")[0].kind == "parity"


def test_a_box_at_the_very_limit_may_be_missing() -> None:
    assert compare_boxes([[*WANTED[0], seen("bin", 0.2505, 400, 400, 500, 500)], []], WANTED, 0.25).passed


def test_nothing_compared_is_no_proof() -> None:
    assert not compare_boxes([[]], [[]], 0.25).passed


def test_what_int8_may_cost() -> None:
    def at(**values: float) -> object:
        labels = {name: replace(GOOD.labels[name], ap50=value) for name, value in values.items()}
        return replace(GOOD, labels=labels)

    before = at(garbage=0.8, bin=0.5)
    assert compare_precision(before, at(garbage=0.785, bin=0.52)).passed  # type: ignore[arg-type]
    assert "garbage lost" in compare_precision(before, at(garbage=0.77, bin=0.5)).text  # type: ignore[arg-type]
    assert "bin collapsed" in compare_precision(before, at(garbage=0.8, bin=0.0)).text  # type: ignore[arg-type]
    assert "bin collapsed" in compare_precision(before, at(garbage=0.8)).text  # type: ignore[arg-type]
