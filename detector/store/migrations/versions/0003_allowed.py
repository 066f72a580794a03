"""What of a problem that is no case any more, and how many things it is made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Remember by which rule what stands there is no case, and how many stood together when it was seen last."""
    op.add_column("problem", sa.Column("allowed_by", sa.String(), nullable=True))
    op.add_column("problem", sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False))
