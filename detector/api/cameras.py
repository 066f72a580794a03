"""Frame ages and lost frames by camera, for a fleet of any size."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from detector.core.secrets import scrub

OTHERS = "(others)"
AGE_BOUNDS_S = (10, 60, 300, 900, 3600, 14400, 86400)


class CameraBook:
    """When each camera's newest frame was taken and how many were lost. Safe to use from any thread."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        """`limit` cameras have a name of their own, the rest are one; `clock` is monotonic, seconds."""
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._named: set[str] = set()
        self._captured: dict[str, float] = {}  # on our clock
        self._dropped: dict[str, int] = {}

    def frame(self, camera_id: str, age_s: float) -> None:
        """A frame was judged that is `age_s` seconds old."""
        captured = self._clock() - max(0.0, age_s)
        with self._lock:
            self._captured[camera_id] = max(captured, self._captured.get(camera_id, captured))

    def dropped(self, camera_id: str, count: int) -> None:
        """Frames were lost."""
        with self._lock:
            name = self._name(camera_id)
            self._dropped[name] = self._dropped.get(name, 0) + count

    def ages(self) -> dict[str, float]:
        """Age of each camera's newest frame, seconds."""
        with self._lock:
            return {camera: self._clock() - captured for camera, captured in self._captured.items()}

    def drops(self) -> dict[str, int]:
        """Frames lost by camera; those without a name of their own are OTHERS together."""
        with self._lock:
            return dict(self._dropped)

    def forget(self, camera_id: str) -> None:
        """The camera is no more; its name is free for another."""
        with self._lock:
            self._captured.pop(camera_id, None)
            self._dropped.pop(camera_id, None)
            self._named.discard(camera_id)

    def collect(self) -> Iterable[Metric]:
        """Ages as of now: a camera that fell silent grows old."""
        with self._lock:
            now = self._clock()
            ages = {camera: now - captured for camera, captured in self._captured.items()}
            shown: dict[str, float] = {}
            for camera, seconds in ages.items():
                name = self._name(camera)
                shown[name] = max(seconds, shown.get(name, 0.0))
            dropped = dict(self._dropped)
        age = GaugeMetricFamily(
            "detector_frame_age_seconds", "Age of the newest frame (the greatest of the others)", labels=["camera"]
        )
        for camera, seconds in shown.items():
            age.add_metric([scrub(camera)], seconds)
        within = GaugeMetricFamily(
            "detector_cameras_by_frame_age", "Cameras whose newest frame is at most so old", labels=["within_seconds"]
        )
        for bound in AGE_BOUNDS_S:
            within.add_metric([str(bound)], sum(seconds <= bound for seconds in ages.values()))
        within.add_metric(["any"], len(ages))
        drops = CounterMetricFamily("detector_frames_dropped", "Frames given up or lost", labels=["camera"])
        for camera, count in dropped.items():
            drops.add_metric([scrub(camera)], count)
        yield from (age, within, drops)

    def _name(self, camera_id: str) -> str:
        if camera_id in self._named:
            return camera_id
        if len(self._named) >= self._limit:
            return OTHERS
        self._named.add(camera_id)
        return camera_id
