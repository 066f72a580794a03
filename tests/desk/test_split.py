"""What two cameras see was joined into one case, and is two things: it is taken apart, and stays so."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.core.routing import Department, Route, routing_of
from detector.core.stages import Move
from detector.desk.case import CaseStatus, Finding, case_id
from detector.desk.plan import Plan
from tests.desk.book import NEAR, SPOT, Book, Event, event

A, B, C = case_id("a1"), case_id("b1"), case_id("c1")


def told(make: Any, kind: str, problem: str, revision: int, minute: float) -> Event:
    """What cam-b sees stands 3 m north of what the others see."""
    return event(make, kind, problem, revision, minute, NEAR if problem.startswith("b") else SPOT)


@pytest.fixture
def book(make: Any, tmp_path: Path) -> Book:
    """One case of two cameras, on which a crew works."""
    found = Book(tmp_path / "desk.db")
    found.hand_in(told(make, "opened", "a1", 1, 0), told(make, "opened", "b1", 1, 9))
    found.act(A, Move.DISPATCHED, department="sanitation")
    found.act(A, Move.TAKEN_UP)
    return found


def test_the_part_waits_for_a_person_with_its_history_and_the_rest_goes_on(book: Book) -> None:
    left = book.split(A, "b1")
    assert (left.id, left.stage.value, left.department) == (A, "handle", "sanitation")
    assert book.sources() == [["a1"], ["b1"]]
    part = book.cases()[1]
    assert (part.id, part.status, part.stage.value, part.department) == (B, CaseStatus.OPEN, "collect", None)
    done = [("filed", "file"), ("dispatched", "dispatch"), ("taken_up", "handle")]
    assert book.steps(A) == [(*step, False) for step in [*done, ("parted", "handle")]]
    assert book.steps(B) == [(*step, False) for step in [*done, ("split", "collect")]]
    file = book.ledger.case(B)
    assert file is not None
    assert file.apart == [A]
    assert [entry.report.data.problem_id for entry in file.received] == ["b1"]
    assert book.act(B, Move.FILED).stage.value == "file"
    assert book.act(A, Move.REPORTED).stage.value == "report"


def test_the_first_problem_can_be_the_one_that_goes(book: Book) -> None:
    left = book.split(A, "a1")
    assert (left.id, left.stage.value, left.department) == (B, "handle", "sanitation")
    assert book.act(B, Move.REPORTED).stage.value == "report"
    assert book.cases()[0].stage.value == "collect"
    assert [step[0] for step in book.steps(A)] == ["filed", "dispatched", "taken_up", "split"]
    assert [step[0] for step in book.steps(B)] == ["filed", "dispatched", "taken_up", "parted", "reported"]


def test_the_parts_do_not_join_again_whatever_they_are_told_later(make: Any, book: Book) -> None:
    book.split(A, "b1")
    book.hand_in(
        told(make, "updated", "b1", 2, 20),
        told(make, "cleared", "b1", 3, 30),
        told(make, "reopened", "b1", 4, 40),
        told(make, "updated", "a1", 2, 41),
    )
    assert book.sources() == [["a1"], ["b1"]]
    book.hand_in(told(make, "cleared", "b1", 5, 50), told(make, "opened", "b2", 1, 60 * 30))
    assert ["b2"] in book.sources()  # what stands there the next day is as little the same thing
    book.hand_in(told(make, "opened", "c1", 1, 45))  # a third camera joins the nearer one, not both
    assert ["a1", "c1"] in book.sources()
    assert ["b1"] in book.sources()


def test_after_a_month_the_same_places_may_be_one_thing(make: Any, book: Book) -> None:
    book.split(A, "b1")
    later = 60 * 24 * 32
    book.hand_in(told(make, "cleared", "b1", 2, 50), told(make, "opened", "b2", 1, later))
    assert ["a1", "b2"] in book.sources()


def test_what_is_gone_already_is_split_off_as_gone(make: Any, book: Book) -> None:
    book.hand_in(told(make, "cleared", "b1", 2, 20))
    book.split(A, "b1")
    assert [case.status for case in book.cases()] == [CaseStatus.OPEN, CaseStatus.CLEARED]
    assert book.steps(B)[-1] == ("parted", "close", False)


def test_one_of_three_and_two_of_three(make: Any, tmp_path: Path) -> None:
    for number, (off, expected) in enumerate(
        [(("c1",), [["a1", "b1"], ["c1"]]), (("b1", "c1"), [["a1"], ["b1", "c1"]])]
    ):
        book = Book(tmp_path / f"{number}.db")
        book.hand_in(*(told(make, "opened", problem, 1, minute) for minute, problem in enumerate(["a1", "b1", "c1"])))
        book.split(A, *off)
        assert book.sources() == expected


def test_merging_is_the_way_back(book: Book) -> None:
    book.split(A, "b1")
    assert book.act(B, Move.MERGED, other_case=A).status is CaseStatus.MERGED
    assert book.act(B, Move.SPLIT).stage.value == "collect"


def test_the_desk_sends_nobody_to_a_part_by_itself(make: Any, tmp_path: Path) -> None:
    plan = Plan(routing=routing_of([Department("s", "sanitation")], [Route("all", "s")]), automatic=True, threshold=0.5)
    book = Book(tmp_path / "desk.db", plan)
    book.hand_in(told(make, "opened", "a1", 1, 0), told(make, "opened", "b1", 1, 9))
    assert book.split(A, "b1").department == "sanitation"
    part = book.cases()[1]
    assert (part.stage.value, part.department, part.held) == ("collect", None, "split off from another case")
    assert (part.automatic, book.cases()[0].automatic) == (False, True)  # it was sent once, and not for this
    book.hand_in(told(make, "updated", "b1", 2, 30))  # news do not make it surer that it is one
    assert [case.stage.value for case in book.cases()] == ["dispatch", "collect"]
    book.hand_in(told(make, "cleared", "b1", 3, 40), told(make, "reopened", "b1", 4, 50))
    part = book.cases()[1]
    assert (part.stage.value, part.automatic) == ("dispatch", True)  # gone and back, it is like any other


def test_a_part_that_a_person_files_is_sent(make: Any, tmp_path: Path) -> None:
    plan = Plan(routing=routing_of([Department("s", "sanitation")], [Route("all", "s")]), automatic=True, threshold=0.5)
    book = Book(tmp_path / "desk.db", plan)
    book.hand_in(told(make, "opened", "a1", 1, 0), told(make, "opened", "b1", 1, 9))
    assert book.act(A, Move.CONFIRMED).finding is Finding.CONFIRMED
    book.split(A, "b1")
    assert [case.finding for case in book.cases()] == [Finding.CONFIRMED, None]  # said of both together
    filed = book.act(B, Move.FILED)
    assert (filed.department, filed.automatic, filed.finding) == ("sanitation", False, Finding.CONFIRMED)


def test_a_book_of_the_version_before_is_taken_on(book: Book, tmp_path: Path) -> None:
    book.ledger.close()
    with sqlite3.connect(tmp_path / "desk.db") as file:
        file.execute("DROP TABLE apart")
        file.execute("UPDATE book SET schema_version = 3")
    again = Book(tmp_path / "desk.db")
    assert again.split(A, "b1").stage.value == "handle"
    again.ledger.close()
    assert Book(tmp_path / "desk.db").sources() == [["a1"], ["b1"]]


def test_by_the_interface_and_on_the_page(desk: Any, make: Any) -> None:
    desk.send(told(make, "opened", "a1", 1, 0))
    desk.send(told(make, "opened", "b1", 1, 9))

    def say(case: str, **body: Any) -> Any:
        return desk.client.post(f"/cases/{case}/verdicts", json={"decision": "split", **body})

    assert '<option value="b1">' in desk.client.get(f"/cases/{A}").text
    assert say(A).status_code == 409
    assert "problems" in say(A).json()["detail"]
    assert say(A, problems=["a1", "b1"]).status_code == 409
    assert say(A, problems=["z9"]).status_code == 409
    assert say(A, problems=[]).status_code == 422
    wrong = {"decision": "confirm", "problems": ["b1"]}
    assert desk.client.post(f"/cases/{A}/verdicts", json=wrong).status_code == 422
    answer = say(A, problems=["b1"], id="split-0001").json()
    assert (answer["id"], [source["problem_id"] for source in answer["sources"]]) == (A, ["a1"])
    assert say(A, problems=["b1"], id="split-0001").status_code == 200  # a repetition changes nothing
    assert desk.client.get(f"/cases/{A}.json").json()["apart"] == [B]
    part = desk.client.get(f"/cases/{B}.json").json()
    assert (part["apart"], part["steps"][-1]["move"], part["steps"][-1]["problems"]) == ([A], "split", ["b1"])
    assert f'href="/cases/{A}"' in desk.client.get(f"/cases/{B}").text
    assert "Split it off" not in desk.client.get(f"/cases/{A}").text
    feed = desk.client.get("/verdicts.json").json()["verdicts"]
    assert [(one["decision"], one["problem_id"], one["camera_id"]) for one in feed] == [("split", "b1", "cam-b")]
    assert desk.client.get("/verdicts.jsonl").text == ""
    assert say(A, problems=["a1"]).status_code == 409  # nothing is left to split


LIVES = st.permutations([("b1", "updated", 2, 20), ("b1", "cleared", 3, 30), ("b1", "reopened", 4, 40),
                         ("a1", "updated", 2, 25), ("a1", "cleared", 3, 35), ("c1", "opened", 1, 22),
                         ("c1", "cleared", 2, 33), ("b2", "opened", 1, 55)])  # fmt: skip


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(mail=LIVES, again=st.lists(st.integers(0, 7), max_size=4), off=st.sampled_from(["a1", "b1"]))
def test_any_order_and_repetition_of_later_mail_gives_the_same_cases(
    make: Any, tmp_path: Path, mail: list[tuple[str, str, int, int]], again: list[int], off: str
) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    found = []
    for name, order in (
        ("straight", sorted(mail, key=lambda one: one[3])),
        ("mixed", [*mail, *(mail[n] for n in again)]),
    ):
        book = Book(tmp_path / f"{name}.db")
        book.hand_in(told(make, "opened", "a1", 1, 0), told(make, "opened", "b1", 1, 9))
        book.act(A, Move.DISPATCHED, department="sanitation")
        book.split(A, off)
        book.hand_in(*(told(make, kind, problem, revision, minute) for problem, kind, revision, minute in order))
        found.append(book.cases())
        book.ledger.close()
    assert found[0] == found[1]
    assert not any({"a1", "b1"} <= {source.problem_id for source in case.sources} for case in found[0])
