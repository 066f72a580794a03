"""What drives off: its picture proves the offence, so its case waits for people although it is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

from detector.core.routing import Department, Route, routing_of
from detector.core.stages import Move, Stage
from detector.desk.case import Case, CaseStatus
from detector.desk.course import Reason
from detector.desk.plan import KEPT_FOR, Plan
from tests.desk.book import NEAR, Book, event
from tests.worker.doubles import until

ROUTED = Plan(
    routing=routing_of([Department("chengguan", "城管中队")], [Route("trucks", "chengguan")]),
    automatic=True,
    threshold=0.7,
)
LEFT: dict[str, Any] = {"cleared_reason": "left"}


def passed(make: Any, **data: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A truck at a gate, confirmed and a minute later gone; a person must look at its kind first."""
    facts: dict[str, Any] = {"category": "uncovered_muck_truck", "label": "uncovered_load", "review": True, **data}
    return event(make, "opened", "a1", 1, 0, **facts), event(make, "cleared", "a1", 2, 1, **facts, **LEFT)


def test_it_waits_for_a_person_who_files_it_and_the_routes_send_it(make: Any, tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db", ROUTED)
    book.hand_in(*passed(make))
    case = book.only()
    assert (case.status, case.stage, case.cleared_at) == (CaseStatus.OPEN, Stage.COLLECT, None)
    assert case.left_at == make.start + timedelta(minutes=1)
    assert [(source.there, source.left) for source in case.sources] == [(False, True)]
    assert case.held is not None
    assert "a person must look" in case.held
    case = book.act(case.id, Move.FILED)
    assert (case.stage, case.department, case.automatic) == (Stage.DISPATCH, "城管中队", False)
    book.act(case.id, Move.TAKEN_UP)
    case = book.act(case.id, Move.REPORTED)
    assert (case.status, case.stage, case.left_at) == (CaseStatus.CLEARED, Stage.CLOSE, None)
    moves = [move for move, _, void in book.steps(case.id) if not void]
    assert moves == ["held", "left", "filed", "dispatched", "taken_up", "reported", "vanished", "seen_gone"]


def test_a_person_who_calls_it_none_closes_it(make: Any, tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db", ROUTED)
    book.hand_in(*passed(make))
    case = book.act(book.only().id, Move.REFUSED, reason=Reason.NOT_THERE)
    assert (case.status, case.left_at) == (CaseStatus.DISMISSED, None)


def test_what_was_sent_at_once_stays_sent(make: Any, tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db", ROUTED)
    book.hand_in(*passed(make, review=False, score=0.9))
    case = book.only()
    assert (case.status, case.stage, case.automatic) == (CaseStatus.OPEN, Stage.DISPATCH, True)
    assert case.left_at is not None


def test_of_other_kinds_what_is_gone_is_closed(make: Any, tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db", ROUTED)
    opened, cleared = passed(make)
    book.hand_in(opened, {**cleared, "data": {**cleared["data"], "cleared_reason": "gone"}})
    assert (book.only().status, book.only().left_at) == (CaseStatus.CLEARED, None)


def test_it_is_closed_when_nobody_decides_for_long_and_not_before(make: Any, tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db", ROUTED)
    book.hand_in(*passed(make))
    changed = book.only().changed_at
    assert book.ledger.give_up(changed + KEPT_FOR - timedelta(seconds=1)) == 0
    assert book.only().status is CaseStatus.OPEN
    assert book.ledger.give_up(changed + KEPT_FOR) == 1
    case = book.only()
    assert (case.status, case.stage, case.left_at) == (CaseStatus.CLEARED, Stage.CLOSE, None)
    found = book.ledger.case(case.id)
    assert found is not None
    told = found.steps[-1].by, found.steps[-1].details.note
    assert told == ("desk", f"has left, and nothing was decided since {changed:%Y-%m-%d}")
    assert book.ledger.give_up(changed + 2 * KEPT_FOR) == 0


def test_nothing_that_is_there_or_has_been_sent_is_given_up(make: Any, tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db", ROUTED)
    opened, cleared = passed(make)
    book.hand_in(opened)
    late = datetime(2030, 1, 1, tzinfo=UTC)
    assert book.ledger.give_up(late) == 0
    book.hand_in(cleared)
    book.act(book.only().id, Move.FILED)
    assert book.ledger.give_up(late) == 0


def test_a_camera_that_cannot_see_does_not_close_it_either(make: Any, tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db", ROUTED)
    opened, cleared = passed(make)
    facts: dict[str, Any] = {"category": "uncovered_muck_truck", "label": "uncovered_load", "review": True}
    book.hand_in(opened, event(make, "opened", "b1", 1, 0.5, NEAR, **facts))
    book.hand_in(make.camera("cam-b", "unreachable", 0.7), cleared)
    assert book.only().left_at is None  # the other may see it still
    late = make.start + timedelta(hours=9)
    assert book.ledger.waive(late) == 1
    case = book.only()
    assert (case.status, case.stage, case.left_at) == (CaseStatus.OPEN, Stage.COLLECT, late)
    assert book.ledger.waive(late) == 0
    book.hand_in(make.camera("cam-b", "ok", 600), event(make, "cleared", "b1", 2, 601, NEAR, **facts, **LEFT))
    assert book.only().left_at == late  # it sees again, and has nothing new to tell
    assert [move for move, _, _ in book.steps(case.id)].count("left") == 1


def test_any_order_of_arrival_gives_the_same_case(make: Any, tmp_path: Path) -> None:
    again = event(make, "reopened", "a1", 3, 9, category="uncovered_muck_truck", review=True)
    story = [*passed(make), again, event(make, "cleared", "a1", 4, 11, category="uncovered_muck_truck", **LEFT)]
    found: list[Case] = []
    for number, mixed in enumerate(permutations(story)):
        book = Book(tmp_path / f"{number}.db", Plan())
        book.hand_in(*mixed, *mixed)
        found.append(book.only())
        book.ledger.close()
    assert {case.left_at for case in found} == {make.start + timedelta(minutes=11)}
    assert all(case == found[0] for case in found)


def test_the_page_tells_it(desk: Any, make: Any) -> None:
    for told in passed(make):
        desk.send(told)
    [case] = desk.client.get("/cases.json").json()["cases"]
    assert (case["status"], case["left_at"]) == ("open", "2026-03-02T01:01:00Z")
    assert "已离开，凭证据处理" in desk.client.get("/").text
    page = desk.client.get(f"/cases/{case['id']}").text
    assert "已离开，凭证据处理" in page
    assert '<small>has left <span lang="zh-CN">已离开</span></small>' in page
    assert "filed" in case["moves"]


def test_the_page_of_what_the_desk_closed_by_the_clock_opens(make_desk: Any, make: Any) -> None:
    """Also of what it closed because a camera cannot see."""
    now = [make.start]
    desk = make_desk(clock=lambda: now[0], escalate_every_s=3600.0)
    for told in passed(make):
        desk.send(told)
    [case] = desk.client.get("/cases.json").json()["cases"]
    now[0] += KEPT_FOR + timedelta(hours=1)
    again = make_desk(clock=lambda: now[0], escalate_every_s=0.02)
    assert until(lambda: again.client.get("/cases.json?status=cleared").json()["total"] == 1)
    page = again.client.get(f"/cases/{case['id']}")
    assert page.status_code == 200
    assert "Taken for gone" in page.text
