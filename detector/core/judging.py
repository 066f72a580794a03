"""The life cycle at work: one ok look and the known problems of its camera in, changed problems and events out.

Everything is counted in ok looks and measured in capture time, never in frames x fps, so a restart, a dead camera
or a night without light neither confirms nor clears anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from detector.core.category import Category
from detector.core.detection import BoundingBox, Detection
from detector.core.event import ProblemEvent, event_id
from detector.core.look import Look, LookStatus
from detector.core.matching import associate, hidden
from detector.core.problem import Place, Problem, ProblemStatus, Trigger, next_status

PASSING = frozenset({"car", "truck", "bus", "van", "motorcycle", "bicycle", "person", "machinery"})
"""Labels of things that move through a view and may hide what stands behind them."""

PLACE_FOLLOWS = 0.2
"""Share by which a known place moves towards a new sighting: boxes breathe, heaps grow, cameras sag."""

UPDATE_EVERY = timedelta(minutes=15)
"""Least capture time between two `updated` events of one problem."""

UPDATE_GAIN = 0.1
"""Rise of the best score that is worth an `updated` event (a better picture for the dispatcher)."""


@dataclass(frozen=True, slots=True)
class Change:
    """A problem as it is after a look, and the event to send about it, if any."""

    problem: Problem
    event: ProblemEvent | None = None


def judge(
    look: Look,
    known: Sequence[Problem],
    categories: Mapping[str, Category],
    new_id: Callable[[], str],
) -> list[Change]:
    """Apply one look to the known problems of its camera.

    `known`: suspected, open, recently cleared and still silenced problems of that camera; a look older
    than a problem's newest one does not move it. `categories`: by id. `new_id` gives the ids of new suspicions.
    Returns one Change per problem that the look touched; nothing at all when the look is not ok.
    """
    if look.status is not LookStatus.OK or look.size is None:
        return []
    passing = [d.box for d in look.detections if d.label in PASSING]
    changes: list[Change] = []
    for category in categories.values():
        if not category.told_by_labels:
            continue
        places = [p for p in known if p.category == category.id]
        changes += _judge_category(look, look.size, places, category, passing, new_id)
    return changes


def _judge_category(
    look: Look,
    size: tuple[int, int],
    places: Sequence[Problem],
    category: Category,
    passing: Sequence[BoundingBox],
    new_id: Callable[[], str],
) -> list[Change]:
    visible = [
        d
        for d in look.detections
        if d.label in category.labels and d.score >= category.score_needed(d.label, known=True)
    ]
    alive = [p for p in places if not _over(p, look.at, category)]
    matches = associate([p.place.box for p in alive], visible)
    changes: list[Change] = []
    for index, problem in enumerate(alive):
        if problem.status is ProblemStatus.DISMISSED or problem.last_looked >= look.at:
            continue  # a silenced false alarm, or news older than what is known: holds its place and does not move
        if index in matches.seen:
            changes.append(_seen(problem, visible[matches.seen[index]], look, size, category))
        elif not hidden(problem.place.box, passing):
            changes.append(_not_seen(problem, look, category))
    for index in matches.new:
        detection = visible[index]
        if detection.score >= category.score_needed(detection.label, known=False):
            changes.append(_suspect(detection, look, size, category, new_id()))
    return changes


def _over(problem: Problem, now: datetime, category: Category) -> bool:
    """A cleared or rejected problem whose time has passed: what is seen there now is a new one."""
    match problem.status:
        case ProblemStatus.CLEARED:
            return problem.cleared_at is None or now - problem.cleared_at > category.clearing.reopen_within
        case ProblemStatus.DISMISSED:
            return problem.silent_until is None or now > problem.silent_until
        case _:
            return False


def _suspect(detection: Detection, look: Look, size: tuple[int, int], category: Category, problem_id: str) -> Change:
    suspicion = Problem(
        id=problem_id,
        category=category.id,
        label=detection.label,
        camera_id=look.camera_id,
        place=Place(detection.box, size, detection.ground),
        status=ProblemStatus.SUSPECTED,
        first_seen=look.at,
        last_seen=look.at,
        last_looked=look.at,
        looks=1,
        sightings=1,
        best_score=detection.score,
        recent=(True,),
        model_version=look.model_version,
    )
    return _confirm_if_sure(suspicion, category)


def _seen(problem: Problem, detection: Detection, look: Look, size: tuple[int, int], category: Category) -> Change:
    unsure = problem.status is not ProblemStatus.OPEN
    returns = problem.status is ProblemStatus.CLEARED and not any(problem.recent)
    if returns and detection.score < category.score_needed(detection.label, known=False):
        return _not_seen(problem, look, category)  # a weak hint does not start a return, as it starts no suspicion
    anew = returns or (unsure and look.at - problem.last_seen > category.confirmation.forget_after)
    recent = (True,) if anew else (*problem.recent, True)[-category.confirmation.of :]
    better = detection.score > problem.best_score
    problem = replace(
        problem,
        label=detection.label if better else problem.label,
        place=Place(
            problem.place.box.moved_towards(detection.box, PLACE_FOLLOWS),
            size,
            detection.ground or problem.place.ground,
        ),
        first_seen=look.at if anew else problem.first_seen,
        last_seen=look.at,
        last_looked=look.at,
        looks=problem.looks + 1,
        sightings=problem.sightings + 1,
        best_score=max(problem.best_score, detection.score),
        recent=recent,
        missing_since=None,
        missed=0,
        model_version=look.model_version,
    )
    if unsure:
        return _confirm_if_sure(problem, category)
    if (
        problem.best_score >= problem.announced_score + UPDATE_GAIN
        and problem.announced_at is not None
        and look.at - problem.announced_at >= UPDATE_EVERY
    ):
        return _move(problem, Trigger.CHANGED, look.at)
    return Change(problem)


def _confirm_if_sure(problem: Problem, category: Category) -> Change:
    policy = category.confirmation
    sure = sum(problem.recent) >= policy.looks and problem.last_seen - problem.first_seen >= policy.dwell
    if not sure:
        return Change(problem)
    returned = problem.status is ProblemStatus.CLEARED
    return _move(problem, Trigger.RETURNED if returned else Trigger.CONFIRMED, problem.last_seen)


def _not_seen(problem: Problem, look: Look, category: Category) -> Change:
    problem = replace(
        problem,
        last_looked=look.at,
        looks=problem.looks + 1,
        recent=(*problem.recent, False)[-category.confirmation.of :],
        missing_since=problem.missing_since or look.at,
        missed=problem.missed + 1,
    )
    if problem.status is ProblemStatus.SUSPECTED and problem.missed >= category.confirmation.of:
        return _move(problem, Trigger.FADED, look.at)
    policy = category.clearing
    if (
        problem.status is ProblemStatus.OPEN
        and problem.missed >= policy.looks
        and problem.missing_since is not None
        and look.at - problem.missing_since >= policy.after
    ):
        return _move(problem, Trigger.GONE, look.at)
    return Change(problem)


def reject(problem: Problem, at: datetime, silence: timedelta) -> Change:
    """A person says that this is no problem; what is seen at that place is ignored for `silence` from `at` on.

    Raises ValueError when the problem is dismissed already.
    """
    return _move(replace(problem, silent_until=at + silence), Trigger.REJECTED, at)


def _move(problem: Problem, trigger: Trigger, at: datetime) -> Change:
    status, kind = next_status(problem.status, trigger)
    opened = trigger in (Trigger.CONFIRMED, Trigger.RETURNED)
    problem = replace(
        problem,
        status=status,
        opened_at=at if opened else problem.opened_at,
        cleared_at=at if trigger is Trigger.GONE else (None if opened else problem.cleared_at),
        reopened=problem.reopened + (trigger is Trigger.RETURNED),
        recent=() if trigger is Trigger.GONE else problem.recent,
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
