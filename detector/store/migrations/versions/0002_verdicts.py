"""Verdicts of people, waiting to be applied by the worker that owns the camera."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from detector.store.schema import Utc

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables, and remember of problems whether their camera still looks there."""
    op.add_column("problem", sa.Column("out_of_view", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "verdict",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("problem_id", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("into", sa.String(), nullable=True),
        sa.Column("taken_at", Utc(), nullable=False),
        sa.Column("applied_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_verdict"),
    )
    op.create_table(
        "feed",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_feed"),
    )
    op.create_index("ix_verdict_problem_id", "verdict", ["problem_id"], unique=False)
    pending = sa.text("applied_at IS NULL")
    op.create_index("ix_verdict_pending", "verdict", ["at"], sqlite_where=pending, postgresql_where=pending)
