"""Which looks are kept for training: the ones that moved a problem, and now and then any other."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from detector.core.frame import Frame
from detector.core.look import Look, LookStatus
from detector.errors import EvidenceError
from detector.evidence.looks import LookRecorder

log = logging.getLogger(__name__)


class LookKeeper:
    """Keeps at most one ordinary look per camera and `every`; a look that moved a problem is kept in any case."""

    def __init__(self, recorder: LookRecorder, every: timedelta) -> None:
        self._recorder = recorder
        self._every = every
        self._last: dict[str, datetime] = {}

    def offer(self, look: Look, frame: Frame | None, *, eventful: bool) -> None:
        """Keep the look if it is worth it; a picture that cannot be redacted or written is left out and logged."""
        if frame is None or look.status is not LookStatus.OK:
            return
        last = self._last.get(look.camera_id)
        if not eventful and last is not None and look.at - last < self._every:
            return
        try:
            self._recorder.keep(look, frame.image)
        except EvidenceError as error:
            log.warning("a look could not be kept for training: %s", error, extra={"camera_id": look.camera_id})
        self._last[look.camera_id] = look.at
