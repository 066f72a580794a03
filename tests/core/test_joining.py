"""What two cameras see of one thing in the street."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.geo import GeoPoint
from detector.core.joining import APART_FOR, Apart, Joining, Overlap, Sighting, Turn, joined
from detector.core.zones import WATCH, Zone, ring

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
METRE = 1 / 111_195  # degrees of latitude


def sighting(
    name: str,
    camera: str,
    opened: float = 0,
    gone: float | None = None,
    *,
    metres: float | None = 0.0,
    category: str = "exposed_garbage",
    foot: tuple[float, float] | None = None,
    dismissed: bool = False,
    also: tuple[str, ...] = (),
    error_m: float | None = None,
) -> Sighting:
    """`opened`, `gone`: minutes after START; `metres`: north of the spot, None where the ground is not known."""
    turns = [Turn(START + timedelta(minutes=opened), True)]
    if gone is not None:
        turns.append(Turn(START + timedelta(minutes=gone), None if dismissed else False))
    ground = None if metres is None else GeoPoint(34.26 + metres * METRE, 108.94, error_m)
    return Sighting(name, category, camera, tuple(turns), foot, ground, also)


def groups(*sightings: Sighting, joining: Joining | None = None) -> list[tuple[str, ...]]:
    return joined(sightings, joining or Joining())


def test_two_cameras_that_see_one_spot_have_one_case() -> None:
    assert groups(sighting("a", "one"), sighting("b", "two", 7, metres=4.9)) == [("a", "b")]


@pytest.mark.parametrize(
    "other",
    [
        sighting("b", "two", 7, metres=5.1),
        sighting("b", "two", 7, metres=None),
        sighting("b", "two", 7, category="bin_overflow"),
        sighting("b", "one", 7, metres=1),
    ],
)
def test_what_is_apart_stays_apart(other: Sighting) -> None:
    assert groups(sighting("a", "one"), other) == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("metres", "errors", "one"),
    [
        (9.0, (None, 8.0), True),  # a fixed camera and a drone
        (9.5, (None, 8.0), False),  # the square root of 25 + 64
        (12.0, (8.0, 8.0), True),  # two flights
        (12.5, (8.0, 8.0), False),
        (1.0, (None, 15.1), False),  # all that is known is in which street it is
        (1.0, (40.0, 40.0), False),
    ],
)
def test_what_a_moving_camera_saw_may_be_farther_off(
    metres: float, errors: tuple[float | None, float], one: bool
) -> None:
    pair = sighting("a", "pole", error_m=errors[0]), sighting("b", "drone", 7, metres=metres, error_m=errors[1])
    assert groups(*pair) == ([("a", "b")] if one else [("a",), ("b",)])


def test_a_split_holds_where_a_moving_camera_saw_it_not_where_it_was_in_the_picture() -> None:
    pole, drone = sighting("a", "pole"), sighting("b", "drone", 1, foot=(0.5, 0.5), error_m=6.0)
    split = [Apart(drone, pole, START + timedelta(minutes=5))]
    again = sighting("c", "drone", 60, metres=3, foot=(0.1, 0.9), error_m=6.0)
    far = sighting("e", "drone", 60, metres=90, foot=(0.5, 0.5), error_m=6.0)
    other = sighting("d", "pole", 50, metres=90, foot=(0.2, 0.2))
    assert joined([pole, again], Joining(), split) == [("a",), ("c",)]
    assert joined([other, far], Joining(), split) == [("d", "e")]


def test_a_category_of_large_outline_reaches_farther() -> None:
    pair = [sighting("a", "one", category="road_ponding"), sighting("b", "two", 1, metres=12, category="road_ponding")]
    assert groups(*pair) == [("a", "b")]
    assert groups(*pair, joining=Joining(distances_m={"road_ponding": 10.0})) == [("a",), ("b",)]


def test_one_that_comes_soon_after_it_was_gone_is_the_same_again() -> None:
    joining = Joining(returns_within={"exposed_garbage": timedelta(hours=2)})
    gone = sighting("a", "one", 0, 60)
    assert groups(gone, sighting("b", "two", 180), joining=joining) == [("a", "b")]
    assert groups(gone, sighting("b", "two", 181), joining=joining) == [("a",), ("b",)]


def test_what_a_person_called_none_takes_nothing_in() -> None:
    assert groups(sighting("a", "one", 0, 60, dismissed=True), sighting("b", "two", 70)) == [("a",), ("b",)]


def test_what_one_camera_tells_apart_stays_apart_and_each_goes_to_the_nearest() -> None:
    left, right = sighting("a1", "one", 0, metres=0), sighting("a2", "one", 1, metres=4)
    found = groups(left, right, sighting("b1", "two", 2, metres=3.5), sighting("b2", "two", 3, metres=1))
    assert found == [("a1", "b2"), ("a2", "b1")]


def test_a_camera_joins_again_what_another_still_sees() -> None:
    first, other = sighting("a1", "one", 0, 30), sighting("b", "two", 5)
    assert groups(first, other, sighting("a2", "one", 3000)) == [("a1", "b", "a2")]


def test_declared_areas_join_cameras_that_know_no_ground() -> None:
    def area(camera: str, left: float) -> Zone:
        right = left + 0.3
        return Zone(camera, WATCH, (ring([(left, 0.4), (right, 0.4), (right, 0.9), (left, 0.9)]),), camera)

    joining = Joining(overlaps=(Overlap(area("one", 0.7), area("two", 0.0)),))
    here = sighting("a", "one", foot=(0.8, 0.6), metres=None)
    assert groups(here, sighting("b", "two", 3, foot=(0.1, 0.6), metres=None), joining=joining) == [("a", "b")]
    assert groups(here, sighting("b", "two", 3, foot=(0.5, 0.6), metres=None), joining=joining) == [("a",), ("b",)]
    assert groups(here, sighting("b", "six", 3, foot=(0.1, 0.6), metres=None), joining=joining) == [("a",), ("b",)]
    on_ground = sighting("a", "one", foot=(0.8, 0.6)), sighting("b", "two", 3, foot=(0.1, 0.6), metres=9)
    assert groups(*on_ground, joining=joining) == [("a",), ("b",)]  # the ground knows better
    assert joining.neighbours("two") == {"one"}


STALL = "street_stall"


def test_two_names_are_one_thing_where_one_camera_gave_it_both() -> None:
    garbage, plain = sighting("a", "one", also=(STALL,)), sighting("a", "one")
    stall = sighting("b", "two", 3, category=STALL)
    assert groups(garbage, stall) == [("a", "b")]
    assert groups(plain, stall) == [("a",), ("b",)]
    assert groups(garbage, sighting("b", "two", 3, category="illegal_ad", also=(STALL,))) == [("a",), ("b",)]


def test_the_lesser_reach_and_memory_of_two_names_hold() -> None:
    reach = Joining(distances_m={STALL: 2.0}, returns_within={STALL: timedelta(hours=2)})
    garbage = sighting("a", "one", gone=60, also=(STALL,))
    assert groups(garbage, sighting("b", "two", 3, category=STALL, metres=3), joining=reach) == [("a",), ("b",)]
    assert groups(garbage, sighting("b", "two", 179, category=STALL), joining=reach) == [("a", "b")]
    assert groups(garbage, sighting("b", "two", 181, category=STALL), joining=reach) == [("a",), ("b",)]


def test_its_own_name_comes_before_a_nearer_one() -> None:
    near, far = sighting("a", "one", category=STALL, also=("exposed_garbage",)), sighting("b", "one", 1, metres=4)
    assert groups(near, far, sighting("c", "two", 9)) == [("a",), ("b", "c")]


def test_what_a_person_split_stays_apart() -> None:
    foot = (0.5, 0.5)
    here, there = sighting("a", "one", foot=foot), sighting("b", "two", 3, gone=60, foot=foot)
    assert groups(here, there) == [("a", "b")]
    split = Apart(here, there, START + timedelta(minutes=30))

    def found(*sightings: Sighting) -> list[tuple[str, ...]]:
        return joined(sightings, Joining(), [split])

    assert found(here, there) == [("a",), ("b",)]
    assert found(there, here) == [("a",), ("b",)]
    assert found(here, there, sighting("c", "three", 9)) == [("a", "c"), ("b",)]  # as near to both: the older one
    beside = sighting("d", "two", 90, foot=(0.54, 0.5))
    assert found(here, there, beside) == [("a",), ("b",), ("d",)]  # the same place of the picture
    assert found(here, there, sighting("d", "two", 90, foot=(0.6, 0.5))) == [("a", "d"), ("b",)]
    assert found(here, there, sighting("d", "two", 90, foot=foot, category=STALL, also=("exposed_garbage",))) == [
        ("a", "d"),
        ("b",),
    ]
    later = APART_FOR.total_seconds() / 60 + 31
    assert found(here, there, sighting("d", "two", later, foot=foot)) == [("a", "d"), ("b",)]


@st.composite
def scenes(draw: st.DrawFn) -> list[Sighting]:
    found = []
    for number in range(draw(st.integers(1, 8))):
        opened = draw(st.integers(0, 3000))
        gone = draw(st.none() | st.integers(opened, 4000))
        camera = f"camera-{draw(st.integers(0, 2))}"
        category, also = draw(st.sampled_from([("exposed_garbage", ()), ("exposed_garbage", (STALL,)), (STALL, ())]))
        where = draw(st.integers(0, 20))
        found.append(sighting(f"p{number}", camera, opened, gone, metres=where, category=category, also=also))
    return found


@given(scenes(), st.data())
def test_order_and_repetition_do_not_matter_and_no_case_has_two_open_problems_of_one_camera(
    scene: list[Sighting], data: st.DataObject
) -> None:
    found = groups(*scene)
    mixed = data.draw(st.permutations(scene + data.draw(st.lists(st.sampled_from(scene), max_size=4))))
    assert groups(*mixed) == found
    assert sorted(name for group in found for name in group) == sorted(one.problem_id for one in scene)
    by_id = {one.problem_id: one for one in scene}
    for group in found:
        members = [by_id[name] for name in group]
        assert members == sorted(members, key=lambda one: (one.opened_at, one.problem_id))
        for number, later in enumerate(members):
            told = [one.at(later.opened_at) for one in members[:number] if one.camera_id == later.camera_id]
            assert not any(turn is not None and turn.there for turn in told)
