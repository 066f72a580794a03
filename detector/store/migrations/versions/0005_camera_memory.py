"""What is remembered of a camera's view, to notice that it was turned while nobody looked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from detector.store.schema import Utc

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "camera_memory",
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("kept_at", Utc(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", name="pk_camera_memory"),
    )
    op.create_index("ix_camera_memory_kept_at", "camera_memory", ["kept_at"], unique=False)
