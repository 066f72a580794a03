"""Rows of the ledger: events and actions of a case, the case file, the state of a camera."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, or_, select
from sqlalchemy.dialects.sqlite import insert

from detector.core.stages import Move
from detector.desk.case import Case, case_id
from detector.desk.course import Action, Details, Report
from detector.desk.tables import ACTION, ACTION_SEEN, APART, CAMERA, CASE_FILE, EVENT, SOURCE, VERDICT
from detector.desk.wire import CameraHealthData, IncomingEvent, ProblemData, read_event
from detector.errors import StoreError

CASE: TypeAdapter[Case] = TypeAdapter(Case)
"""A case to and from the JSON in which the case file keeps it."""

DETAILS: TypeAdapter[Details] = TypeAdapter(Details)


@dataclass(frozen=True, slots=True)
class Received:
    """An event of a case's history and when it came in."""

    report: Report
    received_at: datetime  # aware UTC


def reports_of(connection: Connection, problem_id: str) -> list[Received]:
    """Everything received about a problem, in no particular order."""
    rows = connection.execute(select(EVENT.c.body, EVENT.c.received_at).where(EVENT.c.problem_id == problem_id))
    found = []
    for body, received_at in rows:
        incoming = read_event(body.encode(), received_at)
        if incoming.kind is None or not isinstance(incoming.data, ProblemData):
            raise StoreError(f"event {incoming.id} in the desk's ledger can no longer be read as a problem event")
        found.append(Received(Report(incoming.id, incoming.kind, incoming.time, incoming.data), received_at))
    return found


def actions_of(connection: Connection, problem_id: str) -> list[Action]:
    """What people and the desk did while the case was known by that problem, in the order of doing."""
    under = case_id(problem_id)
    rows = (
        connection.execute(select(ACTION).where(ACTION.c.case_id == under).order_by(ACTION.c.number)).mappings().all()
    )
    others: dict[str, list[tuple[str, int]]] = {}
    if rows:
        s = ACTION_SEEN.c
        for action, problem, revision in connection.execute(
            select(s.action_id, s.problem_id, s.revision).where(
                s.action_id.in_(select(ACTION.c.id).where(ACTION.c.case_id == under))
            )
        ):
            others.setdefault(action, []).append((problem, revision))
    return [
        Action(
            *(row["id"], Move(row["move"]), row["by"], row["at"], row["revision"], row["number"]),
            DETAILS.validate_python(row["details"] or {}),
            under,
            ((problem_id, row["revision"]), *sorted(others.get(row["id"], []))),
        )
        for row in rows
    ]


def joint_actions(connection: Connection, problems: Collection[str]) -> list[Action]:
    """What was done to these problems while they were in one case with what they have been split from."""
    a = APART.c
    splits = select(ACTION.c.number, SOURCE.c.problem_id).join(SOURCE, SOURCE.c.own_case == ACTION.c.case_id)
    ours = select(a.action_id).where(or_(a.split_off.in_(problems), a.split_from.in_(problems)))
    return [
        action
        for number, first in connection.execute(splits.where(ACTION.c.id.in_(ours)).order_by(ACTION.c.id)).all()
        for action in actions_of(connection, first)
        if action.number <= number and any(problem in problems for problem, _ in action.seen)
    ]


def put_action(connection: Connection, action: Action) -> None:
    """Insert."""
    row = {name: getattr(action, name) for name in ("id", "move", "by", "at", "revision", "number")}
    details = DETAILS.dump_python(action.details, mode="json", exclude_none=True)
    connection.execute(ACTION.insert().values(case_id=action.under, details=details, **row))
    for problem_id, revision in action.seen[1:]:
        connection.execute(ACTION_SEEN.insert().values(action_id=action.id, problem_id=problem_id, revision=revision))


def put_verdict(connection: Connection, action_id: str, case_id: str, at: datetime, told: Mapping[str, Any]) -> None:
    """Append to the feed."""
    connection.execute(VERDICT.insert().values(action_id=action_id, case_id=case_id, at=at, told=told))


def put_case(connection: Connection, case: Case) -> None:
    """Insert or overwrite."""
    columns = {column.name for column in CASE_FILE.columns} - {"id", "facts"}
    row = {name: getattr(case, name) for name in columns} | {"facts": CASE.dump_python(case, mode="json")}
    statement = insert(CASE_FILE).values(id=case.id, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))


def put_camera(connection: Connection, incoming: IncomingEvent, data: CameraHealthData) -> None:
    """The newest event says how a camera is; equal times are decided by id so that any order of arrival agrees."""
    row = {
        "status": data.status,
        "since": incoming.time,
        "reason": data.reason,
        "event_id": incoming.id,
        "name": data.camera.name if data.camera else None,
    }
    statement = insert(CAMERA).values(id=data.camera_id, **row)
    newer = (CAMERA.c.since < statement.excluded.since) | (
        (CAMERA.c.since == statement.excluded.since) & (CAMERA.c.event_id < statement.excluded.event_id)
    )
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row, where=newer))
