"""What counts as the same, and what blocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detector.core.detection import Detection
from detector.training.gate import read_parity
from detector.training.parity import ParityCheck, ParityReport, compare_boxes, write_parity
from tests.training.conftest import seen

WANTED = [[seen("bin", 0.9, 10, 10, 110, 110), seen("garbage", 0.4, 200, 0, 300, 90)], []]


MODEL = "a" * 64


def report(*checks: ParityCheck) -> ParityReport:
    return ParityReport(model=MODEL, precision="fp32", pictures=2, size=640, min_score=0.25, checks=checks)


def moved(by: float = 0.0, score: float = 0.0) -> list[list[Detection]]:
    first = WANTED[0][0]
    box = replace(first.box, left=first.box.left + by)
    return [[replace(first, box=box, score=first.score + score), WANTED[0][1]], []]


def test_the_same_boxes_pass() -> None:
    parity = compare_boxes(WANTED, moved(0.3, 0.0005), 0.25)
    assert parity.passed
    assert parity.boxes == 2
    assert parity.worst_iou == pytest.approx(0.997)


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
def test_what_differs_is_refused(exported: list[list[Detection]]) -> None:
    assert not compare_boxes(WANTED, exported, 0.25).passed


def test_a_box_at_the_very_limit_may_be_missing() -> None:
    assert compare_boxes([[*WANTED[0], seen("bin", 0.2505, 400, 400, 500, 500)], []], WANTED, 0.25).passed


def test_nothing_compared_is_no_proof() -> None:
    assert not compare_boxes([[]], [[]], 0.25).passed


def test_the_report_blocks_when_missing_failed_or_about_another_file(tmp_path: Path) -> None:
    path = tmp_path / "parity.json"
    good, bad = compare_boxes(WANTED, WANTED, 0.25), compare_boxes(WANTED, moved(by=2), 0.25)
    assert "no parity report" in read_parity(path, MODEL)[0].text
    write_parity(path, report(ParityCheck("file", True, good), ParityCheck("rounding", False, bad)))
    assert read_parity(path, MODEL) == []
    assert "about another file" in read_parity(path, "b" * 64)[0].text
    write_parity(path, report(ParityCheck("file", True, good), ParityCheck("second runtime", True, bad)))
    assert "second runtime: 2 boxes compared: lowest IoU 0.98" in read_parity(path, MODEL)[0].text
    write_parity(path, report(ParityCheck("rounding", False, good)))
    assert len(read_parity(path, MODEL)) == 1, "nothing that decides was compared"
