"""Problems around a place on the map."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from math import cos, degrees, radians

from sqlalchemy import ColumnElement, and_, select

from detector.core.geo import EARTH_RADIUS_M, GeoPoint, distance_m
from detector.core.problem import Problem, ProblemStatus
from detector.store.rows import problem_of
from detector.store.schema import problem
from detector.store.store import Store


def open_near(
    store: Store, point: GeoPoint, radius_m: float, categories: Collection[str]
) -> list[tuple[float, Problem]]:
    """Open problems of these categories on the ground within `radius_m`, nearest first, with their distance in metres.

    Problems of cameras that are not placed on the map have no ground position and are not found. Raises StoreError.
    """
    return _near(store, point, radius_m, categories, problem.c.status == ProblemStatus.OPEN.value)


def silenced_near(
    store: Store, point: GeoPoint, radius_m: float, categories: Collection[str], at: datetime
) -> list[tuple[float, Problem]]:
    """Problems that a person has rejected and whose silence holds at a time, as `open_near` finds open ones."""
    rejected = and_(problem.c.status == ProblemStatus.DISMISSED.value, problem.c.silent_until >= at)
    return _near(store, point, radius_m, categories, rejected)


def _near(
    store: Store, point: GeoPoint, radius_m: float, categories: Collection[str], wanted: ColumnElement[bool]
) -> list[tuple[float, Problem]]:
    north = degrees(radius_m / EARTH_RADIUS_M) * 1.01  # the box is searched, the circle is meant
    east = min(180.0, north / max(1e-6, cos(radians(min(89.0, abs(point.latitude) + north)))))
    columns = problem.c
    query = select(problem).where(
        wanted,
        columns.category.in_(categories),
        columns.latitude.between(point.latitude - north, point.latitude + north),
        columns.longitude.between(point.longitude - east, point.longitude + east),
    )
    with store._database.reading() as connection:
        found = [problem_of(dict(row)) for row in connection.execute(query).mappings()]
    measured = [(distance_m(point, one.place.ground), one) for one in found if one.place.ground is not None]
    return sorted((pair for pair in measured if pair[0] <= radius_m), key=lambda pair: (pair[0], pair[1].id))
