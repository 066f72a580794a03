"""What a worker tells Prometheus, in a registry of its own."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest

from detector.api.cameras import CameraBook
from detector.api.gauges import AtScrape, GaugeBook, Gauges
from detector.core.look import LookStatus

__all__ = ["CAMERA_LIMIT", "Gauges", "Metrics"]

CAMERA_LIMIT = 1000
_BATCHES = (1, 2, 4, 8, 16, 32, 64)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """All metrics of one worker. Methods may be called from any thread.

    `look`, `dropped` and `batch` are called as things happen; what has a value at any moment is asked for
    through `watch` when Prometheus asks.
    """

    def __init__(self, *, camera_limit: int = CAMERA_LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        """The first `camera_limit` cameras get time series of their own; the rest share the name "(others)".

        A fleet of 280,000 cameras would otherwise make as many series. `clock` is monotonic, in seconds.
        """
        self.registry = CollectorRegistry()
        self._cameras = CameraBook(camera_limit, clock)
        self._gauges = GaugeBook(lambda name: self._failed.labels(name).inc())
        self.registry.register(AtScrape(self._cameras.collect, self._gauges.collect))
        self._looks = Counter("detector_looks", "Looks by outcome", ["status"], registry=self.registry)
        for status in LookStatus:
            self._looks.labels(status.value)  # a series that begins at 0 shows its first increase
        self._batch = Histogram("detector_batch_size", "Frames per inference", buckets=_BATCHES, registry=self.registry)
        self._seconds = Histogram(
            "detector_inference_seconds", "Seconds per inference", buckets=_SECONDS, registry=self.registry
        )
        self._failed = Counter(
            "detector_scrape_errors", "Values that could not be had", ["metric"], registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def look(self, camera_id: str, status: LookStatus, age_s: float) -> None:
        """One look ended; `age_s` is the age of its frame, seconds (not used when there was none)."""
        self._looks.labels(status.value).inc()
        if status is not LookStatus.UNREACHABLE:
            self._cameras.frame(camera_id, age_s)

    def dropped(self, camera_id: str, count: int = 1) -> None:
        """Frames were given up for newer ones, or lost."""
        self._cameras.dropped(camera_id, count)

    def batch(self, size: int, seconds: float) -> None:
        """One inference of `size` frames took `seconds`."""
        self._batch.observe(size)
        self._seconds.observe(seconds)

    def forget(self, camera_id: str) -> None:
        """A camera was removed: its series end."""
        self._cameras.forget(camera_id)

    def looks_by_status(self) -> dict[str, int]:
        """How many looks there have been of each status that occurred."""
        value = self.registry.get_sample_value
        counted = {s.value: int(value("detector_looks_total", {"status": s.value}) or 0) for s in LookStatus}
        return {status: count for status, count in counted.items() if count}

    def ages(self) -> dict[str, float]:
        """Age of each camera's newest frame, seconds, of all cameras however many they are."""
        return self._cameras.ages()

    def drops(self) -> dict[str, int]:
        """Frames given up or lost by camera, since the start; of cameras beyond the limit in one sum."""
        return self._cameras.drops()

    @property
    def gauges(self) -> Gauges:
        """Where the values of the moment come from."""
        return self._gauges.gauges

    def watch(self, gauges: Gauges) -> None:
        """Ask these for the values of the moment from now on."""
        self._gauges.gauges = gauges

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
