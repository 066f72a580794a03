"""Values that are asked for at the moment when Prometheus asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from detector.core.secrets import scrub

log = logging.getLogger(__name__)

BREAKER_STATES = ("closed", "half_open", "open")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Gauges:
    """Where the values of the moment come from; each is called when Prometheus asks, None is left out."""

    open_problems: Callable[[], Mapping[str, int]] | None = None  # category -> open problems
    outbox_depth: Callable[[], Mapping[str, int]] | None = None  # endpoint -> undelivered events
    oldest_undelivered_s: Callable[[], float] | None = None  # 0 when nothing waits
    breakers: Callable[[], Mapping[str, str]] | None = None  # endpoint -> closed, half_open or open
    coverage: Callable[[], float] | None = None  # share of cameras looked at within their period, 0..1
    open_streams: Callable[[], int] | None = None


class GaugeBook:
    """Turns `Gauges` into metrics."""

    def __init__(self, failed: Callable[[str], None]) -> None:
        """`failed` is told the name of a metric whose value could not be had."""
        self.gauges = Gauges()
        self._failed = failed

    def collect(self) -> Iterable[Metric]:
        """All values that can be had now."""
        gauges = self.gauges
        yield from self._by("open_problems", "Open problems", "category", gauges.open_problems)
        yield from self._by("outbox_depth", "Undelivered events", "endpoint", gauges.outbox_depth)
        yield from self._one(
            "oldest_undelivered_seconds", "Age of the oldest undelivered event", gauges.oldest_undelivered_s
        )
        yield from self._one("coverage_ratio", "Cameras looked at within their period", gauges.coverage)
        yield from self._one("open_streams", "Streams open now", gauges.open_streams)
        yield from self._breakers(gauges.breakers)

    def _breakers(self, source: Callable[[], Mapping[str, str]] | None) -> Iterable[Metric]:
        states = self._ask("endpoint_breaker", source)
        if states is not None:
            family = GaugeMetricFamily(
                "detector_endpoint_breaker", "1 for the state the breaker is in", labels=["endpoint", "state"]
            )
            for endpoint, now in states.items():
                for state in BREAKER_STATES:
                    family.add_metric([scrub(endpoint), state], float(state == now))
            yield family

    def _by(
        self, name: str, meaning: str, label: str, source: Callable[[], Mapping[str, int]] | None
    ) -> Iterable[Metric]:
        values = self._ask(name, source)
        if values is not None:
            family = GaugeMetricFamily(f"detector_{name}", meaning, labels=[label])
            for key, value in values.items():
                family.add_metric([scrub(key)], value)
            yield family

    def _one(self, name: str, meaning: str, source: Callable[[], float] | None) -> Iterable[Metric]:
        value = self._ask(name, source)
        if value is not None:
            yield GaugeMetricFamily(f"detector_{name}", meaning, value=value)

    def _ask(self, name: str, source: Callable[[], _T] | None) -> _T | None:
        """One value that cannot be had must not cost the others."""
        if source is None:
            return None
        try:
            return source()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other values are still told
            log.warning("metric %s: %s", name, scrub(str(error)))
            self._failed(name)
            return None


class AtScrape(Collector):
    """Lets a function be a collector; describes nothing, so that registering it asks nobody for values."""

    def __init__(self, *collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        """All values of the moment."""
        for collect in self._collect:
            yield from collect()

    def describe(self) -> Iterable[Metric]:
        """Nothing is known beforehand."""
        return []
