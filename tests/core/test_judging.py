"""The life cycle: confirmed by looks and dwell, cleared by looks and time, never by what could not be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.core.category import Category, ClearingPolicy, ConfirmationPolicy
from detector.core.detection import BoundingBox, Detection
from detector.core.judging import Change, judge, reject, turned_away
from detector.core.look import Look, LookStatus
from detector.core.problem import TRANSITIONS, EventKind, Place, Problem, ProblemStatus
from detector.core.rules import Outcome

START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
HEAP = BoundingBox(100, 100, 200, 200)
NEIGHBOUR = BoundingBox(205, 100, 300, 200)
BUS = BoundingBox(50, 50, 400, 260)
SIZE = (1280, 720)
GARBAGE = Category(
    "exposed_garbage",
    {"en": "Exposed garbage"},
    frozenset({"garbage", "bulky_waste"}),
    ConfirmationPolicy(0.5, 0.3, looks=3, of=5, dwell=timedelta(seconds=20), forget_after=timedelta(hours=1)),
    ClearingPolicy(looks=3, after=timedelta(seconds=30), reopen_within=timedelta(hours=2)),
)
CATEGORIES = {GARBAGE.id: GARBAGE}


class Street:
    """Feeds looks to the life cycle and keeps what a store would keep."""

    def __init__(self) -> None:
        self.problems: dict[str, Problem] = {}
        self.events: list[tuple[str, EventKind]] = []
        self._ids = (f"p{n}" for n in count(1))

    def look(
        self, second: float, *seen: Detection, status: LookStatus = LookStatus.OK, size: tuple[int, int] | None = SIZE
    ) -> list[Change]:
        size = size if status is LookStatus.OK else None
        look = Look("cam", START + timedelta(seconds=second), status, seen, "m@1", size)
        changes = judge(look, list(self.problems.values()), CATEGORIES, lambda: next(self._ids))
        for change in changes:
            self.problems[change.problem.id] = change.problem
            if change.event:
                self.events.append((change.problem.id, change.event.kind))
        return changes

    def kinds(self) -> list[EventKind]:
        return [kind for _, kind in self.events]


def heap(score: float = 0.8, box: BoundingBox = HEAP, label: str = "garbage") -> Detection:
    return Detection(label, box, score)


def opened() -> Street:
    street = Street()
    for second in (0, 10, 20):
        street.look(second, heap())
    assert street.kinds() == [EventKind.OPENED]
    return street


def test_opens_once_after_enough_looks_and_dwell() -> None:
    street = Street()
    street.look(0, heap())
    street.look(5, heap())
    street.look(10, heap())
    assert street.events == [], "three sightings, but not over the dwell time yet"
    street.look(20, heap())
    street.look(30, heap())
    assert street.events == [("p1", EventKind.OPENED)]
    assert street.problems["p1"].status is ProblemStatus.OPEN
    assert street.problems["p1"].first_seen == START


def test_clears_only_after_enough_looks_over_enough_time() -> None:
    street = opened()
    for second in (21, 22, 23, 24):
        street.look(second)
    assert street.kinds() == [EventKind.OPENED], "four looks, but within three seconds"
    street.look(52)
    assert street.kinds() == [EventKind.OPENED, EventKind.CLEARED]


def test_what_could_not_be_seen_neither_confirms_nor_clears() -> None:
    street = opened()
    for status in LookStatus:
        if status is not LookStatus.OK:
            assert street.look(100, status=status) == []
    assert street.problems["p1"].status is ProblemStatus.OPEN


def test_a_long_gap_invents_no_end() -> None:
    street = opened()
    street.look(6 * 3600)
    assert street.kinds() == [EventKind.OPENED], "first look after six hours counts as one look"


def test_a_view_that_comes_in_another_size_is_the_same_view() -> None:
    street, smaller = opened(), (640, 360)
    here = BoundingBox(HEAP.left / 2, HEAP.top / 2, HEAP.right / 2, HEAP.bottom / 2)
    for second in range(30, 200, 10):
        street.look(second, heap(box=here), size=smaller)
    assert street.kinds() == [EventKind.OPENED]
    (problem,) = street.problems.values()
    assert problem.place == Place(here, smaller)
    for second in range(200, 260, 10):
        street.look(second, size=smaller)
    assert street.kinds() == [EventKind.OPENED, EventKind.CLEARED]
    for second in range(260, 320, 10):  # and back again
        street.look(second, heap())
    assert street.kinds() == [EventKind.OPENED, EventKind.CLEARED, EventKind.REOPENED]
    assert list(street.problems) == ["p1"]
    assert street.problems["p1"].place == Place(HEAP, SIZE)


def test_two_heaps_side_by_side_are_two_problems() -> None:
    street = Street()
    for second in (0, 10, 20):
        street.look(second, heap(), heap(box=NEIGHBOUR))
    assert sorted(street.events) == [("p1", EventKind.OPENED), ("p2", EventKind.OPENED)]


def test_one_heap_found_twice_is_one_problem() -> None:
    street = Street()
    part = BoundingBox(110, 150, 190, 200)
    for second in (0, 10, 20, 30):
        street.look(second, heap(), heap(0.6, part), heap(0.6, label="bulky_waste"))
    assert street.events == [("p1", EventKind.OPENED)]


def test_one_heap_with_two_names_is_one_problem() -> None:
    rubble = Category("rubble_pile", {}, frozenset({"rubble_pile"}), GARBAGE.confirmation, GARBAGE.clearing)
    categories = {GARBAGE.id: GARBAGE, rubble.id: rubble}
    problems: dict[str, Problem] = {}
    ids = (f"p{n}" for n in count(1))
    kinds = []
    scores = [(0.6, 0.5), (0.6, 0.9), (0.6, 0.9), (0.6, 0.9), (0.35, 0.9)]
    for number, (garbage, other) in enumerate(scores):
        seen = (heap(garbage), Detection("rubble_pile", BoundingBox(102, 98, 203, 202), other))
        look = Look("cam", START + timedelta(seconds=10 * number), LookStatus.OK, seen, "m@1", SIZE)
        for change in judge(look, list(problems.values()), categories, lambda: next(ids)):
            problems[change.problem.id] = change.problem
            if change.event:
                kinds.append((change.problem.category, change.event.kind))
    assert kinds == [("exposed_garbage", EventKind.OPENED)], "the opinion that was there first stays"
    assert set(problems) == {"p1"}


def test_a_bus_in_front_hides_and_proves_nothing() -> None:
    street = opened()
    for second in range(30, 200, 10):
        street.look(second, Detection("bus", BUS, 0.9))
    street.look(210, heap())
    assert street.kinds() == [EventKind.OPENED]
    assert set(street.problems) == {"p1"}


def test_returns_to_the_same_problem_within_the_time_and_to_a_new_one_after() -> None:
    street = opened()
    for second in (30, 40, 50, 60):
        street.look(second)
    for second in (600, 610, 620):
        street.look(second, heap())
    assert street.events[-1] == ("p1", EventKind.REOPENED)
    assert street.problems["p1"].reopened == 1
    for second in (700, 710, 720, 730, 740):
        street.look(second)
    late = 740 + 3 * 3600
    for second in (late, late + 10, late + 20):
        street.look(second, heap())
    assert street.events[-1] == ("p2", EventKind.OPENED)


def test_one_weak_sighting_does_not_reopen() -> None:
    street = opened()
    for second in (30, 40, 50, 60):
        street.look(second)
    for second in range(100, 400, 10):
        street.look(second, heap(0.35))
    assert street.kinds() == [EventKind.OPENED, EventKind.CLEARED]


def test_a_weak_score_keeps_what_is_known_and_starts_nothing() -> None:
    street = Street()
    for second in range(0, 100, 10):
        street.look(second, heap(0.35))
    assert not street.problems
    street = opened()
    for second in range(30, 200, 10):
        street.look(second, heap(0.35))
    assert street.kinds() == [EventKind.OPENED]


def test_a_flicker_fades_without_a_word() -> None:
    street = Street()
    street.look(0, heap())
    for second in range(10, 70, 10):
        street.look(second)
    assert street.events == []
    assert street.problems["p1"].status is ProblemStatus.DISMISSED


def test_a_rejected_place_stays_silent_for_the_time_told() -> None:
    street = opened()
    change = reject(street.problems["p1"], START + timedelta(seconds=25), timedelta(minutes=10))
    assert change.event is not None
    assert change.event.kind is EventKind.DISMISSED
    street.problems["p1"] = change.problem
    for second in range(30, 600, 30):
        street.look(second, heap())
    assert set(street.problems) == {"p1"}
    for second in (1000, 1010, 1020):
        street.look(second, heap())
    assert street.events[-1] == ("p2", EventKind.OPENED)


def test_a_rejected_place_stays_silent_although_nothing_was_seen_there_meanwhile() -> None:
    street = opened()
    for second in range(30, 200, 10):
        street.look(second)
    assert street.kinds() == [EventKind.OPENED, EventKind.CLEARED]
    street.problems["p1"] = reject(street.problems["p1"], START + timedelta(seconds=200), timedelta(minutes=10)).problem
    for second in (*range(210, 400, 10), *range(500, 600, 10)):
        street.look(second, *([heap()] if second >= 500 else []))
    assert set(street.problems) == {"p1"}


def test_an_old_look_changes_nothing() -> None:
    street = opened()
    assert street.look(15, heap()) == []


def test_a_stall_that_becomes_legal_is_cleared_and_another_offence_is_told() -> None:
    street = Street()

    def allowed_by() -> str | None:
        return street.problems["p1"].allowed_by

    outcome, things = Outcome(True, "category:x", {"2026": "09001"}), [heap()]

    def look(second: float) -> None:
        seen = Look("cam", START + timedelta(seconds=second), LookStatus.OK, tuple(things), "m@1", SIZE)
        known = list(street.problems.values())
        for change in judge(seen, known, CATEGORIES, lambda: "p1", lambda _category, _place: outcome):
            street.problems[change.problem.id] = change.problem
            if change.event:
                street.events.append((change.problem.id, change.event.kind))

    for second in (0, 10, 20):
        look(second)
    outcome = Outcome(True, "rule:outside-hours", {"2026": "09002"})
    look(30)
    assert street.kinds() == [EventKind.OPENED, EventKind.UPDATED]
    assert street.problems["p1"].rule == "rule:outside-hours"
    outcome = Outcome(False, "permit:night-market")
    for second in (40, 60, 80):
        look(second)
    assert street.kinds() == [EventKind.OPENED, EventKind.UPDATED, EventKind.CLEARED]
    assert allowed_by() == "permit:night-market"
    outcome = Outcome(True, "rule:outside-hours", {"2026": "09002"})
    for second in (90, 100, 110, 120):
        look(second)
    assert street.kinds()[-1] is EventKind.REOPENED
    assert allowed_by() is None, "it is a case again"
    things.clear()
    for second in (130, 140, 150, 170):
        look(second)
    assert street.kinds()[-1] is EventKind.CLEARED
    assert allowed_by() is None, "gone, while nothing allowed it"


def test_what_became_legal_and_then_went_was_allowed_and_a_look_that_misses_it_changes_nothing() -> None:
    street, no_case = opened(), Outcome(False, "permit:market")
    for second, allowed in ((30, False), (40, True), (50, False), (70, False)):
        seen = (heap(),) if allowed else ()
        look = Look("cam", START + timedelta(seconds=second), LookStatus.OK, seen, "m@1", SIZE)
        for change in judge(look, list(street.problems.values()), CATEGORIES, lambda: "p9", lambda _c, _p: no_case):
            street.problems[change.problem.id] = change.problem
    (problem,) = street.problems.values()
    assert (problem.status, problem.allowed_by) == (ProblemStatus.CLEARED, "permit:market")


def test_a_problem_said_to_be_done_is_told_again_while_it_is_there() -> None:
    street = opened()
    asked = {"p1": START + timedelta(seconds=100)}
    kinds = []
    for second in range(90, 400, 20):
        look = Look("cam", START + timedelta(seconds=second), LookStatus.OK, (heap(),), "m@1", SIZE)
        for change in judge(look, list(street.problems.values()), CATEGORIES, lambda: "p9", asked=asked):
            street.problems[change.problem.id] = change.problem
            if change.event:
                kinds.append((second, change.event.kind))
    assert kinds == [(170, EventKind.UPDATED)], "once, a minute after the question"


def test_a_camera_that_is_turned_for_good_neither_clears_nor_finds_again() -> None:
    street = opened()
    street.look(21, heap(box=NEIGHBOUR))
    for change in turned_away(list(street.problems.values()), START + timedelta(seconds=30)):
        assert change.event is None
        street.problems[change.problem.id] = change.problem
    assert street.problems["p1"].out_of_view
    assert street.problems["p2"].status is ProblemStatus.DISMISSED, "a suspicion fades"
    for second in range(40, 200, 10):
        street.look(second)
    assert street.problems["p1"].status is ProblemStatus.OPEN
    for second in range(200, 260, 10):
        street.look(second, heap())
    assert street.events == [("p1", EventKind.OPENED), ("p3", EventKind.OPENED)], "what stands there now is another"


def test_an_update_tells_a_clearly_better_sighting_and_not_more_often_than_told() -> None:
    street = opened()
    street.look(30, heap(0.95))
    assert street.kinds() == [EventKind.OPENED]
    street.look(30 + 15 * 60, heap(0.95))
    assert street.kinds() == [EventKind.OPENED, EventKind.UPDATED]
    for second in (40 + 15 * 60, 45 * 60, 46 * 60):
        street.look(second, heap(0.97))
    assert street.kinds() == [EventKind.OPENED, EventKind.UPDATED], "hardly better than what was told"


boxes = st.sampled_from([HEAP, NEIGHBOUR, BUS, BoundingBox(104, 98, 206, 199), BoundingBox(600, 300, 700, 380)])
detections = st.builds(
    Detection,
    st.sampled_from(["garbage", "bulky_waste", "bus"]),
    boxes,
    st.floats(0.05, 1.0, allow_nan=False),
)
steps = st.tuples(
    st.sampled_from([1, 10, 60, 1800, 9000]),
    st.sampled_from([LookStatus.OK] * 5 + [LookStatus.DARK, LookStatus.UNREACHABLE]),
    st.lists(detections, max_size=4),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=40))
def test_no_edge_outside_the_table_and_no_event_without_one(
    run: Sequence[tuple[int, LookStatus, list[Detection]]],
) -> None:
    street = Street()
    allowed = {(status, to, kind) for (status, _), (to, kind) in TRANSITIONS.items()}
    second = 0
    for gap, status, seen in run:
        second += gap
        before = dict(street.problems)
        for change in street.look(second, *(seen if status is LookStatus.OK else []), status=status):
            old = before.get(change.problem.id)
            was = old.status if old else ProblemStatus.SUSPECTED
            kind = change.event.kind if change.event else None
            assert (was, change.problem.status, kind) in allowed or (was is change.problem.status and kind is None)
            assert change.problem.last_looked == START + timedelta(seconds=second)
            assert change.problem.first_seen <= change.problem.last_seen <= change.problem.last_looked
            if change.event:
                assert change.problem.revision == (old.revision if old else 0) + 1
    told: dict[str, list[EventKind]] = {}
    for problem_id, kind in street.events:
        told.setdefault(problem_id, []).append(kind)
    for kinds in told.values():
        assert kinds[0] is EventKind.OPENED
        ends = [kind for kind in kinds if kind is not EventKind.UPDATED]
        for earlier, later in pairwise(ends):
            assert (earlier, later) in {
                (EventKind.OPENED, EventKind.CLEARED),
                (EventKind.REOPENED, EventKind.CLEARED),
                (EventKind.CLEARED, EventKind.REOPENED),
            }


def test_the_same_looks_give_the_same_event_ids() -> None:
    one, two = opened(), opened()
    assert one.problems == two.problems
    first = replace(one.problems["p1"])
    assert first.revision == 1


def test_bicycles_that_must_be_several_are_one_problem_cleared_when_too_few_are_left() -> None:
    bicycles = replace(GARBAGE, id="nonmotor_parking", labels=frozenset({"bicycle"}), at_least=3)
    row = [Detection("bicycle", BoundingBox(left, 300, left + 80, 350), 0.8) for left in (100, 190, 280, 370)]
    legal = row[3].box
    problems: dict[str, Problem] = {}
    kinds = []

    def decide(category: Category, place: Place) -> Outcome:
        return Outcome(place.box != legal, "test")

    def look(second: float, seen: Sequence[Detection]) -> None:
        taken = Look("cam", START + timedelta(seconds=second), LookStatus.OK, tuple(seen), "m@1", SIZE)
        known = list(problems.values())
        for change in judge(taken, known, {bicycles.id: bicycles}, lambda: f"p{len(problems)}", decide):
            problems[change.problem.id] = change.problem
            if change.event:
                kinds.append(change.event.kind)

    for second in range(0, 60, 10):
        look(second, [row[0], row[1], row[3]])  # the last one stands where it may
    assert problems == {}
    for second in range(60, 120, 10):
        look(second, row)
    (problem,) = problems.values()
    assert (kinds, problem.place.box) == ([EventKind.OPENED], BoundingBox(100, 300, 360, 350))
    assert problem.count == 3
    for second in range(120, 180, 10):
        look(second, row[:2])
    assert kinds == [EventKind.OPENED, EventKind.CLEARED]
    assert problems["p0"].allowed_by is None, "two are too few, not allowed"


def test_bicycles_round_a_legal_bay_are_judged_where_they_stand_and_a_group_that_becomes_legal_is_told_so() -> None:
    bicycles = replace(GARBAGE, id="nonmotor_parking", labels=frozenset({"bicycle"}), at_least=3)
    row = [Detection("bicycle", BoundingBox(left, 300, left + 80, 350), 0.8) for left in (100, 190, 340, 430)]
    problems: dict[str, Problem] = {}
    kinds: list[EventKind] = []
    bay = (270.0, 340.0)  # between the second and the third one, where the foot of all four together is

    def decide(_category: Category, place: Place) -> Outcome:
        inside = bay[0] < place.box.foot[0] < bay[1]
        return Outcome(not inside, "needs:outside:legal_bay" if inside else "category:nonmotor_parking")

    def look(second: float) -> None:
        taken = Look("cam", START + timedelta(seconds=second), LookStatus.OK, tuple(row), "m@1", SIZE)
        for change in judge(taken, list(problems.values()), {bicycles.id: bicycles}, lambda: "p0", decide):
            problems[change.problem.id] = change.problem
            kinds.extend([change.event.kind] if change.event else [])

    for second in range(0, 60, 10):
        look(second)
    assert kinds == [EventKind.OPENED]
    assert (problems["p0"].count, problems["p0"].rule) == (4, "category:nonmotor_parking")
    bay = (0.0, 1280.0)  # the city draws the bay longer
    for second in range(60, 120, 10):
        look(second)
    assert kinds == [EventKind.OPENED, EventKind.CLEARED]
    assert problems["p0"].allowed_by == "needs:outside:legal_bay"


def test_an_old_case_rejected_late_takes_nothing_from_the_one_opened_since() -> None:
    street = opened()
    for second in range(30, 100, 10):
        street.look(second)
    first, later = street.problems["p1"], timedelta(hours=3).total_seconds()
    assert first.status is ProblemStatus.CLEARED
    for second in (0, 10, 20):
        street.look(later + second, heap())
    rejected = reject(first, START + timedelta(seconds=later + 25), timedelta(days=7))
    street.problems["p1"] = rejected.problem
    for second in range(30, 200, 10):
        street.look(later + second, heap())
    assert (street.problems["p2"].status, street.problems["p2"].missed) == (ProblemStatus.OPEN, 0)
    assert set(street.problems) == {"p1", "p2"}
