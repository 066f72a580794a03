"""The pages a dispatcher looks at: all cases, one case. Plain server-rendered HTML with nothing from outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from detector.core.stages import VERDICTS, Stage, moves_from
from detector.desk.access import ReaderGate
from detector.desk.appearance import WORDS
from detector.desk.case import Case, CaseStatus
from detector.desk.course import CAMERA, Step
from detector.desk.figures import together
from detector.desk.filing import Received
from detector.desk.ledger import CaseFile, Ledger
from detector.desk.pictures import Pictures
from detector.desk.queries import CaseFilter, Counts
from detector.desk.reading import Offset, possible_moves

PAGE_SIZE = 24
FIGURES_DAYS = 30
OTHERS = 30
"""Cases that are offered for a merge."""
Days = Annotated[int, Query(ge=1, le=3660)]


def pages(
    ledger: Ledger,
    gate: ReaderGate,
    pictures: Pictures,
    templates: Environment,
    clock: Callable[[], datetime],
) -> APIRouter:
    """Routes / and /cases/{id}."""
    router = APIRouter(dependencies=[Depends(gate)], default_response_class=HTMLResponse)

    def page(template: str, **values: Any) -> HTMLResponse:
        return HTMLResponse(templates.get_template(template).render(**{"now": clock(), **values}))

    @router.get("/")
    def all_cases(wanted: Annotated[CaseFilter, Depends(_filter)], offset: Offset = 0) -> HTMLResponse:
        now = clock()
        found = ledger.cases(wanted, now=now, limit=PAGE_SIZE, offset=offset)
        categories, case_cameras = ledger.choices()
        more = offset + PAGE_SIZE < found.total
        return page(
            "cases.html",
            now=now,
            figures=together(ledger.figures(now - timedelta(days=FIGURES_DAYS), now)),
            days=FIGURES_DAYS,
            streets=ledger.plan.routing.streets,
            wanted=wanted,
            filtered=wanted != CaseFilter(),
            tiles=_tiles(ledger.counts(now), wanted),
            page=found,
            offset=offset,
            newer=_address(wanted, max(0, offset - PAGE_SIZE)) if offset else None,
            older=_address(wanted, offset + PAGE_SIZE) if more else None,
            categories=categories,
            case_cameras=case_cameras,
            cameras=ledger.cameras(),
            pictures=lambda case: pictures.picture(case.before.url),
            missing=lambda case: _why_no_picture(case.before.url, case.before.reason),
        )

    @router.get("/cases/{case_id}")
    def one_case(case_id: str) -> HTMLResponse:
        found = ledger.case(case_id)
        if found is None:
            raise HTTPException(404, "no such case")
        return page(
            "case.html",
            case=found.case,
            sides=_sides(found.case, pictures),
            timeline=_timeline(found),
            moves=possible_moves(found.case),
            verdicts=verdicts_on(found.case),
            merged=found.merged,
            apart=found.apart,
            others=_others(ledger, found.case, clock()),
            departments=ledger.plan.routing.departments.values(),
            categories=sorted(set(ledger.plan.names or ledger.choices()[0]) - {found.case.category}),
            category_names=ledger.plan.names,
            streets=ledger.plan.routing.streets,
        )

    @router.get("/figures")
    def dispatch(days: Days = FIGURES_DAYS) -> HTMLResponse:
        now = clock()
        parts = ledger.figures(now - timedelta(days=days), now)
        return page(
            "figures.html",
            now=now,
            days=days,
            rows=[together(parts), *parts] if parts else [],
            names=ledger.plan.names,
            demand=ledger.plan.demand,
            automatic=ledger.plan.automatic,
        )

    return router


def _others(ledger: Ledger, case: Case, now: datetime) -> list[Case]:
    """Open cases with which it might be merged: those of its street first, then the newest."""
    alike = ledger.cases(CaseFilter(CaseStatus.OPEN, case.category), now=now, limit=OTHERS).cases
    there = ledger.cases(CaseFilter(CaseStatus.OPEN, case.category, street=case.street), now=now, limit=OTHERS).cases
    found = {other.id: other for other in ([*there, *alike] if case.street else alike)}
    found.pop(case.id, None)
    return list(found.values())[:OTHERS]


def verdicts_on(case: Case) -> list[str]:
    """What a person can say about the case now: `confirm`, `reject`, ..."""
    if case.status is CaseStatus.MERGED:
        return ["split"]
    words = {move: move.value for move in moves_from(case.stage) if move in VERDICTS}
    several = ["part"] if len(case.sources) > 1 else []  # a split that needs to know which
    return ["confirm", "reject", "relabel", *(["merge"] if "merged" in words.values() else []), *several]


def _filter(
    status: str = "", category: str = "", camera: str = "", stage: str = "", overdue: str = "", street: str = ""
) -> CaseFilter:
    """An unused field of the form arrives empty and means no filter."""
    if status and status not in list(CaseStatus):
        raise HTTPException(422, "status is one of " + ", ".join(CaseStatus))
    if stage and stage not in list(Stage):
        raise HTTPException(422, "stage is one of " + ", ".join(Stage))
    return CaseFilter(
        CaseStatus(status) if status else None,
        category or None,
        camera or None,
        Stage(stage) if stage else None,
        True if overdue else None,
        street or None,
    )


def _address(wanted: CaseFilter, offset: int = 0) -> str:
    chosen = {
        "status": wanted.status,
        "category": wanted.category,
        "camera": wanted.camera_id,
        "stage": wanted.stage,
        "overdue": "1" if wanted.overdue else None,
        "street": wanted.street,
        "offset": offset or None,
    }
    query = urlencode({key: value for key, value in chosen.items() if value is not None})
    return f"/?{query}" if query else "/"


def _tiles(counts: Counts, wanted: CaseFilter) -> list[dict[str, Any]]:
    names = WORDS["status_names"]
    of_review = CaseFilter(status=CaseStatus.OPEN, stage=Stage.COLLECT)
    tiles = [
        ("open", *names["open"], counts.open, CaseFilter(status=CaseStatus.OPEN)),
        ("review", "of them to review", "待审核", counts.review, of_review),
        ("cleared", *names["cleared"], counts.cleared, CaseFilter(status=CaseStatus.CLEARED)),
        ("dismissed", *names["dismissed"], counts.dismissed, CaseFilter(status=CaseStatus.DISMISSED)),
        ("overdue", "overdue", "超期", counts.overdue, CaseFilter(status=CaseStatus.OPEN, overdue=True)),
    ]
    return [
        {
            "kind": kind,
            "name": english,
            "chinese": chinese,
            "number": number,
            "href": "/" if wanted == target else _address(target),
            "chosen": wanted == target,
        }
        for kind, english, chinese, number, target in tiles
    ]


def _sides(case: Case, pictures: Pictures) -> list[dict[str, Any]]:
    sides = [("before", "The problem", "问题", case.before)]
    if case.status is CaseStatus.CLEARED:
        sides.append(("after", "After clearing", "清除后", case.after))
    return [
        {
            "key": key,
            "name": english,
            "chinese": chinese,
            "picture": pictures.picture(evidence.url),
            "missing": _why_no_picture(evidence.url, evidence.reason),
        }
        for key, english, chinese, evidence in sides
    ]


def _timeline(found: CaseFile) -> list[tuple[str, Received | Step]]:
    """Events and what people did, in the order in which the case was worked out."""
    events = [(entry.report.data.revision, 0, "event", entry) for entry in found.received]
    deeds = [(step.revision, 1, "deed", step) for step in found.steps if step.by != CAMERA]
    merged: list[tuple[int, int, str, Received | Step]] = [*events, *deeds]
    return [(kind, entry) for _, _, kind, entry in sorted(merged, key=lambda one: one[:2])]


def _why_no_picture(url: str | None, reason: str | None) -> str:
    if url is None:
        return f"no picture: {reason}" if reason else "no picture was sent"
    return "the picture is not kept here"
