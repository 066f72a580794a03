"""The line of the house on one screen: sightings -> looks -> problems -> events, stored together, then told.

Two threads walk it: one sees (runs the network; readers have prepared the pictures) while the other reads what the
network found before, decides and stores.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from detector.api.metrics import Metrics
from detector.core.detection import Detection
from detector.core.frame import Frame
from detector.core.look import Look, LookStatus
from detector.errors import DetectorError, NotOwner
from detector.ports import Detector, Found
from detector.worker.cores import DECIDING, give_way
from detector.worker.deciding import VERDICTS_EVERY_S, Decider, Seen
from detector.worker.mailbox import Mailbox, Sighting

log = logging.getLogger(__name__)

BATCHES_AHEAD = 2
"""Batches that may wait to be decided; when the database is slow, frames are dropped in the mailbox, not kept here."""

TRIES_TOGETHER = 5
"""Failures after which the looks of a batch are offered to the database one by one."""

STORE_RETRY_S = 1.0
"""Pause before the same looks are offered to a failing database again, seconds."""


Places = Callable[[Frame, Sequence[Detection]], tuple[Detection, ...]]


def unplaced(_frame: Frame, detections: Sequence[Detection]) -> tuple[Detection, ...]:
    """Detections as they are: where nothing matches pictures with the map."""
    return tuple(detections)


@dataclass(frozen=True, slots=True)
class Glance:
    """A batch that has been through the network."""

    looks: Sequence[Look]  # where nothing could be seen
    frames: Sequence[Frame]
    found: Found  # in the frames
    model_version: str


NOTHING = Glance((), (), list, "")


class Loop:
    """Owns no camera and no connection: everything it works with is handed in."""

    def __init__(
        self,
        mailbox: Mailbox,
        model: Callable[[], Detector],
        decider: Decider,
        metrics: Metrics,
        clock: Callable[[], datetime],
        *,
        places: Places = unplaced,
        batch_size: int = 8,
        max_wait_s: float = 0.05,
    ) -> None:
        """`model` gives the model in force; it is asked once per batch, so detections and version belong together.
        `places`: gives detections their place on the ground; may be replaced while it runs.
        """
        self.decider = decider
        self.places = places
        self._mailbox = mailbox
        self._model = model
        self._metrics = metrics
        self._clock = clock
        self._batch_size = batch_size
        self._max_wait_s = max_wait_s
        self._seen: queue.Queue[Glance | None] = queue.Queue(BATCHES_AHEAD)
        self._giving_up = threading.Event()
        self._threads = [
            threading.Thread(target=self._see, name="loop-see", daemon=True),
            threading.Thread(target=self._decide, name="loop-decide", daemon=True),
        ]

    def start(self) -> None:
        """Take up what is known about the cameras and start both threads."""
        self.decider.take_up()
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
        give_way(DECIDING)
        while True:
            try:
                glance = self._seen.get(timeout=VERDICTS_EVERY_S)
            except queue.Empty:
                glance = NOTHING
            if glance is None:
                return
            self._store_what_follows(self._seen_in(glance))
            self._heed_verdicts()

    def _look_at(self, sightings: Sequence[Sighting]) -> Glance:
        """Frames go through the model together."""
        frames = [sighting for sighting in sightings if isinstance(sighting, Frame)]
        looks = [sighting for sighting in sightings if isinstance(sighting, Look)]
        if not frames:
            return replace(NOTHING, looks=looks)
        model = self._model()
        started = time.perf_counter()
        try:
            found = model.infer([frame.picture for frame in frames])
        except DetectorError as error:
            log.error("the model failed on a batch, its frames are lost: %s", error)
            for frame in frames:
                self._metrics.dropped(frame.camera_id)
            return replace(NOTHING, looks=looks)
        self._metrics.batch(len(frames), time.perf_counter() - started)
        return Glance(looks, frames, found, model.model_version)

    def _seen_in(self, glance: Glance) -> list[Seen]:
        """One look per sighting."""
        seen = [Seen(look, None) for look in glance.looks]
        for frame, detections in zip(glance.frames, glance.found(), strict=True):
            look = Look(
                *(frame.camera_id, frame.captured_at, LookStatus.OK, self.places(frame, detections)),
                model_version=glance.model_version,
                size=frame.size,
            )
            seen.append(Seen(look, frame))
        return seen

    def _store_what_follows(self, batch: Sequence[Seen]) -> None:
        """Try until it is stored: a full disk or a restarting database must not cost an event."""
        try:
            self._store(batch)
        except NotOwner:
            # Nothing of it was stored, and one camera that another worker has taken over is no loss to the others.
            for seen in batch:
                self._store([seen])
        for seen in batch:
            age = (self._clock() - seen.look.at).total_seconds()
            self._metrics.look(seen.look.camera_id, seen.look.status, age)

    def _store(self, batch: Sequence[Seen]) -> None:
        """Raises NotOwner for several looks of which one is not ours to record; nothing was stored then."""
        tries = 0
        while not self._recorded(batch):
            tries += 1
            if tries >= TRIES_TOGETHER and len(batch) > 1:
                # One look that can never be stored must not stop all cameras; where none can, it is the database.
                left = [seen for seen in batch if not self._recorded([seen])]
                if len(left) < len(batch):
                    for seen in left:
                        log.error("a look that cannot be stored is given up", extra={"camera_id": seen.look.camera_id})
                    break
            if self._giving_up.wait(STORE_RETRY_S):
                return

    def _recorded(self, batch: Sequence[Seen]) -> bool:
        """Whether nothing more needs to be tried. Raises NotOwner as _store does."""
        try:
            self.decider.record(batch)
        except NotOwner as error:
            if len(batch) > 1:
                raise
            log.warning("%s", error)
        except DetectorError as error:
            log.error("cannot store, will try again: %s", error)
            return False
        return True

    def _heed_verdicts(self) -> None:
        try:
            self.decider.heed_verdicts()
        except DetectorError as error:
            log.error("verdicts wait: %s", error)
