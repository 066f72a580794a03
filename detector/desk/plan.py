"""What the desk goes by: routes, deadlines, and how sure it must be to send somebody without asking a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from detector.core.category import Deadline
from detector.core.deadline import Office, due
from detector.core.geo import GeoPoint
from detector.core.joining import Joining
from detector.core.routing import Department, Routing, Spot
from detector.core.sureness import Demand
from detector.desk.case import Case

KEPT_FOR = timedelta(days=7)
"""How long a case of what has left waits for a person: a week's holiday of those who review. This product's choice."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is told when a deadline has passed for that long."""

    after: timedelta
    to: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of a desk as live objects. Without any the desk waits for people and sets no deadlines."""

    office: Office | None = None
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)  # by category
    deadline: Deadline | None = None  # of the others
    routing: Routing = field(default_factory=Routing)
    joining: Joining = field(default_factory=Joining)
    automatic: bool = False
    demand: Demand = field(default_factory=Demand)
    threshold: float | None = 0.8  # while verdicts are few; None: a person always looks
    thresholds: Mapping[str, float | None] = field(default_factory=dict)  # where a category differs
    window: timedelta = timedelta(days=180)  # verdicts that are older prove nothing about today's model
    escalations: tuple[Escalation, ...] = ()  # soonest first
    kept_for: timedelta = KEPT_FOR  # how long what has left waits for a decision since anything was told or done
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # category -> language tag -> name
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)  # category -> labels of the model

    def spot(self, case: Case) -> Spot:
        """Where the case lies, as far as routes ask."""
        known = case.latitude is not None and case.longitude is not None
        ground = GeoPoint(case.latitude or 0.0, case.longitude or 0.0) if known else None
        return self.routing.spot(case.category, case.camera_id, case.district, ground)

    def due(self, category: str, dispatched_at: datetime) -> datetime | None:
        """The deadline (aware UTC) of a case of `category` when its clock starts at `dispatched_at`."""
        limit = self.deadlines.get(category, self.deadline)
        return None if limit is None or self.office is None else due(dispatched_at, limit, self.office)

    def department(self, named: str) -> Department | None:
        """The department that a person means by its name or its id."""
        return next((one for one in self.routing.departments.values() if named in (one.name, one.id)), None)

    def label_of(self, category: str) -> str | None:
        """The label that makes `category`, where it is a single one."""
        labels = self.labels.get(category, frozenset())
        return next(iter(labels)) if len(labels) == 1 else None

    def default_threshold(self, category: str) -> float | None:
        """From which score on `category` is dispatched while verdicts are few."""
        return self.thresholds.get(category, self.threshold)
