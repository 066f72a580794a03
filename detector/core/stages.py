"""How a case travels through the bureau, and the one table by which it moves.

The flow is the usual one of digital city management: 信息采集 collect, 立案 file, 任务派遣 dispatch,
任务处理 handle, 处理反馈 report back, 核查 verify and 结案 close. What follows there, 综合评价 evaluate,
is about closed cases together and no place where one case stands.
"""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Where a case stands."""

    COLLECT = "collect"  # known; a person must decide whether it is a case
    FILE = "file"  # a case; nobody has been sent
    DISPATCH = "dispatch"  # given to a department
    HANDLE = "handle"  # somebody is on it
    REPORT = "report"  # the department says it is done
    VERIFY = "verify"  # being looked at again
    CLOSE = "close"


class Move(StrEnum):
    """What can happen to a case."""

    FILED = "filed"  # it is a case: by a person, or at once where no review is needed
    REFUSED = "refused"  # a person says it is none
    DISPATCHED = "dispatched"  # given to a department
    HANDED_BACK = "handed_back"  # the department is not the right one
    TAKEN_UP = "taken_up"  # the department begins
    REPORTED = "reported"  # the department says it is done
    CHECKED = "checked"  # somebody, or the camera, is asked to look again
    SEEN_GONE = "seen_gone"  # the street is clean
    STILL_THERE = "still_there"  # it is not: back to the department
    VANISHED = "vanished"  # seen gone before anybody reported it done
    LEFT = "left"  # the same of what drives off: its picture proves it, and the case stays
    CAME_BACK = "came_back"  # seen again while its case had stayed
    DISMISSED = "dismissed"  # the detector takes it back
    RETURNED = "returned"  # seen again at the place where it had been cleared
    HELD = "held"  # the desk is not sure enough to send somebody: a person must decide
    ESCALATED = "escalated"  # the deadline has passed: somebody above is told
    CONFIRMED = "confirmed"  # verdict: it is what the detector said
    REJECTED = "rejected"  # verdict, after somebody had been sent: it was none
    RELABELLED = "relabelled"  # verdict: it is something else
    MERGED = "merged"  # verdict: another case is about the same thing
    SPLIT = "split"  # it is a thing of its own after all, apart from the case it was in
    PARTED = "parted"  # what another camera saw was taken out of it, as a case of its own


KEPT_AT = (Stage.COLLECT, Stage.FILE, Stage.DISPATCH, Stage.HANDLE)
"""Where a case can wait for people although what it is about has left; once it is reported done, that closes it."""

TRANSITIONS: dict[tuple[Stage, Move], Stage] = {
    (Stage.COLLECT, Move.FILED): Stage.FILE,
    (Stage.FILE, Move.DISPATCHED): Stage.DISPATCH,
    (Stage.DISPATCH, Move.TAKEN_UP): Stage.HANDLE,
    (Stage.HANDLE, Move.REPORTED): Stage.REPORT,
    (Stage.REPORT, Move.CHECKED): Stage.VERIFY,
    (Stage.VERIFY, Move.SEEN_GONE): Stage.CLOSE,
    # back
    (Stage.DISPATCH, Move.HANDED_BACK): Stage.FILE,
    (Stage.HANDLE, Move.HANDED_BACK): Stage.FILE,
    (Stage.VERIFY, Move.STILL_THERE): Stage.HANDLE,
    (Stage.CLOSE, Move.RETURNED): Stage.COLLECT,
    # gone by itself: with nobody sent there is nothing to verify, otherwise what was seen is the verification
    (Stage.COLLECT, Move.VANISHED): Stage.CLOSE,
    (Stage.FILE, Move.VANISHED): Stage.CLOSE,
    (Stage.DISPATCH, Move.VANISHED): Stage.VERIFY,
    (Stage.HANDLE, Move.VANISHED): Stage.VERIFY,
    (Stage.REPORT, Move.VANISHED): Stage.VERIFY,
    # gone too, but proven by its picture: people decide, or do what follows from it
    **{(stage, move): stage for stage in KEPT_AT for move in (Move.LEFT, Move.CAME_BACK)},
    # no case
    (Stage.COLLECT, Move.REFUSED): Stage.CLOSE,
    (Stage.FILE, Move.REFUSED): Stage.CLOSE,
    **{(stage, Move.DISMISSED): Stage.CLOSE for stage in Stage},
    # what the desk does by itself, besides filing and dispatching
    (Stage.COLLECT, Move.HELD): Stage.COLLECT,
    (Stage.FILE, Move.HELD): Stage.COLLECT,
    (Stage.DISPATCH, Move.ESCALATED): Stage.DISPATCH,
    (Stage.HANDLE, Move.ESCALATED): Stage.HANDLE,
    # verdicts; at the start to file and to refuse are the verdicts
    **{(stage, Move.CONFIRMED): stage for stage in Stage if stage is not Stage.COLLECT},
    **{(stage, Move.REJECTED): Stage.CLOSE for stage in Stage if stage not in (Stage.COLLECT, Stage.FILE)},
    **{(stage, Move.RELABELLED): stage for stage in Stage},
    **{(stage, Move.MERGED): Stage.CLOSE for stage in Stage if stage is not Stage.CLOSE},
    **{(stage, Move.SPLIT): Stage.COLLECT for stage in Stage},
    **{(stage, Move.PARTED): stage for stage in Stage},
}
"""(stage, move) -> new stage. An edge that is not here does not exist."""

BY_PEOPLE = frozenset(
    {
        *(Move.FILED, Move.REFUSED, Move.DISPATCHED, Move.HANDED_BACK, Move.TAKEN_UP, Move.REPORTED, Move.CHECKED),
        *(Move.SEEN_GONE, Move.STILL_THERE),
    }
)
"""Moves that people make. Verdicts have more to say and are apart; the others follow from what the cameras see, or
are the desk's own.
"""

VERDICTS = frozenset({Move.CONFIRMED, Move.REJECTED, Move.RELABELLED, Move.MERGED, Move.SPLIT})
"""What people say about a case, wherever it stands."""

STAYING = frozenset({Move.CONFIRMED, Move.RELABELLED, Move.ESCALATED, Move.PARTED, Move.LEFT, Move.CAME_BACK})
"""Moves after which a case stands exactly where it stood; they are said about it."""


def next_stage(stage: Stage, move: Move) -> Stage:
    """Look the move up in TRANSITIONS.

    Raises ValueError when there is no such edge.
    """
    try:
        return TRANSITIONS[stage, move]
    except KeyError:
        raise ValueError(f"a case at stage {stage.value} cannot be {move.value}") from None


def moves_from(stage: Stage) -> tuple[Move, ...]:
    """Moves that are possible at `stage`, in the order of the table."""
    return tuple(move for before, move in TRANSITIONS if before is stage)
