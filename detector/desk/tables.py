"""Tables of the desk's ledger and the one way its SQLite file is opened."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    event,
    inspect,
    make_url,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from detector.errors import ConfigError, StoreError

SCHEMA_VERSION = 4
READING = "desk_reading"  # execution option of a connection that will not write
BUSY_TIMEOUT_S = 10


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC inside, without a zone in SQLite, which has none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


METADATA = MetaData()

EVENT = Table(
    "event",
    METADATA,
    Column("id", String, primary_key=True),  # CloudEvents id = webhook id
    Column("source", String, nullable=False),
    Column("type", String, nullable=False),
    Column("subject", String),
    Column("problem_id", String, index=True),  # None for events that are about no problem
    Column("time", UtcTime, nullable=False),  # when it happened
    Column("received_at", UtcTime, nullable=False),
    Column("body", Text, nullable=False),  # the document as it arrived
)

CASE_FILE = Table(
    "case_file",  # `case` is a word of SQL
    METADATA,
    Column("id", String, primary_key=True),
    Column("problem_id", String, nullable=False, unique=True),
    Column("status", String, nullable=False),
    Column("stage", String, nullable=False, index=True),
    Column("department", String, index=True),
    Column("category", String, nullable=False, index=True),
    Column("camera_id", String, nullable=False, index=True),
    Column("review", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("score", Float),
    Column("opened_at", UtcTime, nullable=False),
    Column("cleared_at", UtcTime),
    Column("dismissed_at", UtcTime),
    Column("changed_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, index=True),
    Column("done_at", UtcTime),
    Column("automatic", Boolean),
    Column("told", String, index=True),  # category that the detector told
    Column("finding", String),
    Column("judged_at", UtcTime),
    Column("street", String, index=True),
    Column("merged_into", String, index=True),
    Column("facts", JSON, nullable=False),  # the whole case
    Index("case_file_by_status", "status", "opened_at"),
    Index("case_file_by_opening", "opened_at"),
)

ACTION = Table(
    "action",
    METADATA,
    Column("id", String, primary_key=True),  # chosen by whoever acts: a repetition changes nothing
    Column("case_id", String, nullable=False),
    Column("number", Integer, nullable=False),  # order of doing within the case
    Column("move", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("revision", Integer, nullable=False),  # newest one of the problem at that time
    Column("details", JSON),
    Index("action_of_case", "case_id", "number", unique=True),
)

ACTION_SEEN = Table(
    "action_seen",  # what was known of a case's further sources when somebody acted; ACTION.revision is of the first
    METADATA,
    Column("action_id", String, primary_key=True),
    Column("problem_id", String, primary_key=True),
    Column("revision", Integer, nullable=False),
)

SOURCE = Table(
    "source",  # every problem, and the case that it belongs to
    METADATA,
    Column("problem_id", String, primary_key=True),
    Column("own_case", String, nullable=False, unique=True),  # the case that it makes alone, and may once have made
    Column("case_id", String, nullable=False, index=True),
    Column("category", String, nullable=False),
    Column("camera_id", String, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("opened_at", UtcTime, nullable=False),
    Column("gone_at", UtcTime),  # None while it is there
    Column("there", Boolean),  # False: gone; None: it was none
    Column("sighting", JSON, nullable=False),  # all that joining asks
    Index("source_on_ground", "latitude", "longitude"),
    Index("source_of_camera", "camera_id", "opened_at"),
)

APART = Table(
    "apart",  # what a person has split; remembered, so that it does not join again by itself
    METADATA,
    Column("action_id", String, primary_key=True),
    Column("split_off", String, primary_key=True),  # problem
    Column("split_from", String, primary_key=True),  # problem
    Column("at", UtcTime, nullable=False),
    Index("apart_by_split_off", "split_off"),
    Index("apart_by_split_from", "split_from"),
)

VERDICT = Table(
    "verdict",  # what the desk tells others about what people decided; never changed
    METADATA,
    Column("number", Integer, primary_key=True),  # the cursor of the feed
    Column("action_id", String, nullable=False, unique=True),
    Column("case_id", String, nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("told", JSON, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice
)

CAMERA = Table(
    "camera",
    METADATA,
    Column("id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("reason", Text),
    Column("name", Text),
    Column("event_id", String, nullable=False),  # the event that said so
)

BOOK = Table("book", METADATA, Column("schema_version", Integer, nullable=False))


def open_book(connection: Connection, database_url: str) -> bool:
    """Make the tables that are missing; True when they come from an earlier version and all cases must be worked out.

    Raises StoreError when they come from a later version.
    """
    METADATA.create_all(connection)
    version = connection.scalar(select(BOOK.c.schema_version))
    if version is None:
        connection.execute(BOOK.insert().values(schema_version=SCHEMA_VERSION))
        return False
    if version == 1:
        _from_first_version(connection)
    elif version in (2, 3):  # up to 2 each problem was a case of its own; 3 knew no splits of what was joined
        for index in SOURCE.indexes:
            index.create(connection, checkfirst=True)
        connection.execute(BOOK.update().values(schema_version=SCHEMA_VERSION))
    elif version != SCHEMA_VERSION:
        raise StoreError(f"{database_url} has schema {version}; this program needs {SCHEMA_VERSION}")
    return version in (1, 2)


def _from_first_version(connection: Connection) -> None:
    """Deadlines, routes and verdicts were not known then; departments and notes had columns of their own."""
    for table in (ACTION, CASE_FILE):
        present = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    connection.exec_driver_sql("UPDATE action SET details = json_object('department', department, 'note', note)")
    connection.execute(BOOK.update().values(schema_version=SCHEMA_VERSION))


def open_engine(database_url: str) -> Engine:
    """Engine for `sqlite:///PATH` whose transactions are on disk when they return; makes the file's folder.

    WAL lets pages be read while an event is written; synchronous=FULL because the sender forgets an
    event once it is accepted.
    Raises ConfigError for any other URL.
    """
    try:
        url = make_url(database_url)
    except ArgumentError:
        raise ConfigError("the desk's database must be given as sqlite:///PATH") from None
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise ConfigError(
            f"the desk keeps its ledger in an SQLite file, not in {url.render_as_string()}: use sqlite:///PATH"
        )
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the folder of the desk's ledger {url.database} cannot be made: {error.strerror}") from error
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are begun by _begin alone
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock at once: one that reads first and writes later fails when another wrote meanwhile."""
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
