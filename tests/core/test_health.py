"""A camera's condition is told once, when it is believed, and again when it changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from detector.core.event import CameraHealthEvent
from detector.core.health import CameraState, observe
from detector.core.look import Look, LookStatus

OK, DEAD, DARK = LookStatus.OK, LookStatus.UNREACHABLE, LookStatus.DARK
START = datetime(2026, 5, 1, tzinfo=UTC)


def run(*statuses: LookStatus) -> tuple[CameraState, list[CameraHealthEvent]]:
    state, events = CameraState("cam"), []
    for second, status in enumerate(statuses):
        state, event = observe(state, Look("cam", START + timedelta(seconds=second), status))
        if event:
            events.append(event)
    return state, events


def test_a_camera_that_works_from_the_start_is_no_news() -> None:
    state, events = run(OK, OK)
    assert events == []
    assert state.status is OK


def test_one_bad_look_is_no_news_two_are_and_recovery_is() -> None:
    _, events = run(OK, DEAD, OK, OK, DEAD, DEAD, DEAD, OK, OK)
    assert [(e.previous, e.status) for e in events] == [(OK, DEAD), (DEAD, OK)]
    assert events[0].occurred_at == START + timedelta(seconds=4)


def test_a_camera_dead_from_the_start_is_told() -> None:
    _, events = run(DEAD, DEAD)
    assert [(e.previous, e.status) for e in events] == [(None, DEAD)]


def test_flicker_between_two_conditions_is_not_believed() -> None:
    _, events = run(OK, DARK, DEAD, DARK, DEAD, OK)
    assert events == []


def test_times_tell_the_last_look_and_the_last_good_one() -> None:
    state, _ = run(OK, DARK, DARK)
    assert state.last_look == START + timedelta(seconds=2)
    assert state.last_ok == START
