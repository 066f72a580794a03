"""How many looks without a thing prove that it is gone: more for one that the model misses, or hardly knows yet.

A heap that is found in 95 of 100 looks is gone after five without it. One that is found in 60 of 100 is missed five
times in a row every few hours while it lies there. So the run must be as improbable, were the thing there, as that of
the policy is for a thing that is known to be found well. How well this very problem is found is not known, only
estimated from the looks at it so far, so what counts is the chance of the run over all that it may be: found in three
looks of three says far less than in twenty of twenty. With a share that has a beta distribution that chance is a
product of simple factors (the beta-binomial, or Polya's urn).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from detector.core.category import ClearingPolicy
from detector.core.problem import Problem, ProblemStatus

REMEMBERED = 20
"""Newest looks at a problem that are remembered: an hour of a camera that looks every three minutes."""

WELL = 0.85
"""Share of looks in which a thing is found for which the looks of a policy are meant. This product's own choice."""

AS_IF = 5
"""Looks that are taken for granted beside those remembered, WELL of them with it, so that a few say little."""

AT_MOST = 3
"""Times the looks of the policy that are asked for at most: what is hardly ever found must be cleared too."""


def looks_needed(policy: ClearingPolicy, recent: Sequence[bool]) -> int:
    """How many ok looks in a row without it make a problem gone; at least those of the policy.

    `recent`: whether it was found in the newest looks at it, the newest last. The run without it at the end does not
    count against it.
    """
    before = list(recent)
    while before and not before[-1]:
        before.pop()
    looked = len(before) + AS_IF
    missed = before.count(False) + AS_IF * (1 - WELL)
    allowed, chance, run = (1 - WELL) ** policy.looks, 1.0, 0
    while chance > allowed and run < AT_MOST * policy.looks:
        chance *= (missed + run) / (looked + run)
        run += 1
    return max(policy.looks, run)


def is_over(problem: Problem, policy: ClearingPolicy, at: datetime) -> bool:
    """Whether a cleared or rejected problem's time has passed at that capture time: what is seen there is a new one.

    Where nothing comes back (`reopen_within` of 0), as at a gate through which one truck follows another, what stands
    there once a rejected thing has been seen gone is another one as well: the place is silent no longer.
    """
    match problem.status:
        case ProblemStatus.CLEARED:
            return problem.cleared_at is None or at - problem.cleared_at > policy.reopen_within
        case ProblemStatus.DISMISSED:
            gone = problem.cleared_at is not None and not policy.reopen_within
            return gone or problem.silent_until is None or at > problem.silent_until
        case _:
            return False
