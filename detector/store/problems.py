"""Reading problems."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, tuple_, union_all

from detector.core.problem import Problem, ProblemStatus
from detector.errors import StoreError
from detector.store.rows import problem_of, problem_row, upsert
from detector.store.schema import camera_state, problem

REMEMBER_CLEARED = timedelta(days=7)
"""How long a cleared problem is handed back to the tracker, before the camera's newest look. The rules decide with
each category's `reopen_within`; this only bounds what is read."""


def put(connection: Connection, problems: Sequence[Problem]) -> None:
    """Insert problems or overwrite the ones known by id; of two with one id the later counts."""
    latest = {one.id: one for one in problems}
    # in the order of ids, so that two workers can never wait for each other's rows
    upsert(connection, problem, [problem_row(latest[key]) for key in sorted(latest)], "id")


def tracked(connection: Connection, camera_id: str, cleared_since: datetime | None) -> list[Problem]:
    """Problems of one camera that a new look can still move, and places where it must stay silent."""
    if cleared_since is None:
        newest = connection.scalar(select(camera_state.c.last_look).where(camera_state.c.camera_id == camera_id))
        if newest is None:  # problems without a camera's state: made by hand
            newest = connection.scalar(select(func.max(problem.c.last_looked)).where(problem.c.camera_id == camera_id))
        if newest is None:
            return []
        cleared_since = newest - REMEMBER_CLEARED
    here = select(problem).where(problem.c.camera_id == camera_id)
    live = here.where(problem.c.status.in_([ProblemStatus.SUSPECTED.value, ProblemStatus.OPEN.value]))
    lately = here.where(problem.c.status == ProblemStatus.CLEARED.value, problem.c.cleared_at >= cleared_since)
    silenced = here.where(problem.c.status == ProblemStatus.DISMISSED.value, problem.c.silent_until >= cleared_since)
    # a search of an index each: with OR, SQLite reads all that the camera ever saw
    rows = connection.execute(union_all(live, lately, silenced)).mappings()
    return sorted((problem_of(dict(row)) for row in rows), key=lambda one: (one.first_seen, one.id))


def by_id(connection: Connection, problem_id: str) -> Problem | None:
    """One problem, or None."""
    row = connection.execute(select(problem).where(problem.c.id == problem_id)).mappings().first()
    return None if row is None else problem_of(dict(row))


def page(
    connection: Connection,
    status: Collection[ProblemStatus] | None,
    camera: str | None,
    category: str | None,
    limit: int,
    after: str | None,
) -> list[Problem]:
    """Newest first; `after` is the id of the last problem of the page before."""
    query = select(problem).order_by(problem.c.first_seen.desc(), problem.c.id.desc()).limit(limit)
    if status is not None:
        query = query.where(problem.c.status.in_([one.value for one in status]))
    if camera is not None:
        query = query.where(problem.c.camera_id == camera)
    if category is not None:
        query = query.where(problem.c.category == category)
    if after is not None:
        last = by_id(connection, after)
        if last is None:
            raise StoreError(f"no problem {after!r} to continue after")
        place = tuple_(problem.c.first_seen, problem.c.id)
        query = query.where(place < (last.first_seen, last.id))
    return [problem_of(dict(row)) for row in connection.execute(query).mappings()]


def counts_by_category(connection: Connection, status: ProblemStatus) -> dict[str, int]:
    """How many problems of each category stand in `status`; categories without any are absent."""
    query = (
        select(problem.c.category, func.count()).where(problem.c.status == status.value).group_by(problem.c.category)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def counts(connection: Connection) -> dict[ProblemStatus, int]:
    """How many problems stand in each status."""
    query = select(problem.c.status, func.count()).group_by(problem.c.status)
    found = {ProblemStatus(status): number for status, number in connection.execute(query)}
    return {status: found.get(status, 0) for status in ProblemStatus}
