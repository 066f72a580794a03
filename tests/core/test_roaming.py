"""Cameras that move: one thing on the ground is one problem from wherever it is seen; absence needs a view of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from detector.core.category import Category, ClearingPolicy, ConfirmationPolicy
from detector.core.detection import BoundingBox, Detection
from detector.core.event import ProblemEvent
from detector.core.geo import GeoPoint, Pose, distance_m, shifted
from detector.core.judging import Change, reject
from detector.core.look import Look, LookStatus
from detector.core.pinhole import ground_of, seen_at, share_of_a_metre
from detector.core.problem import EventKind, Problem, ProblemStatus
from detector.core.roaming import judge_moving

START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
HOME = GeoPoint(35.0228, 110.9977)
SIZE = (1920, 1080)
HEAP_M = 2.0


def category(name: str, *labels: str) -> Category:
    return Category(
        name,
        {"en": name},
        frozenset(labels),
        ConfirmationPolicy(0.5, 0.3, looks=3, of=5, dwell=timedelta(seconds=4), forget_after=timedelta(hours=1)),
        ClearingPolicy(looks=3, after=timedelta(seconds=6), reopen_within=timedelta(hours=24)),
    )


CATEGORIES = {one.id: one for one in (category("exposed_garbage", "garbage"), category("rubble_pile", "rubble_pile"))}


def above(north: float = 0.0, east: float = 0.0, height: float = 30.0, heading: float = 0.0) -> Pose:
    return Pose(shifted(HOME, north, east), height, heading, -90.0, 0.0, 73.7)


def box_of(pose: Pose, spot: GeoPoint, wide_m: float = HEAP_M) -> BoundingBox | None:
    """Where a camera shows a thing; None where it does not, wholly."""
    at, metre = seen_at(pose, spot, SIZE), share_of_a_metre(pose, spot)
    if at is None or metre is None:
        return None
    (x, y), wide = (at[0] * SIZE[0], at[1] * SIZE[1]), wide_m * metre * SIZE[0]
    box = BoundingBox(x - wide / 2, y - wide / 2, x + wide / 2, y)
    return box if box.left >= 0 and box.right <= SIZE[0] and box.top >= 0 and box.bottom <= SIZE[1] else None


def moved_by(pose: Pose, north: float, east: float) -> Pose:
    return replace(pose, position=shifted(pose.position, north, east))


class Flight:
    """Feeds looks to the life cycle and keeps what a store would keep."""

    def __init__(self, *heaps: GeoPoint) -> None:
        self.heaps = list(heaps)
        self.problems: dict[str, Problem] = {}
        self.events: list[ProblemEvent] = []
        self.categories = CATEGORIES
        self._ids = (f"p{n}" for n in count(1))

    def look(
        self,
        second: float,
        pose: Pose | None,
        told: Pose | None = None,
        label: str = "garbage",
        also: Sequence[Detection] = (),
    ) -> list[Change]:
        """`pose`: where the camera truly is; `told`: what its telemetry says, the same unless given."""
        told = told or pose
        boxes = [box for heap in self.heaps if pose is not None and (box := box_of(pose, heap)) is not None]
        seen = [Detection(label, box, 0.8) for box in boxes] + list(also)
        if told is not None:
            shares = [(d.box.foot[0] / SIZE[0], d.box.foot[1] / SIZE[1]) for d in seen]
            seen = [replace(d, ground=ground_of(told, at, SIZE)) for d, at in zip(seen, shares, strict=True)]
        look = Look("drone", START + timedelta(seconds=second), LookStatus.OK, tuple(seen), "m@1", SIZE)
        changes = judge_moving(look, told, list(self.problems.values()), self.categories, lambda: next(self._ids))
        for change in changes:
            self.problems[change.problem.id] = change.problem
            if change.event:
                self.events.append(change.event)
        return changes

    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events]


HEAP = shifted(HOME, 3, 2)


def opened() -> Flight:
    flight = Flight(HEAP)
    for second in range(0, 6, 2):
        flight.look(second, above(north=second))
    assert flight.kinds() == [EventKind.OPENED]
    return flight


def test_a_heap_seen_from_here_and_there_is_one_problem() -> None:
    flight = Flight(HEAP)
    for second in range(0, 20, 2):
        flight.look(second, above(north=5 - second, east=second / 2, heading=20.0 * second))
    assert flight.kinds() == [EventKind.OPENED]
    (problem,) = flight.problems.values()
    assert problem.place.ground is not None
    assert distance_m(problem.place.ground, HEAP) < 0.1
    assert problem.place.ground.error_m is not None
    assert problem.place.width_m is not None
    assert abs(problem.place.width_m - HEAP_M) < 0.01


@given(
    st.lists(
        st.tuples(st.floats(-8, 8), st.floats(-14, 14), st.floats(0, 360), st.floats(-2, 2), st.floats(-2, 2)),
        min_size=3,
        max_size=12,
    )
)
def test_receivers_that_wander_within_their_error_make_no_second_problem(
    way: list[tuple[float, float, float, float, float]],
) -> None:
    flight = Flight(HEAP)
    for number, (north, east, heading, wrong_north, wrong_east) in enumerate(way):
        pose = above(north, east, heading=heading)
        flight.look(2.0 * number, pose, moved_by(pose, wrong_north, wrong_east))
    assert len(flight.problems) <= 1


def test_looks_elsewhere_say_nothing() -> None:
    flight = opened()
    before = dict(flight.problems)
    flight.heaps.clear()
    for second in range(10, 200, 2):
        assert flight.look(second, above(north=200)) == []
    assert flight.problems == before


def test_what_is_gone_is_cleared_by_looks_at_its_spot() -> None:
    flight = opened()
    flight.heaps.clear()
    for second in range(10, 40, 2):
        flight.look(second, above(north=second / 4))
    assert flight.kinds() == [EventKind.OPENED, EventKind.CLEARED]
    told = flight.events[-1].problem.place
    assert told.frame_size == SIZE
    shown = box_of(above(north=24 / 4), HEAP)
    assert shown is not None
    assert told.box.iou(shown) > 0 or abs(told.box.foot[0] - shown.foot[0]) < 200  # in the view of that look
    assert flight.problems["p1"].status is ProblemStatus.CLEARED


def test_a_spot_at_the_edge_of_the_view_or_seen_from_too_high_is_not_looked_at() -> None:
    flight = opened()
    flight.heaps.clear()
    for second in range(10, 60, 2):
        flight.look(second, above(north=3 + 11.5))  # 12.6 m are the half of its view
        flight.look(second + 1, above(north=3, height=110.0))
    assert flight.kinds() == [EventKind.OPENED]


def test_behind_a_bus_is_not_looked_at() -> None:
    flight = opened()
    flight.heaps.clear()
    shown = box_of(above(), HEAP)
    assert shown is not None
    bus = Detection("bus", BoundingBox(shown.left - 200, shown.top - 50, shown.right + 200, shown.bottom + 50), 0.9)
    for second in range(10, 60, 2):
        flight.look(second, above(), also=[bus])
    assert flight.kinds() == [EventKind.OPENED]


def test_what_comes_back_is_the_same_problem() -> None:
    flight = opened()
    flight.heaps.clear()
    for second in range(10, 40, 2):
        flight.look(second, above())
    flight.heaps.append(HEAP)
    for second in range(3600, 3610, 2):
        flight.look(second, above(east=second - 3605))
    assert flight.kinds() == [EventKind.OPENED, EventKind.CLEARED, EventKind.REOPENED]


def test_two_heaps_are_two_problems_also_where_they_are_seen_in_turn() -> None:
    flight = Flight(HEAP, shifted(HEAP, 0, 6))
    for second in range(0, 10, 2):
        flight.look(second, above(north=1))
    assert flight.kinds() == [EventKind.OPENED] * 2
    for second in range(10, 60, 2):
        flight.look(second, above(north=1, east=(second % 4 - 1) * 3))
    assert len(flight.problems) == 2
    assert flight.kinds() == [EventKind.OPENED] * 2
    flight = Flight(HEAP, shifted(HEAP, 60, 0))
    for second in range(0, 20, 2):
        flight.look(second, above(north=0 if second % 4 else 60))
    assert flight.kinds() == [EventKind.OPENED] * 2


def test_who_does_not_know_where_it_is_says_nothing() -> None:
    flight = opened()
    before = dict(flight.problems)
    shown = box_of(above(), HEAP)
    assert shown is not None
    for second in range(10, 60, 2):
        assert flight.look(second, None, also=[Detection("garbage", shown, 0.9)]) == []
    assert flight.problems == before
    high = replace(above(), pitch_deg=None, height_m=200.0)  # it could be anywhere
    assert flight.look(70, above(), told=high) == []


def test_by_position_alone_a_case_is_opened_around_the_camera_but_never_cleared() -> None:
    flight = Flight(HEAP)
    for second in range(0, 10, 2):
        pose = above(north=second)
        flight.look(second, pose, told=Pose(pose.position))
    assert flight.kinds() == [EventKind.OPENED]
    (problem,) = flight.problems.values()
    assert problem.place.ground is not None
    assert problem.place.ground.error_m is not None
    assert distance_m(problem.place.ground, HEAP) < problem.place.ground.error_m
    assert problem.place.width_m is None
    flight.heaps.clear()
    for second in range(10, 100, 2):
        flight.look(second, above(), told=Pose(above().position))
        flight.look(second + 1, above())
    assert flight.kinds() == [EventKind.OPENED]


def test_a_suspicion_that_nobody_looks_at_again_fades_when_it_says_nothing_any_more() -> None:
    flight = Flight(HEAP)
    flight.look(0, above())
    assert flight.look(3500, above(north=500)) == []
    flight.look(3700, above(north=500))
    assert [problem.status for problem in flight.problems.values()] == [ProblemStatus.DISMISSED]
    assert flight.events == []


def test_a_second_name_for_what_is_open_is_no_second_problem() -> None:
    flight = opened()
    for second in range(6, 30, 2):
        flight.look(second, above(north=second / 4), label="garbage" if second % 4 else "rubble_pile")
    assert {problem.category for problem in flight.problems.values()} == {"exposed_garbage"}
    assert flight.kinds() == [EventKind.OPENED]


def test_the_better_known_place_stays() -> None:
    flight = opened()
    place = flight.problems["p1"].place.ground
    assert place is not None
    high = above(north=3, height=60.0)
    flight.look(8, high, told=moved_by(high, 3, 0))
    assert flight.problems["p1"].place.ground == place
    assert flight.problems["p1"].last_seen == START + timedelta(seconds=8)


def driving(north: float) -> Pose:
    """A car on its way north, with a camera behind its windscreen."""
    return Pose(shifted(HOME, north, 0), 2.2, 0.0, -8.0, 0.0, 75.0, height_error_m=0.2)


def test_a_car_that_passes_twice_knows_the_heap_by_its_place() -> None:
    heap, other = shifted(HOME, 30, 3), shifted(HOME, 80, -3)
    flight = Flight(heap, other)
    for passing in range(2):
        for step in range(12):
            pose = driving(10.0 * step)
            wrong = moved_by(pose, 2.0 - 3.0 * passing, 1.0)
            flight.look(1800.0 * passing + 1.2 * step, pose, wrong)
    places = [one.place.ground for one in flight.problems.values()]
    assert len(places) == 2
    for place, true in zip(places, (heap, other), strict=True):
        assert place is not None
        assert place.error_m is not None
        assert distance_m(place, true) < place.error_m < 15
    assert [(event.problem.id, event.kind) for event in flight.events] == [
        ("p1", EventKind.OPENED),
        ("p2", EventKind.OPENED),
    ]
    flight.heaps.clear()
    for step in range(60):
        flight.look(4000.0 + step, driving(60.0 + step / 10))  # past the first, the second one well in view
    assert [(event.problem.id, event.kind) for event in flight.events[2:]] == [("p2", EventKind.CLEARED)]
    assert flight.problems["p1"].missed == 0, "it lies behind the car"


def test_what_a_person_rejected_is_silent_on_its_spot_only() -> None:
    flight = opened()
    change = reject(flight.problems["p1"], START + timedelta(seconds=10), timedelta(days=7))
    flight.problems["p1"] = change.problem
    for second in range(20, 60, 2):
        flight.look(second, above(north=second / 8, east=2))
    assert list(flight.problems) == ["p1"]
    assert flight.kinds() == [EventKind.OPENED]
    flight.heaps.append(shifted(HEAP, 100, 0))
    for second in range(60, 70, 2):
        flight.look(second, above(north=100))
    assert [event.problem.id for event in flight.events] == ["p1", "p2"]


def test_bicycles_that_stand_together_are_one_problem_from_above_too() -> None:
    row = replace(category("nonmotor_parking", "bicycle"), at_least=3)
    flight = Flight(*(shifted(HEAP, 0, 2.5 * n) for n in range(4)))
    flight.categories = {row.id: row}
    for second in range(0, 30, 2):
        flight.look(second, above(north=second / 4 - 3, east=4 - second / 5), label="bicycle")
    assert flight.kinds() == [EventKind.OPENED]
    assert [problem.count for problem in flight.problems.values()] == [4]
    flight.heaps[2:] = []  # two are left: too few
    for second in range(30, 60, 2):
        flight.look(second, above(east=2), label="bicycle")
    assert flight.kinds() == [EventKind.OPENED, EventKind.CLEARED]
