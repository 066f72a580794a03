"""The life of a truck with an open load at a gate, by the category that comes with the product."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from detector.config import load_categories, shipped
from detector.core.detection import BoundingBox, Detection
from detector.core.judging import judge
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


def test_a_truck_that_stands_is_a_case_until_it_has_left() -> None:
    gate = Gate()
    for _ in range(5):
        gate.look(TRUCK)
    assert gate.events == [EventKind.OPENED]
    for _ in range(60):
        gate.look(TRUCK, load=False)  # a sheet over it: out of sight, not gone
    assert gate.events == [EventKind.OPENED]
    for _ in range(60):
        gate.look(None)
    assert gate.events == [EventKind.OPENED, EventKind.CLEARED]


@pytest.mark.parametrize("load", [True, False])
def test_trucks_that_pass_or_show_no_load_make_no_case(load: bool) -> None:
    gate = Gate()
    for box in ROAD * 3 if load else [TRUCK] * 10:
        gate.look(box, load)
    assert gate.events == []
