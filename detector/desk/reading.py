"""Cases, cameras and verdicts as JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import Response

from detector.core.stages import BY_PEOPLE, Move, Stage, moves_from
from detector.desk.access import ReaderGate
from detector.desk.case import Case, CaseStatus
from detector.desk.course import Details, Step
from detector.desk.figures import Figures, together
from detector.desk.filing import Received
from detector.desk.ledger import Ledger
from detector.desk.queries import CameraState, CaseFilter
from detector.desk.sources import Source
from detector.desk.telling import for_mining

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1)]
Cursor = Annotated[int, Query(ge=0, le=2**53)]
_PLACE = ("box", "frame_size", "latitude", "longitude")
NEXT = "Verdicts-Next"
"""Header of /verdicts.jsonl: what to ask for `after` the next time."""


def reading(ledger: Ledger, gate: ReaderGate, clock: Callable[[], datetime]) -> APIRouter:
    """Routes /cases.json, /cases/{id}.json, /cameras.json and the feed of verdicts."""
    router = APIRouter(dependencies=[Depends(gate)])

    @router.get("/cases.json")
    def cases(
        status: CaseStatus | None = None,
        category: str | None = None,
        camera: str | None = None,
        stage: Stage | None = None,
        overdue: bool | None = None,
        street: str | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> dict[str, Any]:
        now = clock()
        wanted = CaseFilter(status, category, camera, stage, overdue, street)
        page = ledger.cases(wanted, now=now, limit=limit, offset=offset)
        listed = [case_json(case, now) for case in page.cases]
        return {"total": page.total, "limit": limit, "offset": offset, "cases": listed}

    @router.get("/cases/{case_id}.json")
    def case(case_id: str) -> dict[str, Any]:
        found = ledger.case(case_id)
        if found is None:
            raise HTTPException(404, "no such case")
        return {
            **case_json(found.case, clock()),
            "history": [_entry_json(entry) for entry in found.received],
            "steps": [_step_json(step) for step in found.steps],
            "merged": [case.id for case in found.merged],
            "apart": found.apart,
        }

    @router.get("/cameras.json")
    def cameras(limit: Limit = 200, offset: Offset = 0) -> dict[str, Any]:
        listed = ledger.cameras(limit=limit, offset=offset)
        return {"limit": limit, "offset": offset, "cameras": [_camera_json(c) for c in listed]}

    @router.get("/verdicts.json")
    def verdicts(after: Cursor = 0, limit: Limit = 500) -> dict[str, Any]:
        """What people decided, oldest first. Ask again with `after` = `next`; numbers only grow, nothing is altered."""
        found = ledger.verdicts(after, limit)
        told = [{"number": one.number, **one.told} for one in found]
        return {"next": found[-1].number if found else after, "more": len(found) == limit, "verdicts": told}

    @router.get("/verdicts.jsonl")
    def verdicts_to_mine(after: Cursor = 0, limit: Limit = 500) -> Response:
        """The same for `detector mine`, without what says nothing about a picture; the header tells the cursor."""
        found = ledger.verdicts(after, limit)
        headers = {NEXT: str(found[-1].number if found else after)}
        return Response(for_mining(one.told for one in found), media_type="application/jsonl", headers=headers)

    @router.get("/summary.json")
    def summary(days: Annotated[int, Query(ge=1, le=3660)] = 30) -> dict[str, Any]:
        """Automatic dispatch and its precision, by category and in all, of the cases opened in the last `days`."""
        now = clock()
        parts = ledger.figures(now - timedelta(days=days), now)
        return {
            "days": days,
            "target_precision": ledger.plan.demand.target,
            "automatic_dispatch": ledger.plan.automatic,
            "all": _figures_json(together(parts)),
            "categories": [_figures_json(part) for part in parts],
        }

    return router


def _figures_json(figures: Figures) -> dict[str, Any]:
    limit = figures.threshold
    return {
        **({} if figures.category is None else {"category": figures.category}),
        "cases": figures.cases,
        "automatic": figures.automatic,
        "automatic_rate": figures.rate,
        "automatic_precision": figures.precision,
        "automatic_precision_at_least": figures.at_least,
        "verdicts": {"right": figures.right, "wrong": figures.wrong},
        "waiting": figures.waiting,
        "merged": figures.merged,
        "overdue": figures.overdue,
        **(
            {}
            if limit is None
            else {
                "threshold": {
                    "score": limit.score,
                    "basis": limit.basis,
                    "verdicts": limit.verdicts,
                    "precision_at_least": limit.proven,
                }
            }
        ),
    }


def case_json(case: Case, now: datetime) -> dict[str, Any]:
    """The public form of a case; times in ISO 8601 UTC, durations in seconds."""
    cleared_after = case.cleared_after
    ground = {"latitude": case.latitude, "longitude": case.longitude}
    return {
        "id": case.id,
        "problem_id": case.problem_id,
        "status": case.status,
        "stage": case.stage,
        "moves": possible_moves(case),
        "department": case.department,
        "department_code": case.department_code,
        "route": case.route,
        "dispatched_at": case.dispatched_at,
        "due_at": case.due_at,
        "done_at": case.done_at,
        "overdue": case.overdue(now),
        "escalated": case.escalated,
        "escalated_to": case.escalated_to,
        "escalated_at": case.escalated_at,
        "automatic": case.automatic,
        "held": case.held,
        "review": case.review,
        "review_because": case.review_because,
        "finding": case.finding,
        "judged_at": case.judged_at,
        "reason": case.reason,
        "merged_into": case.merged_into,
        "told": case.told,
        "category": case.category,
        "category_names": case.category_names,
        "codes": case.codes,
        "label": case.label,
        "rule": case.rule,
        "camera_id": case.camera_id,
        "camera_name": case.camera_name,
        "district": case.district,
        "street": case.street,
        "cell": case.cell,
        "place": {
            "box": case.box,
            "frame_size": case.frame_size,
            "ground": ground if case.latitude is not None else None,
        },
        "sources": [_source_json(source) for source in case.sources],
        "score": case.score,
        "model_version": case.model_version,
        "first_seen": case.first_seen,
        "last_seen": case.last_seen,
        "opened_at": case.opened_at,
        "left_at": case.left_at,
        "cleared_at": case.cleared_at,
        "cleared_by": case.cleared_by,
        "cleared_after_s": cleared_after.total_seconds() if cleared_after else None,
        "dismissed_at": case.dismissed_at,
        "changed_at": case.changed_at,
        "reopened": case.reopened,
        "revision": case.revision,
        "evidence": {"before": case.before.model_dump(), "after": case.after.model_dump()},
    }


def _source_json(source: Source) -> dict[str, Any]:
    own = {name: getattr(source, name) for name in Source.__slots__ if name not in _PLACE}
    ground = {"latitude": source.latitude, "longitude": source.longitude}
    return {
        **own,
        "place": {
            "box": source.box,
            "frame_size": source.frame_size,
            "ground": ground if source.latitude is not None else None,
        },
    }


def possible_moves(case: Case) -> list[Move]:
    """What a person can do with the case now."""
    return [move for move in moves_from(case.stage) if move in BY_PEOPLE]


def _step_json(step: Step) -> dict[str, Any]:
    own = {name: getattr(step, name) for name in Step.__slots__ if name != "details"}
    return {**own, **{name: getattr(step.details, name) for name in Details.__slots__}}


def _entry_json(entry: Received) -> dict[str, Any]:
    report = entry.report
    return {
        "event_id": report.id,
        "kind": report.kind,
        "revision": report.data.revision,
        "time": report.at,
        "received_at": entry.received_at,
        "score": report.data.score,
        "cleared_reason": report.data.cleared_reason,
        "cleared_rule": report.data.cleared_rule,
        "evidence": report.data.evidence.model_dump(),
    }


def _camera_json(camera: CameraState) -> dict[str, Any]:
    return {
        "id": camera.id,
        "name": camera.name,
        "status": camera.status,
        "since": camera.since,
        "reason": camera.reason,
    }
