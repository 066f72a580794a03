"""The state of a worker at one glance: its cameras, the worst first, and its endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from detector.api.facts import Facts
from detector.api.gauges import Gauges
from detector.core.camera import Camera, SamplingMode
from detector.core.health import CameraState
from detector.core.look import LookStatus
from detector.core.schedule import GRACE
from detector.core.secrets import scrub

LATE_LOOKS = 2.0
"""A stream is late when its newest picture is older than so many intervals; keyframes do not come when they are due."""

LATE_S = 5.0
"""Seconds that a picture may take on its way to be judged, for cameras of any interval."""

UNSEEN = "unseen"
"""Stands for a status where there has been no look yet."""


@dataclass(frozen=True, slots=True)
class CameraRow:
    """One camera on the page. Texts are without secrets."""

    id: str
    name: str
    sampling: str | None  # stream, patrol or file; None: not in the settings
    every_s: float | None  # wanted time between two looks
    status: str  # as in LookStatus, or UNSEEN
    since: datetime | None  # start of that status, aware UTC
    reason: str | None
    age_s: float | None  # of its newest picture
    late: bool  # whether that is older than its interval allows
    dropped: int  # frames given up or lost since the worker started


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One receiver of events on the page."""

    name: str
    waiting: int  # undelivered events
    breaker: str  # closed, half_open or open


@dataclass(frozen=True, slots=True)
class Glance:
    """Everything the page tells. None: this worker does not know."""

    cameras: tuple[CameraRow, ...]  # the worst first
    endpoints: tuple[EndpointRow, ...]
    by_status: Mapping[str, int]  # cameras
    late: int
    dropped: int  # frames, of all cameras
    open_problems: int | None
    waiting: int | None  # undelivered events
    oldest_waiting_s: float | None
    open_streams: int | None


def glance(
    facts: Facts,
    states: Mapping[str, CameraState],
    ages: Mapping[str, float],
    drops: Mapping[str, int],
    gauges: Gauges,
    now: datetime,
) -> Glance:
    """Put together what is known. `ages` (seconds) and `drops` (frames): by camera, as far as this worker knows.

    Raises StoreError when the database does not answer.
    """
    known = facts.cameras
    ids = sorted(states if known is None else known)
    rows = [_row(one, (known or {}).get(one), states.get(one), ages.get(one), drops.get(one, 0), now) for one in ids]
    depths = gauges.outbox_depth() if gauges.outbox_depth else None
    breakers = gauges.breakers() if gauges.breakers else {}
    names = sorted({*breakers, *(depths or {})})
    return Glance(
        cameras=tuple(sorted(rows, key=_worst_first)),
        endpoints=tuple(EndpointRow(scrub(n), (depths or {}).get(n, 0), breakers.get(n, "closed")) for n in names),
        by_status=Counter(row.status for row in rows),
        late=sum(row.late for row in rows),
        dropped=sum(drops.values()),
        open_problems=sum(gauges.open_problems().values()) if gauges.open_problems else None,
        waiting=None if depths is None else sum(depths.values()),
        oldest_waiting_s=gauges.oldest_undelivered_s() if gauges.oldest_undelivered_s else None,
        open_streams=gauges.open_streams() if gauges.open_streams else None,
    )


def _row(
    camera_id: str, camera: Camera | None, state: CameraState | None, age_s: float | None, dropped: int, now: datetime
) -> CameraRow:
    if age_s is None and state is not None and state.last_look is not None and state.status is not None:
        seen = state.last_ok if state.status is LookStatus.UNREACHABLE else state.last_look
        age_s = None if seen is None else max(0.0, (now - seen).total_seconds())
    return CameraRow(
        id=scrub(camera_id),
        name=scrub((camera.name if camera else "") or camera_id),
        sampling=_sampling(camera),
        every_s=camera.interval_s if camera else None,
        status=state.status.value if state and state.status else UNSEEN,
        since=state.since if state else None,
        reason=scrub(state.reason) if state and state.reason else None,
        age_s=age_s,
        late=camera is not None and camera.realtime and age_s is not None and age_s > _allowed_s(camera),
        dropped=dropped,
    )


def _sampling(camera: Camera | None) -> str | None:
    if camera is None:
        return None
    return camera.mode.value if camera.realtime else "file"


def _allowed_s(camera: Camera) -> float:
    """Age of the newest picture up to which a camera is looked at as often as it is to be, seconds."""
    periods = GRACE if camera.mode is SamplingMode.PATROL else LATE_LOOKS
    return periods * camera.interval_s + LATE_S


def _worst_first(row: CameraRow) -> tuple[bool, bool, float, str]:
    good = row.status == LookStatus.OK.value
    return (good, not row.late, -(row.age_s or 0.0), row.id)
