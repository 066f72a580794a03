"""The HTTP side of a worker, put together."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from detector.api.listing import listing
from detector.api.page import page
from detector.api.state import ApiState, Check
from detector.core.secrets import scrub
from detector.errors import StoreError

log = logging.getLogger(__name__)


def create_api(state: ApiState) -> FastAPI:
    """Make the application: the page /, /healthz, /readyz, /metrics, /problems.json, /cameras.json, /deliveries.json.

    It only reads. It has no login: bind it to loopback or put it behind a proxy that has one.
    """
    # the interactive pages of FastAPI load scripts from elsewhere, so they stay off
    app = FastAPI(title="Street detector worker", docs_url=None, redoc_url=None)
    app.include_router(page(state))
    app.include_router(listing(state.records, state.patrol))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive and its event loop turns; asks nothing else, so that a slow database kills nobody."""
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        """Whether it can do its work; 503 and what is missing when it cannot."""
        checks: dict[str, Check] = {"database": lambda: _answers(state), **state.checks}
        missing = {name: why for name, check in checks.items() if (why := _outcome(name, check))}
        body = {"status": "not ready" if missing else "ready", "missing": missing}
        return JSONResponse(body, 503 if missing else 200)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(state.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.exception_handler(StoreError)
    def store_refuses(_request: Request, error: StoreError) -> JSONResponse:
        return JSONResponse({"detail": scrub(str(error))}, 503)

    return app


def _answers(state: ApiState) -> str | None:
    state.records.problem_counts()
    return None


def _outcome(name: str, check: Check) -> str | None:
    try:
        missing = check()
    except Exception as error:  # noqa: BLE001 - a check that breaks is a check that is not passed
        log.warning("readiness check %s: %s", name, scrub(str(error)))
        missing = str(error) or type(error).__name__
    return scrub(missing) if missing else None
