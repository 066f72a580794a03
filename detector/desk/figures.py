"""How much the desk dispatches by itself and how much of that was right: two numbers that are never shown apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Function, and_, case, func, select

from detector.core.stages import Stage
from detector.core.sureness import Threshold, lower_bound
from detector.desk.case import CaseStatus, Finding
from detector.desk.queries import late
from detector.desk.tables import CASE_FILE

CONFIDENCE = 0.95
"""Of the lower bound that is shown beside a precision, one-sided."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Cases of one category, as the detector told it, or of all."""

    category: str | None  # None: all
    cases: int
    automatic: int  # filed and dispatched without a person
    right: int  # of these, confirmed
    wrong: int  # of these, rejected or relabelled
    waiting: int  # open, and nobody is sent
    merged: int
    overdue: int  # late, whether still open or not
    threshold: Threshold | None = field(default=None)  # None for all

    @property
    def rate(self) -> float | None:
        """Share of all cases that went out without a person."""
        return self.automatic / self.cases if self.cases else None

    @property
    def verdicts(self) -> int:
        """Automatic ones on which a person has passed a verdict."""
        return self.right + self.wrong

    @property
    def precision(self) -> float | None:
        """Share of right ones among those; None when there are none."""
        return self.right / self.verdicts if self.verdicts else None

    @property
    def at_least(self) -> float | None:
        """What the precision is with CONFIDENCE at least (Wilson), as if the verdicts were a random sample."""
        return lower_bound(self.right, self.verdicts, CONFIDENCE) if self.verdicts else None


def figures(connection: Connection, since: datetime, now: datetime) -> list[Figures]:
    """By category, those with most cases first; cases opened since then. Thresholds are left out."""
    c = CASE_FILE.c
    automatic = c.automatic.is_(True)
    waiting = and_(c.status == CaseStatus.OPEN, c.stage.in_([Stage.COLLECT, Stage.FILE]))
    wrong = c.finding.in_([Finding.REJECTED, Finding.RELABELLED])

    def number(condition: ColumnElement[bool]) -> Function[int]:
        return func.sum(case((condition, 1), else_=0))

    rows = connection.execute(
        select(
            *(c.told, func.count()),
            *(
                number(automatic),
                number(and_(automatic, c.finding == Finding.CONFIRMED)),
                number(and_(automatic, wrong)),
            ),
            *(number(waiting), number(c.status == CaseStatus.MERGED), number(late(now))),
        )
        .where(c.opened_at >= since)
        .group_by(c.told)
        .order_by(func.count().desc(), c.told)
    )
    return [Figures(*row) for row in rows]


def together(parts: list[Figures]) -> Figures:
    """The sums."""
    names = ("cases", "automatic", "right", "wrong", "waiting", "merged", "overdue")
    return Figures(None, *(sum(getattr(part, name) for part in parts) for name in names))
