"""Bring a database to the schema this version works with; never touch one that is newer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from detector.errors import StoreError
from detector.store.engine import Database
from detector.store.schema import SCHEMA_VERSION

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x5354_5245_4554  # "STREET": PostgreSQL advisory lock held while migrating


def migrate(database: Database) -> None:
    """Create or upgrade the tables, one process at a time; does nothing when they are current.

    Raises StoreError when the database was written by a newer version, or an upgrade fails (it is then undone).
    """
    with database.reading() as connection:
        if schema_version(connection) == SCHEMA_VERSION:
            return
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = schema_version(connection)  # again: another process may have been faster
        if found != SCHEMA_VERSION:
            _upgrade(connection, found)


def schema_version(connection: Connection) -> str | None:
    """Revision that the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _upgrade(connection: Connection, found: str | None) -> None:
    # alembic takes a quarter of a second to import; a database that is current does without
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            f"the database is at schema {found}, this version knows {SCHEMA_VERSION}: "
            "install the version that wrote it, or restore a backup made before the upgrade"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
