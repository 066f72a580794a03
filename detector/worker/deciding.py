"""From what was seen to what is stored and told: problems, camera condition and events of a batch, together."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.core.category import Category, Light
from detector.core.event import CameraHealthEvent, DetectionEvent, Event, event_id
from detector.core.frame import Frame
from detector.core.geo import Pose
from detector.core.health import CameraState, observe
from detector.core.judging import Decide, judge, turned_away
from detector.core.look import Look, LookStatus
from detector.core.problem import Problem, ProblemStatus
from detector.core.roaming import judge_moving
from detector.core.sun import is_day
from detector.store import LookRecord, OutboxEntry, Store
from detector.worker.herald import Herald
from detector.worker.keeping import LookKeeper
from detector.worker.verdicts import heed

log = logging.getLogger(__name__)

KEEP_STATE_EVERY = timedelta(seconds=30)
"""A camera whose condition has not changed is written down again only so often: each commit waits for the disk."""

VERDICTS_EVERY_S = 2.0
"""How often the store is asked for verdicts, seconds: one small query."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A look with the frame it was made from; no frame where nothing could be seen."""

    look: Look
    frame: Frame | None


@dataclass(frozen=True, slots=True)
class Judging:
    """What looks are judged by; replaced as a whole when the configuration is read again."""

    categories: Mapping[str, Category]
    rules: Callable[[Look], Decide]  # zones and permits as they are at the time of a look
    daylight: Callable[[Look], bool] = lambda _look: True  # whether a look was taken by day
    moving: frozenset[str] = frozenset()  # ids of cameras whose places are on the ground

    def categories_at(self, look: Look, pose: Pose | None = None) -> Mapping[str, Category]:
        """The categories that can be told by the light of a look; it says nothing about the others.

        `pose`: where a moving camera was.
        """
        if self.daylight(look) if pose is None else is_day(pose.position, look.at):
            return self.categories
        return {key: category for key, category in self.categories.items() if category.light is not Light.DAY}


class Decider:
    """Judges looks and writes what follows in one transaction. Used by one thread only: it alone moves problems."""

    def __init__(
        self,
        store: Store,
        herald: Herald,
        judging: Judging,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        *,
        worker_id: str,
        silence: timedelta = timedelta(days=7),
        keeper: LookKeeper | None = None,
        on_risk: Callable[[str, int], None] = lambda _camera_id, _risk: None,
    ) -> None:
        """`silence`: how long what a person rejected is ignored at its place. `keeper`: keeps looks for training.
        `on_risk`: told after each ok look that was stored: the camera, and the risk of the gravest thing suspected or
        open there, 0 where nothing is.
        """
        self.judging = judging
        self.asked: Mapping[str, datetime] = {}  # problem id -> when somebody wanted it looked at again; replaced whole
        self._store = store
        self._herald = herald
        self._clock = clock
        self._new_id = new_id
        self._worker_id = worker_id
        self._silence = silence
        self.keeper = keeper
        self.on_risk = on_risk
        self._states: dict[str, CameraState] = {}
        self._kept: dict[str, CameraState] = {}  # as last written down
        self._verdicts_due = 0.0

    def take_up(self) -> None:
        """Read what is known about the cameras. Raises StoreError."""
        self._states = self._store.camera_states()

    def record(self, batch: Sequence[Seen]) -> None:
        """Judge a batch with at most one look per camera; all that follows is on disk when this returns.

        Raises NotOwner when another worker has a camera of the batch by now, DetectorError when nothing was stored.
        """
        states: dict[str, CameraState] = {}
        records: dict[str, LookRecord] = {}
        risks: dict[str, int] = {}
        for seen in batch:
            camera_id = seen.look.camera_id
            states[camera_id], health = observe(self._states.get(camera_id, CameraState(camera_id)), seen.look)
            known = self._known(seen.look)
            records[camera_id] = self._judged(seen, known, states[camera_id], health)
            if seen.look.status is LookStatus.OK:
                risks[camera_id] = gravest([*known, *records[camera_id].problems], self.judging.categories)
        written = [record for record in records.values() if record.problems or record.outbox or record.camera]
        if written:
            self._store.record_many(self._clock(), written, owner=self._worker_id)
        self._states.update(states)
        self._kept.update({name: record.camera for name, record in records.items() if record.camera})
        for camera_id, risk in risks.items():
            self.on_risk(camera_id, risk)
        for seen in batch:
            news = list(_news(records[seen.look.camera_id].outbox))
            _say(seen.look.camera_id, news)
            if self.keeper is not None:
                self.keeper.offer(seen.look, seen.frame, eventful=bool(news))

    def heed_verdicts(self) -> None:
        """Act on what people decided since the last time. Raises DetectorError; nothing was acted on then."""
        if time.monotonic() < self._verdicts_due:
            return
        self._verdicts_due = time.monotonic() + VERDICTS_EVERY_S
        record = heed(self._store, list(self._states), self._herald, self._silence)
        if record.verdicts:
            self._store.record_many(self._clock(), [record])

    def _known(self, look: Look) -> list[Problem]:
        """The problems that a look can move."""
        return self._store.tracked(look.camera_id) if look.status is LookStatus.OK or look.new_view else []

    def _judged(
        self, seen: Seen, known: Sequence[Problem], state: CameraState, health: CameraHealthEvent | None
    ) -> LookRecord:
        """What one look leaves behind."""
        look = seen.look
        if look.new_view:
            changes = turned_away(known, look.at)
        else:
            judging = self.judging
            pose = None if seen.frame is None else seen.frame.pose
            how = (known, judging.categories_at(look, pose), self._new_id, judging.rules(look), self.asked)
            changes = judge_moving(look, pose, *how) if look.camera_id in judging.moving else judge(look, *how)
        events: list[Event] = [change.event for change in changes if change.event]
        told = self._herald.tell([*events, *_others(look, health)], look, seen.frame)
        kept = state if worth_keeping(state, self._kept.get(look.camera_id)) else None
        return LookRecord([change.problem for change in changes], told, kept)


def gravest(problems: Sequence[Problem], categories: Mapping[str, Category]) -> int:
    """Risk (1..3) of the gravest thing suspected or open; 0 when nothing is. Later ones of an id stand for earlier."""
    newest = {problem.id: problem for problem in problems}.values()
    active = (problem for problem in newest if problem.status in (ProblemStatus.SUSPECTED, ProblemStatus.OPEN))
    return max((categories[one.category].risk for one in active if one.category in categories), default=0)


def worth_keeping(state: CameraState, kept: CameraState | None) -> bool:
    """Whether a camera's state is to be written down: its condition is new, or the written one is old."""
    if kept is None or kept.last_look is None or state.last_look is None or state.status is not kept.status:
        return True
    return state.last_look - kept.last_look >= KEEP_STATE_EVERY


def _others(look: Look, health: CameraHealthEvent | None) -> list[Event]:
    """The events of a look that are about no problem."""
    events: list[Event] = [health] if health else []
    for number, detection in enumerate(look.detections):
        happening = event_id(look.camera_id, look.at.isoformat(), detection.label, number)
        size = look.size or (0, 0)
        events.append(DetectionEvent(happening, look.camera_id, detection, size, look.model_version, look.at))
    return events


def _news(outbox: Sequence[OutboxEntry]) -> Iterator[OutboxEntry]:
    """The events that are more than a single observation."""
    return (entry for entry in outbox if entry.type != "detection.observed")


def _say(camera_id: str, news: Sequence[OutboxEntry]) -> None:
    """One line in the log for each event."""
    for entry in news:
        ids = {"camera_id": camera_id, "event_id": entry.event_id}
        about = {"problem_id": entry.subject} if entry.type.startswith("problem.") else {}
        log.info(entry.type, extra=ids | about)
