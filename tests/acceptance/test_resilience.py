"""Sixteen cameras, four in trouble: the twelve lose nothing, the four come back by themselves, no thread stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from detector.config import load_settings
from detector.core.look import LookStatus
from detector.service import Service
from tests.acceptance.drawn import looped
from tests.acceptance.lifecycle import settings_file
from tests.servers.rtsp import NO_SERVER, Mount, RtspServer, server_python

HEALTHY, FAULTY = 12, 4
RECOVERY_S = 15.0
CLIP = "clips/street/car-detection.mp4"


@pytest.fixture
def two_servers(tmp_path: Path) -> Iterator[tuple[RtspServer, RtspServer]]:
    """A server that stays well, and one that does not."""
    python = server_python()
    if python is None:
        pytest.skip(NO_SERVER)
    servers = []
    for name in ("well", "ill"):
        (tmp_path / name).mkdir()
        servers.append(RtspServer(python, tmp_path / name))
    try:
        yield servers[0], servers[1]
    finally:
        for server in servers:
            server.kill()


def until(condition: Callable[[], bool], seconds: float) -> float:
    """Wait for `condition`; returns how long it took, fails after `seconds`."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "did not happen in time"
        time.sleep(0.1)
    return time.monotonic() - started


@pytest.mark.server
@pytest.mark.slow
def test_a_server_that_dies_freezes_and_changes_harms_no_other_camera(
    shared: Path, starter: Path, tmp_path: Path, two_servers: tuple[RtspServer, RtspServer]
) -> None:
    well, ill = two_servers
    clip = looped(shared / CLIP, tmp_path / "clip.mp4", (640, 360), 150)
    smaller = looped(shared / CLIP, tmp_path / "smaller.mp4", (512, 288), 150)
    well.start({f"w{n}": Mount(clip, live=True) for n in range(HEALTHY)})
    ill.start({f"i{n}": Mount(clip, live=True) for n in range(FAULTY)})
    cameras = {f"w{n}": well.url(f"w{n}") for n in range(HEALTHY)} | {f"i{n}": ill.url(f"i{n}") for n in range(FAULTY)}
    before = set(threading.enumerate())
    service = Service(load_settings(settings_file(tmp_path, cameras, starter)))
    looks: dict[str, list[tuple[datetime, LookStatus]]] = {name: [] for name in cameras}
    counted = service.metrics.look

    def count(camera_id: str, status: LookStatus, age_s: float) -> None:
        looks[camera_id].append((datetime.now(UTC), status))
        counted(camera_id, status, age_s)

    service.metrics.look = count  # type: ignore[method-assign]
    service.start()

    def fresh(prefix: str, since: datetime) -> bool:
        return all(
            any(at > since and status is LookStatus.OK for at, status in looks[name])
            for name in looks
            if name.startswith(prefix)
        )

    def told(prefix: str, status: LookStatus) -> bool:
        states = service.store.camera_states()
        return all(name in states and states[name].status is status for name in cameras if name.startswith(prefix))

    begin = datetime.now(UTC)
    until(lambda: fresh("w", begin) and fresh("i", begin), 60)
    faults: dict[str, Callable[[], None]] = {"kill": ill.kill, "freeze": ill.freeze}
    cures: dict[str, Callable[[], None]] = {
        "kill": lambda: ill.restart({f"i{n}": Mount(smaller, live=True) for n in range(FAULTY)}),
        "freeze": ill.thaw,
    }
    for fault in faults:
        until(lambda: told("i", LookStatus.OK), 60)
        faults[fault]()
        until(lambda: told("i", LookStatus.UNREACHABLE), 90)
        cures[fault]()
        cured = datetime.now(UTC)
        took = until(lambda since=cured: fresh("i", since), 60)  # type: ignore[misc]
        # the wait between two tries is at most 12 s for a camera lately lost; opening takes its time on top
        since_then = {
            name: [(round((at - cured).total_seconds(), 1), status.value) for at, status in seen if at > cured]
            for name, seen in looks.items()
            if name.startswith("i")
        }
        assert took <= RECOVERY_S, f"back {took:.1f} s after {fault}: {since_then}"
    end = datetime.now(UTC)
    assert service.stop()
    span = (end - begin).total_seconds()
    for name, seen in looks.items():
        if name.startswith("w"):
            disturbed = [(at - begin, status.value) for at, status in seen if status is not LookStatus.OK and at < end]
            assert disturbed == [], f"{name} was disturbed"
            gaps = [(b - a).total_seconds() for (a, _), (b, _) in pairwise(seen)]
            assert len(seen) >= span / 2.0 * 0.5, f"{name}: {len(seen)} looks in {span:.0f} s"
            assert max(gaps, default=0.0) < RECOVERY_S, f"{name} was not looked at for {max(gaps):.1f} s"
    left = [thread.name for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    assert left == [], f"threads left behind: {left}"
