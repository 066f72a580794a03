from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from detector.errors import StoreError
from detector.store import Store, open_store
from detector.store.engine import Database, make_engine
from detector.store.migrate import MIGRATIONS, migrate
from detector.store.schema import SCHEMA_VERSION, metadata
from tests.store.making import NOON, a_problem


def test_the_migrations_make_the_schema_in_the_code(database_url: str) -> None:
    database = Database(make_engine(database_url))
    migrate(database)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_the_schema_version_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA_VERSION]


def test_opening_again_changes_nothing(opened: Callable[[], Store]) -> None:
    opened().record(NOON, [a_problem()])
    assert len(opened().problems()) == 1


def test_a_newer_schema_is_refused_and_left_alone(database_url: str) -> None:
    open_store(database_url).close()
    engine = create_engine(make_engine(database_url).url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="schema 9999, this version knows"):
        open_store(database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


def test_several_processes_may_start_at_once(database_url: str) -> None:
    code = "import sys; from detector.store import open_store; open_store(sys.argv[1]).close()"
    starts = [subprocess.Popen([sys.executable, "-c", code, database_url]) for _ in range(3)]
    assert [one.wait(60) for one in starts] == [0, 0, 0]


def test_an_upgrade_that_fails_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(make_engine(str(tmp_path / "street.db")))

    def half(connection: object, found: object) -> None:
        connection.execute(text("CREATE TABLE half (x INTEGER)"))  # type: ignore[attr-defined]
        connection.execute(text("CREATE TABLE half (x INTEGER)"))  # type: ignore[attr-defined]

    monkeypatch.setattr("detector.store.migrate._upgrade", half)
    with pytest.raises(StoreError, match="already exists"):
        migrate(database)
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sqlite_master")) == 0
    database.close()


def test_sqlite_is_set_up_to_keep_its_word(tmp_path: Path) -> None:
    database = Database(make_engine(str(tmp_path / "deep" / "er" / "street.db")))
    for door in (database.reading, database.writing):
        with door() as connection:
            ask = lambda name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()  # noqa: E731
            assert (ask("journal_mode"), ask("synchronous"), ask("foreign_keys")) == ("wal", 2, 1)
            assert ask("busy_timeout") == 10_000
    database.close()


def test_a_locked_database_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "street.db"
    open_store(str(path)).close()
    database = Database(make_engine(str(path), connect_args={"timeout": 0.05}))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        Store(database).record(NOON, [a_problem()])
    assert Store(database).problems() == []  # readers are not held up
    other.execute("ROLLBACK")
    other.close()
    Store(database).record(NOON, [a_problem()])
    database.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://root:canary@db/street", "'mysql' is not supported"),
        ("://canary", "not a database URL"),
    ],
)
def test_a_wrong_url_is_explained(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url)
    assert "canary" not in str(caught.value) or url == "://canary"


def test_a_file_that_is_no_database_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "street.db"
    path.write_bytes(b"this is not a database, it is a long enough text file" * 20)
    with pytest.raises(StoreError, match="not a database"):
        open_store(str(path))
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreError, match="cannot make the folder"):
        open_store(str(blocked / "street.db"))


@pytest.mark.postgres
def test_a_password_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("psycopg")
    caplog.set_level(logging.DEBUG)
    with pytest.raises(StoreError) as caught:
        open_store("postgresql://street:canary-4711@127.0.0.1:9/street?connect_timeout=2")
    assert "canary-4711" not in f"{caught.value} {caught.value.__cause__!r} {caplog.text}"
