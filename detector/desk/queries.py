"""What is asked of the ledger, and the SQL that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from detector.core.stages import Stage
from detector.core.sureness import Judged
from detector.desk.case import Case, CaseStatus, Finding
from detector.desk.filing import CASE
from detector.desk.tables import CAMERA, CASE_FILE, SOURCE, VERDICT

C = CASE_FILE.c


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are wanted; None = all."""

    status: CaseStatus | None = None
    category: str | None = None
    camera_id: str | None = None
    stage: Stage | None = None
    overdue: bool | None = None  # True: those with a deadline that passed while nobody was done
    street: str | None = None


EVERYTHING = CaseFilter()


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
    merged: int
    review: int
    overdue: int  # open ones


@dataclass(frozen=True, slots=True)
class CameraState:
    """The newest thing a camera said about itself."""

    id: str
    status: str
    since: datetime  # aware UTC
    reason: str | None
    name: str | None  # for people


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict as others are told it."""

    number: int  # cursor
    told: dict[str, object]


def late(now: datetime) -> ColumnElement[bool]:
    """The condition of `Case.overdue`."""
    none = C.status.in_([CaseStatus.DISMISSED, CaseStatus.MERGED])
    return and_(C.due_at.is_not(None), ~none, or_(C.done_at > C.due_at, and_(C.done_at.is_(None), C.due_at < now)))


def case_of(connection: Connection, wanted: str) -> Case | None:
    """The case with that id, or the one that has taken it in."""
    facts = connection.scalar(select(C.facts).where(C.id == wanted))
    if facts is None:  # the case that a problem made, before it was found to be the same thing as an older one
        now = select(SOURCE.c.case_id).where(SOURCE.c.own_case == wanted).scalar_subquery()
        facts = connection.scalar(select(C.facts).where(C.id == now))
    return None if facts is None else CASE.validate_python(facts)


def cases(connection: Connection, wanted: CaseFilter, now: datetime, limit: int, offset: int) -> Page:
    """Open cases first, then newest opening first."""
    conditions = [
        column == value
        for column, value in (
            (C.status, wanted.status), (C.category, wanted.category), (C.camera_id, wanted.camera_id),
            (C.stage, wanted.stage), (C.street, wanted.street),
        )
        if value is not None
    ]  # fmt: skip
    if wanted.overdue is not None:
        conditions.append(late(now) if wanted.overdue else ~func.coalesce(late(now), False))
    total = connection.scalar(select(func.count()).select_from(CASE_FILE).where(*conditions)) or 0
    rows = connection.scalars(
        select(C.facts)
        .where(*conditions)
        .order_by((C.status != CaseStatus.OPEN), C.opened_at.desc(), C.id)
        .limit(limit)
        .offset(offset)
    )
    return Page([CASE.validate_python(facts) for facts in rows], total)


def counts(connection: Connection, now: datetime) -> Counts:
    """How many cases stand where."""
    rows = connection.execute(select(C.status, C.stage, func.count()).group_by(C.status, C.stage)).all()
    by_status = {one.value: sum(row[2] for row in rows if row[0] == one) for one in CaseStatus}
    overdue = connection.scalar(
        select(func.count()).select_from(CASE_FILE).where(C.status == CaseStatus.OPEN, late(now))
    )
    review = sum(row[2] for row in rows if row[1] == Stage.COLLECT)
    return Counts(**by_status, review=review, overdue=overdue or 0)


def merged_into(connection: Connection, case: str) -> list[Case]:
    """The cases that were merged into `case`, oldest first."""
    rows = connection.scalars(select(C.facts).where(C.merged_into == case).order_by(C.opened_at, C.id))
    return [CASE.validate_python(facts) for facts in rows]


def choices(connection: Connection) -> tuple[list[str], list[str]]:
    """Categories and cameras that have cases, sorted."""
    found = [
        list(connection.scalars(select(column).distinct().order_by(column))) for column in (C.category, C.camera_id)
    ]
    return found[0], found[1]


def cameras(connection: Connection, limit: int, offset: int) -> list[CameraState]:
    """Cameras that cannot see first, then by id."""
    c = CAMERA.c
    rows = connection.execute(
        select(c.id, c.status, c.since, c.reason, c.name).order_by(c.status == "ok", c.id).limit(limit).offset(offset)
    )
    return [CameraState(*row) for row in rows]


def judged(connection: Connection, category: str, since: datetime) -> list[Judged]:
    """The verdicts since then on what was told as `category`, the newest of each case."""
    rows = connection.execute(
        select(C.score, C.finding).where(
            C.told == category, C.finding.is_not(None), C.score.is_not(None), C.judged_at >= since
        )
    )
    return [Judged(score, finding == Finding.CONFIRMED) for score, finding in rows]


def verdicts_after(connection: Connection, number: int, limit: int) -> list[Told]:
    """The feed from behind that cursor on, in the order in which the verdicts were passed."""
    v = VERDICT.c
    rows = connection.execute(select(v.number, v.told).where(v.number > number).order_by(v.number).limit(limit))
    return [Told(*row) for row in rows]


def kept(connection: Connection) -> list[Case]:
    """Cases that wait for a person to decide although what they are about has left."""
    undecided = C.stage.in_([Stage.COLLECT, Stage.FILE])
    rows = connection.scalars(select(C.facts).where(undecided, C.facts["left_at"].as_string().is_not(None)))
    return [CASE.validate_python(facts) for facts in rows]


def to_escalate(connection: Connection, now: datetime) -> list[Case]:
    """Open cases whose department is late and not done."""
    working = C.stage.in_([Stage.DISPATCH, Stage.HANDLE])
    rows = connection.scalars(select(C.facts).where(working, C.due_at < now).order_by(C.due_at, C.id))
    return [CASE.validate_python(facts) for facts in rows]
