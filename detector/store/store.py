"""The store: every method is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.core.health import CameraState
from detector.core.problem import Problem, ProblemStatus
from detector.store import cameras, deliveries, endpoints, outbox, problems, verdicts
from detector.store.camera_store import CameraStore
from detector.store.deliveries import DeliveryRecord
from detector.store.endpoints import EndpointState
from detector.store.engine import Database, Synchronous, make_engine
from detector.store.migrate import migrate
from detector.store.outbox import Delivery, DeliveryState, OutboxEntry, Settlement
from detector.store.verdict_store import VerdictStore

_PRUNE_AT_ONCE = 1000  # events deleted in one transaction, so that writers wait milliseconds only


@dataclass(frozen=True, slots=True)
class LookRecord:
    """What one look leaves behind."""

    problems: Sequence[Problem] = ()  # those that changed
    outbox: Sequence[OutboxEntry] = ()
    camera: CameraState | None = None
    verdicts: Collection[str] = ()  # ids of the verdicts that this acts on


class Store(CameraStore, VerdictStore):
    """Problems, events and their deliveries, cameras. Safe to use from many threads and processes.

    Times given as `at` and `now` are the wall clock, aware UTC. Every method raises StoreError when the database
    refuses; nothing of that call is then written.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._listeners: list[Callable[[], None]] = []

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    # --- looks -------------------------------------------------------------------------------------------------

    def record(
        self,
        at: datetime,
        problems: Sequence[Problem] = (),
        outbox: Sequence[OutboxEntry] = (),
        camera: CameraState | None = None,
        *,
        owner: str | None = None,
    ) -> None:
        """Write what one look changed: on disk, all of it, when this returns. See `record_many`."""
        self.record_many(at, [LookRecord(problems, outbox, camera)], owner=owner)

    def record_many(self, at: datetime, records: Iterable[LookRecord], *, owner: str | None = None) -> None:
        """Write what many looks changed in ONE transaction; waiting for the disk is what a commit costs.

        An event id that is known already adds nothing, so a call may be repeated when its outcome is unknown.
        owner: a worker id; raises NotOwner when another worker has taken over one of the cameras since.
        """
        records = list(records)
        changed = [problem for record in records for problem in record.problems]
        entries = [entry for record in records for entry in record.outbox]
        states = [record.camera for record in records if record.camera is not None]
        with self._database.writing() as connection:
            if owner is not None:
                touched = {one.camera_id for one in changed} | {one.camera_id for one in states}
                cameras.insist(connection, owner, touched)
            problems.put(connection, changed)
            cameras.put(connection, states)
            outbox.append(connection, at, entries)
            verdicts.applied(connection, at, [one for record in records for one in record.verdicts])
        if entries:
            self._tell()

    # --- problems ----------------------------------------------------------------------------------------------

    def tracked(self, camera_id: str, cleared_since: datetime | None = None) -> list[Problem]:
        """Problems of a camera that a look can move: suspected, open, and lately cleared ones, oldest first.

        cleared_since: earliest `cleared_at`; by default a week before the camera's newest look.
        """
        with self._database.reading() as connection:
            return problems.tracked(connection, camera_id, cleared_since)

    def problem(self, problem_id: str) -> Problem | None:
        """One problem, or None."""
        with self._database.reading() as connection:
            return problems.by_id(connection, problem_id)

    def problems(
        self,
        status: ProblemStatus | Collection[ProblemStatus] | None = None,
        camera: str | None = None,
        category: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> list[Problem]:
        """A page of problems, newest first; `after` is the id of the last one of the page before."""
        wanted = [status] if isinstance(status, ProblemStatus) else status
        with self._database.reading() as connection:
            return problems.page(connection, wanted, camera, category, limit, after)

    def problem_counts(self) -> dict[ProblemStatus, int]:
        """How many problems stand in each status."""
        with self._database.reading() as connection:
            return problems.counts(connection)

    def problem_counts_by_category(self, status: ProblemStatus) -> dict[str, int]:
        """How many problems of each category stand in `status`; categories without any are absent."""
        with self._database.reading() as connection:
            return problems.counts_by_category(connection, status)

    # --- couriers ----------------------------------------------------------------------------------------------

    def on_recorded(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each commit that put something into the outbox; returns a function that ends it.

        It runs on the thread that recorded, so it must be quick. Other processes' events are not told.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def claim_due(
        self,
        now: datetime,
        limit: int,
        worker_id: str,
        lease: timedelta,
        endpoints: Collection[str] | None = None,
    ) -> list[Delivery]:
        """Take up to `limit` due deliveries until `now + lease`, oldest due first; no other courier gets them.

        A later event of a subject is not handed out before the earlier one is delivered or dead. Deliveries of
        disabled endpoints wait. endpoints: names to choose from; None for all.
        """
        with self._database.writing() as connection:
            return outbox.claim_due(connection, now, now + lease, limit, worker_id, endpoints)

    def settle(self, at: datetime, *settlements: Settlement) -> None:
        """Write down what became of claimed deliveries, in one transaction."""
        with self._database.writing() as connection:
            outbox.settle(connection, at, settlements)

    def unclaim(self, worker_id: str, ids: Collection[int] | None = None) -> None:
        """Give claimed deliveries back untried; all of this courier's when `ids` is None (after a crash)."""
        with self._database.writing() as connection:
            outbox.unclaim(connection, worker_id, ids)

    def hasten(self, at: datetime, endpoint: str) -> int:
        """Make all that waits for an endpoint due now; returns how many deliveries."""
        with self._database.writing() as connection:
            return deliveries.hasten(connection, at, endpoint)

    # --- endpoints ---------------------------------------------------------------------------------------------

    def endpoints(self) -> dict[str, EndpointState]:
        """State of every endpoint that was ever in trouble, by name."""
        with self._database.reading() as connection:
            return endpoints.states(connection)

    def set_breaker(self, name: str, breaker: str, failures: int, retry_at: datetime | None) -> None:
        """Remember the breaker of an endpoint, see `EndpointState`."""
        with self._database.writing() as connection:
            endpoints.set_breaker(connection, name, breaker, failures, retry_at)

    def disable_endpoint(self, name: str, at: datetime, reason: str) -> None:
        """Hand out no deliveries of this endpoint any more; they wait until it is enabled."""
        with self._database.writing() as connection:
            endpoints.disable(connection, name, at, reason)

    def enable_endpoint(self, name: str) -> bool:
        """Let a disabled endpoint have its deliveries again; True if it was disabled."""
        with self._database.writing() as connection:
            enabled = endpoints.enable(connection, name)
        self._tell()
        return enabled

    # --- deliveries --------------------------------------------------------------------------------------------

    def deliveries(
        self,
        state: DeliveryState | None = None,
        endpoint: str | None = None,
        subject: str | None = None,
        limit: int = 100,
        after: int | None = None,
    ) -> list[DeliveryRecord]:
        """A page of deliveries, newest first; `after` is the id of the last one of the page before."""
        with self._database.reading() as connection:
            return deliveries.page(connection, state, endpoint, subject, limit, after)

    def dead_letters(
        self, endpoint: str | None = None, limit: int = 100, after: int | None = None
    ) -> list[DeliveryRecord]:
        """Deliveries that were given up, newest first."""
        return self.deliveries(DeliveryState.DEAD, endpoint, None, limit, after)

    def event_known(self, event_id: str) -> bool:
        """Whether an event of that id is kept."""
        with self._database.reading() as connection:
            return deliveries.event_known(connection, event_id)

    def redeliver(
        self,
        at: datetime,
        ids: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        endpoint: str | None = None,
        *,
        include_delivered: bool = False,
    ) -> int:
        """Send given-up deliveries again, with the same event ids; returns how many became pending.

        ids: event ids; since (inclusive) and until (exclusive): when the event occurred; all that is given must
        apply. include_delivered: also what the endpoint had accepted. Asking twice changes nothing more.
        """
        with self._database.writing() as connection:
            moved = deliveries.redeliver(connection, at, ids, since, until, endpoint, include_delivered)
        self._tell()
        return moved

    def bury(self, at: datetime, endpoint: str, reason: str) -> int:
        """Give up all that waits for an endpoint, e.g. one that is no longer configured; returns how many."""
        with self._database.writing() as connection:
            return deliveries.bury(connection, at, endpoint, reason)

    def outbox_depths(self) -> dict[str, int]:
        """Undelivered events by endpoint, disabled ones included; endpoints without any are absent."""
        with self._database.reading() as connection:
            return deliveries.depths(connection)

    def outbox_depth(self) -> int:
        """Undelivered deliveries to all endpoints."""
        return sum(self.outbox_depths().values())

    def oldest_undelivered(self) -> datetime | None:
        """When the oldest event that still waits was recorded; None when nothing waits."""
        with self._database.reading() as connection:
            return deliveries.oldest_undelivered(connection)

    def prune(self, before: datetime, *, include_dead: bool = False) -> int:
        """Delete events recorded before a time and settled everywhere; dead letters stay unless asked for.

        Returns the number of events deleted. They can no longer be redelivered.
        """
        total = 0
        while True:
            with self._database.writing() as connection:
                deleted = deliveries.prune(connection, before, include_dead, _PRUNE_AT_ONCE)
            total += deleted
            if deleted < _PRUNE_AT_ONCE:
                return total

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()


def open_store(url: str, *, synchronous: Synchronous = "FULL") -> Store:
    """Open the store at `sqlite:///file` (or a bare path) or `postgresql://...`; make or upgrade its tables.

    synchronous: see `detector.store.engine.make_engine`; leave it at FULL.

    Raises StoreError when the database cannot be reached, is newer than this version, or is of an unsupported kind.
    """
    database = Database(make_engine(url, synchronous=synchronous))
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return Store(database)
