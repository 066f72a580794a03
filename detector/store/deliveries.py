"""Looking after deliveries: what waits, what was given up, sending again, forgetting old events."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, or_, select, text, update

from detector.store.outbox import PENDING, DeliveryState, advance
from detector.store.schema import delivery, event


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """How one event fared with one endpoint; without the body."""

    id: int
    event_id: str
    type: str
    subject: str
    endpoint: str
    occurred_at: datetime
    recorded_at: datetime
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None  # None while it waits behind an earlier event, and when settled
    last_status: int | None  # HTTP status of the newest attempt
    last_error: str | None
    receipt: Mapping[str, str] | None  # ids that the endpoint gave
    settled_at: datetime | None


_RECORD = select(
    delivery.c.id,
    event.c.id.label("event_id"),
    event.c.type,
    delivery.c.subject,
    delivery.c.endpoint,
    event.c.occurred_at,
    event.c.recorded_at,
    delivery.c.state,
    delivery.c.attempts,
    delivery.c.next_attempt_at,
    delivery.c.last_status,
    delivery.c.last_error,
    delivery.c.receipt,
    delivery.c.settled_at,
).join_from(delivery, event)


def page(
    connection: Connection,
    state: DeliveryState | None,
    endpoint: str | None,
    subject: str | None,
    limit: int,
    after: int | None,
) -> list[DeliveryRecord]:
    """Newest first; `after` is the id of the last delivery of the page before."""
    query = _RECORD.order_by(delivery.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(delivery.c.state == state.value)
    if endpoint is not None:
        query = query.where(delivery.c.endpoint == endpoint)
    if subject is not None:
        query = query.where(delivery.c.subject == subject)
    if after is not None:
        query = query.where(delivery.c.id < after)
    return [
        DeliveryRecord(**(dict(row) | {"state": DeliveryState(row["state"])}))
        for row in connection.execute(query).mappings()
    ]


def depths(connection: Connection) -> dict[str, int]:
    """Undelivered events by endpoint, those of disabled endpoints too."""
    query = select(delivery.c.endpoint, func.count()).where(delivery.c.state == PENDING).group_by(delivery.c.endpoint)
    return {row[0]: row[1] for row in connection.execute(query)}


def oldest_undelivered(connection: Connection) -> datetime | None:
    """When the oldest event that still waits for an endpoint was recorded."""
    first = select(func.min(delivery.c.event_sequence)).where(delivery.c.state == PENDING)
    moment: datetime | None = connection.scalar(
        select(event.c.recorded_at).where(event.c.sequence == first.scalar_subquery())
    )
    return moment


def event_known(connection: Connection, event_id: str) -> bool:
    """Whether an event of that id is kept."""
    return connection.scalar(select(exists().where(event.c.id == event_id))) or False


def redeliver(
    connection: Connection,
    at: datetime,
    ids: Collection[str] | None,
    since: datetime | None,
    until: datetime | None,
    endpoint: str | None,
    include_delivered: bool,
) -> int:
    """Make deliveries pending again, with all their attempts before them; what is pending already stays as it is."""
    if connection.dialect.name == "postgresql":  # see outbox.hold_lines; here all lines are held
        connection.execute(text("LOCK TABLE delivery IN SHARE ROW EXCLUSIVE MODE"))
    states = [DeliveryState.DEAD.value]
    if include_delivered:
        states.append(DeliveryState.DELIVERED.value)
    chosen = select(event.c.sequence)
    if ids is not None:
        chosen = chosen.where(event.c.id.in_(ids))
    if since is not None:
        chosen = chosen.where(event.c.occurred_at >= since)
    if until is not None:
        chosen = chosen.where(event.c.occurred_at < until)
    statement = update(delivery).where(delivery.c.state.in_(states), delivery.c.event_sequence.in_(chosen))
    if endpoint is not None:
        statement = statement.where(delivery.c.endpoint == endpoint)
    moved = connection.execute(
        statement.values(
            state=PENDING,
            attempts=0,
            next_attempt_at=None,
            claimed_by=None,
            claimed_until=None,
            settled_at=None,
        )
    ).rowcount
    advance(connection, at, endpoint, None)
    return moved


def hasten(connection: Connection, at: datetime, endpoint: str) -> int:
    """Make what waits for an endpoint due at once: it answers again after it had been down."""
    statement = update(delivery).where(
        delivery.c.state == PENDING,
        delivery.c.endpoint == endpoint,
        delivery.c.next_attempt_at > at,
    )
    return connection.execute(statement.values(next_attempt_at=at)).rowcount


def bury(connection: Connection, at: datetime, endpoint: str, reason: str) -> int:
    """Give up what waits for an endpoint that is no more; `redeliver` brings it back."""
    statement = update(delivery).where(delivery.c.state == PENDING, delivery.c.endpoint == endpoint)
    return connection.execute(
        statement.values(
            state=DeliveryState.DEAD.value,
            next_attempt_at=None,
            claimed_by=None,
            claimed_until=None,
            last_error=reason,
            settled_at=at,
        )
    ).rowcount


def prune(connection: Connection, before: datetime, include_dead: bool, limit: int) -> int:
    """Delete up to `limit` events recorded before a time that no endpoint waits for any more."""
    keeps = delivery.c.state == PENDING
    if not include_dead:
        keeps = or_(keeps, delivery.c.state == DeliveryState.DEAD.value)
    wanted = exists().where(delivery.c.event_sequence == event.c.sequence, keeps)
    old = select(event.c.sequence).where(event.c.recorded_at < before, ~wanted).limit(limit)
    return connection.execute(delete(event).where(event.c.sequence.in_(old))).rowcount
