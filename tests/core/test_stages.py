from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.stages import BY_PEOPLE, TRANSITIONS, VERDICTS, Move, Stage, moves_from, next_stage

FLOW = [Stage.COLLECT, Stage.FILE, Stage.DISPATCH, Stage.HANDLE, Stage.REPORT, Stage.VERIFY, Stage.CLOSE]


def test_the_usual_way_passes_all_seven_stages() -> None:
    stage, way = Stage.COLLECT, [Stage.COLLECT]
    for move in (Move.FILED, Move.DISPATCHED, Move.TAKEN_UP, Move.REPORTED, Move.CHECKED, Move.SEEN_GONE):
        stage = next_stage(stage, move)
        way.append(stage)
    assert way == FLOW


@given(moves=st.lists(st.sampled_from(Move), max_size=30))
def test_people_cannot_skip_a_stage(moves: list[Move]) -> None:
    """Whatever people try, a case goes at most one stage forward at a time, or is closed as no case at the start."""
    stage = Stage.COLLECT
    for move in moves:
        if move not in moves_from(stage) or move not in BY_PEOPLE:
            continue
        after = next_stage(stage, move)
        forward = FLOW.index(after) - FLOW.index(stage)
        assert forward <= 1 or (move is Move.REFUSED and stage in (Stage.COLLECT, Stage.FILE))
        stage = after


def test_what_has_been_dispatched_is_closed_by_looking_only() -> None:
    closing = {(stage, move) for (stage, move), after in TRANSITIONS.items() if after is Stage.CLOSE}
    no_case = {Move.DISMISSED, Move.REJECTED, Move.MERGED}  # taken back, or a verdict: it was none of its own
    assert {move for stage, move in closing if stage in FLOW[2:-1]} == {Move.SEEN_GONE, *no_case}
    assert [stage for stage, move in closing if move is Move.SEEN_GONE] == [Stage.VERIFY]


def test_every_stage_can_be_reached_and_left() -> None:
    assert {before for before, _ in TRANSITIONS} == set(Stage)
    assert set(TRANSITIONS.values()) == set(Stage)
    assert {move for _, move in TRANSITIONS} == set(Move)


def test_a_missing_edge_is_told() -> None:
    with pytest.raises(ValueError, match="a case at stage file cannot be reported"):
        next_stage(Stage.FILE, Move.REPORTED)
    assert set(moves_from(Stage.CLOSE)) - VERDICTS == {Move.RETURNED, Move.DISMISSED, Move.PARTED}


def test_a_verdict_never_takes_a_case_forward() -> None:
    for (stage, move), after in TRANSITIONS.items():
        if move in VERDICTS:
            assert after in (stage, Stage.CLOSE, Stage.COLLECT)
    assert not VERDICTS & BY_PEOPLE


def test_what_the_desk_does_alone_closes_nothing() -> None:
    for (stage, move), after in TRANSITIONS.items():
        if move in (Move.HELD, Move.ESCALATED):
            assert FLOW.index(after) <= FLOW.index(stage)
