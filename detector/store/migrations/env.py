"""Run revisions on the connection, and inside the transaction, that detector.store.migrate holds."""

from __future__ import annotations

from alembic import context

from detector.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
)
context.run_migrations()
