"""Cases within a transaction of the ledger: worked out, and what is done to them recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from detector.core.stages import Move
from detector.desk import queries
from detector.desk.case import Case, case_id, fold_joined, steps_of
from detector.desk.course import NOTHING, Action, Details, Step
from detector.desk.filing import actions_of, joint_actions, put_action, put_case, reports_of
from detector.desk.joined import problems_of
from detector.desk.plan import Plan
from detector.desk.sources import united
from detector.desk.tables import ACTION


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person wants to do with a case."""

    id: str  # chosen by whoever asks; a repetition changes nothing
    move: Move
    by: str
    details: Details = NOTHING


def work_out(connection: Connection, plan: Plan, problem_id: str) -> tuple[Case, list[Step]]:
    """Fold all that is known of a case, by any of its problems, and file it."""
    problems = problems_of(connection, problem_id)
    reports = [received.report for one in problems for received in reports_of(connection, one)]
    actions = all_actions(connection, problems)
    case = fold_joined(reports, actions)
    spot = plan.spot(case)
    case = replace(case, street=spot.street, cell=spot.cell)
    if case.category != case.told:
        case = replace(case, category_names=dict(plan.names.get(case.category, {})))
    put_case(connection, case)
    return case, steps_of(reports, actions)


def put_deed(connection: Connection, case: Case, deed: Deed, now: datetime) -> None:
    """Record what is done to a case as it stands."""
    number = next_number(connection, case)
    seen = tuple((source.problem_id, source.revision) for source in case.sources)
    put_action(
        connection,
        Action(deed.id, deed.move, deed.by, now, case.revision, number, deed.details, case.id, seen),
    )


def completed(connection: Connection, plan: Plan, case: Case, deed: Deed, now: datetime) -> Details:
    """What the desk knows and whoever acts need not say. Raises ValueError for what cannot be."""
    details = deed.details
    if deed.move is Move.DISPATCHED:
        known = plan.department(details.department or "")
        if known is not None:
            details = replace(details, department=known.name, department_code=known.code)
        return replace(details, due_at=plan.due(case.category, now))
    if deed.move is Move.RELABELLED and details.category is not None:
        if details.category == case.category:
            raise ValueError(f"it is a case of {case.category} already")
        if plan.names and details.category not in plan.names:
            raise ValueError(f"no such category: {details.category}; it is one of {', '.join(sorted(plan.names))}")
        labels = plan.labels.get(details.category)
        if labels and details.label is not None and details.label not in labels:
            raise ValueError(
                f"{details.category} has no label {details.label}; it is made of {', '.join(sorted(labels))}"
            )
        return replace(details, label=details.label or plan.label_of(details.category))
    if deed.move is Move.MERGED:
        other = queries.case_of(connection, details.other_case or "")
        if other is None or other.id == case.id or other.merged_into is not None:
            raise ValueError("it can be merged only into another case that is not merged itself")
        if queries.merged_into(connection, case.id):
            raise ValueError("others were merged into this case: split them off first, or merge the other way round")
    if deed.move is Move.SPLIT:
        _check_split(case, details.problems)
    return details


def _check_split(case: Case, problems: Sequence[str]) -> None:
    sources = {source.problem_id for source in case.sources}
    if case.merged_into is not None:
        if problems:
            raise ValueError("it is merged into another case: split it off from that first, without naming problems")
    elif not problems:
        several = " name the `problems` of those cameras that see another thing" if len(sources) > 1 else ""
        raise ValueError(f"it is merged into no other case;{several or ' and it has one source only'}")
    elif not set(problems) <= sources:
        raise ValueError("only problems that are sources of this case can be split off from it")
    elif set(problems) == sources:
        raise ValueError("at least one of its problems must stay in the case")


def all_actions(connection: Connection, problems: Sequence[str]) -> list[Action]:
    """In the order of doing; recorded under this case, while these problems were cases of their own, or while they
    were in one case with others.
    """
    own = [action for problem_id in problems for action in actions_of(connection, problem_id)]
    return united([*own, *joint_actions(connection, problems)])


def next_number(connection: Connection, case: Case) -> int:
    """Higher than that of any action that the case has, or has had under its id."""
    problems = [source.problem_id for source in case.sources]
    ids = [case_id(problem) for problem in problems]
    own = connection.scalar(select(func.max(ACTION.c.number)).where(ACTION.c.case_id.in_(ids))) or 0
    return max([own, *(action.number for action in joint_actions(connection, problems))]) + 1
