"""`patrol` sampling (轮巡): few threads visit many cameras; a visit opens, takes one good picture and closes."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count

from detector.core.camera import Camera
from detector.core.frame import Frame
from detector.core.look import Look, LookStatus
from detector.core.schedule import Agenda
from detector.errors import SourceError
from detector.sources.interrupt import Interrupt
from detector.worker.cores import READING, give_way
from detector.worker.gate import OpenGate
from detector.worker.mailbox import Mailbox
from detector.worker.reader import Judgement, Prepare, as_it_is, blind, unseen

log = logging.getLogger(__name__)

NO_HURRY: Mapping[int, float] = {}


class Patrol:
    """At most `concurrent` visits at a time over all cameras given to it; a camera is never visited twice at once."""

    def __init__(
        self,
        visit: Callable[[Camera], Frame],
        mailbox: Mailbox,
        gate: OpenGate,
        clock: Callable[[], datetime],
        *,
        concurrent: int = 16,
        jitter: float = 0.1,
        by_risk: Mapping[int, float] = NO_HURRY,
        prepare: Prepare = as_it_is,
    ) -> None:
        """`by_risk`: risk of the gravest thing that is suspected or open at a camera -> share of its period after which
        it is visited again; 1 for a risk that is not named.
        """
        self._visit = visit
        self._mailbox = mailbox
        self._gate = gate
        self._clock = clock
        self._prepare = prepare
        self._agenda = Agenda(jitter)
        self._by_risk = by_risk
        self._changed = threading.Condition()
        self._cameras: dict[str, tuple[Camera, Judgement]] = {}
        self._stop_wanted = threading.Event()
        self._interrupt = Interrupt()
        self._visiting = 0
        self._concurrent = concurrent
        self._walking = 0
        self._names = count()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the visiting threads."""
        self.change(self._concurrent, self._agenda.jitter, self._by_risk)

    def change(self, concurrent: int, jitter: float, by_risk: Mapping[int, float] = NO_HURRY) -> None:
        """Walk with more or fewer threads from now on; no visit under way is cut short."""
        with self._changed:
            self._agenda.jitter, self._concurrent, self._by_risk = jitter, concurrent, by_risk
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            for _ in range(concurrent - self._walking):
                thread = threading.Thread(target=self._walk, name=f"patrol-{next(self._names)}", daemon=True)
                self._threads.append(thread)
                self._walking += 1
                thread.start()
            self._changed.notify_all()

    def put(self, camera: Camera, condition: Judgement) -> None:
        """Add a camera, or replace it by its id; the others are not touched.

        A visit under way to the one replaced ends first, leaves nothing and counts for nothing.
        """
        with self._changed:
            self._cameras[camera.id] = (camera, condition)
            self._agenda.put(camera.id, camera.interval_s, time.monotonic())
            self._changed.notify_all()

    def remove(self, camera_id: str) -> None:
        """Stop visiting a camera; a visit under way ends by itself and leaves nothing."""
        with self._changed:
            self._cameras.pop(camera_id, None)
            self._agenda.remove(camera_id)

    def hasten(self, camera_id: str) -> None:
        """Visit a camera next; nothing happens when it is not patrolled."""
        with self._changed:
            self._agenda.hasten(camera_id, time.monotonic())
            self._changed.notify()

    def heed(self, camera_id: str, risk: int) -> None:
        """Visit a camera as often as what is suspected or open there asks for; `risk` 0: nothing is."""
        with self._changed:
            self._agenda.pace(camera_id, self._by_risk.get(risk, 1.0), time.monotonic())
            self._changed.notify()

    def coverage(self) -> float:
        """Share of cameras that gave a good picture within their period, 0..1."""
        with self._changed:
            return self._agenda.coverage(time.monotonic())

    @property
    def patrolled(self) -> int:
        """Cameras that are visited in turn."""
        with self._changed:
            return len(self._agenda)

    @property
    def visiting(self) -> int:
        """Visits under way."""
        return self._visiting

    def stop(self, timeout_s: float = 10.0) -> None:
        """End all visits; waits for the threads up to `timeout_s` in all."""
        self._stop_wanted.set()
        self._interrupt.fire()
        with self._changed:
            self._changed.notify_all()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _walk(self) -> None:
        give_way(READING)
        with self._interrupt.inside():
            self._visit_what_is_due()

    def _visit_what_is_due(self) -> None:
        while not self._stop_wanted.is_set() and not self._too_many():
            chosen = self._next()
            if chosen is None:
                continue
            camera, _ = chosen
            started, status = time.monotonic(), None
            try:
                if self._gate.wait(self._stop_wanted):
                    started = time.monotonic()
                    status = self._call_on(chosen)
            finally:
                with self._changed:
                    self._visiting -= 1
                    self._agenda.done(
                        *(camera.id, started, time.monotonic()),
                        ok=status is LookStatus.OK,
                        answered=status is not LookStatus.UNREACHABLE,
                        chance=random.random(),
                    )
                    self._changed.notify()

    def _too_many(self) -> bool:
        """Whether the calling thread is to leave, as fewer are wanted than walk."""
        with self._changed:
            leaves = self._walking > self._concurrent
            self._walking -= leaves
            return leaves

    def _next(self) -> tuple[Camera, Judgement] | None:
        """What is due, marked as being visited; None after a wait, or when there may be a reason to leave."""
        with self._changed:
            if self._stop_wanted.is_set() or self._walking > self._concurrent:
                return None  # told between the caller's look and this one: nobody would end the wait below
            camera_id = self._agenda.take(time.monotonic())
            if camera_id is None:
                due = self._agenda.next_due()
                self._changed.wait(None if due is None else max(0.0, due - time.monotonic()))
                return None
            self._visiting += 1
            return self._cameras[camera_id]

    def _call_on(self, chosen: tuple[Camera, Judgement]) -> LookStatus:
        """One visit; returns what came of it."""
        camera, condition = chosen
        try:
            frame = self._visit(camera)
            found = condition(frame)
            frame = self._prepare(frame) if found.status is LookStatus.OK else frame
        except SourceError as error:
            self._leave(chosen, unseen(camera.id, self._clock(), error))
            return LookStatus.UNREACHABLE
        except Exception as error:
            # As in the reader: whatever a decoder throws, the patrol walks on.
            log.exception("visit failed", extra={"camera_id": camera.id})
            self._leave(chosen, unseen(camera.id, self._clock(), error))
            return LookStatus.UNREACHABLE
        if found.status is LookStatus.OK:
            self._leave(chosen, frame)
        else:
            self._leave(chosen, blind(frame, found))
        return found.status

    def _leave(self, chosen: tuple[Camera, Judgement], sighting: Frame | Look) -> None:
        if self._cameras.get(chosen[0].id) is chosen and not self._stop_wanted.is_set():
            self._mailbox.put(sighting)
