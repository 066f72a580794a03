"""What is remembered of each endpoint over restarts, and shared between workers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from detector.store.rows import upsert
from detector.store.schema import endpoint


@dataclass(frozen=True, slots=True)
class EndpointState:
    """The breaker of an endpoint, and whether it may be used at all."""

    name: str
    breaker: str = "closed"  # closed, open or half_open
    failures: int = 0  # in a row
    retry_at: datetime | None = None  # when an open breaker lets one delivery through, aware UTC
    disabled_at: datetime | None = None  # aware UTC; a disabled endpoint keeps its deliveries waiting
    reason: str | None = None  # why it is disabled, one line, secrets removed


def put(connection: Connection, state: EndpointState) -> None:
    """Insert or overwrite."""
    upsert(connection, endpoint, [asdict(state)], "name")


def states(connection: Connection) -> dict[str, EndpointState]:
    """All endpoints that were ever in trouble, by name."""
    rows = connection.execute(select(endpoint).order_by(endpoint.c.name)).mappings()
    return {row["name"]: EndpointState(**row) for row in rows}


def enable(connection: Connection, name: str) -> bool:
    """Let a disabled endpoint have its deliveries again; True if it was disabled."""
    statement = (
        update(endpoint)
        .where(endpoint.c.name == name, endpoint.c.disabled_at.is_not(None))
        .values(disabled_at=None, reason=None, breaker="closed", failures=0, retry_at=None)
    )
    return connection.execute(statement).rowcount > 0
