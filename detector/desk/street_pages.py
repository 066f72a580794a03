"""The files of the streets as pages and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from detector.desk.access import ReaderGate
from detector.desk.ledger import Ledger
from detector.desk.reading import case_json
from detector.desk.streets import StreetFile, street_file

Days = Annotated[int, Query(ge=1, le=366)]
USUAL_DAYS = 90
SHOWN = 40
"""Cases of a street that its page lists."""


def street_files(
    ledger: Ledger, gate: ReaderGate, templates: Environment, zone: ZoneInfo, clock: Callable[[], datetime]
) -> APIRouter:
    """Routes /streets, /streets.json and, for one street, /streets/{id} and /streets/{id}.json."""
    router = APIRouter(dependencies=[Depends(gate)])

    def file_of(street: str, days: int, now: datetime) -> StreetFile:
        today = now.astimezone(zone).date()
        first = today - timedelta(days=days - 1)
        since = datetime.combine(first, datetime.min.time(), zone)
        cases = ledger.street_cases(street, since)
        streets = ledger.plan.routing.streets
        if not cases and street not in streets:
            raise HTTPException(404, "no such street, or nothing happened there in this time")
        return street_file(street, cases, streets, zone, first, today)

    @router.get("/streets.json")
    def all_as_json(days: Days = USUAL_DAYS) -> dict[str, Any]:
        now = clock()
        found = ledger.streets(now - timedelta(days=days), now)
        return {"days": days, "streets": [{name: getattr(one, name) for name in one.__slots__} for one in found]}

    @router.get("/streets", response_class=HTMLResponse)
    def all_as_page(days: Days = USUAL_DAYS) -> HTMLResponse:
        now = clock()
        found = ledger.streets(now - timedelta(days=days), now)
        page = templates.get_template("streets.html").render(now=now, days=days, streets=found)
        return HTMLResponse(page)

    @router.get("/streets/{street:path}.json")
    def one_as_json(street: str, days: Days = USUAL_DAYS) -> dict[str, Any]:
        now = clock()
        return _json(file_of(street, days, now), days, now)

    @router.get("/streets/{street:path}", response_class=HTMLResponse)
    def one_as_page(street: str, days: Days = USUAL_DAYS) -> HTMLResponse:
        now = clock()
        file = file_of(street, days, now)
        page = templates.get_template("street.html").render(
            now=now,
            days=days,
            file=file,
            shown=file.cases[:SHOWN],
            overdue=sum(case.overdue(now) for case in file.cases),
            open=sum(case.status == "open" for case in file.cases),
            names={**{case.category: case.category_names for case in file.cases}, **ledger.plan.names},
        )
        return HTMLResponse(page)

    return router


def _json(file: StreetFile, days: int, now: datetime) -> dict[str, Any]:
    return {
        "id": file.id,
        "name": file.name,
        "district": file.street.district if file.street else None,
        "owner": file.street.owner if file.street else None,
        "cell": file.street.cell if file.street else None,
        "cameras": sorted(file.street.cameras) if file.street else sorted({case.camera_id for case in file.cases}),
        "days": days,
        "total": len(file.cases),
        "open": sum(case.status == "open" for case in file.cases),
        "overdue": sum(case.overdue(now) for case in file.cases),
        "reopened": file.reopened,
        "median_cleared_after_s": file.cleared_after.total_seconds() if file.cleared_after else None,
        "per_day": [{"day": day, "cases": number} for day, number in file.per_day],
        "by_category": [{"category": category, "cases": number} for category, number in file.by_category],
        "by_hour": file.by_hour,
        "hot_spots": [
            {
                "category": spot.category,
                "times": spot.times,
                "camera_id": spot.incidents[0].camera_id,
                "box": _box(spot.incidents[0].box),
                "ground": spot.incidents[0].ground
                and {
                    "latitude": spot.incidents[0].ground.latitude,
                    "longitude": spot.incidents[0].ground.longitude,
                },
                "first": spot.incidents[0].at,
                "last": spot.incidents[-1].at,
                "cases": [one.case_id for one in spot.incidents],
            }
            for spot in file.hot_spots
        ],
        "cases": [case_json(case, now) for case in file.cases[:500]],
    }


def _box(box: Any) -> list[float] | None:
    return None if box is None else [box.left, box.top, box.right, box.bottom]
