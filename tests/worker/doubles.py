"""Small stand-ins for the worker's tests: cameras, frames and sources without a network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Never

import numpy as np

from detector.core.camera import Camera
from detector.core.category import Category
from detector.core.frame import Frame
from detector.core.look import Condition, LookStatus
from detector.errors import SourceUnreachable
from detector.worker.herald import Herald

START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def frame(camera_id: str, second: float = 0.0) -> Frame:
    return Frame(camera_id, START + timedelta(seconds=second), np.zeros((8, 8, 3), np.uint8))


def always_ok(_frame: Frame) -> Condition:
    return Condition(LookStatus.OK)


def until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for `condition`; a deadline only against hanging."""
    waiter = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return True
        waiter.wait(0.01)
    return condition()


class Script:
    """A source that plays `steps`: a frame is returned, an error is raised; then it blocks until closed."""

    def __init__(self, steps: Iterable[Frame | Exception | None]) -> None:
        self._steps = iter(steps)
        self.closed = threading.Event()
        self.hastened = 0

    def read(self) -> Frame | None:
        for step in self._steps:
            if isinstance(step, Exception):
                raise step
            return step
        self.closed.wait()
        raise SourceUnreachable("closed")

    def hasten(self) -> None:
        self.hastened += 1

    def close(self) -> None:
        self.closed.set()


def camera(camera_id: str, **changes: object) -> Camera:
    return Camera(camera_id, f"rtsp://user:pw@host/{camera_id}", **changes)  # type: ignore[arg-type]


def blind_herald(categories: Mapping[str, Category]) -> Herald:
    """Tells nobody, and refuses to make a picture: for looks without a frame."""

    def no_picture(*_: object) -> Never:
        raise AssertionError("there is no frame to make a picture of")

    return Herald(lambda _type: (), no_picture, lambda event, *_: event.id.encode(), lambda: categories, dict)
