"""One problem, one case: several cameras at the desk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.core.category import Clock, Deadline
from detector.core.geo import GeoPoint, distance_m
from detector.core.routing import Department, Route, routing_of
from detector.core.stages import Move
from detector.desk.case import Case, CaseStatus, case_id
from detector.desk.course import Reason
from detector.desk.plan import Plan
from tests.desk.book import NEAR, Book, event, north

FAR = north(33)


class ToldBook(Book):
    """A ledger to which problems are told one by one."""

    def __init__(self, make: Any, path: Path, plan: Plan | None = None) -> None:
        super().__init__(path, plan)
        self.make = make

    def tell(self, kind: str, problem: str, revision: int, minute: float, **data: Any) -> None:
        self.hand_in(event(self.make, kind, problem, revision, minute, **data))


def test_a_second_camera_becomes_a_source_and_opens_no_case(make: Any, tmp_path: Path) -> None:
    book = ToldBook(make, tmp_path / "desk.db")
    book.tell("opened", "a1", 1, 0, score=0.6)
    book.tell("opened", "b1", 1, 9, ground=NEAR, score=0.9)
    case = book.only()
    assert [(source.problem_id, source.there) for source in case.sources] == [("a1", True), ("b1", True)]
    assert (case.id, case.camera_id, case.score) == (case_id("a1"), "cam-a", 0.9)
    again = book.ledger.case(case_id("b1"))
    assert again is not None
    assert again.case.id == case.id
    assert [entry.report.data.problem_id for entry in again.received] == ["a1", "b1"]


def test_what_stands_elsewhere_is_a_case_of_its_own(make: Any, tmp_path: Path) -> None:
    book = ToldBook(make, tmp_path / "desk.db")
    book.tell("opened", "a1", 1, 0)
    book.tell("opened", "b1", 1, 9, ground=FAR)
    book.tell("opened", "c1", 1, 9, ground=None)
    assert len(book.cases()) == 3


def test_a_drone_that_may_be_off_by_some_metres_adds_to_the_case_of_a_fixed_camera(make: Any, tmp_path: Path) -> None:
    book = ToldBook(make, tmp_path / "desk.db")
    book.tell("opened", "a1", 1, 0)
    book.tell("opened", "d1", 1, 9, ground=north(8) | {"error_m": 7.5})
    book.tell("opened", "e1", 1, 9, ground=north(1) | {"error_m": 40.0})
    assert book.sources() == [["a1", "d1"], ["e1"]]


def test_it_is_gone_when_every_source_says_so(make: Any, tmp_path: Path) -> None:
    book = ToldBook(make, tmp_path / "desk.db")
    book.tell("opened", "a1", 1, 0)
    book.tell("opened", "b1", 1, 9, ground=NEAR)
    book.tell("cleared", "a1", 2, 30)
    assert book.only().status is CaseStatus.OPEN
    book.tell("cleared", "b1", 2, 33)
    case = book.only()
    assert (case.status, case.cleared_at) == (CaseStatus.CLEARED, make.start + timedelta(minutes=33))
    book.tell("opened", "c1", 1, 90)  # a third one sees it back
    assert (book.only().status, book.only().reopened) == (CaseStatus.OPEN, 1)


def test_a_camera_that_cannot_see_is_waited_for_only_so_long(make: Any, tmp_path: Path) -> None:
    book = ToldBook(make, tmp_path / "desk.db")
    book.tell("opened", "a1", 1, 0)
    book.tell("opened", "b1", 1, 9, ground=NEAR)
    book.hand_in(make.camera("cam-b", "unreachable", 20))
    dead = make.start + timedelta(minutes=20)
    assert book.ledger.waive(dead + timedelta(hours=9)) == 0  # nobody has said that it is gone
    book.tell("cleared", "a1", 2, 30)
    assert book.ledger.waive(dead + timedelta(minutes=59)) == 0
    assert book.ledger.waive(dead + timedelta(minutes=60)) == 1
    assert book.only().status is CaseStatus.CLEARED
    assert book.ledger.waive(dead + timedelta(hours=9)) == 0
    book.hand_in(make.camera("cam-b", "ok", 200))
    book.tell("updated", "b1", 2, 201, ground=NEAR)  # it sees again, and it is there
    assert book.only().status is CaseStatus.OPEN
    assert book.ledger.waive(dead + timedelta(hours=9)) == 0


def test_a_drone_that_has_flown_on_is_waited_for_only_so_long(make: Any, tmp_path: Path) -> None:
    book = ToldBook(make, tmp_path / "desk.db")
    near = north(3) | {"error_m": 7.5}
    book.tell("opened", "a1", 1, 0)
    book.tell("opened", "d1", 1, 9, ground=near, last_seen=(make.start + timedelta(minutes=9)).isoformat())
    assert book.ledger.waive(make.start + timedelta(hours=9)) == 0  # nobody has said that it is gone
    book.tell("cleared", "a1", 2, 30)
    book.tell("updated", "d1", 2, 40, ground=near, last_seen=(make.start + timedelta(minutes=40)).isoformat())
    assert book.ledger.waive(make.start + timedelta(hours=9)) == 0  # it came by later, and there it was
    book.tell("reopened", "a1", 3, 50)
    book.tell("cleared", "a1", 4, 60)
    assert book.ledger.waive(make.start + timedelta(minutes=99)) == 0
    assert book.ledger.waive(make.start + timedelta(minutes=100)) == 1
    assert book.only().status is CaseStatus.CLEARED
    book.tell("updated", "d1", 3, 300, ground=near, last_seen=(make.start + timedelta(minutes=300)).isoformat())
    assert book.only().status is CaseStatus.OPEN


def test_done_according_to_one_camera_is_sent_back_by_the_other(make: Any, tmp_path: Path) -> None:
    book = ToldBook(make, tmp_path / "desk.db")
    book.tell("opened", "a1", 1, 0)
    book.tell("opened", "b1", 1, 9, ground=NEAR)
    one = book.only().id
    for move in (Move.DISPATCHED, Move.TAKEN_UP, Move.REPORTED, Move.CHECKED):
        book.act(one, move, department="sanitation" if move is Move.DISPATCHED else None)
    later = (book.now - make.start).total_seconds() / 60 + 5
    book.tell("updated", "b1", 2, later, ground=NEAR)
    assert book.only().stage.value == "handle"


def test_a_rejection_is_told_to_every_camera(make: Any, tmp_path: Path) -> None:
    book = ToldBook(make, tmp_path / "desk.db")
    book.tell("opened", "a1", 1, 0)
    book.tell("opened", "b1", 1, 9, ground=NEAR)
    case = book.act(case_id("b1"), Move.REFUSED, reason=Reason.NOT_THERE)
    assert case.status is CaseStatus.DISMISSED
    told = [one.told for one in book.ledger.verdicts(0, 10)]
    assert [(one["problem_id"], one["camera_id"], one["decision"]) for one in told] == [
        ("a1", "cam-a", "rejected"),
        ("b1", "cam-b", "rejected"),
    ]
    assert len({str(one["id"]) for one in told}) == 2
    book.tell("dismissed", "a1", 2, 60)
    book.tell("dismissed", "b1", 2, 60)
    assert book.only().status is CaseStatus.DISMISSED


def test_an_older_sighting_that_arrives_late_takes_over_with_all_that_was_done(make: Any, tmp_path: Path) -> None:
    book = ToldBook(make, tmp_path / "desk.db")
    book.tell("opened", "b1", 1, 9, ground=NEAR)
    book.act(case_id("b1"), Move.DISPATCHED, department="sanitation")
    book.tell("opened", "a1", 1, 0)
    case = book.only()
    assert (case.id, case.department) == (case_id("a1"), "sanitation")
    assert book.act(case_id("b1"), Move.TAKEN_UP).id == case.id  # the old link still leads there


def test_nobody_is_sent_twice(make: Any, tmp_path: Path) -> None:
    routing = routing_of([Department("s", "sanitation")], [Route("all", "s")])
    deadline = Deadline(timedelta(hours=4), Clock.EMERGENCY)
    for number, order in enumerate([("a1", "b1"), ("b1", "a1")]):
        plan = Plan(routing=routing, automatic=True, threshold=0.5, deadlines={"exposed_garbage": deadline})
        book = ToldBook(make, tmp_path / f"{number}.db", plan)
        for problem in order:
            book.tell("opened", problem, 1, 0 if problem == "a1" else 9)
        case = book.only()
        found = book.ledger.case(case.id)
        assert found is not None
        assert [step.move for step in found.steps if step.move is Move.DISPATCHED] == [Move.DISPATCHED]


def test_the_page_and_the_json_name_the_sources(desk: Any, make: Any) -> None:
    desk.send(event(make, "opened", "a1", 1, 0))
    desk.send(event(make, "opened", "b1", 1, 9, ground=NEAR))
    found = desk.client.get("/cases.json").json()
    assert found["total"] == 1
    assert [source["camera_id"] for source in found["cases"][0]["sources"]] == ["cam-a", "cam-b"]
    assert found["cases"][0]["sources"][1]["place"]["ground"] == NEAR
    page = desk.client.get(f"/cases/{case_id('b1')}")
    assert page.status_code == 200
    assert "cam-b" in page.text


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, str, int, int, int]]:
    """(kind, problem, revision, minute, metres north): lives of up to five problems of three cameras."""
    told = []
    for number in range(draw(st.integers(2, 5))):
        problem = f"{draw(st.sampled_from('abc'))}{number}"
        minute, metres = draw(st.integers(0, 100)), draw(st.integers(0, 12))
        there = False
        for revision in range(1, draw(st.integers(1, 4)) + 1):
            kind = draw(st.sampled_from(["updated", "cleared", "dismissed"])) if there else "reopened"
            kind = "opened" if revision == 1 else kind
            there = kind in ("opened", "updated", "reopened")
            told.append((kind, problem, revision, minute, metres))
            minute += draw(st.integers(1, 60))
            if kind == "dismissed":
                break
    return told


def book_of(make: Any, path: Path, told: list[tuple[str, str, int, int, int]]) -> list[Case]:
    book = ToldBook(make, path)
    for kind, problem, revision, minute, metres in told:
        book.tell(kind, problem, revision, minute, ground=north(metres))
    found = sorted(book.cases(), key=lambda case: case.id)
    book.ledger.close()
    return found


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(told=stories(), data=st.data())
def test_any_order_and_repetition_gives_the_same_cases(
    make: Any, tmp_path: Path, told: list[tuple[str, str, int, int, int]], data: st.DataObject
) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    expected = book_of(make, tmp_path / "straight.db", told)
    mixed = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=4))))
    assert book_of(make, tmp_path / "mixed.db", mixed) == expected
    assert sorted(s.problem_id for case in expected for s in case.sources) == sorted({one[1] for one in told})
    for case in expected:
        for source in case.sources[1:]:
            spots = [GeoPoint(s.latitude or 0, s.longitude or 0) for s in case.sources if s is not source]
            here = GeoPoint(source.latitude or 0, source.longitude or 0)
            assert min(distance_m(here, spot) for spot in spots) <= 5.01
