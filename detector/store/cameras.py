"""What is known of each camera, and which worker looks through it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select, update

from detector.core.health import CameraState
from detector.core.look import LookStatus
from detector.core.secrets import one_line
from detector.errors import NotOwner
from detector.store.rows import upsert
from detector.store.schema import camera_memory, camera_owner, camera_state

_COLUMNS = ("camera_id", "status", "since", "last_look", "last_ok", "reason")  # the doubts of the moment are not kept


def put(connection: Connection, states: Iterable[CameraState]) -> None:
    """Insert or overwrite; of two states of one camera the later counts. Nothing is written before one is believed."""
    latest = {one.camera_id: one for one in states if one.status is not None}
    rows = [{name: getattr(latest[key], name) for name in _COLUMNS} for key in sorted(latest)]
    for row in rows:  # the text of a library's error; a NUL in it would be refused, and with it the whole look
        row["reason"] = None if row["reason"] is None else one_line(row["reason"])
    upsert(connection, camera_state, rows, "camera_id")


def states(connection: Connection) -> dict[str, CameraState]:
    """All cameras whose condition is known, by id."""
    rows = connection.execute(select(camera_state).order_by(camera_state.c.camera_id)).mappings()
    return {row["camera_id"]: CameraState(**(dict(row) | {"status": LookStatus(row["status"])})) for row in rows}


def remember(connection: Connection, memories: Mapping[str, str], kept_at: datetime, forget_before: datetime) -> None:
    """Insert or overwrite what is remembered of cameras; what was kept before `forget_before` goes."""
    connection.execute(delete(camera_memory).where(camera_memory.c.kept_at < forget_before))
    rows = [{"camera_id": one, "kept_at": kept_at, "state": memories[one]} for one in sorted(memories)]
    upsert(connection, camera_memory, rows, "camera_id")


def memory(connection: Connection, camera_id: str, since: datetime) -> str | None:
    """What is remembered of a camera, unless it was kept before `since`."""
    query = select(camera_memory.c.state).where(
        camera_memory.c.camera_id == camera_id, camera_memory.c.kept_at >= since
    )
    return connection.scalar(query)


def claim(
    connection: Connection,
    worker_id: str,
    wanted: Collection[str],
    now: datetime,
    until: datetime,
    limit: int | None,
) -> frozenset[str]:
    """Take cameras that nobody, this worker, or a worker whose lease has ended owns."""
    owners = select(camera_owner.c.camera_id, camera_owner.c.worker_id, camera_owner.c.lease_until)
    owner = {camera: (worker, lease) for camera, worker, lease in connection.execute(owners)}
    mine = sorted(camera for camera in wanted if owner.get(camera, ("",))[0] == worker_id)
    free = sorted(
        camera
        for camera in wanted
        if camera not in owner or (owner[camera][0] != worker_id and owner[camera][1] <= now)
    )
    chosen = sorted((mine + free)[:limit])
    rows = [{"camera_id": one, "worker_id": worker_id, "lease_until": until} for one in chosen]
    still_free = or_(
        camera_owner.c.worker_id == worker_id, camera_owner.c.lease_until <= now
    )  # another worker may have been faster since the select
    upsert(connection, camera_owner, rows, "camera_id", where=still_free)
    return owned(connection, worker_id) & frozenset(chosen)


def owned(connection: Connection, worker_id: str) -> frozenset[str]:
    """Cameras whose row names this worker."""
    query = select(camera_owner.c.camera_id).where(camera_owner.c.worker_id == worker_id)
    return frozenset(connection.scalars(query))


def renew(connection: Connection, worker_id: str, until: datetime) -> frozenset[str]:
    """Move the end of all this worker's leases; a camera that another worker took stays with that one."""
    connection.execute(update(camera_owner).where(camera_owner.c.worker_id == worker_id).values(lease_until=until))
    return owned(connection, worker_id)


def release(connection: Connection, worker_id: str, cameras: Collection[str] | None) -> None:
    """Give cameras back, all of this worker's when None."""
    statement = delete(camera_owner).where(camera_owner.c.worker_id == worker_id)
    if cameras is not None:
        statement = statement.where(camera_owner.c.camera_id.in_(cameras))
    connection.execute(statement)


def insist(connection: Connection, worker_id: str, cameras: Collection[str]) -> None:
    """Raise StoreError when one of the cameras is no longer this worker's; hold the rows until the commit."""
    query = (
        select(camera_owner.c.camera_id)
        .where(camera_owner.c.worker_id == worker_id, camera_owner.c.camera_id.in_(cameras))
        .with_for_update(read=True)
    )
    lost = set(cameras) - set(connection.scalars(query))
    if lost:
        raise NotOwner(f"worker {worker_id!r} no longer owns {', '.join(sorted(lost))}: nothing recorded")
