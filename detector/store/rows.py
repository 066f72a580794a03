"""Rows to values of the house and back, and the one statement that both databases spell alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

from detector.core.detection import BoundingBox
from detector.core.geo import GeoPoint
from detector.core.problem import Place, Problem, ProblemStatus

_PLAIN = (
    "id",
    "category",
    "label",
    "camera_id",
    "first_seen",
    "last_seen",
    "last_looked",
    "looks",
    "sightings",
    "best_score",
    "missing_since",
    "missed",
    "opened_at",
    "cleared_at",
    "reopened",
    "revision",
    "announced_at",
    "announced_score",
    "model_version",
    "rule",
    "silent_until",
    "out_of_view",
    "allowed_by",
    "count",
)  # fields of Problem that are columns of the same name


def problem_row(problem: Problem) -> dict[str, Any]:
    """Columns of table `problem`."""
    box, ground = problem.place.box, problem.place.ground
    return {name: getattr(problem, name) for name in _PLAIN} | {
        "status": problem.status.value,
        "codes": dict(problem.codes),
        "also": dict(problem.also),
        "recent": "".join("1" if seen else "0" for seen in problem.recent),
        "box_left": box.left,
        "box_top": box.top,
        "box_right": box.right,
        "box_bottom": box.bottom,
        "frame_width": problem.place.frame_size[0],
        "frame_height": problem.place.frame_size[1],
        "latitude": ground.latitude if ground else None,
        "longitude": ground.longitude if ground else None,
        "ground_error_m": ground.error_m if ground else None,
        "width_m": problem.place.width_m,
    }


def problem_of(row: Mapping[str, Any]) -> Problem:
    """The problem that a row of table `problem` holds."""
    box = BoundingBox(row["box_left"], row["box_top"], row["box_right"], row["box_bottom"])
    ground = None
    if row["latitude"] is not None:
        ground = GeoPoint(row["latitude"], row["longitude"], row["ground_error_m"])
    return Problem(
        status=ProblemStatus(row["status"]),
        codes=row["codes"],
        also=row["also"],
        recent=tuple(seen == "1" for seen in row["recent"]),
        place=Place(box, (row["frame_width"], row["frame_height"]), ground, row["width_m"]),
        **{name: row[name] for name in _PLAIN},
    )


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    key: str,
    where: ColumnElement[bool] | None = None,
    change: Sequence[str] | None = None,
) -> None:
    """Insert rows; of those whose `key` is there already (and to which `where` applies) overwrite the columns.

    change: overwrite only these columns.
    """
    if not rows:
        return
    statement = _insert(connection, table)
    changes = {name: statement.excluded[name] for name in change or rows[0] if name != key}
    statement = statement.on_conflict_do_update(index_elements=[key], set_=changes, where=where)
    connection.execute(statement, rows)


def insert_new(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]], key: str) -> None:
    """Insert rows; those whose `key` is there already change nothing."""
    rows = list(rows)
    if rows:
        statement = _insert(connection, table).on_conflict_do_nothing(index_elements=[key])
        connection.execute(statement.inline(), rows)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def insert_selected(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    source: Select[Any],
    parameters: Sequence[Mapping[str, Any]],
) -> None:
    """Run `INSERT ... SELECT` once for each set of parameters, in order; rows that are there already stay."""
    if parameters:
        statement = _insert(connection, table).from_select(list(columns), source)
        connection.execute(statement.on_conflict_do_nothing(), parameters)
