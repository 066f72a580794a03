"""What a person decided about a problem."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Decision(StrEnum):
    """Only `reject` changes what the worker does; all are kept, as they become labels."""

    CONFIRM = "confirm"
    REJECT = "reject"  # no problem; the same place stays silent for a while
    RELABEL = "relabel"  # a problem, but of another category
    MERGE = "merge"  # the same as another problem
    SPLIT = "split"  # two problems, not one


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision. `id` is given by whoever collects it, and makes it safe to take it in twice."""

    id: str
    problem_id: str
    decision: Decision
    at: datetime  # when it was decided, aware UTC
    by: str = ""  # account of the person
    reason: str = ""  # e.g. legal_advert; free text otherwise
    category: str | None = None  # what it is instead, for relabel
    into: str | None = None  # the other problem, for merge
