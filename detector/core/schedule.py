"""When to look at which camera next, and how long to wait after a failure. Time and chance come in as arguments."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from hashlib import blake2b


def backoff(failures: int, chance: float, *, base_s: float = 1.0, cap_s: float = 60.0) -> float:
    """Seconds to wait before the next try after `failures` (>= 1) failures in a row: exponential with full jitter.

    `chance` in [0, 1) picks a point between 0 and min(cap, base x 2^(failures-1)), so that cameras behind one broken
    switch do not come back in step (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
    """
    ceiling = min(cap_s, base_s * 2.0 ** min(failures - 1, 30))
    return chance * ceiling


def phase(camera_id: str) -> float:
    """A camera's own fixed point in [0, 1): spreads visits over the period, the same after every restart."""
    digest = blake2b(camera_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


LONGEST_EXTRA_S = 120.0
"""A camera that does not answer is called on later by up to this, or by one period where that is longer: visits to the
dead take the longest, and the living wait for their turn meanwhile."""


GRACE = 1.1
"""A camera counts as looked at within its period for so many periods: the visit itself takes its time."""


@dataclass(slots=True)
class _Entry:
    period_s: float
    due: float
    last_ok: float | None = None  # start of the newest visit that gave an ok look
    failures: int = 0  # visits without an answer since then
    share: float = 1.0  # of the period, after which the next visit falls due


class Agenda:
    """Due times of many cameras: spread, jittered, fair, at most one visit per camera at a time.

    A camera that is put again while it is being visited waits for the end of that visit, which does not count for it.
    Times are seconds on any one clock. Not thread-safe: its owner holds a lock.
    """

    def __init__(self, jitter: float = 0.1) -> None:
        """`jitter`: see below."""
        self.jitter = jitter
        self._entries: dict[str, _Entry] = {}
        self._visiting: dict[str, _Entry] = {}  # what each visit under way is for, whether it still stands or not
        self._heap: list[tuple[float, str]] = []

    @property
    def jitter(self) -> float:
        """Share of the period by which a due time may be early, 0..0.5; a change counts from the next due time on."""
        return self._jitter

    @jitter.setter
    def jitter(self, jitter: float) -> None:
        if not 0 <= jitter <= 0.5:
            raise ValueError(f"jitter must be within 0..0.5, not {jitter}")
        self._jitter = jitter

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, camera_id: object) -> bool:
        return camera_id in self._entries

    def put(self, camera_id: str, period_s: float, now: float) -> None:
        """Add a camera, or replace it by a fresh one; the first visit falls somewhere within one period from now."""
        if period_s <= 0:
            raise ValueError(f"period must be positive, not {period_s}")
        due = now + phase(camera_id) * period_s
        self._entries[camera_id] = _Entry(period_s, due)
        heapq.heappush(self._heap, (due, camera_id))

    def remove(self, camera_id: str) -> None:
        """Forget a camera; a visit under way still ends with `done`, and until then the camera is not taken again."""
        self._entries.pop(camera_id, None)

    def take(self, now: float) -> str | None:
        """The camera that has been due longest, marked as being visited; None when nothing is due yet."""
        while self._heap and self._heap[0][0] <= now:
            due, camera_id = heapq.heappop(self._heap)
            entry = self._entries.get(camera_id)
            if entry is None or entry.due != due or camera_id in self._visiting:
                continue  # removed, re-scheduled or still busy: a newer heap entry or `done` takes care of it
            self._visiting[camera_id] = entry
            return camera_id
        return None

    def hasten(self, camera_id: str, now: float) -> None:
        """Make a camera due now, unless it is unknown, being visited, or due already; its period stays.

        A camera that was put again during a visit is due at the end of that visit.
        """
        entry = self._entries.get(camera_id)
        if entry is None or self._visiting.get(camera_id) is entry or entry.due <= now:
            return
        entry.due = now
        heapq.heappush(self._heap, (now, camera_id))

    def pace(self, camera_id: str, share: float, now: float) -> None:
        """Visit a camera after `share` (0..1] of its period from its next visit on, or earlier: one that waits comes
        forward to that share of its period from `now`. Its period stays what it is measured by.
        """
        entry = self._entries.get(camera_id)
        if entry is None or entry.share == share:
            return
        entry.share = share
        due = now + entry.period_s * share
        if self._visiting.get(camera_id) is not entry and due < entry.due:
            entry.due = due
            heapq.heappush(self._heap, (due, camera_id))

    def next_due(self) -> float | None:
        """When the next visit falls due; None when nothing is waiting."""
        while self._heap:
            due, camera_id = self._heap[0]
            entry = self._entries.get(camera_id)
            if entry is not None and entry.due == due and camera_id not in self._visiting:
                return due
            heapq.heappop(self._heap)
        return None

    def done(
        self, camera_id: str, started: float, now: float, *, ok: bool, chance: float, answered: bool = True
    ) -> None:
        """A visit that started at `started` is over; the next is one period after it, up to `jitter` early.

        From the second visit in a row on that was not `answered`, the next one comes later than that, with full jitter
        (see `backoff` and LONGEST_EXTRA_S); an ok look ends it.

        Visits that could not be made in time are not made up for: under overload every camera gets rarer, none starves.
        `chance` in [0, 1) is the jitter drawn. A visit to a camera that was put again meanwhile only ends: the fresh
        one keeps its due time, and nothing that came of the visit counts for it.
        """
        visited = self._visiting.pop(camera_id, None)
        entry = self._entries.get(camera_id)
        if entry is None:
            return
        if entry is not visited:
            heapq.heappush(self._heap, (entry.due, camera_id))  # its place may have been passed over meanwhile
            return
        if ok:
            entry.last_ok, entry.failures = started, 0
        entry.failures += not answered
        wait = entry.period_s * entry.share * (1.0 - self._jitter * chance)
        if not answered and entry.failures > 1:
            longest = max(LONGEST_EXTRA_S, entry.period_s)
            wait = entry.period_s + backoff(entry.failures - 1, chance, base_s=entry.period_s, cap_s=longest)
        entry.due = max(now, started + wait)
        heapq.heappush(self._heap, (entry.due, camera_id))

    def coverage(self, now: float) -> float:
        """Share of cameras that had an ok look within their period (10 % grace for the visit itself); 1 when empty."""
        if not self._entries:
            return 1.0
        covered = sum(
            entry.last_ok is not None and now - entry.last_ok <= entry.period_s * GRACE
            for entry in self._entries.values()
        )
        return covered / len(self._entries)


class Ramp:
    """Spaces the opening of streams: at most `per_second`, after a restart too. Not thread-safe."""

    def __init__(self, per_second: float) -> None:
        self._next = 0.0
        self.change(per_second)

    def change(self, per_second: float) -> None:
        """Space what comes from now on otherwise; places that were given keep their time."""
        if per_second <= 0:
            raise ValueError(f"opens per second must be positive, not {per_second}")
        self._gap = 1.0 / per_second

    def reserve(self, now: float) -> float:
        """Take the next place in the row; returns how many seconds to wait for it."""
        at = max(now, self._next)
        self._next = at + self._gap
        return at - now
