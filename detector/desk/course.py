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
from enum import StrEnum

from detector.core.stages import KEPT_AT, STAYING, TRANSITIONS, Move, Stage, next_stage
from detector.desk.wire import Kind, ProblemData

CAMERA = "camera"
DESK = "desk"
"""Who acts where no person does: the name of nobody."""


@dataclass(frozen=True, slots=True)
class Report:
    """One event about one problem."""

    id: str
    kind: Kind
    at: datetime  # capture time of the look that moved the problem, aware UTC
    data: ProblemData


class Reason(StrEnum):
    """Why an alarm was none; the kinds of false alarm that a model can be taught to tell apart."""

    LEGAL_BREAKFAST_CART = "legal_breakfast_cart"
    GOODS_INSIDE = "goods_inside"  # goods inside the shop, not before it
    LEGAL_ADVERT = "legal_advert"
    MOVING_VENDOR = "moving_vendor"  # passing by, not standing
    ABANDONED_STALL = "abandoned_stall"  # nobody sells there
    NOT_THERE = "not_there"  # there is nothing of the kind
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Details:
    """What goes with some moves and not with others."""

    department: str | None = None  # to whom it was dispatched or escalated
    department_code: str | None = None  # unified social credit code
    route: str | None = None  # id of the route that decided
    due_at: datetime | None = None  # deadline given with the dispatch, aware UTC
    reason: Reason | None = None  # why it was none
    category: str | None = None  # what it is instead
    label: str | None = None  # label of the model for that
    other_case: str | None = None  # the one it was merged into
    problems: tuple[str, ...] = ()  # those of a case with several sources that are split off
    note: str | None = None


NOTHING = Details()

_VERIFIED = ((Stage.REPORT, Move.VANISHED), (Stage.VERIFY, Move.SEEN_GONE))


@dataclass(frozen=True, slots=True)
class Action:
    """What a person, or the desk itself, did."""

    id: str
    move: Move
    by: str
    at: datetime  # wall clock of the desk, aware UTC
    revision: int  # newest one when it was done
    number: int  # order of doing; a later one never knew a lower revision
    details: Details = NOTHING
    under: str = ""  # id of the case as it was then
    seen: tuple[tuple[str, int], ...] = ()  # problem id and newest revision of each source at that time


@dataclass(frozen=True, slots=True)
class Step:
    """One move of the case."""

    move: Move
    stage: Stage  # after the move
    at: datetime
    by: str
    source: str  # id of the event or action
    revision: int  # of the event, or the newest one when the action was done
    details: Details = NOTHING
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
            steps.append(_done(waiting.pop(0), stage_after(steps), last_move(steps)))
            steps += _nothing_to_look_for(steps)
    return steps


def stage_after(steps: Sequence[Step]) -> Stage:
    """Where the case stands after these steps."""
    return steps[-1].stage if steps else Stage.COLLECT


def last_move(steps: Sequence[Step]) -> Step | None:
    """The newest step that moved the case."""
    return next((step for step in reversed(steps) if not step.void and step.move not in STAYING), None)


def dispatch_of(steps: Sequence[Step]) -> Step | None:
    """The step by which somebody was sent who still has the case, or had it to the end; None when nobody was."""
    sent = None
    for step in steps:
        if step.void:
            continue
        if step.move is Move.DISPATCHED:
            sent = step
        elif step.move in (Move.HANDED_BACK, Move.RETURNED, Move.SPLIT):
            sent = None
    return sent


def department_of(steps: Sequence[Step]) -> str | None:
    """Who has the case; None while nobody has it."""
    sent = dispatch_of(steps)
    return None if sent is None else sent.details.department


def done_at(steps: Sequence[Step]) -> datetime | None:
    """When whoever was sent said that it is done, or it was seen gone before; None while it is not.

    What was reported done and is found still there was not done.
    """
    done = None
    for step in steps:
        if step.void:
            continue
        if step.move in (Move.REPORTED, Move.VANISHED, Move.SEEN_GONE):
            done = done or step.at
        elif step.move in (Move.DISPATCHED, Move.STILL_THERE, Move.RETURNED):
            done = None
    return done


def left(steps: Sequence[Step]) -> Step | None:
    """The step by which what drives off was told to have left; None while it is there, or the case is closed."""
    found = None
    for step in steps:
        if step.move is Move.LEFT and not step.void:
            found = found or step
        elif step.move is Move.CAME_BACK or step.stage is Stage.CLOSE:
            found = None
    return found


def left_at(steps: Sequence[Step]) -> datetime | None:
    """When what the case is about was seen to leave, though the case stays; None while it is there, or closed."""
    away = left(steps)
    return None if away is None else away.at


def since_split(steps: Sequence[Step]) -> Sequence[Step]:
    """Steps since it was split off from what other cameras see; all, where it never was. What was said and decided
    before was about both together.
    """
    splits = (n for n, step in enumerate(steps) if step.move is Move.SPLIT and step.details.problems and not step.void)
    return steps[max(splits, default=0) :]


def is_split_off(steps: Sequence[Step]) -> bool:
    """Whether it was split off from another case, and no person has moved it since."""
    moved = (s for s in reversed(steps) if not s.void and s.move not in STAYING and s.move is not Move.HELD)
    newest = next(moved, None)
    return newest is not None and newest.move is Move.SPLIT


def _since_return(steps: Sequence[Step]) -> list[Step]:
    """Steps that moved the case since it was found, or found again."""
    moved = [step for step in steps if not step.void]
    found = max((place for place, step in enumerate(moved) if step.move is Move.RETURNED), default=0)
    return moved[found:]


def by_person(step: Step) -> bool:
    """Whether a person did it."""
    return step.by not in (CAMERA, DESK)


def _done(action: Action, stage: Stage, last: Step | None) -> Step:
    move = action.move
    if move is Move.SPLIT and action.details.problems and stage is Stage.CLOSE:
        move = Move.PARTED  # apart, and over already
    after = TRANSITIONS.get((stage, move))
    merged = last is not None and last.move is Move.MERGED
    if move is Move.SPLIT and not merged and not action.details.problems:
        after = None
    facts = (action.at, action.by, action.id, action.revision, action.details)
    return Step(move, after or stage, *facts, void=after is None)


def _nothing_to_look_for(steps: Sequence[Step]) -> list[Step]:
    """What is reported done and had left before needs no other look: that it was seen to leave verifies it."""
    away = left(steps)
    if away is None or stage_after(steps) is not Stage.REPORT:
        return []
    facts = (steps[-1].at, away.by, away.source, steps[-1].revision)
    return [Step(move, TRANSITIONS[stage, move], *facts) for stage, move in _VERIFIED]


def _told(report: Report, stage: Stage, steps: Sequence[Step]) -> tuple[Move, ...]:
    """Moves that follow from an event at this stage."""
    files = () if report.data.review else (Move.FILED,)
    last = last_move(steps)
    if last is not None and last.move is Move.MERGED:
        return ()  # what is told about it is about the other case
    later = last is not None and report.at > last.at
    gone = last is not None and last.move in (Move.SEEN_GONE, Move.VANISHED)
    away = left(steps) is not None
    back = (Move.CAME_BACK,) if away else ()
    match report.kind, stage:
        case Kind.OPENED | Kind.UPDATED | Kind.REOPENED, Stage.COLLECT:
            waits = any(step.move in (Move.HELD, Move.SPLIT) for step in _since_return(steps))
            return back if waits else (*back, *files)
        case Kind.OPENED | Kind.UPDATED | Kind.REOPENED, Stage.FILE | Stage.DISPATCH | Stage.HANDLE:
            return back
        case Kind.REOPENED, Stage.CLOSE:
            return (Move.RETURNED, *files)
        case Kind.UPDATED, Stage.CLOSE if later and gone:
            return (Move.RETURNED, *files)  # closed as gone, yet a later picture shows it
        case Kind.UPDATED, Stage.VERIFY if later:
            return (Move.STILL_THERE,)
        case Kind.CLEARED, _ if report.data.cleared_reason == "left" and stage in KEPT_AT:
            return () if away else (Move.LEFT,)
        case Kind.CLEARED, Stage.VERIFY:
            return (Move.SEEN_GONE,)
        case Kind.CLEARED, Stage.COLLECT | Stage.FILE:
            return (Move.VANISHED,)
        case Kind.CLEARED, Stage.DISPATCH | Stage.HANDLE | Stage.REPORT:
            return (Move.VANISHED, Move.SEEN_GONE)
        case Kind.DISMISSED, _:
            return (Move.DISMISSED,)
    return ()
