"""POST /events: the door through which events come in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from detector.desk.ledger import Ledger
from detector.desk.signature import SignatureCheck
from detector.desk.wire import read_event
from detector.errors import EventRefused

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/cloudevents+json"
BODY_TIMEOUT_S = 15.0  # a sender that dawdles longer gives the connection back


def inbox(ledger: Ledger, check: SignatureCheck, clock: Callable[[], datetime], max_body_bytes: int) -> APIRouter:
    """Route that takes one CloudEvent (structured JSON) over Standard Webhooks.

    Answers 200 once the event is on disk, also when it had been before; 401 for a wrong signature; 400 for a
    malformed event; 413 above `max_body_bytes`; 415 for another content type; 503 when the ledger refuses.
    """
    router = APIRouter()

    @router.post("/events")
    async def receive(request: Request) -> dict[str, str | None]:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CONTENT_TYPE:
            raise HTTPException(415, f"send {CONTENT_TYPE}")
        body = await _read(request, max_body_bytes)
        try:
            webhook_id = check.verify(request.headers, body)
        except EventRefused as error:
            log.warning("event refused: %s", error)
            raise HTTPException(401, str(error)) from error
        try:
            incoming = read_event(body, clock())
        except EventRefused as error:
            log.warning("event malformed: %s", error, extra={"event_id": webhook_id})
            raise HTTPException(400, str(error)) from error
        if incoming.id != webhook_id:
            raise HTTPException(400, "webhook-id and the event's id differ")
        receipt = await run_in_threadpool(ledger.receive, incoming, clock())
        outcome = "accepted" if receipt.new else "duplicate"
        log.info("%s %s", incoming.type, outcome, extra={"event_id": incoming.id, "case_id": receipt.case_id})
        return {"outcome": outcome, "event_id": incoming.id, "case_id": receipt.case_id}

    return router


async def _read(request: Request, limit: int) -> bytes:
    """Read at most `limit` bytes, believing neither the announced length nor its absence."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal():
        raise HTTPException(400, "content-length is not a number")
    if int(announced) > limit:
        raise HTTPException(413, f"an event has at most {limit} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise HTTPException(413, f"an event has at most {limit} bytes")
    except TimeoutError:
        raise HTTPException(408, "the event took too long to arrive") from None
    return bytes(body)
