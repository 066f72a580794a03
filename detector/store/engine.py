"""Connections that mean what they say: durable commits, one writer at a time, foreign keys that hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from detector.core.secrets import scrub
from detector.errors import StoreError

Synchronous = Literal["FULL", "NORMAL", "OFF"]
BUSY_TIMEOUT_S = 10.0  # how long a writer waits for another process to finish
_WRITES = "street_writes"  # execution option: this transaction will write
_OLDEST_SQLITE = (3, 35)  # UPSERT of many rows and RETURNING


def parse_url(url: str) -> URL:
    """Turn `sqlite:///path/to/file`, a bare path, or `postgresql://user@host/name` into a SQLAlchemy URL.

    Raises StoreError for anything else, for a database in memory (several threads cannot share one safely), and
    when the PostgreSQL driver is missing. The message never shows the password.
    """
    if "://" not in url:
        url = f"sqlite:///{url}"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(f"not a database URL: {scrub(url)}") from None
    match parsed.get_backend_name():
        case "sqlite":
            if parsed.database in (None, "", ":memory:") or "mode" in parsed.query:
                raise StoreError("the store needs a file: write sqlite:///path/to/street.db")
            return parsed.set(drivername="sqlite")
        case "postgresql":
            if find_spec("psycopg") is None:
                raise StoreError("PostgreSQL needs the driver psycopg: pip install 'street-detector[postgres]'")
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise StoreError(f"database {other!r} is not supported: use sqlite:/// or postgresql://")


def file_of(url: str) -> Path | None:
    """The file of an SQLite database, which need not be there; None for others. Raises StoreError as `parse_url`."""
    parsed = parse_url(url)
    return Path(parsed.database or "").expanduser() if parsed.get_backend_name() == "sqlite" else None


def make_engine(url: str, *, synchronous: Synchronous = "FULL", **options: Any) -> Engine:
    """Make an engine for `url`; `options` go to SQLAlchemy's create_engine.

    synchronous: SQLite only. FULL waits for the disk at each commit. Anything less loses committed events when the
    power fails, which tests/store/test_power_loss.py shows; it is a parameter for that test and for measurements.

    Raises StoreError as `parse_url` does, and when the folder of an SQLite file cannot be made.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True, **options)
    folder = Path(parsed.database or "").expanduser().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {folder} for the database: {error}") from error
    parsed = parsed.set(database=str(Path(parsed.database or "").expanduser()))
    options.setdefault("connect_args", {"timeout": BUSY_TIMEOUT_S})
    engine = create_engine(parsed, hide_parameters=True, **options)
    _prepare_sqlite(engine, synchronous)
    return engine


def _prepare_sqlite(engine: Engine, synchronous: Synchronous) -> None:
    if engine.dialect.dbapi is None or engine.dialect.dbapi.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError("SQLite 3.35 or newer is needed")

    @event.listens_for(engine, "connect")
    def connect(dbapi: Any, _record: object) -> None:
        dbapi.isolation_level = None  # the driver starts no transaction: `begin` below does
        cursor = dbapi.cursor()
        mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise StoreError(
                f"SQLite refuses write-ahead logging here (journal mode {mode}): put the database on a local disk"
            )
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA fullfsync=ON")  # macOS: fsync alone leaves data in the drive's cache
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that starts reading and then writes can fail with SQLITE_BUSY without any waiting;
        # taking the write lock first makes it wait for its turn.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """An engine with two doors: `reading` and `writing`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._name = engine.url.database if engine.dialect.name == "sqlite" else engine.dialect.name
        self._writer = engine.execution_options(**{_WRITES: True})
        # Threads of one process queue here and start at once; SQLite's own waiting polls, up to 100 ms a time.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view. Raises StoreError when the database refuses."""
        with _as_store_error(self._name), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: committed and on disk when the block ends, or undone when it raises.

        Raises StoreError when the database refuses or stays locked.
        """
        with _as_store_error(self._name), self._turn, self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _as_store_error(name: str | None) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(f"database {name}: {scrub(str(cause)).strip()}") from error
