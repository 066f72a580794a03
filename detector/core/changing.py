"""A problem moves: its new state, and what is told about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from detector.core.event import ProblemEvent, event_id
from detector.core.problem import Problem, Trigger, next_status


@dataclass(frozen=True, slots=True)
class Change:
    """A problem as it is after a look, and the event to send about it, if any."""

    problem: Problem
    event: ProblemEvent | None = None


def moved(problem: Problem, trigger: Trigger, at: datetime) -> Change:
    """Move a problem along its table at that capture time (aware UTC); raises ValueError when there is no such edge."""
    status, kind = next_status(problem.status, trigger)
    opened, over = trigger in (Trigger.CONFIRMED, Trigger.RETURNED), trigger in (Trigger.GONE, Trigger.ALLOWED)
    problem = replace(
        problem,
        status=status,
        opened_at=at if opened else problem.opened_at,
        cleared_at=at if over else (None if opened else problem.cleared_at),
        reopened=problem.reopened + (trigger is Trigger.RETURNED),
        recent=() if over else problem.recent,
    )
    if kind is None:
        return Change(problem)
    problem = replace(
        problem,
        revision=problem.revision + 1,
        announced_at=at,
        announced_score=problem.best_score,
    )
    return Change(problem, ProblemEvent(event_id(problem.id, problem.revision), kind, problem, at))
