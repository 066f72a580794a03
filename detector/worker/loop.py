"""The line of the house on one screen: sightings -> looks -> problems -> events, stored together, then told.

Two threads walk it: one sees (letterbox, inference) while the other decides and stores what was seen before.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.api.metrics import Metrics
from detector.core.category import Category
from detector.core.event import CameraHealthEvent, DetectionEvent, Event, event_id
from detector.core.frame import Frame
from detector.core.health import CameraState, observe
from detector.core.judging import Decide, judge
from detector.core.look import Look, LookStatus
from detector.errors import DetectorError, NotOwner
from detector.ports import Detector
from detector.store import LookRecord, OutboxEntry, Store
from detector.worker.herald import Herald
from detector.worker.mailbox import Mailbox, Sighting
from detector.worker.verdicts import heed

log = logging.getLogger(__name__)

BATCHES_AHEAD = 2
"""Batches that may wait to be decided; when the database is slow, frames are dropped in the mailbox, not kept here."""

KEEP_STATE_EVERY = timedelta(seconds=30)
"""A camera whose condition has not changed is written down again only so often: each commit waits for the disk."""

VERDICTS_EVERY_S = 2.0
"""How often the loop looks for verdicts, seconds: one small query."""

TRIES_TOGETHER = 5
"""Failures after which the looks of a batch are offered to the database one by one."""

STORE_RETRY_S = 1.0
"""Pause before the same looks are offered to a failing database again, seconds."""


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


class Loop:
    """Owns no camera and no connection: everything it works with is handed in."""

    def __init__(
        self,
        mailbox: Mailbox,
        model: Callable[[], Detector],
        store: Store,
        herald: Herald,
        judging: Judging,
        metrics: Metrics,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        *,
        worker_id: str,
        batch_size: int = 8,
        max_wait_s: float = 0.05,
        silence: timedelta = timedelta(days=7),
    ) -> None:
        """`model` gives the model in force; it is asked once per batch, so detections and version belong together.
        `silence`: how long what a person has rejected is ignored at its place.
        """
        self.judging = judging
        self._mailbox = mailbox
        self._model = model
        self._store = store
        self._herald = herald
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id
        self._worker_id = worker_id
        self._batch_size = batch_size
        self._max_wait_s = max_wait_s
        self._seen: queue.Queue[list[Seen] | None] = queue.Queue(BATCHES_AHEAD)
        self._states: dict[str, CameraState] = {}
        self._kept: dict[str, CameraState] = {}  # as last written down
        self._silence = silence
        self._verdicts_due = 0.0
        self._giving_up = threading.Event()
        self._threads = [
            threading.Thread(target=self._see, name="loop-see", daemon=True),
            threading.Thread(target=self._decide, name="loop-decide", daemon=True),
        ]

    def start(self) -> None:
        """Take up what is known about the cameras and start both threads."""
        self._states = self._store.camera_states()
        for thread in self._threads:
            thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait until all that is in the closed mailbox is stored; False when time ran out."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._giving_up.set()
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def alive(self) -> bool:
        """Whether both threads still walk."""
        return all(thread.is_alive() for thread in self._threads)

    def _see(self) -> None:
        while sightings := self._mailbox.take(self._batch_size, self._max_wait_s):
            self._seen.put(self._look_at(sightings))
        self._seen.put(None)

    def _decide(self) -> None:
        while True:
            try:
                seen = self._seen.get(timeout=VERDICTS_EVERY_S)
            except queue.Empty:
                seen = []
            if seen is None:
                return
            self._store_what_follows(seen)
            self._heed_verdicts()

    def _heed_verdicts(self) -> None:
        """Act on what people decided; here, because only this thread moves the problems of this worker's cameras."""
        if time.monotonic() < self._verdicts_due:
            return
        self._verdicts_due = time.monotonic() + VERDICTS_EVERY_S
        try:
            record = heed(self._store, list(self._states), self._herald, self._silence)
            if record.verdicts:
                self._store.record_many(self._clock(), [record])
        except DetectorError as error:
            log.error("verdicts wait: %s", error)

    def _look_at(self, sightings: Sequence[Sighting]) -> list[Seen]:
        """One look per sighting; frames go through the model together."""
        frames = [sighting for sighting in sightings if isinstance(sighting, Frame)]
        seen = [Seen(sighting, None) for sighting in sightings if isinstance(sighting, Look)]
        if not frames:
            return seen
        model = self._model()
        started = time.perf_counter()
        try:
            found = model.detect([frame.image for frame in frames])
        except DetectorError as error:
            log.error("the model failed on a batch, its frames are lost: %s", error)
            for frame in frames:
                self._metrics.dropped(frame.camera_id)
            return seen
        self._metrics.batch(len(frames), time.perf_counter() - started)
        for frame, detections in zip(frames, found, strict=True):
            look = Look(
                *(frame.camera_id, frame.captured_at, LookStatus.OK, tuple(detections)),
                model_version=model.model_version,
                size=frame.size,
            )
            seen.append(Seen(look, frame))
        return seen

    def _store_what_follows(self, batch: Sequence[Seen]) -> None:
        """Try until it is stored: a full disk or a restarting database must not cost an event."""
        tries = 0
        while not self._stored(batch):
            tries += 1
            if tries >= TRIES_TOGETHER and len(batch) > 1:
                # One look that can never be stored must not stop all cameras; where none can, it is the database.
                left = [seen for seen in batch if not self._stored([seen])]
                if len(left) < len(batch):
                    for seen in left:
                        log.error("a look that cannot be stored is given up", extra={"camera_id": seen.look.camera_id})
                    break
            if self._giving_up.wait(STORE_RETRY_S):
                return
        for seen in batch:
            age = (self._clock() - seen.look.at).total_seconds()
            self._metrics.look(seen.look.camera_id, seen.look.status, age)

    def _stored(self, batch: Sequence[Seen]) -> bool:
        """Whether nothing more needs to be tried."""
        try:
            self._record(batch)
        except NotOwner as error:
            log.warning("%s", error)
        except DetectorError as error:
            log.error("cannot store, will try again: %s", error)
            return False
        return True

    def _record(self, batch: Sequence[Seen]) -> None:
        states: dict[str, CameraState] = {}
        records: dict[str, LookRecord] = {}
        for seen in batch:
            camera_id = seen.look.camera_id
            state, health = observe(self._states.get(camera_id, CameraState(camera_id)), seen.look)
            record = self._judged(seen, state, health)
            states[camera_id] = state
            if record.problems or record.outbox or record.camera:
                records[camera_id] = record  # the mailbox gives one sighting per camera, so none is overwritten
        if records:
            self._store.record_many(self._clock(), records.values(), owner=self._worker_id)
        self._states.update(states)
        for camera_id, record in records.items():
            if record.camera is not None:
                self._kept[camera_id] = record.camera
            _say(camera_id, record.outbox)

    def _judged(self, seen: Seen, state: CameraState, health: CameraHealthEvent | None) -> LookRecord:
        """What one look leaves behind."""
        look = seen.look
        known = self._store.tracked(look.camera_id) if look.status is LookStatus.OK else []
        changes = judge(look, known, self.judging.categories, self._new_id, self.judging.rules(look))
        events: list[Event] = [change.event for change in changes if change.event]
        told = self._herald.tell([*events, *_others(look, health)], look, seen.frame)
        kept = state if worth_keeping(state, self._kept.get(look.camera_id)) else None
        return LookRecord([change.problem for change in changes], told, kept)


def _say(camera_id: str, outbox: Sequence[OutboxEntry]) -> None:
    """One line in the log for each event; single observations would be too many."""
    for entry in outbox:
        if entry.type != "detection.observed":
            ids = {"camera_id": camera_id, "event_id": entry.event_id}
            about = {"problem_id": entry.subject} if entry.type.startswith("problem.") else {}
            log.info(entry.type, extra=ids | about)


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
