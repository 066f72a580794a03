"""One street, one file (一路一档): what happened there, how often it came back, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import ColumnElement, Connection, case, func, select

from detector.core.detection import BoundingBox
from detector.core.geo import GeoPoint
from detector.core.hotspots import HotSpot, Incident, hot_spots
from detector.core.routing import Street
from detector.desk.case import Case, CaseStatus
from detector.desk.filing import CASE
from detector.desk.queries import late
from detector.desk.tables import CASE_FILE

MOST_CASES = 2000
"""Newest cases of a street that are looked at."""

NONE = (CaseStatus.DISMISSED, CaseStatus.MERGED)
"""Cases that were none of their own: they say nothing about a street."""

CAMERA_PREFIX = "camera:"
"""A camera that is at no street has a file of its own, named by this and its id."""


@dataclass(frozen=True, slots=True)
class StreetLine:
    """A street in the list of all."""

    id: str
    name: str
    cases: int
    open: int
    overdue: int
    reopened: int  # times a problem came back to its place
    newest: datetime


@dataclass(frozen=True, slots=True)
class StreetFile:
    """All about one street in a time."""

    id: str
    name: str
    street: Street | None  # None for a camera that is at none
    cases: list[Case]  # newest first, without those that were none
    per_day: list[tuple[date, int]]  # every day of the time, oldest first
    by_category: list[tuple[str, int]]  # most first
    by_hour: list[int]  # 24, by the hour of the bureau in which it was first seen
    hot_spots: list[HotSpot]
    cleared_after: timedelta | None  # median from opening to clearing
    reopened: int


def lines(connection: Connection, streets: Mapping[str, Street], since: datetime, now: datetime) -> list[StreetLine]:
    """All streets with cases opened since then, those with most cases first."""
    c = CASE_FILE.c
    place = func.coalesce(c.street, CAMERA_PREFIX + c.camera_id).label("place")

    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    rows = connection.execute(
        select(
            place,
            func.count(),
            number(c.status == CaseStatus.OPEN),
            number(late(now)),
            func.coalesce(func.sum(c.facts["reopened"].as_integer()), 0),
            func.max(c.opened_at),
        )
        .where(c.opened_at >= since, c.status.not_in(NONE))
        .group_by(place)
        .order_by(func.count().desc(), place)
    )
    return [StreetLine(row[0], name_of(row[0], streets), *row[1:]) for row in rows]


def cases_of(connection: Connection, street: str, since: datetime) -> list[Case]:
    """The cases of a street, or of a camera at none, newest first."""
    c = CASE_FILE.c
    at_camera = street.startswith(CAMERA_PREFIX)
    here = (
        (c.street.is_(None)) & (c.camera_id == street.removeprefix(CAMERA_PREFIX)) if at_camera else c.street == street
    )
    rows = connection.scalars(
        select(c.facts)
        .where(here, c.opened_at >= since, c.status.not_in(NONE))
        .order_by(c.opened_at.desc(), c.id)
        .limit(MOST_CASES)
    )
    return [CASE.validate_python(facts) for facts in rows]


def street_file(
    street: str, cases: Sequence[Case], streets: Mapping[str, Street], zone: tzinfo, first: date, last: date
) -> StreetFile:
    """Add the cases of a street up; `first` to `last`: the days that are shown, by the clock of `zone`."""
    opened = Counter(found.opened_at.astimezone(zone).date() for found in cases)
    hours = Counter(found.first_seen.astimezone(zone).hour for found in cases)
    took = sorted(found.cleared_after for found in cases if found.cleared_after is not None)
    return StreetFile(
        id=street,
        name=name_of(street, streets),
        street=streets.get(street),
        cases=list(cases),
        per_day=[(day, opened[day]) for day in (first + timedelta(days=n) for n in range((last - first).days + 1))],
        by_category=sorted(Counter(found.category for found in cases).items(), key=lambda one: (-one[1], one[0])),
        by_hour=[hours[hour] for hour in range(24)],
        hot_spots=hot_spots(_incidents(cases)),
        cleared_after=took[len(took) // 2] if took else None,
        reopened=sum(found.reopened for found in cases),
    )


def name_of(street: str, streets: Mapping[str, Street]) -> str:
    """For people."""
    return streets[street].name if street in streets else street.removeprefix(CAMERA_PREFIX)


def _incidents(cases: Iterable[Case]) -> list[Incident]:
    return [
        Incident(
            found.id,
            found.category,
            found.camera_id,
            found.opened_at,
            1 + found.reopened,
            BoundingBox(*found.box) if found.box else None,
            GeoPoint(found.latitude, found.longitude)
            if found.latitude is not None and found.longitude is not None
            else None,
        )
        for found in cases
    ]
