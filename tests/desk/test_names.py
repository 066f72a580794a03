"""Two cameras call one thing by two names: one case, under the name that most sightings give it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.core.stages import Move
from detector.desk.case import CaseStatus, case_id
from detector.desk.course import Reason
from tests.desk.book import NEAR, SPOT, Book, Event, Ground, event, north

A, B = case_id("a1"), case_id("b1")
GARBAGE, STALL = "exposed_garbage", "street_stall"
LABELS = {GARBAGE: "garbage", STALL: "street_stall"}


def told(make: Any, kind: str, problem: str, revision: int, minute: float, category: str, **more: Any) -> Event:
    """What cam-b sees stands 3 m north of what the others see; `also`, `sightings`, `ground` as they are given."""
    names = {"category": category, "label": LABELS[category], "category_names": {"en": category}, "rule": category}
    ground = more.pop("ground", NEAR if problem.startswith("b") else SPOT)
    return event(make, kind, problem, revision, minute, ground, **names, **more)


@pytest.fixture
def pair(make: Any) -> list[Event]:
    """Camera a tells of a stall, though it saw garbage more often; camera b of garbage."""
    return [
        told(make, "opened", "a1", 1, 0, STALL, sightings=3, also={GARBAGE: 4}, score=0.95, review=True),
        told(make, "opened", "b1", 1, 9, GARBAGE, sightings=5, also={STALL: 2}, score=0.7),
    ]


def test_one_case_under_the_name_of_most_sightings(pair: list[Event], tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db")
    book.hand_in(pair[0])
    assert [(case.id, case.told, case.review) for case in book.cases()] == [(A, STALL, True)]
    book.hand_in(pair[1])
    (case,) = book.cases()
    assert (case.id, case.camera_id, case.told, case.category, case.label) == (A, "cam-a", GARBAGE, GARBAGE, "garbage")
    assert (case.category_names, case.rule, case.review, case.score) == ({"en": GARBAGE}, GARBAGE, False, 0.7)
    assert [source.category for source in case.sources] == [STALL, GARBAGE]


def test_the_name_told_first_stays_among_equals(make: Any, tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db")
    book.hand_in(
        told(make, "opened", "a1", 1, 0, STALL, sightings=3, also={GARBAGE: 3}),
        told(make, "opened", "b1", 1, 9, GARBAGE, sightings=3, also={STALL: 3}),
    )
    assert [case.told for case in book.cases()] == [STALL]


@pytest.mark.parametrize(
    ("one", "other", "ground", "cases"),
    [
        ({}, {}, NEAR, 2),  # a bin and the heap beside it: no picture shows one thing by both names
        ({GARBAGE: 1}, {}, NEAR, 1),
        ({}, {STALL: 1}, NEAR, 1),
        ({"rubble_pile": 2}, {"rubble_pile": 2}, NEAR, 2),
        ({GARBAGE: 1}, {STALL: 1}, north(33), 2),  # 33 m away
    ],
)
def test_only_what_one_camera_calls_by_both_names_is_one(
    make: Any, tmp_path: Path, one: dict[str, int], other: dict[str, int], ground: Ground, cases: int
) -> None:
    book = Book(tmp_path / "desk.db")
    book.hand_in(
        told(make, "opened", "a1", 1, 0, STALL, also=one),
        told(make, "opened", "b1", 1, 9, GARBAGE, also=other, ground=ground),
    )
    assert len(book.cases()) == cases


def test_its_own_name_comes_before_a_nearer_one(make: Any, tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db")
    book.hand_in(
        told(make, "opened", "a1", 1, 0, STALL, also={GARBAGE: 9}, ground=SPOT),
        told(make, "opened", "a2", 1, 1, GARBAGE, ground=NEAR),
        told(make, "opened", "b1", 1, 9, GARBAGE, ground=SPOT),
    )
    assert book.sources() == [["a1"], ["a2", "b1"]]


def test_a_verdict_is_told_to_each_camera_by_its_own_name(pair: list[Event], tmp_path: Path) -> None:
    def feed(book: Book) -> list[tuple[object, ...]]:
        names = ("problem_id", "category", "decision", "category_now", "label_now")
        return [tuple(one.told[name] for name in names) for one in book.ledger.verdicts(0, 10)]

    said: list[tuple[Move, dict[str, Any], list[tuple[object, ...]]]] = [
        (Move.CONFIRMED, {}, [("relabelled", GARBAGE, "garbage"), ("confirmed", None, None)]),
        (
            Move.RELABELLED,
            {"category": STALL, "label": "street_stall"},
            [("confirmed", None, None), ("relabelled", STALL, "street_stall")],
        ),
        (Move.REFUSED, {"reason": Reason.NOT_THERE}, [("rejected", None, None), ("rejected", None, None)]),
    ]
    for number, (move, details, expected) in enumerate(said):
        book = Book(tmp_path / f"{number}.db")
        book.hand_in(*pair)
        book.act(A, move, **details)
        assert feed(book) == [("a1", STALL, *expected[0]), ("b1", GARBAGE, *expected[1])]


def test_it_can_be_taken_apart(pair: list[Event], tmp_path: Path) -> None:
    book = Book(tmp_path / "desk.db")
    book.hand_in(*pair)
    book.act(A, Move.SPLIT, problems=("b1",))
    assert [(case.id, case.told, case.status) for case in book.cases()] == [
        (A, STALL, CaseStatus.OPEN),
        (B, GARBAGE, CaseStatus.OPEN),
    ]


def test_the_page_says_who_calls_it_otherwise(desk: Any, pair: list[Event]) -> None:
    for one in pair:
        desk.send(one)
    page = desk.client.get(f"/cases/{A}").text
    assert page.count("calls it street_stall") == 1
    assert "calls it exposed_garbage" not in page
    sources = desk.client.get(f"/cases/{A}.json").json()["sources"]
    assert [source["category"] for source in sources] == [STALL, GARBAGE]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_any_order_and_repetition_gives_the_same_cases(make: Any, tmp_path: Path, data: st.DataObject) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    events = []
    for number in range(data.draw(st.integers(2, 5))):
        problem = f"{data.draw(st.sampled_from('abc'))}{number}"
        category = data.draw(st.sampled_from([GARBAGE, STALL]))
        minute = data.draw(st.integers(0, 3000))
        also = data.draw(st.sampled_from([{}, {GARBAGE: 2}, {STALL: 2}]))
        more = {"also": also, "sightings": 3, "ground": north(data.draw(st.integers(0, 8)))}
        events.append(told(make, "opened", problem, 1, minute, category, **more))
        if data.draw(st.booleans()):
            gone = minute + data.draw(st.integers(1, 400))
            events.append(told(make, "cleared", problem, 2, gone, category, **more))
    again = data.draw(st.lists(st.sampled_from(events), max_size=3))
    found = []
    for name, order in (("straight", events), ("mixed", data.draw(st.permutations(events + again)))):
        book = Book(tmp_path / f"{name}.db")
        book.hand_in(*order)
        found.append(book.cases())
        book.ledger.close()
    assert found[0] == found[1]
