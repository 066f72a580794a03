"""Which cameras this worker reads, and how: changed while it runs, one camera at a time, the others untouched."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from detector.core.camera import Camera, SamplingMode
from detector.worker.patrol import Patrol
from detector.worker.reader import Judgement, StreamReader

log = logging.getLogger(__name__)


class Roster:
    """Starts, replaces and stops readers and patrol entries."""

    def __init__(
        self,
        new_reader: Callable[[Camera, Judgement], StreamReader],
        new_condition: Callable[[Camera], Judgement],
        patrol: Patrol,
    ) -> None:
        self._new_reader = new_reader
        self._new_condition = new_condition
        self._patrol = patrol
        self._lock = threading.Lock()
        self._cameras: dict[str, Camera] = {}
        self._readers: dict[str, StreamReader] = {}
        self._leaving: list[StreamReader] = []
        self._stopped = False

    def apply(self, wanted: Mapping[str, Camera]) -> None:
        """Make `wanted` (by id) the cameras that are read; once stopped, nothing is read any more."""
        with self._lock:
            if self._stopped:
                return  # the ownership of cameras may still be renewed while the worker ends
            for camera_id in [c for c in self._cameras if c not in wanted]:
                self._drop(camera_id)
            for camera_id, camera in wanted.items():
                if self._cameras.get(camera_id) != camera:
                    self._drop(camera_id)
                    self._add(camera)
            self._leaving = [reader for reader in self._leaving if reader.is_alive()]

    def cameras(self) -> dict[str, Camera]:
        """The cameras read now, by id."""
        with self._lock:
            return dict(self._cameras)

    def hasten(self, camera_id: str) -> None:
        """Look at a camera as soon as may be; nothing happens when it is not read here."""
        with self._lock:
            reader = self._readers.get(camera_id)
        if reader is None:
            self._patrol.hasten(camera_id)
        else:
            reader.hasten()

    def open_streams(self) -> int:
        """Streams that are connected right now, visits included."""
        with self._lock:
            return sum(reader.connected for reader in self._readers.values()) + self._patrol.visiting

    def ended(self) -> bool:
        """Whether every source was finite and has ended: nothing more will come."""
        with self._lock:
            streams = [c for c in self._cameras.values() if c.mode is SamplingMode.STREAM]
            return (
                bool(streams)
                and len(streams) == len(self._cameras)
                and not any(r.is_alive() for r in self._readers.values())
            )

    def stop(self, timeout_s: float) -> bool:
        """Stop everything for good and wait for the readers, `timeout_s` seconds at most; False if one still reads."""
        with self._lock:
            self._stopped = True
            for camera_id in list(self._cameras):
                self._drop(camera_id)
            leaving, self._leaving = self._leaving, []
        deadline = time.monotonic() + timeout_s
        for reader in leaving:
            reader.join(max(0.0, deadline - time.monotonic()))
        late = [reader.camera.id for reader in leaving if reader.is_alive()]
        if late:
            log.warning("still blocked, left behind: %s", ", ".join(late))
        return not late

    def _add(self, camera: Camera) -> None:
        condition = self._new_condition(camera)
        self._cameras[camera.id] = camera
        if camera.mode is SamplingMode.PATROL:
            self._patrol.put(camera, condition)
        else:
            reader = self._new_reader(camera, condition)
            self._readers[camera.id] = reader
            reader.start()

    def _drop(self, camera_id: str) -> None:
        camera = self._cameras.pop(camera_id, None)
        if camera is None:
            return
        if camera.mode is SamplingMode.PATROL:
            self._patrol.remove(camera_id)
        reader = self._readers.pop(camera_id, None)
        if reader is not None:
            reader.stop()
            self._leaving.append(reader)
