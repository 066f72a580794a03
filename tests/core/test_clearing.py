"""What the model often misses is cleared later than what it finds well."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from detector.core.category import ClearingPolicy
from detector.core.clearing import AT_MOST, REMEMBERED, looks_needed

POLICY = ClearingPolicy(looks=5, after=timedelta(minutes=10))
history = st.lists(st.booleans(), max_size=REMEMBERED)


def test_what_is_found_well_needs_the_looks_of_its_policy() -> None:
    assert looks_needed(POLICY, ()) == 5
    assert looks_needed(POLICY, [True] * 3) == 5
    assert looks_needed(POLICY, [True] * 20) == 5
    assert looks_needed(POLICY, ([True] * 9 + [False]) * 2) == 5


def test_what_is_missed_often_needs_more() -> None:
    assert looks_needed(POLICY, [True, False, True, False, True]) == 8  # 7.25 of 10: 0.275 ** 8 < 0.15 ** 5
    assert looks_needed(POLICY, [True, False] * 9 + [True, True]) == 11  # 15.25 of 25: 0.39 ** 11 < 0.15 ** 5
    assert looks_needed(POLICY, [False] * 19 + [True]) == AT_MOST * 5


@given(history, st.integers(0, 20))
def test_the_run_without_it_does_not_count_against_it(recent: list[bool], run: int) -> None:
    assert looks_needed(POLICY, recent) == looks_needed(POLICY, [*recent, *[False] * run])


@given(history, st.integers(1, 20))
def test_it_is_never_less_than_the_policy_nor_without_end(recent: list[bool], looks: int) -> None:
    assert looks <= looks_needed(ClearingPolicy(looks=looks), recent) <= AT_MOST * looks


@given(history, st.data())
def test_one_more_sighting_never_asks_for_more(recent: list[bool], data: st.DataObject) -> None:
    if recent:
        at = data.draw(st.integers(0, len(recent) - 1))
        better = [*recent[:at], True, *recent[at + 1 :], True]
        assert looks_needed(POLICY, better) <= looks_needed(POLICY, [*recent, True])
