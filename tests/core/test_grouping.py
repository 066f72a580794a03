"""Several that stand together are one problem, fewer are none."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from detector.core.detection import BoundingBox, Detection
from detector.core.grouping import groups


def bicycle(left: float, score: float = 0.8, label: str = "bicycle", top: float = 300) -> Detection:
    return Detection(label, BoundingBox(left, top, left + 80, top + 50), score)


def test_a_group_is_one_detection_around_its_members_as_sure_as_the_last_one_needed() -> None:
    row = [bicycle(100, 0.9), bicycle(170, 0.5), bicycle(300, 0.7, "motorcycle"), bicycle(380, 0.3)]
    (group,) = groups(row, 3)
    assert group == Detection("bicycle", BoundingBox(100, 300, 460, 350), 0.5, count=4)
    assert groups(row, 5) == []


def test_what_stands_apart_is_another_group() -> None:
    near, far = [bicycle(100), bicycle(190)], [bicycle(800), bicycle(880)]
    assert {group.box.left for group in groups([*near, *far], 2)} == {100, 800}
    assert groups([bicycle(100), bicycle(800), bicycle(100, top=600)], 2) == []


def test_larger_things_stand_together_at_larger_distances() -> None:
    def of_size(left: float, size: float) -> Detection:
        return Detection("bicycle", BoundingBox(left, 300, left + size, 300 + size), 0.8)

    assert len(groups([of_size(0, 100), of_size(190, 100)], 2)) == 1
    assert groups([of_size(0, 40), of_size(190, 40)], 2) == []


some = st.builds(bicycle, st.integers(0, 1200), st.floats(0.25, 1.0), st.sampled_from(["bicycle", "motorcycle"]))


@given(st.lists(some, max_size=12), st.integers(1, 4), st.randoms(use_true_random=False))
def test_no_order_matters_and_all_who_are_enough_are_found(
    seen: list[Detection], at_least: int, chance: random.Random
) -> None:
    found = groups(seen, at_least)
    shuffled = list(seen)
    chance.shuffle(shuffled)

    def key(detection: Detection) -> str:
        return repr(detection)

    assert sorted(groups(shuffled, at_least), key=key) == sorted(found, key=key)
    for group in found:
        inside = [d for d in seen if d.box.intersection(group.box) == d.box.area]
        assert sum(d.score >= group.score for d in inside) >= at_least
    if at_least == 1:
        assert bool(found) == bool(seen)
