"""What a worker tells of itself at any moment: to Prometheus, and on its page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from zoneinfo import ZoneInfo

from detector.api.facts import Facts
from detector.api.gauges import Gauges
from detector.assembly.surroundings import utc_now
from detector.config import Settings
from detector.core.camera import Camera
from detector.core.problem import ProblemStatus
from detector.core.secrets import linkable
from detector.store import Store


def gauges_of(
    store: Store,
    endpoints: Callable[[], Iterable[str]],
    coverage: Callable[[], float],
    open_streams: Callable[[], int],
) -> Gauges:
    """Where the values of the moment come from. `endpoints`: names of those in force."""

    def open_problems() -> Mapping[str, int]:
        return store.problem_counts_by_category(ProblemStatus.OPEN)

    def oldest_undelivered_s() -> float:
        oldest = store.oldest_undelivered()
        return 0.0 if oldest is None else max(0.0, (utc_now() - oldest).total_seconds())

    def breakers() -> Mapping[str, str]:
        known = store.endpoints()
        return {name: str(known[name].breaker) if name in known else "closed" for name in endpoints()}

    return Gauges(
        open_problems=open_problems,
        outbox_depth=store.outbox_depths,
        oldest_undelivered_s=oldest_undelivered_s,
        breakers=breakers,
        coverage=coverage,
        open_streams=open_streams,
    )


def facts_of(settings: Settings, worker_id: str, model: str, cameras: Mapping[str, Camera]) -> Facts:
    """What the page tells besides; `model`: name and version of the one in force, `cameras`: by id."""
    desk = settings.desk.url
    return Facts(
        site=settings.site,
        worker_id=worker_id,
        model=model,
        cameras=cameras,
        desk=None if desk is None else linkable(desk.get_secret_value()),
        zone=ZoneInfo(settings.timezone),
    )
