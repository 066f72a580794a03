"""The first schema: problems, events and their deliveries, endpoints, cameras."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from detector.store.schema import Utc

revision = "0001"
down_revision = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_PENDING = sa.text("state = 'pending'")
_SILENCED = sa.text("silent_until IS NOT NULL")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "camera_owner",
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("lease_until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", name="pk_camera_owner"),
    )
    op.create_index("ix_camera_owner_worker_id", "camera_owner", ["worker_id"], unique=False)
    op.create_table(
        "camera_state",
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("last_look", Utc(), nullable=False),
        sa.Column("last_ok", Utc(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("camera_id", name="pk_camera_state"),
    )
    op.create_table(
        "endpoint",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("breaker", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", Utc(), nullable=True),
        sa.Column("disabled_at", Utc(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_endpoint"),
    )
    op.create_table(
        "event",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("occurred_at", Utc(), nullable=False),
        sa.Column("recorded_at", Utc(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_event"),
        sa.UniqueConstraint("id", name="uq_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_recorded_at", "event", ["recorded_at"], unique=False)
    op.create_table(
        "problem",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("box_left", sa.Double(), nullable=False),
        sa.Column("box_top", sa.Double(), nullable=False),
        sa.Column("box_right", sa.Double(), nullable=False),
        sa.Column("box_bottom", sa.Double(), nullable=False),
        sa.Column("frame_width", sa.Integer(), nullable=False),
        sa.Column("frame_height", sa.Integer(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("first_seen", Utc(), nullable=False),
        sa.Column("last_seen", Utc(), nullable=False),
        sa.Column("last_looked", Utc(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column("best_score", sa.Double(), nullable=False),
        sa.Column("recent", sa.String(), nullable=False),
        sa.Column("missing_since", Utc(), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("opened_at", Utc(), nullable=True),
        sa.Column("cleared_at", Utc(), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("announced_at", Utc(), nullable=True),
        sa.Column("announced_score", sa.Double(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("codes", _JSON, nullable=False),
        sa.Column("silent_until", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_problem"),
    )
    op.create_index(
        "ix_problem_camera_id_status_cleared_at", "problem", ["camera_id", "status", "cleared_at"], unique=False
    )
    op.create_index(
        "ix_problem_silent",
        "problem",
        ["camera_id", "silent_until"],
        unique=False,
        sqlite_where=_SILENCED,
        postgresql_where=_SILENCED,
    )
    op.create_index("ix_problem_first_seen_id", "problem", ["first_seen", "id"], unique=False)
    op.create_index("ix_problem_status_first_seen_id", "problem", ["status", "first_seen", "id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("event_sequence", _SEQUENCE, nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", Utc(), nullable=True),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_until", Utc(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("receipt", _JSON, nullable=True),
        sa.Column("settled_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_sequence"],
            ["event.sequence"],
            name="fk_delivery_event_sequence_event",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("event_sequence", "endpoint", name="uq_delivery_event_sequence_endpoint"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["endpoint", "next_attempt_at", "event_sequence"],
        unique=False,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_index(
        "ix_delivery_line",
        "delivery",
        ["endpoint", "subject", "event_sequence"],
        unique=False,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_index("ix_delivery_state_id", "delivery", ["state", "id"], unique=False)
