"""The desk's own book: every event it was given, and the case files and camera states they add up to.

It is the book of another system that happens to live in the same program: own database file, own tables,
nothing shared with the detector's store.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from detector.core.stages import Move, Stage, next_stage
from detector.desk.case import Case, CaseStatus, case_id, fold
from detector.desk.course import Action, Step, course, in_order
from detector.desk.filing import CASE, Received, actions_of, put_action, put_camera, put_case, reports_of
from detector.desk.tables import (
    ACTION,
    BOOK,
    CAMERA,
    CASE_FILE,
    EVENT,
    METADATA,
    READING,
    SCHEMA_VERSION,
    open_engine,
)
from detector.desk.wire import CameraHealthData, IncomingEvent, ProblemData
from detector.errors import StoreError


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are wanted; None = all."""

    status: CaseStatus | None = None
    category: str | None = None
    camera_id: str | None = None
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the cases, and how many there are in all."""

    cases: list[Case]
    total: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Cases by status; `review` counts those that wait for a person to say whether they are one."""

    open: int
    cleared: int
    dismissed: int
    review: int


@dataclass(frozen=True, slots=True)
class CameraState:
    """The newest thing a camera said about itself."""

    id: str
    status: str
    since: datetime  # aware UTC
    reason: str | None
    name: str | None  # for people


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with all that led to it."""

    case: Case
    received: list[Received]  # oldest event first
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person wants to do with a case."""

    id: str  # chosen by whoever asks; a repetition changes nothing
    move: Move
    by: str
    department: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event that was handed in."""

    new: bool  # False: it had been received before and nothing was done
    case_id: str | None = None


class Ledger:
    """One database file. Methods may be called from any thread."""

    def __init__(self, database_url: str) -> None:
        """Open the book, creating the file and its folder when there is none.

        Raises ConfigError when `database_url` is not `sqlite:///PATH`, StoreError when the file cannot be used.
        """
        self._engine = open_engine(database_url)
        self._writing = threading.Lock()  # waiting here is fair and cheap; waiting in SQLite is neither
        try:
            with self._write() as connection:
                METADATA.create_all(connection)
                version = connection.scalar(select(BOOK.c.schema_version))
                if version is None:
                    connection.execute(BOOK.insert().values(schema_version=SCHEMA_VERSION))
                elif version != SCHEMA_VERSION:
                    raise StoreError(f"{database_url} has schema {version}; this program needs {SCHEMA_VERSION}")
        except StoreError:
            self.close()
            raise

    def receive(self, incoming: IncomingEvent, now: datetime) -> Receipt:
        """Keep the event and bring its case or camera up to date, in one transaction that is on disk on return.

        An event whose id is already in the book changes nothing. Raises StoreError.
        """
        problem_id = incoming.data.problem_id if isinstance(incoming.data, ProblemData) else None
        case = case_id(problem_id) if problem_id else None
        with self._write() as connection:
            row = insert(EVENT).values(
                id=incoming.id, source=incoming.source, type=incoming.type, subject=incoming.subject,
                problem_id=problem_id, time=incoming.time, received_at=now, body=incoming.body,
            )  # fmt: skip
            if connection.execute(row.on_conflict_do_nothing()).rowcount == 0:
                return Receipt(new=False, case_id=case)
            if problem_id:
                _bring_up_to_date(connection, problem_id)
            elif isinstance(incoming.data, CameraHealthData):
                put_camera(connection, incoming, incoming.data)
        return Receipt(new=True, case_id=case)

    def act(self, wanted: str, deed: Deed, now: datetime) -> Case | None:
        """Move the case with that id; None when there is none. On disk on return.

        Raises ValueError when the case stands where this cannot be done, StoreError.
        """
        with self._write() as connection:
            case = _case(connection, wanted)
            if case is None or connection.scalar(select(ACTION.c.id).where(ACTION.c.id == deed.id)):
                return case
            next_stage(case.stage, deed.move)
            number = len(actions_of(connection, wanted)) + 1
            put_action(
                connection,
                wanted,
                Action(deed.id, deed.move, deed.by, now, case.revision, number, deed.department, deed.note),
            )
            return _bring_up_to_date(connection, case.problem_id)

    def cases(self, wanted: CaseFilter = CaseFilter(), *, limit: int = 50, offset: int = 0) -> Page:
        """Open cases first, then newest opening first. Raises StoreError."""
        table = CASE_FILE
        conditions = [
            column == value
            for column, value in (
                (table.c.status, wanted.status), (table.c.category, wanted.category),
                (table.c.camera_id, wanted.camera_id), (table.c.stage, wanted.stage),
            )
            if value is not None
        ]  # fmt: skip
        with self._read() as connection:
            total = connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
            rows = connection.scalars(
                select(table.c.facts)
                .where(*conditions)
                .order_by((table.c.status != CaseStatus.OPEN), table.c.opened_at.desc(), table.c.id)
                .limit(limit)
                .offset(offset)
            )
            return Page([CASE.validate_python(facts) for facts in rows], total)

    def case(self, wanted: str) -> CaseFile | None:
        """The case with that id and its history; None when there is none. Raises StoreError."""
        with self._read() as connection:
            case = _case(connection, wanted)
            if case is None:
                return None
            received = {entry.report.id: entry for entry in reports_of(connection, case.problem_id)}
            ordered = in_order(entry.report for entry in received.values())
            steps = course(ordered, actions_of(connection, wanted))
            return CaseFile(case, [received[report.id] for report in ordered], steps)

    def counts(self) -> Counts:
        """How many cases stand where. Raises StoreError."""
        status, stage = CASE_FILE.c.status, CASE_FILE.c.stage
        with self._read() as connection:
            rows = connection.execute(select(status, stage, func.count()).group_by(status, stage)).all()
        by_status = {one.value: sum(row[2] for row in rows if row[0] == one) for one in CaseStatus}
        return Counts(**by_status, review=sum(row[2] for row in rows if row[1] == Stage.COLLECT))

    def choices(self) -> tuple[list[str], list[str]]:
        """Categories and cameras that have cases, sorted. Raises StoreError."""
        with self._read() as connection:
            categories = connection.scalars(select(CASE_FILE.c.category).distinct().order_by(CASE_FILE.c.category))
            cameras = connection.scalars(select(CASE_FILE.c.camera_id).distinct().order_by(CASE_FILE.c.camera_id))
            return list(categories), list(cameras)

    def cameras(self, *, limit: int = 200, offset: int = 0) -> list[CameraState]:
        """Cameras that cannot see first, then by id. Raises StoreError."""
        table = CAMERA
        with self._read() as connection:
            rows = connection.execute(
                select(table.c.id, table.c.status, table.c.since, table.c.reason, table.c.name)
                .order_by(table.c.status == "ok", table.c.id)
                .limit(limit)
                .offset(offset)
            )
            return [CameraState(*row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._writing, _own_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with (
            _own_errors(),
            self._engine.connect().execution_options(**{READING: True}) as connection,
        ):
            yield connection


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(f"the desk's ledger: {cause}") from error


def _case(connection: Connection, wanted: str) -> Case | None:
    facts = connection.scalar(select(CASE_FILE.c.facts).where(CASE_FILE.c.id == wanted))
    return None if facts is None else CASE.validate_python(facts)


def _bring_up_to_date(connection: Connection, problem_id: str) -> Case:
    reports = [received.report for received in reports_of(connection, problem_id)]
    case = fold(reports, actions_of(connection, case_id(problem_id)))
    put_case(connection, case)
    return case
