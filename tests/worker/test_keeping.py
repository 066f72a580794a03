"""Which looks are kept for training."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import cast

from detector.core.frame import Image
from detector.core.look import Look, LookStatus
from detector.errors import EvidenceError
from detector.evidence.looks import LookRecorder
from detector.worker.keeping import LookKeeper
from tests.worker.doubles import START, frame


class Recorder:
    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.tries: list[tuple[str, float]] = []

    def keep(self, look: Look, image: Image) -> Path:
        self.tries.append((look.camera_id, (look.at - START).total_seconds()))
        if self.fails:
            raise EvidenceError("cannot be redacted")
        return Path()


def keeper(recorder: Recorder) -> LookKeeper:
    return LookKeeper(cast(LookRecorder, recorder), timedelta(seconds=60))


def offer(to: LookKeeper, camera: str, second: float, *, status: str = "ok", eventful: bool = False) -> None:
    look = Look(camera, START + timedelta(seconds=second), LookStatus(status))
    to.offer(look, frame(camera, second), eventful=eventful)


def test_one_in_a_while_per_camera_and_all_that_moved_a_problem() -> None:
    recorder = Recorder()
    keeping = keeper(recorder)
    for second in range(0, 130, 10):
        offer(keeping, "a", second)
    offer(keeping, "b", 5)
    offer(keeping, "a", 135, eventful=True)
    offer(keeping, "a", 185)  # the one before was less than a minute ago
    assert recorder.tries == [("a", 0), ("a", 60), ("a", 120), ("b", 5), ("a", 135)]


def test_only_a_good_picture_is_kept() -> None:
    recorder = Recorder()
    offer(keeper(recorder), "a", 0, status="dark", eventful=True)
    keeper(recorder).offer(Look("a", START, LookStatus.OK), None, eventful=True)
    assert recorder.tries == []


def test_what_cannot_be_redacted_or_written_is_left_out_and_not_tried_at_each_look() -> None:
    recorder = Recorder(fails=True)
    keeping = keeper(recorder)
    for second in range(0, 60, 10):
        offer(keeping, "a", second)
    assert recorder.tries == [("a", 0)]
