"""The part of the store that is about cameras: their condition, and which worker looks through them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from detector.core.health import CameraState
from detector.store import cameras
from detector.store.engine import Database


class CameraStore:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def camera_states(self) -> dict[str, CameraState]:
        """The condition of every camera ever looked at, by id."""
        with self._database.reading() as connection:
            return cameras.states(connection)

    def set_camera_state(self, state: CameraState) -> None:
        """Write the condition of one camera (record does so together with problems and events)."""
        with self._database.writing() as connection:
            cameras.put(connection, [state])

    def remember(self, memories: Mapping[str, str], kept_at: datetime, forget_before: datetime) -> None:
        """Keep what is remembered of cameras (by id, any text); what was kept before `forget_before` is deleted."""
        with self._database.writing() as connection:
            cameras.remember(connection, memories, kept_at, forget_before)

    def memory(self, camera_id: str, since: datetime) -> str | None:
        """What is remembered of a camera, unless it was kept before `since`."""
        with self._database.reading() as connection:
            return cameras.memory(connection, camera_id, since)

    def claim_cameras(
        self,
        worker_id: str,
        wanted: Collection[str],
        now: datetime,
        lease: timedelta,
        limit: int | None = None,
    ) -> frozenset[str]:
        """Own cameras until `now + lease`; returns those of `wanted` that are this worker's now.

        Cameras of another worker are left alone while its lease runs. limit: own at most so many of `wanted`, the
        ones owned already first. The clocks of workers may differ by much less than a lease.
        """
        with self._database.writing() as connection:
            return cameras.claim(connection, worker_id, wanted, now, now + lease, limit)

    def renew(self, worker_id: str, now: datetime, lease: timedelta) -> frozenset[str]:
        """Keep this worker's cameras until `now + lease`; returns them. One that is missing was taken over."""
        with self._database.writing() as connection:
            return cameras.renew(connection, worker_id, now + lease)

    def release(self, worker_id: str, cameras_: Collection[str] | None = None) -> None:
        """Give cameras back at once; all of this worker's when None."""
        with self._database.writing() as connection:
            cameras.release(connection, worker_id, cameras_)
