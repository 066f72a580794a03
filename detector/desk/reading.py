"""Cases and cameras as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query

from detector.core.stages import BY_PEOPLE, Move, Stage, moves_from
from detector.desk.access import ReaderGate
from detector.desk.case import Case, CaseStatus
from detector.desk.course import Step
from detector.desk.filing import Received
from detector.desk.ledger import CameraState, CaseFilter, Ledger

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1)]


def reading(ledger: Ledger, gate: ReaderGate) -> APIRouter:
    """Routes /cases.json, /cases/{id}.json and /cameras.json."""
    router = APIRouter(dependencies=[Depends(gate)])

    @router.get("/cases.json")
    def cases(
        status: CaseStatus | None = None,
        category: str | None = None,
        camera: str | None = None,
        stage: Stage | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> dict[str, Any]:
        page = ledger.cases(CaseFilter(status, category, camera, stage), limit=limit, offset=offset)
        listed = [case_json(case) for case in page.cases]
        return {"total": page.total, "limit": limit, "offset": offset, "cases": listed}

    @router.get("/cases/{case_id}.json")
    def case(case_id: str) -> dict[str, Any]:
        found = ledger.case(case_id)
        if found is None:
            raise HTTPException(404, "no such case")
        return {
            **case_json(found.case),
            "history": [_entry_json(entry) for entry in found.received],
            "steps": [_step_json(step) for step in found.steps],
        }

    @router.get("/cameras.json")
    def cameras(limit: Limit = 200, offset: Offset = 0) -> dict[str, Any]:
        listed = ledger.cameras(limit=limit, offset=offset)
        return {"limit": limit, "offset": offset, "cameras": [_camera_json(c) for c in listed]}

    return router


def case_json(case: Case) -> dict[str, Any]:
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
        "review": case.review,
        "category": case.category,
        "category_names": case.category_names,
        "codes": case.codes,
        "label": case.label,
        "rule": case.rule,
        "camera_id": case.camera_id,
        "camera_name": case.camera_name,
        "district": case.district,
        "place": {
            "box": case.box,
            "frame_size": case.frame_size,
            "ground": ground if case.latitude is not None else None,
        },
        "score": case.score,
        "model_version": case.model_version,
        "first_seen": case.first_seen,
        "last_seen": case.last_seen,
        "opened_at": case.opened_at,
        "cleared_at": case.cleared_at,
        "cleared_after_s": cleared_after.total_seconds() if cleared_after else None,
        "dismissed_at": case.dismissed_at,
        "changed_at": case.changed_at,
        "reopened": case.reopened,
        "revision": case.revision,
        "evidence": {"before": case.before.model_dump(), "after": case.after.model_dump()},
    }


def possible_moves(case: Case) -> list[Move]:
    """What a person can do with the case now."""
    return [move for move in moves_from(case.stage) if move in BY_PEOPLE]


def _step_json(step: Step) -> dict[str, Any]:
    return {name: getattr(step, name) for name in Step.__slots__}


def _entry_json(entry: Received) -> dict[str, Any]:
    report = entry.report
    return {
        "event_id": report.id,
        "kind": report.kind,
        "revision": report.data.revision,
        "time": report.at,
        "received_at": entry.received_at,
        "score": report.data.score,
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
