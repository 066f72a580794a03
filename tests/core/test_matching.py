"""Association by place: one detection a place, one place a heap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.core.detection import BoundingBox, Detection
from detector.core.matching import associate, hidden, same_thing

coordinate = st.integers(0, 200)
box = st.builds(
    lambda x, y, w, h: BoundingBox(x, y, x + w, y + h),
    coordinate,
    coordinate,
    st.integers(1, 120),
    st.integers(1, 120),
)
detection = st.builds(Detection, st.just("garbage"), box, st.floats(0.01, 1))


@given(st.lists(box, max_size=6), st.lists(detection, max_size=8))
def test_every_detection_has_exactly_one_role(places: list[BoundingBox], seen: list[Detection]) -> None:
    matches = associate(places, seen)
    assert sorted([*matches.seen.values(), *matches.repeats, *matches.new]) == list(range(len(seen)))
    assert set(matches.seen) <= set(range(len(places)))
    for place, index in matches.seen.items():
        assert same_thing(places[place], seen[index].box) > 0
    for index in matches.new:
        assert all(same_thing(place, seen[index].box) == 0 for place in places)
        assert all(same_thing(seen[index].box, seen[other].box) == 0 for other in matches.new if other != index)


@given(box, box)
def test_sameness_is_mutual(one: BoundingBox, other: BoundingBox) -> None:
    assert same_thing(one, other) == same_thing(other, one)
    assert same_thing(one, one) == 2.0


def test_the_better_overlap_wins_and_the_other_is_a_repeat() -> None:
    place = BoundingBox(0, 0, 100, 100)
    close, far = BoundingBox(2, 2, 102, 102), BoundingBox(30, 30, 120, 120)
    matches = associate([place], [Detection("g", far, 0.9), Detection("g", close, 0.5)])
    assert matches.seen == {0: 1}
    assert matches.repeats == {0}


def test_hidden_needs_most_of_the_place_covered() -> None:
    place = BoundingBox(0, 0, 100, 100)
    assert hidden(place, [BoundingBox(40, 0, 300, 300)])
    assert not hidden(place, [BoundingBox(60, 0, 300, 300)])
    assert not hidden(place, [])
