"""What cameras on drones and vehicles know of a place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Remember how far off a place on the ground may be, and how wide the thing is that stands there."""
    op.add_column("problem", sa.Column("ground_error_m", sa.Double(), nullable=True))
    op.add_column("problem", sa.Column("width_m", sa.Double(), nullable=True))
