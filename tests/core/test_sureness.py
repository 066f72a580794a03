"""Thresholds from verdicts: what is proven, and how often chance is taken for proof."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.sureness import Basis, Demand, Judged, Threshold, fit, lower_bound

DEMAND = Demand(target=0.9, confidence=0.95, least=30)


def judged(score: float, right: int, wrong: int) -> list[Judged]:
    return [Judged(score, True)] * right + [Judged(score, False)] * wrong


@pytest.mark.parametrize(
    ("right", "total", "confidence", "expected"),
    [
        # two-sided 95 % is one-sided 97.5 %; values of the textbooks: 8 of 10, 81 of 263 (Newcombe 1998)
        (8, 10, 0.975, 0.4902),
        (81, 263, 0.975, 0.2553),
        (10, 10, 0.975, 0.7225),
        (0, 0, 0.95, 0.0),
        (0, 20, 0.95, 0.0),
    ],
)
def test_wilsons_lower_bound(right: int, total: int, confidence: float, expected: float) -> None:
    assert lower_bound(right, total, confidence) == pytest.approx(expected, abs=5e-4)


def test_the_lowest_score_that_is_proven_is_taken() -> None:
    known = judged(0.85, 200, 2) + judged(0.63, 40, 1) + judged(0.55, 10, 90)
    found = fit(known, DEMAND, 0.8)
    assert (found.score, found.basis, found.verdicts) == (0.6, Basis.VERDICTS, 343)
    assert found.proven is not None
    assert found.proven >= 0.9
    assert (found.reached(0.6), found.reached(0.59), found.reached(None)) == (True, False, False)


def test_good_alarms_further_up_prove_nothing_about_a_score_of_which_nothing_good_is_known() -> None:
    assert fit(judged(0.9, 200, 0), DEMAND, 0.8).score == 0.9
    assert fit(judged(0.9, 2000, 0) + judged(0.5, 0, 20), DEMAND, 0.8).score == 0.9
    assert fit(judged(0.9, 200, 0) + judged(0.5, 4, 0), DEMAND, 0.8).score == 0.9
    assert fit(judged(0.9, 200, 0) + judged(0.5, 5, 0), DEMAND, 0.8).score == 0.5


def test_few_verdicts_prove_nothing() -> None:
    assert fit(judged(0.9, 29, 0), DEMAND, 0.8) == Threshold(0.8, Basis.DEFAULT, 29)
    assert fit(judged(0.9, 65, 0), DEMAND, 0.8) == Threshold(0.8, Basis.UNDECIDED, 65)  # right, yet too few for 0.9
    assert fit(judged(0.9, 66, 0), DEMAND, 0.8).basis is Basis.VERDICTS


def test_a_short_record_that_is_good_so_far_keeps_what_is_configured() -> None:
    assert fit(judged(0.9, 97, 3), DEMAND, 0.8) == Threshold(0.8, Basis.UNDECIDED, 100)
    assert fit(judged(0.9, 45, 5), DEMAND, 0.8).basis is Basis.UNDECIDED
    assert fit(judged(0.9, 44, 6), DEMAND, 0.8) == Threshold(None, Basis.UNPROVEN, 50)
    assert fit(judged(0.9, 4, 0) + judged(0.5, 40, 0), DEMAND, 0.8).basis is Basis.UNPROVEN  # little is known of 0.8
    assert fit(judged(0.9, 40, 0) + judged(0.5, 0, 40), DEMAND, 0.8) == Threshold(0.8, Basis.UNDECIDED, 80)


def test_what_is_worse_than_the_target_is_found_out_as_verdicts_come() -> None:
    """A category that is right in 80 % is off in nearly all samples of 60, and practically all of 200."""
    chance = random.Random(12)
    for size, at_most in ((60, 0.05), (200, 0.005)):
        on = 0
        for _ in range(1000):
            sample = [Judged(0.9, chance.random() < 0.8) for _ in range(size)]
            on += fit(sample, DEMAND, 0.8).score is not None
        assert on <= at_most * 1000


def test_what_is_known_to_be_bad_is_not_dispatched_by_default() -> None:
    found = fit(judged(0.9, 60, 40), DEMAND, 0.8)
    assert (found.score, found.basis) == (None, Basis.UNPROVEN)
    assert not found.reached(1.0)


def test_a_category_can_be_kept_off() -> None:
    assert fit(judged(0.9, 500, 0), DEMAND, None).basis is Basis.OFF


def test_chance_is_seldom_taken_for_proof() -> None:
    """A category that is right in 85 % at every score must pass for 90 % in at most 5 % of all samples."""
    chance = random.Random(11)
    passed = 0
    for _ in range(600):
        sample = [Judged(chance.random(), chance.random() < 0.85) for _ in range(chance.choice((40, 120, 300)))]
        passed += fit(sample, DEMAND, 0.8).basis is Basis.VERDICTS
    assert passed <= 0.05 * 600


@given(right=st.integers(0, 300), wrong=st.integers(0, 300), confidence=st.floats(0.55, 0.999))
def test_the_bound_lies_below_the_share_and_grows_with_what_was_right(
    right: int, wrong: int, confidence: float
) -> None:
    total = right + wrong
    bound = lower_bound(right, total, confidence)
    assert 0 <= bound <= (right / total if total else 0.0) + 1e-12
    assert lower_bound(right + 1, total + 1, confidence) >= bound
