"""The tables, the same on SQLite and PostgreSQL. A change here needs a new file in migrations/versions."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

SCHEMA_VERSION = "0006"  # newest revision in migrations/versions


class Utc(TypeDecorator[datetime]):
    """An aware datetime in UTC to the microsecond: the value that comes back equals the value that went in.

    PostgreSQL keeps `timestamptz`; SQLite keeps the text `YYYY-MM-DD HH:MM:SS.ffffff`, which sorts as it should.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the store takes aware datetimes only")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite gives out row numbers by itself for INTEGER only, not for BIGINT.
_Sequence = BigInteger().with_variant(Integer(), "sqlite")
_Json = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
_PENDING = text("state = 'pending'")
_SILENCED = text("silent_until IS NOT NULL")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

problem = Table(
    "problem",
    metadata,
    Column("id", String, primary_key=True),
    Column("category", String, nullable=False),
    Column("label", String, nullable=False),
    Column("camera_id", String, nullable=False),
    Column("box_left", Double, nullable=False),  # pixels of the original frame
    Column("box_top", Double, nullable=False),
    Column("box_right", Double, nullable=False),
    Column("box_bottom", Double, nullable=False),
    Column("frame_width", Integer, nullable=False),
    Column("frame_height", Integer, nullable=False),
    Column("latitude", Double),  # degrees, WGS-84
    Column("longitude", Double),
    Column("ground_error_m", Double),  # metres; null where the place was marked by hand
    Column("width_m", Double),  # metres; moving cameras only
    Column("status", String, nullable=False),
    Column("first_seen", Utc, nullable=False),
    Column("last_seen", Utc, nullable=False),
    Column("last_looked", Utc, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("sightings", Integer, nullable=False),
    Column("best_score", Double, nullable=False),
    Column("recent", String, nullable=False),  # one character per look, newest last: 1 seen, 0 not
    Column("missing_since", Utc),
    Column("missed", Integer, nullable=False),
    Column("opened_at", Utc),
    Column("cleared_at", Utc),
    Column("reopened", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("announced_at", Utc),
    Column("announced_score", Double, nullable=False),
    Column("model_version", String),
    Column("rule", String, nullable=False),
    Column("codes", _Json, nullable=False),
    Column("silent_until", Utc),
    Column("out_of_view", Boolean, nullable=False, server_default=false()),
    Column("allowed_by", String),
    Column("count", Integer, nullable=False, server_default=text("1")),
    Column("also", _Json, nullable=False, server_default=text("'{}'")),
    Index(None, "camera_id", "status", "cleared_at"),
    Index("ix_problem_silent", "camera_id", "silent_until", sqlite_where=_SILENCED, postgresql_where=_SILENCED),
    Index(None, "status", "first_seen", "id"),
    Index(None, "first_seen", "id"),
)

event = Table(
    "event",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("subject", String, nullable=False),  # problem or camera
    Column("occurred_at", Utc, nullable=False),
    Column("recorded_at", Utc, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("id"),
    Index(None, "recorded_at"),
    sqlite_autoincrement=True,  # a number is never given twice, also after old events were deleted
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", _Sequence, primary_key=True, autoincrement=True),
    Column(
        "event_sequence",
        _Sequence,
        ForeignKey("event.sequence", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("endpoint", String, nullable=False),
    Column("subject", String, nullable=False),  # as in event: here for the order of one subject
    Column("state", String, nullable=False),  # pending, delivered, dead
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Utc),  # null: waits behind an earlier event of its subject, or settled
    Column("claimed_by", String),
    Column("claimed_until", Utc),
    Column("last_status", Integer),  # HTTP status of the newest attempt
    Column("last_error", String),
    Column("receipt", _Json),  # ids that the endpoint gave back
    Column("settled_at", Utc),  # delivered or given up
    UniqueConstraint("event_sequence", "endpoint"),
    Index(
        "ix_delivery_due",
        "endpoint",
        "next_attempt_at",
        "event_sequence",
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    ),
    Index(
        "ix_delivery_line",
        "endpoint",
        "subject",
        "event_sequence",
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    ),
    Index(None, "state", "id"),
    sqlite_autoincrement=True,
)

endpoint = Table(
    "endpoint",
    metadata,
    Column("name", String, primary_key=True),
    Column("breaker", String, nullable=False),  # closed, open, half_open
    Column("failures", Integer, nullable=False),  # in a row
    Column("retry_at", Utc),  # when an open breaker lets one delivery through
    Column("disabled_at", Utc),
    Column("reason", String),
)

camera_state = Table(
    "camera_state",
    metadata,
    Column("camera_id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("since", Utc, nullable=False),
    Column("last_look", Utc, nullable=False),
    Column("last_ok", Utc),
    Column("reason", String),
)

camera_memory = Table(
    "camera_memory",
    metadata,
    Column("camera_id", String, primary_key=True),
    Column("kept_at", Utc, nullable=False),
    Column("state", String, nullable=False),  # JSON of whoever judges the camera's condition
    Index(None, "kept_at"),
)

camera_owner = Table(
    "camera_owner",
    metadata,
    Column("camera_id", String, primary_key=True),
    Column("worker_id", String, nullable=False),
    Column("lease_until", Utc, nullable=False),
    Index(None, "worker_id"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("id", String, primary_key=True),
    Column("problem_id", String, nullable=False),  # may come before the problem's row is known here, or stay unknown
    Column("decision", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("category", String),
    Column("into", String),
    Column("taken_at", Utc, nullable=False),
    Column("applied_at", Utc),  # when the worker acted on it
    Index(None, "problem_id"),
    Index(
        "ix_verdict_pending",
        "at",
        sqlite_where=text("applied_at IS NULL"),
        postgresql_where=text("applied_at IS NULL"),
    ),
)

feed = Table(
    "feed",
    metadata,
    Column("name", String, primary_key=True),
    Column("cursor", BigInteger, nullable=False),  # how far it has been read
)
