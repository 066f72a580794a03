"""Problems, cameras and deliveries as JSON; every text passes through `scrub`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from detector.api.state import Patrolling, Records
from detector.core.problem import Problem, ProblemStatus
from detector.core.secrets import scrub
from detector.store import DeliveryState

Limit = Annotated[int, Query(ge=1, le=1000)]


def listing(records: Records, patrol: Patrolling | None = None) -> APIRouter:
    """Routes /problems.json, /cameras.json and /deliveries.json.

    Each answers one page; `next` is the value of `after` for the page that follows, null on the last one.
    Each page of cameras has `patrol` where this worker visits cameras in turn: how many they are (`cameras`), and the
    share of them that gave a good picture within their period (`coverage`, 0..1).
    """
    router = APIRouter()

    @router.get("/problems.json")
    def problems(
        status: ProblemStatus | None = None,
        category: str | None = None,
        camera: str | None = None,
        limit: Limit = 100,
        after: str | None = None,
    ) -> dict[str, Any]:
        found = records.problems(status, camera, category, limit, after)
        following = found[-1].id if len(found) == limit else None
        return {"problems": clean([_problem(one) for one in found]), "next": following}

    @router.get("/cameras.json")
    def cameras(limit: Limit = 1000, after: str | None = None) -> dict[str, Any]:
        states = records.camera_states()
        wanted = sorted(camera for camera in states if after is None or camera > after)
        page = [_condition(asdict(states[camera])) for camera in wanted[:limit]]
        following = wanted[limit - 1] if len(wanted) > limit else None
        answer = {"cameras": clean(page), "next": following}
        if patrol is not None and (patrolled := patrol.patrolled):
            answer["patrol"] = {"cameras": patrolled, "coverage": patrol.coverage()}
        return answer

    @router.get("/deliveries.json")
    def deliveries(
        state: DeliveryState | None = None,
        endpoint: str | None = None,
        subject: str | None = None,
        limit: Limit = 100,
        after: int | None = None,
    ) -> dict[str, Any]:
        found = records.deliveries(state, endpoint, subject, limit, after)
        following = found[-1].id if len(found) == limit else None
        return {"deliveries": clean([asdict(one) for one in found]), "next": following}

    return router


def clean(value: Any) -> Any:
    """`value` with every text in it scrubbed, keys too."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {clean(key): clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [clean(one) for one in value]
    return value


def _problem(problem: Problem) -> dict[str, Any]:
    """Without the bookkeeping of the life cycle."""
    hidden = {"recent", "missing_since", "missed", "announced_at", "announced_score"}
    return {name: value for name, value in asdict(problem).items() if name not in hidden}


def _condition(state: dict[str, Any]) -> dict[str, Any]:
    """Without the doubts of the moment."""
    return {name: value for name, value in state.items() if not name.startswith("next_")}
