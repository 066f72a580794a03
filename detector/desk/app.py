"""The desk, put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment
from starlette.exceptions import HTTPException as AnyHTTPException

from detector.core.secrets import linkable, scrub
from detector.desk.access import ReaderGate
from detector.desk.acting import acting
from detector.desk.appearance import Appearance, environment
from detector.desk.chores import escalate_for_ever, forget_for_ever
from detector.desk.headers import SafeHeaders
from detector.desk.inbox import inbox
from detector.desk.ledger import Ledger
from detector.desk.pages import pages
from detector.desk.pictures import Pictures, evidence
from detector.desk.plan import Plan
from detector.desk.reading import reading
from detector.desk.signature import SignatureCheck
from detector.desk.street_pages import street_files
from detector.errors import ConfigError, StoreError
from detector.evidence.access import LEAST_DAYS, AccessLog

log = logging.getLogger(__name__)

ASSETS = {"desk.css": "text/css", "desk.js": "text/javascript", "icon.svg": "image/svg+xml"}


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """What a desk needs to know."""

    database_url: str  # sqlite:///PATH
    secrets: list[str] = field(repr=False)  # whsec_...; any of them is believed, so that one can be replaced
    evidence_directory: Path | None = None  # the desk serves the pictures in it
    evidence_base_url: str | None = None  # what evidence links begin with
    access_log_directory: Path | None = None  # who saw which picture; beside the pictures when None
    access_log_days: int = LEAST_DAYS  # how long that is remembered
    token: str | None = field(default=None, repr=False)  # needed to read, when set
    title: str = "Street desk"
    worker_url: str | None = None  # of a worker's page, linked from every page
    timezone: str = "UTC"  # IANA name; pages show times in it
    refresh_s: float = 4.0  # pages renew themselves so often; 0 = never
    escalate_every_s: float = 30.0
    max_body_bytes: int = 131_072  # CloudEvents asks senders to stay under 64 KiB
    plan: Plan = field(default_factory=Plan)  # routes, deadlines, thresholds
    clock: Callable[[], datetime] = _utc_now


def create_desk(options: DeskOptions) -> FastAPI:
    """Open the ledger and make the application that receives events and shows cases.

    The ledger is closed when the server shuts the application down.
    Raises ConfigError for wrong options, StoreError when the ledger cannot be used.
    """
    check = SignatureCheck(options.secrets)
    gate = ReaderGate(options.token)
    pictures = Pictures(options.evidence_directory, options.evidence_base_url)
    zone = _zone(options.timezone)
    appearance = Appearance(options.title, zone, options.refresh_s)
    templates = environment(appearance)
    templates.globals["worker_url"] = options.worker_url and linkable(options.worker_url)
    ledger = Ledger(options.database_url, options.plan)
    access_log = _access_log(options)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        clock, escalations = options.clock, bool(options.plan.escalations)
        chores = [
            asyncio.create_task(escalate_for_ever(ledger, clock, options.escalate_every_s, escalations=escalations))
        ]
        if access_log is not None:
            chores.append(asyncio.create_task(forget_for_ever(access_log, clock, options.access_log_days)))
        try:
            yield
        finally:
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)
            ledger.close()

    # the interactive pages of FastAPI load scripts from elsewhere, so they stay off; the document itself is there
    app = FastAPI(title=options.title, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(SafeHeaders, pictures_from=pictures.foreign_origin)
    app.include_router(inbox(ledger, check, options.clock, options.max_body_bytes))
    app.include_router(reading(ledger, gate, options.clock))
    app.include_router(acting(ledger, gate, options.clock))
    app.include_router(pages(ledger, gate, pictures, templates, options.clock))
    app.include_router(street_files(ledger, gate, templates, zone, options.clock))
    app.include_router(evidence(pictures, gate, access_log, options.clock))
    _add_assets(app)
    _add_refusals(app, templates, options.clock)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        ledger.counts(options.clock())
        return {"status": "ok"}

    return app


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"no such time zone: {name!r}; use a name such as Asia/Shanghai") from None


def _access_log(options: DeskOptions) -> AccessLog | None:
    """The log that is there or will be, also of a desk that shows no pictures any more: it has to be shortened."""
    pictures, folder = options.evidence_directory, options.access_log_directory
    if folder is None and pictures is not None:
        folder = pictures.with_name(f"{pictures.name}-access")
    return None if folder is None else AccessLog(folder)


def _add_assets(app: FastAPI) -> None:
    folder = files("detector.desk") / "assets"
    contents = {name: (folder / name).read_bytes() for name in ASSETS}

    @app.get("/assets/{name}", include_in_schema=False)
    def asset(name: str) -> Response:
        if name not in contents:
            raise HTTPException(404, "no such file")
        headers = {"Cache-Control": "no-cache"}
        return Response(contents[name], media_type=ASSETS[name], headers=headers)


def _add_refusals(app: FastAPI, templates: Environment, clock: Callable[[], datetime]) -> None:
    """Say no as a page to browsers and as JSON to programs."""

    @app.exception_handler(StoreError)
    def ledger_refuses(_request: Request, error: StoreError) -> JSONResponse:
        return JSONResponse({"detail": scrub(str(error))}, 503)

    @app.exception_handler(AnyHTTPException)
    async def refuse(request: Request, error: AnyHTTPException) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return await http_exception_handler(request, error)
        page = templates.get_template("refusal.html").render(
            now=clock(), heading=f"{error.status_code}", detail=error.detail
        )
        return HTMLResponse(page, error.status_code, error.headers)
