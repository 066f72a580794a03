"""POST /cases/{id}/moves and /cases/{id}/verdicts: what people do with a case and what they say about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from detector.core.event import event_id
from detector.core.stages import BY_PEOPLE, Move, Stage
from detector.desk.access import ANONYMOUS, ReaderGate
from detector.desk.case import Case
from detector.desk.course import CAMERA, DESK, Details, Reason
from detector.desk.ledger import Ledger
from detector.desk.reading import case_json
from detector.desk.working import Deed

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,100}$")]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: _Id | None = None
    """Chosen by the sender, so that a repetition changes nothing."""
    by: _Line | None = None
    """Who acts; counts only where the desk is read without a token and so does not know."""
    note: _Note | None = None


class MoveRequest(_Said):
    """The body of a move."""

    move: Move
    department: _Line | None = None
    """Who is sent, by name or by id; needed to dispatch, and with `filed` dispatches at once."""


class Decision(StrEnum):
    """Verdicts on a case."""

    CONFIRM = "confirm"
    REJECT = "reject"
    RELABEL = "relabel"
    MERGE = "merge"
    SPLIT = "split"


class VerdictRequest(_Said):
    """The body of a verdict."""

    decision: Decision
    reason: Reason | None = None
    """Why it was none; needed to reject."""
    category: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] | None = None
    """What it is instead; needed to relabel."""
    label: _Line | None = None
    """The label of the model for that, where its category is made of several."""
    into: _Line | None = None
    """The case that is about the same thing; needed to merge."""
    problems: Annotated[tuple[_Line, ...], Field(min_length=1, max_length=100)] | None = None
    """Those of its problems that are another thing; needed to split a case that several cameras see."""

    @model_validator(mode="after")
    def _is_whole(self) -> VerdictRequest:
        for decision, name in ((Decision.REJECT, "reason"), (Decision.RELABEL, "category"), (Decision.MERGE, "into")):
            given = getattr(self, name) is not None
            if self.decision is decision and not given:
                raise ValueError(f"to {decision.value}, give `{name}`")
            if given and self.decision is not decision:
                raise ValueError(f"`{name}` belongs to {decision.value} only")
        if self.problems is not None and self.decision is not Decision.SPLIT:
            raise ValueError("`problems` belongs to split")
        if self.label is not None and self.decision is not Decision.RELABEL:
            raise ValueError("`label` belongs to relabel")
        return self


def acting(ledger: Ledger, gate: ReaderGate, clock: Callable[[], datetime]) -> APIRouter:
    """Routes that move a case along the table of `detector.core.stages`, and take verdicts.

    Answer the case; 404 for an unknown case, 409 when it stands where this is impossible, 422 for a move
    that people do not make or one without what it needs, 415 unless JSON is sent: a form on a foreign page cannot.
    """
    router = APIRouter(dependencies=[Depends(_insist_on_json)])

    def do(case_id: str, *deeds: Deed) -> Case:
        try:
            case = ledger.act(case_id, *deeds, now=clock())
        except ValueError as error:
            raise HTTPException(409, str(error)) from error
        if case is None:
            raise HTTPException(404, "no such case")
        return case

    @router.post("/cases/{case_id}/moves")
    def move(case_id: str, wanted: MoveRequest, reader: str = Depends(gate)) -> dict[str, Any]:
        if wanted.move not in BY_PEOPLE:
            raise HTTPException(422, f"{wanted.move.value} is no move that people make here")
        if wanted.move is Move.DISPATCHED and wanted.department is None:
            raise HTTPException(422, "to dispatch, name the department")
        by, name = _name(wanted, reader), wanted.id or uuid4().hex
        details = Details(
            department=wanted.department if wanted.move is Move.DISPATCHED else None,
            reason=Reason.OTHER if wanted.move is Move.REFUSED else None,
            note=wanted.note or None,
        )
        deeds = [Deed(name, wanted.move, by, details)]
        if wanted.move is Move.FILED and wanted.department is not None:
            sent = Details(department=wanted.department)
            deeds.append(Deed(event_id("dispatched", name), Move.DISPATCHED, by, sent))
        case = do(case_id, *deeds)
        return case_json(case, clock())

    @router.post("/cases/{case_id}/verdicts")
    def verdict(case_id: str, wanted: VerdictRequest, reader: str = Depends(gate)) -> dict[str, Any]:
        found = ledger.case(case_id)
        if found is None:
            raise HTTPException(404, "no such case")
        details = Details(
            reason=wanted.reason,
            category=wanted.category,
            label=wanted.label,
            other_case=wanted.into,
            problems=wanted.problems or (),
            note=wanted.note or None,
        )
        move = move_of(wanted.decision, found.case.stage)
        return case_json(do(case_id, Deed(wanted.id or uuid4().hex, move, _name(wanted, reader), details)), clock())

    return router


def move_of(decision: Decision, stage: Stage) -> Move:
    """What a verdict does to a case that stands there: before anybody is sent, filing and refusing are the verdicts."""
    match decision:
        case Decision.CONFIRM:
            return Move.FILED if stage is Stage.COLLECT else Move.CONFIRMED
        case Decision.REJECT:
            return Move.REFUSED if stage in (Stage.COLLECT, Stage.FILE) else Move.REJECTED
        case Decision.RELABEL:
            return Move.RELABELLED
        case Decision.MERGE:
            return Move.MERGED
        case Decision.SPLIT:
            return Move.SPLIT


def _name(wanted: _Said, reader: str) -> str:
    """Who acts; nobody passes for the camera or the desk."""
    by = wanted.by if reader == ANONYMOUS and wanted.by else reader
    return f"{by} (person)" if by.casefold() in (CAMERA, DESK) else by


def _insist_on_json(request: Request) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send application/json")
