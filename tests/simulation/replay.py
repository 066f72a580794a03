"""The same events in another order: the desk must come to the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from detector.desk.case import Case
from detector.desk.ledger import Ledger
from detector.desk.plan import Plan
from detector.desk.queries import EVERYTHING
from detector.desk.wire import read_event
from tests.simulation.day import Told


def same_cases(told: Sequence[Told], mixed: Sequence[Told], plan: Plan, folder: Path) -> bool:
    """Whether both sequences of events add up to the same cases, at a desk that does nothing by itself."""
    quiet = replace(plan, automatic=False)
    return replayed(told, quiet, folder) == replayed(mixed, quiet, folder)


def replayed(told: Sequence[Told], plan: Plan, folder: Path) -> list[Case]:
    """All cases that a new desk makes of these events, by id."""
    with TemporaryDirectory(dir=folder) as place:
        ledger = Ledger(f"sqlite:///{place}/replay.db", plan)
        now = max(one.at for one in told) + timedelta(hours=1)
        for one in told:
            ledger.receive(read_event(one.body, now), now)
        found = all_cases(ledger, now)
        ledger.close()
    return found


def all_cases(ledger: Ledger, now: datetime) -> list[Case]:
    """By id."""
    found: list[Case] = []
    while page := ledger.cases(EVERYTHING, now=now, limit=500, offset=len(found)).cases:
        found += page
    return sorted(found, key=lambda case: case.id)
