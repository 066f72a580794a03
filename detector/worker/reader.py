"""`stream` sampling: one thread that stays connected to one camera."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime

from detector.core.camera import Camera
from detector.core.frame import Frame
from detector.core.look import Condition, Look, LookStatus
from detector.core.schedule import backoff
from detector.errors import SourceError
from detector.ports import FrameSource
from detector.sources.interrupt import Interrupt
from detector.worker.cores import READING, give_way
from detector.worker.gate import OpenGate
from detector.worker.mailbox import Mailbox

log = logging.getLogger(__name__)

LATELY_LOST = 20
"""Failures in a row up to which a camera is expected back soon: a few minutes of trying."""

LATELY_LOST_CAP_S = 12.0
"""Longest wait for a camera lately lost, so that it is seen again within 15 s of coming back."""

LONG_LOST_CAP_S = 120.0
"""Longest wait for one that has been away for longer: a dead camera is no reason to knock 10,000 times a day."""

STALE_LOOKS = 3
"""So many stale looks in a row, and a stream that has fallen behind is opened anew: it does not catch up by itself."""

HASTENED_ABOVE_S = 30.0
"""Interval from above which an extra look is worth its picture: at a shorter one the next is soon enough."""

Judgement = Callable[[Frame], Condition]
"""Condition of one camera's picture; keeps what it needs to remember between frames."""

Prepare = Callable[[Frame], Frame]
"""What is done to a good frame before it waits for its turn, by the thread that has just read it."""


def as_it_is(frame: Frame) -> Frame:
    """Nothing is done ahead."""
    return frame


class StreamReader(threading.Thread):
    """Reads one camera until stopped; failures end in looks that say so, never in an exception."""

    def __init__(
        self,
        camera: Camera,
        open_source: Callable[[Camera], FrameSource],
        condition: Judgement,
        mailbox: Mailbox,
        gate: OpenGate,
        clock: Callable[[], datetime],
        *,
        prepare: Prepare = as_it_is,
    ) -> None:
        super().__init__(name=f"reader-{camera.id}", daemon=True)
        self.camera = camera
        self._open_source = open_source
        self._condition = condition
        self._mailbox = mailbox
        self._gate = gate
        self._clock = clock
        self._prepare = prepare
        self._stop_wanted = threading.Event()
        self._interrupt = Interrupt()
        self._source: FrameSource | None = None
        self._failures = 0
        self._put = mailbox.put if camera.realtime else mailbox.put_in_turn

    @property
    def connected(self) -> bool:
        """Whether a stream is open right now."""
        return self._source is not None

    def hasten(self) -> None:
        """Look as soon as the stream gives a keyframe, where the interval is longer than HASTENED_ABOVE_S; the looks
        after that come when they would have come. A file is read as it was filmed, and a stream that is being opened
        gives a picture anyway.
        """
        source = self._source
        if source is not None and self.camera.realtime and self.camera.interval_s > HASTENED_ABOVE_S:
            source.hasten()

    def stop(self) -> None:
        """Ask the thread to end; an opening or read under way is interrupted. Returns at once, `join` waits."""
        self._stop_wanted.set()
        self._interrupt.fire()
        source = self._source
        if source is not None:
            source.close()

    def run(self) -> None:
        """Open, read, report, back off, for ever."""
        give_way(READING)
        with self._interrupt.inside():
            self._watch()

    def _watch(self) -> None:
        while self._gate.wait(self._stop_wanted):
            try:
                if self._ended():
                    return
                continue
            except SourceError as error:
                if self._stop_wanted.is_set():
                    return
                self._failures += 1
                self._mailbox.put(unseen(self.camera.id, self._clock(), error))
            except Exception as error:
                # A reader must outlive whatever a decoder throws at it; the look tells, the log shows where.
                log.exception("reader failed", extra={"camera_id": self.camera.id})
                self._failures += 1
                self._mailbox.put(unseen(self.camera.id, self._clock(), error))
            cap_s = LATELY_LOST_CAP_S if self._failures <= LATELY_LOST else LONG_LOST_CAP_S
            pause = backoff(self._failures, random.random(), cap_s=cap_s)
            if self._stop_wanted.wait(pause):
                return

    def _ended(self) -> bool:
        """Read on; True when the source has ended or is to be left, False when it is to be opened anew."""
        stale = 0
        self._source = source = self._open_source(self.camera)
        try:
            while not self._stop_wanted.is_set():
                frame = source.read()
                if frame is None:
                    log.info("source has ended", extra={"camera_id": self.camera.id})
                    return True
                condition = self._condition(frame)
                if condition.status is LookStatus.OK:
                    self._failures = 0
                    self._put(self._prepare(frame))
                else:
                    self._put(blind(frame, condition))
                stale = stale + 1 if condition.status is LookStatus.STALE else 0
                if stale >= STALE_LOOKS:
                    log.warning(
                        "fell behind, is opened anew: %s", condition.reason, extra={"camera_id": self.camera.id}
                    )
                    return False
            return True
        finally:
            self._source = None
            source.close()


def blind(frame: Frame, condition: Condition) -> Look:
    """The look that stands for a picture in which the street cannot be seen."""
    return Look(
        *(frame.camera_id, frame.captured_at, condition.status),
        size=frame.size,
        reason=condition.reason,
        new_view=condition.new_view,
    )


def unseen(camera_id: str, at: datetime, error: Exception) -> Look:
    """The look that stands for a failed attempt."""
    return Look(camera_id, at, LookStatus.UNREACHABLE, reason=str(error) or type(error).__name__)
