"""The page of a worker: how its cameras are, and whether what it found goes out. Plain HTML, no script at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from detector.api.glance import UNSEEN, glance
from detector.api.state import ApiState
from detector.core.look import LookStatus

PAGE_SIZE = 100
"""Cameras on one page."""

REFRESH_S = 10
"""The page is loaded anew so often."""

ASSETS = {"worker.css": "text/css", "icon.svg": "image/svg+xml"}

STATUSES: dict[str, tuple[str, str]] = {
    LookStatus.OK: ("sees", "正常"),
    LookStatus.UNREACHABLE: ("unreachable", "离线"),
    LookStatus.STALE: ("stale", "画面陈旧"),
    LookStatus.DARK: ("dark", "过暗"),
    LookStatus.FROZEN: ("frozen", "画面冻结"),
    LookStatus.COVERED: ("covered", "遮挡"),
    LookStatus.BLURRED: ("blurred", "模糊"),
    LookStatus.MOVED: ("moved", "移位"),
    UNSEEN: ("not looked at yet", "尚未巡查"),
}
SAMPLINGS = {"stream": ("stream", "连续"), "patrol": ("patrol", "轮巡"), "file": ("recording", "录像")}
BREAKERS = {
    "closed": ("takes events", "正常"),
    "half_open": ("is being tried", "试探"),
    "open": ("down, tried seldom", "熔断"),
}

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page(state: ApiState, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> APIRouter:
    """Route / and what the page is made with, /assets/{name}."""
    router = APIRouter(include_in_schema=False)
    folder = files("detector.api") / "assets"
    assets = {name: (folder / name).read_bytes() for name in ASSETS}
    template = _environment().get_template("worker.html")

    @router.get("/")
    def worker(
        status: Annotated[str, Query()] = "", offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0
    ) -> HTMLResponse:
        if status and status not in STATUSES:
            raise HTTPException(422, "status is one of " + ", ".join(STATUSES))
        now, facts = clock(), state.facts()
        seen = glance(
            *(facts, state.records.camera_states(), state.metrics.ages(), state.metrics.drops(), state.metrics.gauges),
            now,
        )
        wanted = [camera for camera in seen.cameras if not status or camera.status == status]
        patrolled = state.patrol.patrolled if state.patrol is not None else 0
        text = template.render(
            facts=facts,
            seen=seen,
            now=now.astimezone(facts.zone),
            wanted=status,
            cameras=wanted[offset : offset + PAGE_SIZE],
            total=len(wanted),
            first=offset + 1,
            newer=_address(status, max(0, offset - PAGE_SIZE)) if offset else None,
            older=_address(status, offset + PAGE_SIZE) if offset + PAGE_SIZE < len(wanted) else None,
            patrolled=patrolled,
            coverage=state.patrol.coverage() if state.patrol is not None and patrolled else None,
        )
        return HTMLResponse(text, headers=HEADERS)

    @router.get("/assets/{name}")
    def asset(name: str) -> Response:
        if name not in assets:
            raise HTTPException(404, "no such file")
        return Response(assets[name], media_type=ASSETS[name], headers=HEADERS)

    return router


def _environment() -> Environment:
    templates = Environment(
        loader=PackageLoader("detector.api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words: dict[str, Any] = {"statuses": STATUSES, "samplings": SAMPLINGS, "breakers": BREAKERS}
    templates.globals |= {**words, "refresh_s": REFRESH_S, "address": _address}
    templates.filters |= {"span": span, "percent": lambda share: f"{100 * share:.1f} %"}
    return templates


def _address(status: str, offset: int = 0) -> str:
    query = urlencode({key: value for key, value in (("status", status), ("offset", offset)) if value})
    return f"/?{query}" if query else "/"


def span(seconds: float) -> str:
    """A time for people in its two greatest units, e.g. `8 s`, `2 min 05 s`, `10 min`, `3 h 20 min`, `2 d 04 h`."""
    whole = max(0, round(seconds))
    for size, unit, smaller, smaller_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest:02d} {smaller_unit}" if rest else "")
    return f"{whole} s"
