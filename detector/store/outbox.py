"""Events on their way out: written with the problem they tell of, handed to couriers in order, settled once.

Deliveries of one subject to one endpoint stand in a line. Only the head of a line has a time for its next attempt;
those behind it get one when the head is delivered or given up, so a long line costs nothing while it waits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)

from detector.core.secrets import one_line
from detector.ports import Attempt
from detector.store.rows import insert_new, insert_selected
from detector.store.schema import Utc, delivery, endpoint, event


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up; waits for a person to redeliver it


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An event and the endpoints that want it."""

    event_id: str
    type: str  # e.g. problem.opened
    subject: str  # problem or camera id: deliveries of one subject keep their order
    occurred_at: datetime  # aware UTC
    body: bytes  # what is sent, as it is
    endpoints: tuple[str, ...]  # names; may be empty: the event is then only kept


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint, claimed by one courier for a while."""

    id: int
    event_id: str
    type: str
    subject: str
    endpoint: str
    occurred_at: datetime
    body: bytes
    attempts: int  # made before this one
    claimed_by: str
    claimed_until: datetime  # after this another courier may take it


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed delivery."""

    delivery: Delivery
    attempt: Attempt
    state: DeliveryState
    next_attempt_at: datetime | None = None  # set exactly when it stays pending

    def __post_init__(self) -> None:
        if (self.state is DeliveryState.PENDING) != (self.next_attempt_at is not None):
            raise ValueError("a pending delivery, and only that, has a next attempt")


# Written out in the SQL, not bound: the partial indexes apply only where the planner can read the condition.
PENDING: ColumnClause[str] = literal_column("'pending'", String)


def append(connection: Connection, at: datetime, entries: Sequence[OutboxEntry]) -> None:
    """Add events and their deliveries; an event id that is known adds nothing."""
    rows = [
        {
            "id": entry.event_id,
            "type": entry.type,
            "subject": entry.subject,
            "occurred_at": entry.occurred_at,
            "recorded_at": at,
            "body": entry.body,
        }
        for entry in entries
    ]
    wanted = [{"of_event": entry.event_id, "to": name, "at": at} for entry in entries for name in entry.endpoints]
    hold_lines(connection, {(name, entry.subject) for entry in entries for name in entry.endpoints})
    insert_new(connection, event, rows, "id")
    ahead = delivery.alias()
    waits = exists().where(
        ahead.c.state == PENDING,
        ahead.c.endpoint == bindparam("to"),
        ahead.c.subject == event.c.subject,
    )
    source = select(
        event.c.sequence,
        bindparam("to", type_=delivery.c.endpoint.type),
        event.c.subject,
        PENDING,
        literal_column("0"),
        case((waits, null()), else_=bindparam("at", type_=Utc)),
    ).where(event.c.id == bindparam("of_event"))
    columns = ["event_sequence", "endpoint", "subject", "state", "attempts", "next_attempt_at"]
    insert_selected(connection, delivery, columns, source, wanted)


def claim_due(
    connection: Connection,
    now: datetime,
    until: datetime,
    limit: int,
    worker_id: str,
    endpoints: Collection[str] | None,
) -> list[Delivery]:
    """Take up to `limit` deliveries that are due, oldest due first; never two of one line."""
    disabled = select(endpoint.c.name).where(endpoint.c.disabled_at.is_not(None))
    query = (
        select(delivery, event.c.id.label("event_id"), event.c.type, event.c.occurred_at)
        .add_columns(event.c.body)
        .join_from(delivery, event)
        .where(
            delivery.c.state == PENDING,
            delivery.c.next_attempt_at <= now,
            or_(delivery.c.claimed_until.is_(None), delivery.c.claimed_until <= now),
            delivery.c.endpoint.not_in(disabled),
            _is_head(),
        )
        .order_by(delivery.c.next_attempt_at, delivery.c.event_sequence)
        .limit(limit)
        .with_for_update(of=delivery, skip_locked=True)
    )
    if endpoints is not None:
        query = query.where(delivery.c.endpoint.in_(endpoints))
    rows = connection.execute(query).mappings().all()
    if rows:
        connection.execute(
            update(delivery)
            .where(delivery.c.id.in_([row["id"] for row in rows]))
            .values(claimed_by=worker_id, claimed_until=until)
        )
    return [
        Delivery(
            id=row["id"],
            event_id=row["event_id"],
            type=row["type"],
            subject=row["subject"],
            endpoint=row["endpoint"],
            occurred_at=row["occurred_at"],
            body=row["body"],
            attempts=row["attempts"],
            claimed_by=worker_id,
            claimed_until=until,
        )
        for row in rows
    ]


def settle(connection: Connection, at: datetime, settlements: Iterable[Settlement]) -> None:
    """Write down what became of deliveries and let the next in each line go.

    A delivery that was accepted counts even when its claim had run out; a failure counts only while the claim is
    still this courier's, so it cannot undo what another has done since.
    """
    settlements = sorted(settlements, key=lambda one: one.delivery.id)
    done = [one for one in settlements if one.state is not DeliveryState.PENDING]
    lines = {(one.delivery.endpoint, one.delivery.subject) for one in done}
    hold_lines(connection, lines)
    for one in settlements:
        connection.execute(_SETTLE_DELIVERED if one.attempt.accepted else _SETTLE_FAILED, _row(at, one))
    for name, subject in sorted(lines):
        advance(connection, at, name, subject)


def unclaim(connection: Connection, worker_id: str, ids: Collection[int] | None) -> None:
    """Give back deliveries that were claimed but not tried, all of this courier's when None."""
    statement = update(delivery).where(delivery.c.state == PENDING, delivery.c.claimed_by == worker_id)
    if ids is not None:
        statement = statement.where(delivery.c.id.in_(ids))
    connection.execute(statement.values(claimed_by=None, claimed_until=None))


def advance(connection: Connection, at: datetime, name: str | None, subject: str | None) -> None:
    """Give the head of each line a time if it has none: of one line, or of all lines of an endpoint or of all."""
    statement = update(delivery).where(delivery.c.state == PENDING, delivery.c.next_attempt_at.is_(None), _is_head())
    if name is not None:
        statement = statement.where(delivery.c.endpoint == name)
    if subject is not None:
        statement = statement.where(delivery.c.subject == subject)
    connection.execute(statement.values(next_attempt_at=at))


def hold_lines(connection: Connection, lines: Collection[tuple[str, str]]) -> None:
    """Keep lines (endpoint, subject) for this transaction, so that none is joined and emptied at the same time.

    On PostgreSQL an event could otherwise queue up behind a head that another transaction is just settling, and
    nobody would call it up. SQLite has one writer anyway.
    """
    if not lines or connection.dialect.name != "postgresql":
        return
    keys = sorted(
        int.from_bytes(blake2b("\x1f".join(line).encode(), digest_size=8).digest(), signed=True) for line in lines
    )
    connection.execute(
        text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key"),
        {"keys": keys},
    )


def _is_head() -> ColumnElement[bool]:
    """No earlier event of the subject waits for the endpoint."""
    ahead = delivery.alias()
    return ~exists().where(
        ahead.c.state == PENDING,
        ahead.c.endpoint == delivery.c.endpoint,
        ahead.c.subject == delivery.c.subject,
        ahead.c.event_sequence < delivery.c.event_sequence,
    )


def _row(at: datetime, settlement: Settlement) -> dict[str, Any]:
    attempt = settlement.attempt
    return {
        "which": settlement.delivery.id,
        "courier": settlement.delivery.claimed_by,
        "to_state": settlement.state.value,
        "next_at": settlement.next_attempt_at,
        "status": attempt.status,
        "error": None if attempt.error is None else one_line(attempt.error),
        "ids": dict(attempt.receipt) or None,
        "done_at": None if settlement.state is DeliveryState.PENDING else at,
    }


_SETTLE = (
    update(delivery)
    .where(delivery.c.id == bindparam("which"))
    .values(
        state=bindparam("to_state"),
        attempts=delivery.c.attempts + 1,
        next_attempt_at=bindparam("next_at"),
        claimed_by=None,
        claimed_until=None,
        last_status=bindparam("status"),
        last_error=bindparam("error"),
        # what an earlier try was given stays: the next one may have to go on from there
        receipt=func.coalesce(bindparam("ids", type_=delivery.c.receipt.type), delivery.c.receipt),
        settled_at=bindparam("done_at"),
    )
)
_SETTLE_DELIVERED = _SETTLE.where(delivery.c.state != literal(DeliveryState.DELIVERED.value))
_SETTLE_FAILED = _SETTLE.where(and_(delivery.c.state == PENDING, delivery.c.claimed_by == bindparam("courier")))
