"""The life of a truck with an open load at a gate, by the category that comes with the product."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from detector.config import load_categories, shipped
from detector.core.detection import BoundingBox, Detection
from detector.core.judging import judge, reject
from detector.core.look import Look, LookStatus
from detector.core.problem import EventKind, Problem

START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
TRUCK = BoundingBox(400, 300, 800, 600)
ROAD = [BoundingBox(400 + 170 * step, 300 + 20 * step, 800 + 170 * step, 600 + 20 * step) for step in range(6)]


class Gate:
    """A look each two seconds; what is seen is a truck, with its load in sight or not."""

    def __init__(self) -> None:
        self.categories = {
            key: one
            for key, one in load_categories(shipped("configs/categories.yaml")).items()
            if key.endswith("truck")
        }
        self.problems: dict[str, Problem] = {}
        self.events: list[EventKind] = []
        self.second = 0
        self._ids = (f"p{n}" for n in count(1))

    def look(self, box: BoundingBox | None, load: bool = True) -> None:
        labels = ("truck", "uncovered_load") if load else ("truck",)
        seen = () if box is None else tuple(Detection(label, box, 0.8) for label in labels)
        at = START + timedelta(seconds=self.second)
        look = Look("gate", at, LookStatus.OK, seen, "m@1", (1920, 1080))
        self.second += 2
        for change in judge(look, list(self.problems.values()), self.categories, lambda: next(self._ids)):
            self.problems[change.problem.id] = change.problem
            if change.event:
                self.events.append(change.event.kind)

    def looks(self, number: int, box: BoundingBox | None, load: bool = True) -> None:
        for _ in range(number):
            self.look(box, load)

    def reject(self, problem_id: str) -> None:
        change = reject(self.problems[problem_id], START + timedelta(seconds=self.second - 1), timedelta(days=7))
        assert change.event is not None
        self.problems[problem_id] = change.problem
        self.events.append(change.event.kind)


def test_a_truck_that_stands_is_a_case_until_it_has_left() -> None:
    gate = Gate()
    gate.looks(5, TRUCK)
    assert gate.events == [EventKind.OPENED]
    gate.looks(60, TRUCK, load=False)  # a sheet over it: out of sight, not gone
    assert gate.events == [EventKind.OPENED]
    gate.looks(60, None)
    assert gate.events == [EventKind.OPENED, EventKind.CLEARED]


def test_a_truck_that_was_rejected_after_it_had_left_silences_none_that_comes_later() -> None:
    gate = Gate()
    gate.looks(5, TRUCK)
    gate.looks(60, None)
    gate.reject("p1")
    gate.looks(5, TRUCK)
    assert gate.events == [EventKind.OPENED, EventKind.CLEARED, EventKind.DISMISSED, EventKind.OPENED]


def test_a_truck_that_was_rejected_is_silenced_as_long_as_it_stands_there() -> None:
    gate = Gate()
    gate.looks(5, TRUCK)
    gate.reject("p1")
    for _ in range(10):
        gate.looks(20, None)  # missed for less than a minute
        gate.looks(5, TRUCK)
    gate.looks(60, TRUCK, load=False)
    gate.looks(5, TRUCK)
    assert gate.events == [EventKind.OPENED, EventKind.DISMISSED]
    gate.looks(60, None)
    gate.looks(5, TRUCK)
    assert gate.events == [EventKind.OPENED, EventKind.DISMISSED, EventKind.OPENED]


@pytest.mark.parametrize("load", [True, False])
def test_trucks_that_pass_or_show_no_load_make_no_case(load: bool) -> None:
    gate = Gate()
    for box in ROAD * 3 if load else [TRUCK] * 10:
        gate.look(box, load)
    assert gate.events == []
