"""When a suspicion becomes a case, and under which name where the model has several for one thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detector.core.category import ConfirmationPolicy
from detector.core.changing import Change, moved
from detector.core.opinions import Standing, is_named
from detector.core.parts import MORE_SIGHTINGS, Beside
from detector.core.problem import Problem, ProblemStatus, Trigger


@dataclass(frozen=True, slots=True)
class Due:
    """A problem that is sure enough to become a case in this look, as it is before."""

    problem: Problem


def sighted(problem: Problem, policy: ConfirmationPolicy, beside: Beside) -> Change | Due:
    """A suspicion, or what is seen again after it was cleared, after one more sighting."""
    seen = sum(problem.recent[-policy.of :])
    sure = seen >= policy.looks and problem.last_seen - problem.first_seen >= policy.dwell and not beside.undecided
    if beside.touches:
        sure = sure and problem.sightings >= policy.looks + MORE_SIGHTINGS
    return Due(problem) if sure else Change(problem)


def confirmed(found: Sequence[Change | Due], known: Iterable[Problem]) -> list[Change]:
    """What a look changed, with what is due confirmed: each thing under one name.

    What stands where a problem of another category is open, or becomes a case in this very look, waits until that is
    gone. First goes what was seen most often. Only a case holds others back, so that nothing waits for a rival that may
    never become one. `known`: as before the look.
    """
    cases = [one for one in known if one.status is ProblemStatus.OPEN and not one.out_of_view]
    changes = [one for one in found if isinstance(one, Change)]
    for problem in sorted((one.problem for one in found if isinstance(one, Due)), key=_rank):
        if any(_is_one_thing(problem, case) for case in cases):
            changes.append(Change(problem))
            continue
        returns = problem.status is ProblemStatus.CLEARED
        change = moved(problem, Trigger.RETURNED if returns else Trigger.CONFIRMED, problem.last_seen)
        cases.append(change.problem)
        changes.append(change)
    return changes


def _rank(problem: Problem) -> tuple[int, float, str]:
    return -sum(problem.recent), -problem.best_score, problem.id


def _is_one_thing(problem: Problem, case: Problem) -> bool:
    both_names = {*case.also, *([problem.category] if case.category in problem.also else [])}
    return is_named(problem.category, problem.place.box, Standing(case.category, case.place.box, True, both_names))
