"""Carries events from the outbox to the endpoints; each endpoint has threads of its own, so none waits for another."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from detector.delivery.breaker import USUAL, BreakerPolicy, BreakerState
from detector.delivery.http import now_utc
from detector.delivery.lane import Lane, Route
from detector.errors import StoreError
from detector.store import Store

log = logging.getLogger(__name__)

__all__ = ["Courier", "Route"]

POLL_S = 1.0  # how often the outbox is looked at when nothing calls: retries fall due, other processes record
BREAK_OFF_S = 1.0  # for tries that were broken off to notice it


class Courier:
    """Sends what is due until stopped. One per process; several processes may share a store."""

    def __init__(
        self,
        store: Store,
        routes: Sequence[Route],
        worker_id: str,
        *,
        clock: Callable[[], datetime] = now_utc,
        chance: Callable[[], float] = random.random,
        breaker: BreakerPolicy = USUAL,
        poll_s: float = POLL_S,
    ) -> None:
        """worker_id: stable over restarts of the same process, so that it finds its own unfinished claims again."""
        self._store = store
        self._clock = clock
        self._worker_id = f"courier:{worker_id}"
        self._ways = (clock, chance, breaker, poll_s)
        self._lanes = [self._lane(route) for route in routes]
        self._leaving: list[Lane] = []
        self._forget: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin sending; at once what a crash had left claimed, too.

        Raises StoreError when the database refuses.
        """
        self._store.unclaim(self._worker_id)
        known = self._store.endpoints()
        self._forget = self._store.on_recorded(self.wake)
        for lane in self._lanes:
            lane.start(known.get(lane.name))
        self._tell_who_is_missing(self._store.outbox_depths())

    def change(self, routes: Sequence[Route]) -> None:
        """Serve these routes from now on; a route that is the very same object as before does not notice.

        To a route that is no longer there nothing more is sent: a try under way may end, all else stays in the outbox
        and goes out when an endpoint of that name is there again. What waits for a changed one is due at once.
        """
        wanted = {route.endpoint.name: route for route in routes}
        before = {lane.name: lane for lane in self._lanes}
        fresh = [self._lane(route) for name, route in wanted.items() if not _serves(before.get(name), route)]
        staying = [lane for name, lane in before.items() if _serves(lane, wanted.get(name))]
        retired = [lane for lane in before.values() if lane not in staying]
        self._lanes = staying
        for lane in retired:
            lane.retire()
        self._leaving = [lane for lane in [*self._leaving, *retired] if lane.working]
        depths: Mapping[str, int] = {}
        try:
            for lane in fresh:
                if lane.name in before:  # what it failed by may be what was changed
                    self._store.set_breaker(lane.name, BreakerState.CLOSED.value, 0, None)
                    self._store.hasten(self._clock(), lane.name)
            known, depths = self._store.endpoints(), self._store.outbox_depths()
        except StoreError as error:
            log.error("the state of the endpoints could not be read: %s", error)
            known = {}
        for lane in fresh:
            lane.start(known.get(lane.name))
        self._lanes = [*staying, *fresh]
        for lane in fresh:
            lane.wake()  # what was recorded between its first look and this line called nobody
        self._tell_who_is_missing(depths)

    def _lane(self, route: Route) -> Lane:
        return Lane(self._store, route, self._worker_id, *self._ways)

    def _tell_who_is_missing(self, depths: Mapping[str, int]) -> None:
        for name in sorted(depths.keys() - {lane.name for lane in self._lanes}):
            log.warning(
                "%d events wait for an endpoint that is not configured: they are kept and go out when it is named "
                "again; `detector endpoints give-up %s` ends the waiting",
                *(depths[name], name),
                extra={"endpoint": name},
            )

    def wake(self) -> None:
        """Look into the outbox now."""
        for lane in self._lanes:
            lane.wake()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Send what is due, for at most `timeout_s`, then end; whatever is left stays in the outbox.

        Tries that are under way when the time is over are broken off and made again by the next courier, with the
        same event id. Returns True when nothing had to be broken off. Closes the sinks.
        """
        deadline = time.monotonic() + timeout_s
        lanes = [*self._lanes, *self._leaving]
        for lane in lanes:
            lane.drain()
        done = [lane.join(max(0.0, deadline - time.monotonic())) for lane in lanes]
        for lane in lanes:
            lane.break_off()
        deadline = time.monotonic() + BREAK_OFF_S
        for lane in lanes:
            lane.join(max(0.0, deadline - time.monotonic()))
        if self._forget is not None:
            self._forget()
            self._forget = None
        return all(done)

    @property
    def alive(self) -> bool:
        """Whether every thread still works."""
        return all(lane.alive for lane in self._lanes)


def _serves(lane: Lane | None, route: Route | None) -> bool:
    return lane is not None and lane.route is route
