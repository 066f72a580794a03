"""One thing that is first seen in halves, or behind something that passes, is one problem."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from detector.core.category import Category, ClearingPolicy, ConfirmationPolicy
from detector.core.detection import BoundingBox, Detection
from detector.core.judging import judge
from detector.core.look import Look, LookStatus
from detector.core.problem import EventKind, Problem, ProblemStatus

START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
SIZE = (1920, 1080)
WHOLE = BoundingBox(400, 500, 600, 640)
LEFT, RIGHT = BoundingBox(400, 500, 510, 640), BoundingBox(480, 500, 600, 640)
BESIDE = BoundingBox(590, 500, 700, 640)  # another thing, whose box touches
LORRY = BoundingBox(320, 330, 760, 640)  # passes; 200 x 140 px of it are where the parked car is: IoU 0.2
CAR, GARBAGE = "car", "garbage"


class Street:
    """One category, told by one label; a look a minute."""

    def __init__(self, label: str) -> None:
        policy = ConfirmationPolicy(0.5, 0.3, looks=3, of=5, dwell=timedelta(minutes=2))
        category = Category("it", {}, frozenset({label}), policy, ClearingPolicy(looks=5, after=timedelta(minutes=3)))
        self.categories, self.label = {"it": category}, label
        self.problems: dict[str, Problem] = {}
        self.events: list[tuple[str, EventKind]] = []
        self.minute = 0
        self._ids = (f"p{n}" for n in count(1))

    def look(self, *boxes: BoundingBox) -> None:
        seen = tuple(Detection(self.label, box, 0.9) for box in boxes)
        look = Look("cam", START + timedelta(minutes=self.minute), LookStatus.OK, seen, "m@1", SIZE)
        self.minute += 1
        for change in judge(look, list(self.problems.values()), self.categories, lambda: next(self._ids)):
            self.problems[change.problem.id] = change.problem
            if change.event:
                self.events.append((change.problem.id, change.event.kind))

    def look_at_each(self, looks: Sequence[Sequence[BoundingBox]]) -> None:
        for boxes in looks:
            self.look(*boxes)

    def opened(self) -> list[str]:
        return [problem for problem, kind in self.events if kind is EventKind.OPENED]


HALVES = [LEFT, RIGHT]


@pytest.mark.parametrize("label", [GARBAGE, CAR])
@pytest.mark.parametrize(
    "looks",
    [
        [HALVES, [WHOLE], HALVES, [WHOLE], HALVES, [WHOLE], HALVES, HALVES],
        [HALVES, [WHOLE], [WHOLE], [WHOLE], HALVES, HALVES, [WHOLE]],
        [HALVES, HALVES, [WHOLE], [WHOLE], HALVES],
        [HALVES, [], HALVES, HALVES, [WHOLE], [WHOLE]],
        [[WHOLE], HALVES, HALVES, HALVES, HALVES, [WHOLE]],
    ],
)
def test_a_thing_seen_in_halves_is_one_problem(label: str, looks: list[list[BoundingBox]]) -> None:
    street = Street(label)
    street.look_at_each(looks)
    assert len(street.opened()) == 1
    (one,) = [p for p in street.problems.values() if p.status is ProblemStatus.OPEN]
    assert one.place.box.covered_by(WHOLE) > 0.99
    assert not [p for p in street.problems.values() if p.status is ProblemStatus.SUSPECTED and p.missed == 0]


def test_a_place_of_which_the_whole_is_seen_is_the_whole() -> None:
    street = Street(GARBAGE)
    street.look_at_each([HALVES, [WHOLE]])
    assert {p.status for p in street.problems.values()} == {ProblemStatus.SUSPECTED, ProblemStatus.DISMISSED}
    assert [p.place.box for p in street.problems.values() if p.status is ProblemStatus.SUSPECTED] == [WHOLE]


def test_neighbours_that_touch_are_two_after_two_more_sightings() -> None:
    street = Street(GARBAGE)
    for _ in range(4):
        street.look(WHOLE, BESIDE)
    assert street.opened() == ["p1"]
    street.look(WHOLE, BESIDE)
    assert street.opened() == ["p1", "p2"]


def test_a_neighbour_that_does_not_touch_waits_for_nothing() -> None:
    street = Street(GARBAGE)
    for _ in range(3):
        street.look(WHOLE, BoundingBox(610, 500, 700, 640))
    assert street.opened() == ["p1", "p2"]


def test_a_suspicion_that_began_with_a_lorry_does_not_live_on_the_car_behind_it() -> None:
    street = Street(CAR)
    street.look(LORRY)
    for _ in range(8):
        street.look(WHOLE)
    assert street.opened() == ["p2"]
    assert street.problems["p1"].status is ProblemStatus.DISMISSED
    assert street.problems["p2"].place.box == WHOLE


def test_a_lorry_before_a_parked_car_and_a_suspicion_leaves_the_car_where_it_is() -> None:
    street = Street(CAR)
    for _ in range(5):
        street.look(WHOLE)
    street.look(WHOLE, BoundingBox(330, 360, 420, 480))
    street.look(LORRY)
    assert street.problems["p1"].place.box == WHOLE
    for _ in range(6):
        street.look(WHOLE)
    assert street.problems["p1"].missed == 0
    assert street.opened() == ["p1"]


def test_the_car_itself_does_not_hide_that_it_is_no_longer_seen_in_halves() -> None:
    street = Street(CAR)
    street.look(LEFT, BoundingBox(515, 500, 600, 640))  # a gap: the second half is not within the first
    for _ in range(6):
        street.look(WHOLE)
    assert [p.id for p in street.problems.values() if p.status is ProblemStatus.OPEN] == street.opened()
    assert len(street.opened()) == 1


@pytest.mark.parametrize("label", [CAR, "uncovered_load"])
def test_traffic_that_passes_one_place_does_not_add_up_to_a_parked_car(label: str) -> None:
    passing = [BoundingBox(80, 450, 480, 690), BoundingBox(130, 540, 570, 760), BoundingBox(40, 340, 470, 600)]
    assert all(0.3 < passing[0].iou(box) < 0.5 for box in passing[1:])
    street, heaps = Street(label), Street(GARBAGE)
    for looked in (street, heaps):
        looked.look_at_each([[box] for box in passing] + [[]] * 6)
    assert street.opened() == []
    assert heaps.opened() == ["p1"]  # boxes of heaps breathe


def test_the_next_car_at_a_place_is_not_the_one_that_left() -> None:
    street = Street(CAR)
    street.look_at_each([[WHOLE]] * 4 + [[]] * 8)
    assert [kind for _, kind in street.events] == [EventKind.OPENED, EventKind.CLEARED]
    street.look_at_each([[BoundingBox(330, 480, 530, 640)]] * 4)  # IoU 0.4
    assert street.opened() == ["p1", "p2"]
    street.look_at_each([[]] * 8 + [[WHOLE]] * 4)
    assert street.events[-1] == ("p1", EventKind.REOPENED)


def test_lorries_that_pass_before_a_parked_car_do_not_take_it_for_a_part_of_them() -> None:
    street = Street(CAR)
    lorry, next_one = BoundingBox(330, 330, 730, 660), BoundingBox(340, 330, 800, 660)
    assert lorry.iou(next_one) > 0.5
    street.look_at_each([[WHOLE], [WHOLE], [lorry], [next_one], [WHOLE]])
    assert street.opened() == ["p1"]
    street = Street(CAR)
    street.look_at_each([[lorry], [WHOLE], [WHOLE], [next_one], [WHOLE]])
    assert street.opened() == ["p2"]


def test_the_better_suspicion_keeps_its_sightings_from_an_older_half() -> None:
    street = Street(CAR)
    half, other = BoundingBox(424, 591, 558, 738), BoundingBox(528, 591, 669, 738)
    whole, nearly = BoundingBox(429, 568, 678, 739), BoundingBox(437, 588, 696, 740)
    assert other.iou(whole) < 0.5 < other.iou(nearly)
    street.look_at_each([[half, other], [whole], [whole], [nearly]])
    assert street.opened() == ["p3"]


def test_a_car_first_seen_in_halves_has_stood_there_since() -> None:
    street = Street(CAR)
    left, right = BoundingBox(400, 500, 495, 640), BoundingBox(510, 500, 600, 640)
    assert max(left.iou(WHOLE), right.iou(WHOLE)) < 0.5
    street.look_at_each([[left, right], [WHOLE], [WHOLE]])
    assert [p.first_seen for p in street.problems.values() if p.place.box == WHOLE] == [START]
    street = Street(CAR)
    street.look_at_each([[left], [WHOLE]])
    assert [p.first_seen for p in street.problems.values() if p.place.box == WHOLE] == [START + timedelta(minutes=1)]
