"""What the HTTP side of a worker needs from the rest of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from detector.api.facts import Facts
from detector.api.metrics import Metrics
from detector.core.health import CameraState
from detector.core.problem import Problem, ProblemStatus
from detector.store import DeliveryRecord, DeliveryState

Check = Callable[[], str | None]
"""None when all is well, otherwise what is missing, one line."""


class Records(Protocol):
    """The part of the store that is shown; `detector.store.Store` is one."""

    def problems(
        self,
        status: ProblemStatus | Collection[ProblemStatus] | None = None,
        camera: str | None = None,
        category: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> list[Problem]:
        """A page of problems, newest first; `after` is the id of the last one of the page before."""
        ...

    def deliveries(
        self,
        state: DeliveryState | None = None,
        endpoint: str | None = None,
        subject: str | None = None,
        limit: int = 100,
        after: int | None = None,
    ) -> list[DeliveryRecord]:
        """A page of deliveries, newest first; `after` is the id of the last one of the page before."""
        ...

    def camera_states(self) -> dict[str, CameraState]:
        """The condition of every camera ever looked at, by id."""
        ...

    def problem_counts(self) -> dict[ProblemStatus, int]:
        """How many problems stand in each status; also serves to see whether the database answers."""
        ...


class Patrolling(Protocol):
    """The part of the patrol that is shown; `detector.worker.patrol.Patrol` is one."""

    @property
    def patrolled(self) -> int:
        """Cameras that this worker visits in turn."""
        ...

    def coverage(self) -> float:
        """Share of them that gave a good picture within their period, 0..1."""
        ...


@dataclass(frozen=True, slots=True)
class ApiState:
    """A worker, as far as it is shown."""

    records: Records
    metrics: Metrics
    checks: Mapping[str, Check] = field(default_factory=dict)  # what must be there besides the database
    patrol: Patrolling | None = None
    facts: Callable[[], Facts] = Facts  # what else its page tells
