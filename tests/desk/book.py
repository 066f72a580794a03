"""A ledger without pages, and what two cameras tell it of one spot."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from detector.core.stages import Move
from detector.desk.case import Case
from detector.desk.course import Details
from detector.desk.ledger import Ledger
from detector.desk.plan import Plan
from detector.desk.queries import EVERYTHING
from detector.desk.wire import read_event
from detector.desk.working import Deed

Event = dict[str, Any]
Ground = dict[str, float]


def north(metres: float) -> Ground:
    """A point of the test's street, in degrees, `metres` north of SPOT."""
    return {"latitude": 34.26 + metres / 111_195, "longitude": 108.94}


SPOT = north(0)
NEAR = north(3.3)


def event(
    make: Any, kind: str, problem: str, revision: int, minute: float, ground: Ground | None = SPOT, **data: Any
) -> Event:
    """A problem.* event with a place on the ground; problem `a...` is of camera cam-a, `b...` of cam-b."""
    place = {"box": [10, 20, 110, 220], "frame_size": [1920, 1080], "ground": ground}
    written: Event = make.problem(kind, problem, revision, minute, camera_id=f"cam-{problem[0]}", place=place, **data)
    return written


class Book:
    """A ledger, and people who work with it; each thing that is done takes a second."""

    def __init__(self, path: Path, plan: Plan | None = None) -> None:
        self.ledger = Ledger(f"sqlite:///{path}", plan)
        self.now = datetime(2026, 3, 3, tzinfo=UTC)

    def hand_in(self, *events: Event) -> None:
        for one in events:
            self.now += timedelta(seconds=1)
            self.ledger.receive(read_event(json.dumps(one).encode(), self.now), self.now)

    def act(self, case: str, move: Move, **details: Any) -> Case:
        self.now += timedelta(seconds=1)
        deed = Deed(f"deed-{self.now.isoformat()}", move, "li", Details(**details))
        found = self.ledger.act(case, deed, now=self.now)
        assert found is not None
        return found

    def split(self, case: str, *problems: str) -> Case:
        return self.act(case, Move.SPLIT, problems=problems)

    def cases(self) -> list[Case]:
        found = self.ledger.cases(EVERYTHING, now=self.now, limit=500).cases
        return sorted(found, key=lambda case: case.sources[0].problem_id)

    def only(self) -> Case:
        (case,) = self.cases()
        return case

    def sources(self) -> list[list[str]]:
        return [[source.problem_id for source in case.sources] for case in self.cases()]

    def steps(self, case: str) -> list[tuple[str, str, bool]]:
        found = self.ledger.case(case)
        assert found is not None
        return [(step.move.value, step.stage.value, step.void) for step in found.steps]
