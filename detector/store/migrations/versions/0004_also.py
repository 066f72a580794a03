"""What else the model calls the thing that a problem is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Count the other categories that sightings of a problem were given."""
    kind = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("problem", sa.Column("also", kind, server_default=sa.text("'{}'"), nullable=False))
