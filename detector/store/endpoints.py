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


def set_breaker(connection: Connection, name: str, breaker: str, failures: int, retry_at: datetime | None) -> None:
    """Remember the breaker; whether the endpoint is disabled stays as it is."""
    row = asdict(EndpointState(name, breaker, failures, retry_at))
    upsert(connection, endpoint, [row], "name", change=["breaker", "failures", "retry_at"])


def disable(connection: Connection, name: str, at: datetime, reason: str) -> None:
    """Let nothing more be claimed for the endpoint."""
    row = asdict(EndpointState(name, disabled_at=at, reason=reason))
    upsert(connection, endpoint, [row], "name", change=["disabled_at", "reason"])


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
