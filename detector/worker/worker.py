"""A worker: owns cameras, reads them, judges what they show, and stops without losing what it has seen."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from detector.core.camera import Camera
from detector.errors import StoreError
from detector.store import Store
from detector.worker.loop import Loop
from detector.worker.mailbox import Mailbox
from detector.worker.patrol import Patrol
from detector.worker.roster import Roster

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""How long a camera stays with a worker that is not heard of any more."""


class Worker:
    """Many workers may share one database: which cameras are whose is a row there, renewed three times per lease."""

    def __init__(
        self,
        worker_id: str,
        store: Store,
        mailbox: Mailbox,
        patrol: Patrol,
        roster: Roster,
        loop: Loop,
        clock: Callable[[], datetime],
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self.worker_id = worker_id
        self.loop = loop
        self.roster = roster
        self.patrol = patrol
        self._store = store
        self._mailbox = mailbox
        self._clock = clock
        self._lease = lease
        self._wanted: Mapping[str, Camera] = {}
        self._changed = threading.Event()
        self._stop_wanted = threading.Event()
        self._keeper = threading.Thread(target=self._keep_cameras, name="camera-keeper", daemon=True)

    def start(self, cameras: Mapping[str, Camera]) -> None:
        """Take the cameras (by id) that nobody else owns and begin."""
        self._wanted = cameras
        self.loop.start()
        self.patrol.start()
        self._claim()
        self._keeper.start()

    def change(self, cameras: Mapping[str, Camera]) -> None:
        """Want other cameras from now on; those that stay as they are do not notice."""
        self._wanted = cameras
        self._changed.set()

    def finished(self) -> bool:
        """Whether all cameras were finite sources (files, folders) and have been read to their end."""
        return self.roster.ended()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Stop reading, judge and store what is there, give the cameras back; False when time ran out."""
        deadline = time.monotonic() + timeout_s
        self._stop_wanted.set()
        self._changed.set()
        # what is blocked is interrupted, so that hardly any of this is spent; most is for judging and storing
        self.roster.stop(timeout_s / 5)
        self.patrol.stop(timeout_s / 5)
        self._keeper.join(timeout_s / 5)
        self._mailbox.close()
        drained = self.loop.join(max(0.1, deadline - time.monotonic()))
        try:
            self._store.release(self.worker_id)
        except StoreError as error:
            log.warning("the cameras stay with this worker until its lease ends: %s", error)
        return drained

    def _keep_cameras(self) -> None:
        while not self._stop_wanted.is_set():
            self._changed.wait(self._lease.total_seconds() / 3)
            self._changed.clear()
            if not self._stop_wanted.is_set():
                self._claim()

    def _claim(self) -> None:
        wanted = self._wanted
        try:
            mine = self._store.claim_cameras(self.worker_id, list(wanted), self._clock(), self._lease)
            gone = self.roster.cameras().keys() - wanted.keys()
            if gone:
                self._store.release(self.worker_id, gone)
        except StoreError as error:
            # Keep reading: should another worker have taken a camera meanwhile, the loop's records are refused.
            log.error("cannot renew the ownership of cameras: %s", error)
            return
        self.roster.apply({camera_id: camera for camera_id, camera in wanted.items() if camera_id in mine})
