"""The way of a case through the stages: what the cameras told and what people did, in one order.

Events may arrive late, after people have already acted. So each action is remembered together with the newest
revision that its author could see, and the way is always worked out from the beginning: after every event come the
actions that answered it. The outcome depends on what was told and done, not on when the mail arrived. An action that
a late event has overtaken stays in the history, marked as void.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from detector.core.stages import TRANSITIONS, Move, Stage, next_stage
from detector.desk.wire import Kind, ProblemData

CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Report:
    """One event about one problem."""

    id: str
    kind: Kind
    at: datetime  # capture time of the look that moved the problem, aware UTC
    data: ProblemData


@dataclass(frozen=True, slots=True)
class Action:
    """What a person did at the desk."""

    id: str
    move: Move
    by: str
    at: datetime  # wall clock of the desk, aware UTC
    revision: int  # newest one when it was done
    number: int  # order of doing; a later one never knew a lower revision
    department: str | None = None  # to whom it was dispatched
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One move of the case."""

    move: Move
    stage: Stage  # after the move
    at: datetime
    by: str
    source: str  # id of the event or action
    revision: int  # of the event, or the newest one when the action was done
    department: str | None = None
    note: str | None = None
    void: bool = False  # the case stood elsewhere; nothing moved


def in_order(reports: Iterable[Report]) -> list[Report]:
    """Oldest first, each once."""
    unique = {report.id: report for report in reports}
    return sorted(unique.values(), key=lambda report: (report.data.revision, report.at, report.id))


def course(reports: Iterable[Report], actions: Iterable[Action] = ()) -> list[Step]:
    """All steps of a case, which begins at stage `collect`; neither order nor repetition of the input matters."""
    waiting = sorted({action.id: action for action in actions}.values(), key=lambda a: a.number)
    history = in_order(reports)
    steps: list[Step] = []
    for place, report in enumerate(history):
        for move in _told(report, stage_after(steps), steps):
            steps.append(
                Step(move, next_stage(stage_after(steps), move), report.at, CAMERA, report.id, report.data.revision)
            )
        last = place + 1 == len(history)
        following = None if last else history[place + 1].data.revision
        while waiting and (following is None or waiting[0].revision < following):
            steps.append(_done(waiting.pop(0), stage_after(steps)))
    return steps


def stage_after(steps: Sequence[Step]) -> Stage:
    """Where the case stands after these steps."""
    return steps[-1].stage if steps else Stage.COLLECT


def last_move(steps: Sequence[Step]) -> Step | None:
    """The newest step that moved the case."""
    return next((step for step in reversed(steps) if not step.void), None)


def department_of(steps: Sequence[Step]) -> str | None:
    """Who has the case; None while nobody has it."""
    department = None
    for step in steps:
        if step.void:
            continue
        if step.move is Move.DISPATCHED:
            department = step.department
        elif step.move in (Move.HANDED_BACK, Move.RETURNED):
            department = None
    return department


def _done(action: Action, stage: Stage) -> Step:
    after = TRANSITIONS.get((stage, action.move))
    facts = (action.at, action.by, action.id, action.revision, action.department, action.note)
    return Step(action.move, after or stage, *facts, void=after is None)


def _told(report: Report, stage: Stage, steps: Sequence[Step]) -> tuple[Move, ...]:
    """Moves that follow from an event at this stage."""
    files = () if report.data.review else (Move.FILED,)
    last = last_move(steps)
    later = last is not None and report.at > last.at
    gone = last is not None and last.move in (Move.SEEN_GONE, Move.VANISHED)
    match report.kind, stage:
        case Kind.OPENED | Kind.UPDATED | Kind.REOPENED, Stage.COLLECT:
            return files
        case Kind.REOPENED, Stage.CLOSE:
            return (Move.RETURNED, *files)
        case Kind.UPDATED, Stage.CLOSE if later and gone:
            return (Move.RETURNED, *files)  # closed as gone, yet a later picture shows it
        case Kind.UPDATED, Stage.VERIFY if later:
            return (Move.STILL_THERE,)
        case Kind.CLEARED, Stage.VERIFY:
            return (Move.SEEN_GONE,)
        case Kind.CLEARED, Stage.COLLECT | Stage.FILE:
            return (Move.VANISHED,)
        case Kind.CLEARED, Stage.DISPATCH | Stage.HANDLE | Stage.REPORT:
            return (Move.VANISHED, Move.SEEN_GONE)
        case Kind.DISMISSED, _:
            return (Move.DISMISSED,)
    return ()
