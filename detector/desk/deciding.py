"""What the desk does with a fresh case by itself: send somebody, or hold it for a person and say why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from detector.core.category import Doubt
from detector.core.stages import Move, Stage
from detector.core.sureness import Basis, Threshold
from detector.desk.case import Case, Finding
from detector.desk.course import Details, Step, by_person, is_split_off, last_move
from detector.desk.plan import Plan

Decision = tuple[Move, Details]


def decide(case: Case, steps: Sequence[Step], plan: Plan, threshold: Threshold, now: datetime) -> list[Decision]:
    """The moves that the desk makes now, in order; none where it is a person's turn.

    Fresh cases, and held ones that have become surer, are filed and dispatched when nothing speaks against it. What a
    person has filed is dispatched too, where a route is known. `threshold`: of the category that was told.
    """
    last = last_move(steps)
    if not plan.automatic or case.stage not in (Stage.COLLECT, Stage.FILE):
        return []
    approved = last is not None and last.move is Move.FILED and by_person(last)
    if last is not None and last.move not in (Move.FILED, Move.RETURNED, Move.HELD, Move.SPLIT):
        return []  # handed back: somebody knows better than the routes
    routed = plan.routing.route(plan.spot(case))
    if routed is None and approved:
        return []  # whoever filed it names the department
    reasons = [] if approved else _doubts(case, threshold, split=is_split_off(steps))
    if routed is None:
        return _hold([*reasons, f"no route for {plan.spot(case)}"], last)
    if reasons:
        return _hold(reasons, last)
    why = None if approved else _why_sure(case, threshold)
    to = Details(
        department=routed.department.name,
        department_code=routed.department.code,
        route=routed.route,
        due_at=plan.due(case.category, now),
        note=why,
    )
    return [*([] if case.stage is Stage.FILE else [(Move.FILED, Details())]), (Move.DISPATCHED, to)]


def _hold(reasons: Sequence[str], last: Step | None) -> list[Decision]:
    held = last is not None and last.move is Move.HELD
    return [] if held else [(Move.HELD, Details(note="; ".join(reasons)))]


def _doubts(case: Case, threshold: Threshold, *, split: bool) -> list[str]:
    found = []
    if split:
        found.append("split off from another case")
    if case.finding is Finding.REJECTED:
        found.append(
            f"was rejected before: {case.reason.value.replace('_', ' ') if case.reason else 'no reason given'}"
        )
    if case.finding is Finding.RELABELLED:
        found.append(f"a person called it {case.category}, and has not filed it")
    if case.review:
        found.append(_why_looked_at(case))
    elif not threshold.reached(case.score):
        found.append(_why_unsure(case, threshold))
    return found


def _why_looked_at(case: Case) -> str:
    model = {
        Doubt.SYNTHETIC: "has learned {} from rendered pictures only",
        Doubt.POOR: "is poor at {} by its own figures",
    }
    told = [text.format(case.label or case.told) for doubt, text in model.items() if doubt in case.review_because]
    if not told or Doubt.ALWAYS in case.review_because:
        return "; ".join(
            ["a person must look at this kind before anybody is sent", *(f"the model {one}" for one in told)]
        )
    return f"a person must look first: the model {' and '.join(told)}"


def _why_unsure(case: Case, threshold: Threshold) -> str:
    match threshold.basis:
        case Basis.OFF:
            return f"{case.told} is never dispatched without a person"
        case Basis.UNPROVEN:
            return f"{threshold.verdicts} verdicts on {case.told} do not prove the wanted precision at any score"
    score = "no score" if case.score is None else f"score {case.score:.2f}"
    return f"{score}, sure from {threshold.score:.2f} on ({_words(threshold)})"


def _why_sure(case: Case, threshold: Threshold) -> str:
    return f"score {case.score or 0:.2f}, sure from {threshold.score or 0:.2f} on ({_words(threshold)})"


def _words(threshold: Threshold) -> str:
    if threshold.basis is Basis.VERDICTS:
        return f"precision of {threshold.proven or 0:.0%} proven by {threshold.verdicts} verdicts"
    return f"as configured; {threshold.verdicts} verdicts so far"
