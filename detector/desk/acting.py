"""POST /cases/{id}/moves: what people do with a case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from detector.core.stages import BY_PEOPLE, Move
from detector.desk.access import ANONYMOUS, ReaderGate
from detector.desk.ledger import Deed, Ledger
from detector.desk.reading import case_json

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class MoveRequest(BaseModel):
    """The body of a move."""

    model_config = ConfigDict(extra="forbid")

    move: Move
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,100}$")] | None = None
    """Chosen by the sender, so that a repetition changes nothing."""
    by: _Line | None = None
    """Who acts; counts only where the desk is read without a token and so does not know."""
    department: _Line | None = None
    """Who is sent; needed to dispatch."""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] | None = None


def acting(ledger: Ledger, gate: ReaderGate, clock: Callable[[], datetime]) -> APIRouter:
    """Route that moves a case along the table of `detector.core.stages`.

    Answers the case; 404 for an unknown case, 409 when it stands where the move is impossible, 422 for a move
    that people do not make or one without what it needs, 415 unless JSON is sent: a form on a foreign page cannot.
    """
    router = APIRouter()

    @router.post("/cases/{case_id}/moves", dependencies=[Depends(_insist_on_json)])
    def move(case_id: str, wanted: MoveRequest, reader: str = Depends(gate)) -> dict[str, Any]:
        if wanted.move not in BY_PEOPLE:
            raise HTTPException(422, f"{wanted.move.value} follows from what the cameras see")
        if wanted.move is Move.DISPATCHED and wanted.department is None:
            raise HTTPException(422, "to dispatch, name the department")
        by = wanted.by if reader == ANONYMOUS and wanted.by else reader
        deed = Deed(wanted.id or uuid4().hex, wanted.move, by, wanted.department, wanted.note or None)
        try:
            case = ledger.act(case_id, deed, clock())
        except ValueError as error:
            raise HTTPException(409, str(error)) from error
        if case is None:
            raise HTTPException(404, "no such case")
        return case_json(case)

    return router


def _insist_on_json(request: Request) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send application/json")
