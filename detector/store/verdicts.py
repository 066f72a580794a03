"""What people decided, until the worker has acted on it and for as long as it may become a label."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, select, update

from detector.core.verdict import Decision, Verdict
from detector.store.rows import insert_new, upsert
from detector.store.schema import feed, problem, verdict

_FIELDS = ("id", "problem_id", "at", "by", "reason", "category", "into")


def add(connection: Connection, at: datetime, verdicts: Iterable[Verdict]) -> None:
    """Take verdicts in; one whose id is known changes nothing."""
    rows = [
        {name: getattr(one, name) for name in _FIELDS}
        | {"decision": one.decision.value, "taken_at": at, "applied_at": None}
        for one in verdicts
    ]
    insert_new(connection, verdict, rows, "id")


def cursor(connection: Connection, name: str) -> int:
    """How far a feed has been read; 0 for one that was never read."""
    return connection.scalar(select(feed.c.cursor).where(feed.c.name == name)) or 0


def advance(connection: Connection, name: str, to: int) -> None:
    """Remember how far a feed has been read."""
    upsert(connection, feed, [{"name": name, "cursor": to}], "name")


def pending(connection: Connection, cameras: Collection[str], limit: int) -> list[Verdict]:
    """Verdicts about problems of these cameras that nobody has acted on, oldest first."""
    query = (
        select(verdict)
        .join(problem, problem.c.id == verdict.c.problem_id)
        .where(verdict.c.applied_at.is_(None), problem.c.camera_id.in_(cameras))
        .order_by(verdict.c.at, verdict.c.id)
        .limit(limit)
    )
    return [_of(dict(row)) for row in connection.execute(query).mappings()]


def applied(connection: Connection, at: datetime, ids: Collection[str]) -> None:
    """Remember that these have been acted on."""
    if ids:
        connection.execute(update(verdict).where(verdict.c.id.in_(ids)).values(applied_at=at))


def about(connection: Connection, problem_id: str) -> list[Verdict]:
    """All verdicts about a problem, oldest first."""
    query = select(verdict).where(verdict.c.problem_id == problem_id).order_by(verdict.c.at, verdict.c.id)
    return [_of(dict(row)) for row in connection.execute(query).mappings()]


def _of(row: dict[str, object]) -> Verdict:
    return Verdict(decision=Decision(row["decision"]), **{name: row[name] for name in _FIELDS})  # type: ignore[arg-type]
