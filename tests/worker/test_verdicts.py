"""A rejected problem is dismissed, told, and its place stays silent; nothing else a person says moves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from detector.core.problem import ProblemStatus
from detector.core.verdict import Decision, Verdict
from detector.store import Store, open_store
from detector.worker.herald import Herald
from detector.worker.verdicts import heed
from tests.store.making import NOON, a_problem

WEEK = timedelta(days=7)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'street.db'}")
    yield opened
    opened.close()


def herald() -> Herald:
    return Herald(
        lambda _type: ("desk",),
        lambda *_: pytest.fail("no picture is taken for a verdict"),
        lambda event, evidence, *_: f"{event.id} {evidence.reason}".encode(),
        dict,
        dict,
    )


def test_a_rejected_problem_is_dismissed_and_told_once(store: Store) -> None:
    store.record(NOON, [a_problem("p1", revision=1)])
    store.add_verdicts(NOON, [Verdict("v1", "p1", Decision.REJECT, NOON + timedelta(hours=1), reason="legal_advert")])
    record = heed(store, ["north"], herald(), WEEK)
    (problem,) = record.problems
    assert problem.status is ProblemStatus.DISMISSED
    assert problem.silent_until == NOON + timedelta(hours=1) + WEEK
    assert [entry.type for entry in record.outbox] == ["problem.dismissed"]
    store.record_many(NOON, [record])
    assert heed(store, ["north"], herald(), WEEK).verdicts == []
    assert [p.id for p in store.tracked("north")] == ["p1"], "its place is remembered, to stay silent"


def test_other_decisions_and_other_workers_cameras_move_nothing(store: Store) -> None:
    store.record(NOON, [a_problem("p1", revision=1), a_problem("p2", camera_id="south", revision=1)])
    store.add_verdicts(
        NOON,
        [
            Verdict("v1", "p1", Decision.CONFIRM, NOON),
            Verdict("v2", "p1", Decision.RELABEL, NOON, category="graffiti"),
            Verdict("v3", "p2", Decision.REJECT, NOON),
        ],
    )
    record = heed(store, ["north"], herald(), WEEK)
    assert (record.problems, record.outbox) == ([], [])
    assert list(record.verdicts) == ["v1", "v2"]


def test_rejecting_twice_tells_once(store: Store) -> None:
    store.record(NOON, [a_problem("p1", revision=1)])
    store.add_verdicts(NOON, [Verdict(f"v{n}", "p1", Decision.REJECT, NOON) for n in range(2)])
    record = heed(store, ["north"], herald(), WEEK)
    assert len(record.outbox) == 1
    assert len(record.verdicts) == 2
