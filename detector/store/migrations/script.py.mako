"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from detector.store.schema import Utc

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Apply."""
    ${upgrades if upgrades else "raise NotImplementedError"}
