"""POST /photos: the door for photos."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from detector.core.secrets import one_line, scrub
from detector.errors import DetectorError, PhotoRefused, StoreError
from detector.intake.form import PhotoForm, read_form, report_of
from detector.intake.judging import Intake, Judged, Suggestion
from detector.intake.rate import RateLimit

log = logging.getLogger(__name__)

COME_AGAIN_S = 5


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """What the door needs to know."""

    tokens: Sequence[str] = field(repr=False)  # at least one
    timezone: str  # IANA name; of photos whose time has no offset
    photos_per_minute: int
    max_bytes: int  # of a request
    at_once: int  # photos being judged


def create_intake(intake: Intake, options: IntakeOptions, clock: Callable[[], float]) -> FastAPI:
    """Make the application. `clock`: monotonic, seconds.

    Answers 200 with what was seen, 201 when a case was opened; 401 without a token, 429 and 503 with Retry-After, and
    400, 408, 413, 415, 422 with the reason. Raises ValueError without a token: this door is never open to everybody.
    """
    if not options.tokens or not all(options.tokens):
        raise ValueError("the intake needs a token")
    rate = RateLimit(options.photos_per_minute, clock)
    places = asyncio.Semaphore(options.at_once)
    app = FastAPI(title="Street detector intake", docs_url=None, redoc_url=None)

    @app.post("/photos", openapi_extra={"requestBody": _BODY}, status_code=200)
    async def photos(request: Request) -> JSONResponse:
        token = _token(request, options.tokens)
        if places.locked():
            raise PhotoRefused(503, "busy with other photos", COME_AGAIN_S)
        async with places:
            form = await read_form(request, options.max_bytes)
            try:
                report, reporter = await report_of(form, options.timezone)
            finally:
                await form.close()
            wait_s = rate.wait_s(f"{token}:{reporter}")
            if wait_s > 0:
                raise PhotoRefused(429, "too many photos", max(1, round(wait_s)))
            judged = await run_in_threadpool(intake.take, report)
        opened = None if judged.opened is None else judged.opened.id
        best = judged.suggestions[0].category.id if judged.suggestions else None
        log.info("photo: %s", best or judged.look.status.value, extra={"camera_id": judged.look.camera_id})
        return _answer(201 if opened else 200, shown(judged))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive and its event loop turns."""
        return {"status": "ok"}

    @app.exception_handler(PhotoRefused)
    async def refuse(_request: Request, error: PhotoRefused) -> JSONResponse:
        headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return _answer(error.status, {"detail": one_line(str(error))}, headers)

    @app.exception_handler(DetectorError)
    async def cannot(_request: Request, error: DetectorError) -> JSONResponse:
        log.error("a photo could not be judged: %s", error)
        status = 503 if isinstance(error, StoreError) else 500
        return _answer(status, {"detail": one_line(str(error))}, {"Retry-After": str(COME_AGAIN_S)})

    return app


def shown(judged: Judged) -> dict[str, Any]:
    """The answer to a report."""
    look = judged.look
    case = None
    if judged.opened is not None:
        evidence = [json.loads(entry.body)["data"]["evidence"] for entry in judged.entries]
        case = {
            "problem_id": judged.opened.id,
            "event_id": judged.entries[0].event_id if judged.entries else None,
            "category": judged.opened.category,
            "codes": dict(judged.opened.codes),
            "rule": judged.opened.rule,
            "review": True,
            "evidence": evidence[0] if evidence else None,
        }
    return {
        "photo_id": judged.photo_id,
        "status": look.status.value,
        "reason": judged.reason or look.reason,
        "model_version": look.model_version,
        "size": None if look.size is None else {"width": look.size[0], "height": look.size[1]},
        "detections": [
            {"label": one.label, "score": round(one.score, 4), "box": _box(one.box)} for one in look.detections
        ],
        "suggestions": [_suggestion(one) for one in judged.suggestions],
        "case": case,
    }


def _suggestion(one: Suggestion) -> dict[str, Any]:
    known = one.known
    return {
        "category": one.category.id,
        "names": dict(one.category.names),
        "codes": dict(one.outcome.codes),
        "label": one.best.label,
        "score": round(one.best.score, 4),
        "case": one.outcome.case,
        "rule": one.outcome.rule,
        "duplicate_of": None
        if known is None
        else {"problem_id": known.problem.id, "distance_m": round(known.distance_m, 1)},
    }


def _box(box: Any) -> dict[str, float]:
    return {side: round(float(getattr(box, side)), 1) for side in ("left", "top", "right", "bottom")}


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(_scrubbed(body), status, {"Cache-Control": "no-store", **(headers or {})})


def _scrubbed(value: Any) -> Any:
    match value:
        case str():
            return scrub(value)
        case dict():
            return {key: _scrubbed(one) for key, one in value.items()}
        case list():
            return [_scrubbed(one) for one in value]
        case _:
            return value


def _token(request: Request, tokens: Sequence[str]) -> int:
    """Number of the token that was shown. Raises PhotoRefused (401)."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    known = [hmac.compare_digest(given.strip().encode(), token.encode()) for token in tokens]  # all, in the same time
    if scheme.lower() != "bearer" or True not in known:
        raise PhotoRefused(401, "photos are sent with a token")
    return known.index(True)


def _body() -> dict[str, Any]:
    schema = PhotoForm.model_json_schema()
    definitions = schema.pop("$defs", {})
    properties = {"photo": {"type": "string", "format": "binary"}, **schema["properties"]}
    if "coordinates" in properties:  # one definition, put in its place: requests of OpenAPI know no $defs
        properties["coordinates"] = {**definitions["CoordinateSystem"], "default": "wgs84"}
    whole = {"type": "object", "properties": properties, "required": ["photo", *schema["required"]]}
    return {"required": True, "content": {"multipart/form-data": {"schema": whole}}}


_BODY = _body()
