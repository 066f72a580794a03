"""Cases are the same whatever order their events come in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.core.problem import TRANSITIONS, EventKind, ProblemStatus
from detector.core.stages import Stage
from detector.desk.case import CaseStatus, case_id, fold
from detector.desk.course import Report
from detector.desk.ledger import Ledger
from detector.desk.wire import ProblemData, read_event

_KINDS = {
    status: [(kind, after) for (before, _), (after, kind) in TRANSITIONS.items() if before is status and kind]
    for status in ProblemStatus
}


def report(event: dict[str, Any], start: Any) -> Report:
    incoming = read_event(json.dumps(event).encode(), start)
    assert incoming.kind is not None
    assert isinstance(incoming.data, ProblemData)
    return Report(incoming.id, incoming.kind, incoming.time, incoming.data)


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[EventKind, ProblemStatus]]:
    """Event kinds that the life-cycle table can produce, in order, with the status after each."""
    status, life = ProblemStatus.OPEN, [(EventKind.OPENED, ProblemStatus.OPEN)]
    for _ in range(draw(st.integers(0, 5))):
        if not _KINDS[status]:
            break
        kind, status = draw(st.sampled_from(_KINDS[status]))
        life.append((kind, status))
    return life


def events_of(life: Sequence[tuple[EventKind, ProblemStatus]], make: Any) -> list[dict[str, Any]]:
    return [
        make.problem(
            kind.value,
            revision=number,
            minute=10 * number,
            score=0.5 + number / 100,
            evidence={"url": None if number % 3 == 2 else f"e/{number}.jpg", "reason": None},
        )
        for number, (kind, _) in enumerate(life, start=1)
    ]


@settings(deadline=None)
@given(life=lives(), data=st.data())
def test_any_order_and_any_repetition_give_the_same_case(make: Any, life: Any, data: st.DataObject) -> None:
    reports = [report(event, make.start) for event in events_of(life, make)]
    expected = fold(reports)
    assert expected.status.value == life[-1][1].value
    assert expected.revision == len(life)
    arrived = data.draw(st.permutations(reports + data.draw(st.lists(st.sampled_from(reports)))))
    assert fold(arrived) == expected


def test_every_permutation_of_a_whole_life_gives_the_same_case_in_the_ledger(make: Any, tmp_path: Path) -> None:
    """Also through the database, where each arrival is a transaction of its own."""
    life = [
        (EventKind.OPENED, ProblemStatus.OPEN),
        (EventKind.CLEARED, ProblemStatus.CLEARED),
        (EventKind.REOPENED, ProblemStatus.OPEN),
        (EventKind.DISMISSED, ProblemStatus.DISMISSED),
    ]
    bodies = [json.dumps(event).encode() for event in events_of(life, make)]
    seen = set()
    for number, order in enumerate(permutations(bodies)):
        ledger = Ledger(f"sqlite:///{tmp_path}/{number}.db")
        for body in (*order, *order):
            ledger.receive(read_event(body, make.start), make.start)
        page = ledger.cases(now=make.start)
        assert page.total == 1
        found = ledger.case(page.cases[0].id)
        assert found is not None
        assert [entry.report.data.revision for entry in found.received] == [1, 2, 3, 4]
        seen.add(repr(page.cases[0]))
        ledger.close()
    assert len(seen) == 1


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=20, deadline=None
)
@given(data=st.data())
def test_several_problems_arriving_mixed_up_stay_apart(make: Any, tmp_path: Path, data: st.DataObject) -> None:
    chosen = data.draw(st.dictionaries(st.sampled_from(["a", "b", "c"]), lives(), min_size=2))
    bodies = [
        json.dumps(make.problem(kind.value, problem=name, revision=number)).encode()
        for name, life in chosen.items()
        for number, (kind, _) in enumerate(life, start=1)
    ]
    path = tmp_path / "mixed.db"
    path.unlink(missing_ok=True)
    ledger = Ledger(f"sqlite:///{path}")
    for body in data.draw(st.permutations(bodies)):
        ledger.receive(read_event(body, make.start), make.start)
    cases = {case.problem_id: case.status.value for case in ledger.cases(now=make.start).cases}
    ledger.close()
    path.unlink()
    assert cases == {name: life[-1][1].value for name, life in chosen.items()}


def test_a_late_opening_does_not_reopen_a_cleared_case(desk: Any, make: Any) -> None:
    desk.send(make.problem("cleared", revision=2, minute=30))
    early = desk.client.get("/cases.json").json()["cases"][0]
    assert early["status"] == "cleared"
    desk.send(make.problem("opened", revision=1, minute=10))
    case = desk.client.get("/cases.json").json()["cases"][0]
    assert (case["status"], case["revision"], case["stage"]) == ("cleared", 2, "close")
    assert case["cleared_after_s"] == 20 * 60
    assert case["id"] == early["id"]


def test_a_problem_that_returns_reopens_its_case(desk: Any, make: Any) -> None:
    desk.send(make.problem("opened", revision=1, minute=10))
    desk.send(make.problem("cleared", revision=2, minute=30))
    desk.send(make.problem("reopened", revision=3, minute=90))
    listed = desk.client.get("/cases.json").json()
    assert listed["total"] == 1
    case = listed["cases"][0]
    assert (case["status"], case["reopened"], case["cleared_at"]) == ("open", 1, None)
    assert case["opened_at"] == (make.start + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")


def test_pictures_of_before_and_after(make: Any) -> None:
    reports = [
        report(make.problem("opened", revision=1, evidence={"url": "first.jpg"}), make.start),
        report(make.problem("updated", revision=2, evidence={"url": "better.jpg"}), make.start),
        report(make.problem("updated", revision=3, evidence={"url": None, "reason": "x"}), make.start),
        report(make.problem("cleared", revision=4, evidence={"url": "clean.jpg"}), make.start),
    ]
    assert (fold(reports).before.url, fold(reports).after.url) == ("better.jpg", "clean.jpg")
    assert (fold(reports[:3]).before.url, fold(reports[:3]).after.url) == ("better.jpg", None)


@pytest.mark.parametrize(
    ("kind", "review", "stage"),
    [
        ("opened", False, Stage.FILE),
        ("opened", True, Stage.COLLECT),
        ("cleared", True, Stage.CLOSE),
        ("dismissed", False, Stage.CLOSE),
    ],
)
def test_the_stage_follows(make: Any, kind: str, review: bool, stage: Stage) -> None:
    case = fold([report(make.problem(kind, review=review), make.start)])
    assert case.stage is stage


def test_a_case_is_about_one_problem(make: Any) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        fold([])
    with pytest.raises(ValueError, match="exactly one"):
        fold([report(make.problem(problem=name), make.start) for name in "ab"])
    assert case_id("a") != case_id("b")


def test_status_words_are_those_of_the_street() -> None:
    assert {status.value for status in CaseStatus} - {"merged"} < {status.value for status in ProblemStatus}
