"""The way of a case through the stages."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.stages import BY_PEOPLE, TRANSITIONS, VERDICTS, Move, Stage
from detector.desk.course import Action, Details, Report, Step, course, department_of, done_at, left_at, stage_after
from detector.desk.wire import ProblemData, read_event


def report(make: Any, kind: str, revision: int, minute: float = 0, **data: Any) -> Report:
    event = make.problem(kind, revision=revision, minute=minute, **data)
    incoming = read_event(json.dumps(event).encode(), make.start)
    assert incoming.kind is not None
    assert isinstance(incoming.data, ProblemData)
    return Report(incoming.id, incoming.kind, incoming.time, incoming.data)


def action(make: Any, move: Move, revision: int, number: int, minute: float = 0) -> Action:
    details = Details(department="sanitation" if move is Move.DISPATCHED else None)
    at = make.start + timedelta(minutes=minute)
    return Action(f"action-{number}", move, "li", at, revision, number, details)


def moves(steps: list[Step]) -> list[str]:
    return [("!" if step.void else "") + step.move.value for step in steps]


def to_verify(make: Any, minute: float = 20) -> list[Action]:
    way = (Move.DISPATCHED, Move.TAKEN_UP, Move.REPORTED, Move.CHECKED)
    return [action(make, move, 1, number, minute) for number, move in enumerate(way, start=1)]


def test_a_sure_problem_is_filed_at_once_a_doubtful_one_by_a_person(make: Any) -> None:
    assert moves(course([report(make, "opened", 1)])) == ["filed"]
    doubtful = report(make, "opened", 1, review=True)
    assert stage_after(course([doubtful])) is Stage.COLLECT
    steps = course([doubtful], [action(make, Move.FILED, 1, 1)])
    assert (moves(steps), stage_after(steps)) == (["filed"], Stage.FILE)
    steps = course([doubtful], [action(make, Move.REFUSED, 1, 1)])
    assert stage_after(steps) is Stage.CLOSE


def test_the_whole_way_ends_when_the_camera_sees_it_gone(make: Any) -> None:
    opened = report(make, "opened", 1)
    steps = course([opened], to_verify(make))
    assert (stage_after(steps), department_of(steps)) == (Stage.VERIFY, "sanitation")
    steps = course([opened, report(make, "cleared", 2, 60)], to_verify(make))
    assert moves(steps) == ["filed", "dispatched", "taken_up", "reported", "checked", "seen_gone"]
    assert steps[-1].by == "camera"


def test_still_seen_after_it_was_reported_done_sends_it_back(make: Any) -> None:
    steps = course([report(make, "opened", 1), report(make, "updated", 2, 60)], to_verify(make))
    assert (moves(steps)[-1], stage_after(steps)) == ("still_there", Stage.HANDLE)


def test_an_older_picture_sends_nothing_back(make: Any) -> None:
    steps = course([report(make, "opened", 1), report(make, "updated", 2, 10)], to_verify(make, minute=20))
    assert stage_after(steps) is Stage.VERIFY


@pytest.mark.parametrize("sent", [1, 2, 3])
def test_gone_without_a_report_is_verified_by_what_was_seen(make: Any, sent: int) -> None:
    steps = course([report(make, "opened", 1), report(make, "cleared", 2, 60)], to_verify(make)[:sent])
    assert moves(steps)[-2:] == ["vanished", "seen_gone"]
    assert [step.stage for step in steps[-2:]] == [Stage.VERIFY, Stage.CLOSE]


def test_a_problem_that_returns_is_filed_anew_and_belongs_to_nobody(make: Any) -> None:
    reports = [report(make, kind, n, 60 * n) for n, kind in enumerate(("opened", "cleared", "reopened"), start=1)]
    steps = course(reports, to_verify(make))
    assert moves(steps)[-3:] == ["seen_gone", "returned", "filed"]
    assert (stage_after(steps), department_of(steps)) == (Stage.FILE, None)


def test_a_later_picture_of_what_was_closed_as_gone_brings_it_back(make: Any) -> None:
    """Also when the event by which it was reopened never arrives."""
    reports = [report(make, "opened", 1), report(make, "cleared", 2, 60), report(make, "updated", 4, 90)]
    assert moves(course(reports)) == ["filed", "vanished", "returned", "filed"]
    whole = [*reports, report(make, "reopened", 3, 80)]
    assert moves(course(whole)) == ["filed", "vanished", "returned", "filed"]
    early = [*reports[:2], report(make, "updated", 4, 60)]
    assert stage_after(course(early)) is Stage.CLOSE


def test_a_closed_case_can_still_be_taken_back(make: Any) -> None:
    reports = [report(make, kind, n, n) for n, kind in enumerate(("opened", "cleared", "dismissed"), start=1)]
    assert moves(course(reports)) == ["filed", "vanished", "dismissed"]


def test_what_a_person_refused_is_not_filed_by_an_update(make: Any) -> None:
    reports = [report(make, "opened", 1), report(make, "updated", 2), report(make, "cleared", 3)]
    assert moves(course(reports, [action(make, Move.REFUSED, 1, 1)])) == ["filed", "refused"]


def test_an_action_that_a_late_event_overtook_is_void_and_stays_in_the_history(make: Any) -> None:
    """Somebody dispatched it; then the event arrives by which it had been dismissed before."""
    opened, dismissed = report(make, "opened", 1), report(make, "dismissed", 2)
    updated = report(make, "updated", 3)
    acted = [action(make, Move.DISPATCHED, 3, 1)]
    assert moves(course([opened, updated], acted)) == ["filed", "dispatched"]
    steps = course([opened, updated, dismissed], acted)
    assert moves(steps) == ["filed", "dismissed", "!dispatched"]
    assert (stage_after(steps), department_of(steps)) == (Stage.CLOSE, None)


LEFT = {"cleared_reason": "left"}


def test_what_drives_off_closes_no_case_that_nobody_has_looked_at(make: Any) -> None:
    reports = [report(make, "opened", 1, review=True), report(make, "cleared", 2, 5, review=True, **LEFT)]
    steps = course(reports)
    assert (moves(steps), stage_after(steps)) == (["left"], Stage.COLLECT)
    assert left_at(steps) == make.start + timedelta(minutes=5)
    steps = course(reports, [action(make, Move.FILED, 2, 1, 12), action(make, Move.DISPATCHED, 2, 2, 13)])
    assert (moves(steps), stage_after(steps)) == (["left", "filed", "dispatched"], Stage.DISPATCH)
    steps = course(reports, [action(make, Move.REFUSED, 2, 1, 12)])
    assert (stage_after(steps), left_at(steps)) == (Stage.CLOSE, None)


@pytest.mark.parametrize("sent", [1, 2])
def test_what_drives_off_stays_with_whom_it_was_sent_to_until_they_report(make: Any, sent: int) -> None:
    reports = [report(make, "opened", 1), report(make, "cleared", 2, 21, **LEFT)]
    before = to_verify(make)[:sent]
    steps = course(reports, before)
    assert (moves(steps)[-1], stage_after(steps)) == ("left", (Stage.DISPATCH, Stage.HANDLE)[sent - 1])
    assert (department_of(steps), done_at(steps)) == ("sanitation", None)
    later = [action(make, move, 2, 3 + n, 30 + n) for n, move in enumerate((Move.TAKEN_UP, Move.REPORTED))][sent - 1 :]
    steps = course(reports, [*before, *later])
    assert moves(steps)[-3:] == ["reported", "vanished", "seen_gone"]
    assert [step.stage for step in steps[-3:]] == [Stage.REPORT, Stage.VERIFY, Stage.CLOSE]
    assert done_at(steps) == make.start + timedelta(minutes=31)


def test_what_has_left_and_comes_back_is_there_again(make: Any) -> None:
    reports = [report(make, "opened", 1), report(make, "cleared", 2, 5, **LEFT), report(make, "reopened", 3, 9)]
    steps = course(reports, to_verify(make)[:1])
    assert (moves(steps), left_at(steps)) == (["filed", "dispatched", "left", "came_back"], None)
    gone = course([*reports, report(make, "cleared", 4, 60, cleared_reason="allowed")], to_verify(make)[:1])
    assert stage_after(gone) is Stage.CLOSE


def test_what_left_after_it_was_reported_done_is_verified_by_that(make: Any) -> None:
    steps = course([report(make, "opened", 1), report(make, "cleared", 2, 60, **LEFT)], to_verify(make)[:3])
    assert moves(steps)[-3:] == ["reported", "vanished", "seen_gone"]


@given(data=st.data())
def test_every_way_is_one_of_the_table_and_none_depends_on_the_order_of_arrival(make: Any, data: st.DataObject) -> None:
    reasons = st.sampled_from(["gone", "left", "allowed"])
    kinds = data.draw(
        st.lists(st.sampled_from(["opened", "updated", "cleared", "reopened", "dismissed"]), min_size=1, max_size=6)
    )
    reports = [
        report(make, kind, n, 10 * n, review=data.draw(st.booleans()), cleared_reason=data.draw(reasons))
        for n, kind in enumerate(kinds, start=1)
    ]
    people = sorted(BY_PEOPLE | VERDICTS | {Move.HELD, Move.ESCALATED, Move.LEFT, Move.VANISHED})
    known = sorted(data.draw(st.lists(st.integers(1, len(kinds)), max_size=8)))
    acted = [
        action(make, data.draw(st.sampled_from(people)), revision, number, 5 * number)
        for number, revision in enumerate(known, start=1)
    ]
    steps = course(reports, acted)
    stage = Stage.COLLECT
    for step in steps:
        if step.void:
            assert (stage, step.move) not in TRANSITIONS or step.move is Move.SPLIT
        else:
            assert TRANSITIONS[stage, step.move] is step.stage
            stage = step.stage
    assert stage_after(steps) is stage
    assert {step.source for step in steps} >= {one.id for one in acted}
    mixed = data.draw(st.permutations(reports + data.draw(st.lists(st.sampled_from(reports)))))
    mixed_actions = data.draw(st.permutations(acted + acted[:2]))
    assert course(mixed, mixed_actions) == steps
