"""Camera condition over time: when a new condition counts, and what is told about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from detector.core.event import CameraHealthEvent, event_id
from detector.core.look import Look, LookStatus

LOOKS_TO_BELIEVE = 2
"""Looks in a row with one new status before it counts: a single lost packet is no dead camera."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """What is known of a camera's condition. Times are aware UTC."""

    camera_id: str
    status: LookStatus | None = None  # the one that is believed; None until the first has been
    since: datetime | None = None  # start of that status
    last_look: datetime | None = None
    last_ok: datetime | None = None
    reason: str | None = None  # one line for people, secrets removed
    next_status: LookStatus | None = None  # a new status that is not believed yet ...
    next_since: datetime | None = None  # ... since when ...
    next_looks: int = 0  # ... in how many looks in a row


def observe(state: CameraState, look: Look) -> tuple[CameraState, CameraHealthEvent | None]:
    """Take one look into account; an event comes with every status that is newly believed.

    The first status of a new camera is told only when it is not ok: that a camera works is what everybody expects.
    """
    state = replace(state, last_look=look.at, last_ok=look.at if look.status is LookStatus.OK else state.last_ok)
    if look.status is state.status:
        return replace(state, next_status=None, next_since=None, next_looks=0), None
    again = look.status is state.next_status
    looks = state.next_looks + 1 if again else 1
    since = state.next_since if again and state.next_since else look.at
    if looks < LOOKS_TO_BELIEVE and not (state.status is None and look.status is LookStatus.OK):
        return replace(state, next_status=look.status, next_since=since, next_looks=looks), None
    event = None
    if state.status is not None or look.status is not LookStatus.OK:
        event = CameraHealthEvent(
            id=event_id(state.camera_id, look.status, since.isoformat()),
            camera_id=state.camera_id,
            status=look.status,
            previous=state.status,
            occurred_at=since,
            reason=look.reason,
        )
    believed = replace(
        state, status=look.status, since=since, reason=look.reason, next_status=None, next_since=None, next_looks=0
    )
    return believed, event
