"""Which problems of the ledger are one case, kept up to date event by event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from math import cos, hypot, radians

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, union
from sqlalchemy.dialects.sqlite import insert

from detector.core.joining import KNOWN_WITHIN_M, Apart, Joining, Sighting, joined
from detector.core.stages import KEPT_AT, Move, Stage
from detector.desk.case import Case, CaseStatus, case_id
from detector.desk.filing import CASE, reports_of
from detector.desk.sources import sighting_of
from detector.desk.tables import APART, CAMERA, CASE_FILE, SOURCE

S = SOURCE.c
SIGHTING: TypeAdapter[Sighting] = TypeAdapter(Sighting)
DEGREE_M = 110_000.0
"""Metres of a degree of latitude, a little less than it is, so that no box of a search is too small."""


def problems_of(connection: Connection, problem_id: str) -> list[str]:
    """The problems that are one case with that one, the oldest first."""
    case = select(S.case_id).where(S.problem_id == problem_id).scalar_subquery()
    found = connection.scalars(select(S.problem_id).where(S.case_id == case).order_by(S.opened_at, S.problem_id))
    return list(found) or [problem_id]


def regroup(connection: Connection, problem_id: str, joining: Joining) -> list[str]:
    """Work out anew what belongs together around a problem of which something was told.

    Returns the first problem of each case that must be worked out, that of `problem_id` first. Files of cases that have
    been taken in by others are removed; their ids lead to the others.
    """
    told = sighting_of(received.report for received in reports_of(connection, problem_id))
    _put(connection, told)
    around = _around(connection, told, joining)
    before = {problem: case for problem, (_, case) in around.items()}
    changed: list[str] = []
    apart = _apart(connection, {sighting.camera_id for sighting, _ in around.values()})
    for group in joined((sighting for sighting, _ in around.values()), joining, apart):
        case = case_id(group[0])
        was = {problem for problem, known in before.items() if known == case}
        if problem_id in group:
            changed.insert(0, group[0])
        elif was != set(group):
            changed.append(group[0])
        for problem in group:
            if before[problem] != case:
                connection.execute(SOURCE.update().where(S.problem_id == problem).values(case_id=case))
        gone = [case_id(problem) for problem in group[1:]]
        if gone:
            connection.execute(CASE_FILE.delete().where(CASE_FILE.c.id.in_(gone)))
    return changed


def put_apart(
    connection: Connection, action_id: str, split_off: Iterable[str], split_from: Collection[str], at: datetime
) -> None:
    """Remember that a person has split these problems from those."""
    rows = [
        {"action_id": action_id, "split_off": one, "split_from": other, "at": at}
        for one in sorted(set(split_off))
        for other in split_from
    ]
    connection.execute(APART.insert(), rows)


def apart_from(connection: Connection, problems: Sequence[str]) -> list[str]:
    """Ids of the cases that have been split off from the case of these problems, or it from them, sorted."""
    a = APART.c
    others = union(
        select(a.split_from).where(a.split_off.in_(problems)), select(a.split_off).where(a.split_from.in_(problems))
    ).subquery()
    found = select(S.case_id).where(S.problem_id.in_(select(others)), S.problem_id.not_in(problems)).distinct()
    return sorted(connection.scalars(found))


def waived(connection: Connection, after: timedelta, now: datetime) -> list[tuple[Case, list[Move], str]]:
    """Open cases of which every camera that can see says that the thing is gone, while those that do not say so have
    not been able to see for at least `after`; with the moves that follow, mostly closing them, and why.

    Nor can a drone or vehicle that has moved on: when it saw the thing last `after` ago, and another camera
    has seen since then that it is gone.
    """
    f, c = CASE_FILE.c, CAMERA.c
    blind = and_(c.status != "ok", c.since <= now - after)
    silent = select(S.case_id).join(CAMERA, S.camera_id == c.id).where(S.there.is_(True), blind)
    roaming = select(S.case_id).where(S.there.is_(True), S.sighting["ground"]["error_m"].as_float().is_not(None))
    gone = select(S.case_id, func.max(S.gone_at).label("at")).where(S.there.is_(False)).group_by(S.case_id).subquery()
    rows = connection.execute(
        select(f.facts, gone.c.at)
        .join(gone, f.id == gone.c.case_id)
        .where(f.status == CaseStatus.OPEN, or_(f.id.in_(silent), f.id.in_(roaming)))
    ).all()
    found = []
    for case, gone_at in [(CASE.validate_python(facts), at) for facts, at in rows]:
        cameras = {source.camera_id for source in case.sources if source.there}
        unseeing = set(connection.scalars(select(c.id).where(c.id.in_(cameras), blind)))
        moved_on = {
            source.camera_id
            for source in case.sources
            if source.there and source.error_m is not None and source.last_seen <= min(now - after, gone_at)
        }
        if unseeing | moved_on == cameras:
            left = any(source.left for source in case.sources)
            if left and case.left_at is not None:
                continue
            why = f"gone as the others see it; cannot see: {', '.join(sorted(cameras))}"
            found.append((case, _closing(case.stage, left=left), why))
    return found


def _closing(stage: Stage, *, left: bool) -> list[Move]:
    match stage:
        case _ if left and stage in KEPT_AT:
            return [Move.LEFT]
        case Stage.COLLECT | Stage.FILE:
            return [Move.VANISHED]
        case Stage.VERIFY:
            return [Move.SEEN_GONE]
        case _:
            return [Move.VANISHED, Move.SEEN_GONE]


def _put(connection: Connection, told: Sighting) -> None:
    own = case_id(told.problem_id)
    row = {
        "category": told.category,
        "camera_id": told.camera_id,
        "latitude": told.ground.latitude if told.ground else None,
        "longitude": told.ground.longitude if told.ground else None,
        "opened_at": told.opened_at,
        "gone_at": None if told.there else told.turns[-1].at,
        "there": told.there,
        "sighting": SIGHTING.dump_python(told, mode="json"),
    }
    statement = insert(SOURCE).values(problem_id=told.problem_id, own_case=own, case_id=own, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["problem_id"], set_=row))


def _apart(connection: Connection, cameras: Collection[str]) -> list[Apart]:
    one, other = SOURCE.alias(), SOURCE.alias()
    rows = connection.execute(
        select(one.c.sighting, other.c.sighting, APART.c.at)
        .join(one, one.c.problem_id == APART.c.split_off)
        .join(other, other.c.problem_id == APART.c.split_from)
        .where(one.c.camera_id.in_(cameras), other.c.camera_id.in_(cameras))
    )
    return [Apart(SIGHTING.validate_python(here), SIGHTING.validate_python(there), at) for here, there, at in rows]


def _around(connection: Connection, told: Sighting, joining: Joining) -> dict[str, tuple[Sighting, str]]:
    """Every problem whose case can depend on that one, with the id of its present case.

    Those that are near in place and time, those near to them, and all that have been one case with any of them so far.
    """
    found: dict[str, tuple[Sighting, str]] = {}
    waiting: list[tuple[ColumnElement[bool], Sighting | None]] = [(S.problem_id == told.problem_id, None)]
    asked: set[str] = set()
    while waiting:
        where, beside = waiting.pop()
        for problem, case, facts in connection.execute(select(S.problem_id, S.case_id, S.sighting).where(where)).all():
            if problem in found:
                continue
            sighting = SIGHTING.validate_python(facts)
            if beside is not None and joining.apart_m(beside, sighting) is None:
                continue
            found[problem] = sighting, case
            if (near := _near(sighting, joining)) is not None:
                waiting.append((near, sighting))
            if case not in asked:
                asked.add(case)
                waiting.append((S.case_id == case, None))
    return found


def _near(sighting: Sighting, joining: Joining) -> ColumnElement[bool] | None:
    """Where problems of other cameras are that may follow it, or that it may follow; None when there can be none."""
    places: list[ColumnElement[bool]] = []
    if sighting.ground is not None:
        reach = hypot(joining.reach_m(sighting.category), sighting.ground.error_m or 0.0, KNOWN_WITHIN_M) / DEGREE_M
        latitude, longitude = sighting.ground.latitude, sighting.ground.longitude
        east = reach / max(cos(radians(latitude)), 0.01)
        places.append(
            and_(
                S.latitude.between(latitude - reach, latitude + reach),
                S.longitude.between(longitude - east, longitude + east),
            )
        )
    neighbours = joining.neighbours(sighting.camera_id)
    if neighbours:
        places.append(S.camera_id.in_(neighbours))
    if not places:
        return None
    memory = joining.memory(sighting.category)
    conditions = [
        S.camera_id != sighting.camera_id,
        or_(*places),
        or_(S.gone_at.is_(None), S.gone_at >= sighting.opened_at - memory),
    ]
    if not sighting.there:
        conditions.append(S.opened_at <= sighting.turns[-1].at + memory)
    return and_(*conditions)
