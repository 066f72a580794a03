"""What the model often misses is cleared later than what it finds well."""

from __future__ import annotations

from datetime import timedelta
from math import exp, lgamma

from hypothesis import given
from hypothesis import strategies as st

from detector.core.category import ClearingPolicy
from detector.core.clearing import AS_IF, AT_MOST, REMEMBERED, WELL, looks_needed

POLICY = ClearingPolicy(looks=5, after=timedelta(minutes=10))
history = st.lists(st.booleans(), max_size=REMEMBERED)


def test_what_is_known_to_be_found_well_needs_the_looks_of_its_policy() -> None:
    assert looks_needed(POLICY, [True] * 10) == 5
    assert looks_needed(POLICY, [True] * 20) == 5
    assert looks_needed(POLICY, ([True] * 9 + [False]) * 2) == 5


def test_what_is_hardly_known_needs_more() -> None:
    assert looks_needed(POLICY, [True] * 3) == 8  # as if 7.25 of 8 were known: 0.75 / 8 * 1.75 / 9 * ... < 0.15 ** 5
    assert looks_needed(POLICY, [True] * 5) == 7


def test_what_is_missed_often_needs_more() -> None:
    assert looks_needed(POLICY, [*[True] * 5, False] * 3 + [True, True]) == 7
    assert looks_needed(POLICY, [True, False] * 9 + [True, True]) == 14
    assert looks_needed(POLICY, [False] * 19 + [True]) == AT_MOST * 5


@given(history, st.integers(1, 8))
def test_the_run_is_as_improbable_as_that_of_the_policy_over_all_shares(recent: list[bool], looks: int) -> None:
    needed = looks_needed(ClearingPolicy(looks=looks), recent)
    while recent and not recent[-1]:
        recent = recent[:-1]
    found, missed = sum(recent) + AS_IF * WELL, len(recent) - sum(recent) + AS_IF * (1 - WELL)

    def chance(run: int) -> float:  # of missing it so often in a row: beta functions, by their logarithms
        both = lgamma(found + missed) - lgamma(missed) - lgamma(found + missed + run) + lgamma(missed + run)
        return exp(both)

    assert needed == AT_MOST * looks or chance(needed) <= (1 - WELL) ** looks * (1 + 1e-9)
    assert needed == looks or chance(needed - 1) > (1 - WELL) ** looks * (1 - 1e-9)


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
