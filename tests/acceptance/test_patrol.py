"""Patrol over a real server: all cameras within their period, over few streams, and a dead one stops nobody."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from detector.config import load_settings
from detector.core.look import LookStatus
from detector.service import Service
from detector.store import open_store
from tests.acceptance.lifecycle import settings_file
from tests.servers.rtsp import RtspServer

CAMERAS, PERIOD_S = 8, 6


@pytest.mark.server
def test_all_cameras_are_covered_over_two_streams(
    shared: Path, starter: Path, tmp_path: Path, rtsp_server: RtspServer
) -> None:
    clip = shared / "clips" / "lifecycle" / "street-left-kerb.mp4"
    rtsp_server.start({f"p{n}": clip for n in range(CAMERAS)})
    cameras = {f"p{n}": rtsp_server.url(f"p{n}") for n in range(CAMERAS)} | {"dead": "rtsp://127.0.0.1:1/none"}
    path = settings_file(tmp_path, cameras, starter)
    written = yaml.safe_load(path.read_text())
    written["sampling"]["mode"] = "patrol"
    written["patrol"] = {"period": PERIOD_S, "concurrent": 2, "opens_per_second": 20}
    path.write_text(yaml.safe_dump(written))
    service = Service(load_settings(path))
    most = 0
    service.start()
    waiter = threading.Event()
    for _ in range(300):
        most = max(most, service.worker.patrol.visiting)
        if service.worker.patrol.coverage() >= CAMERAS / (CAMERAS + 1) and "dead" in service.store.camera_states():
            break
        waiter.wait(0.1)
    coverage = service.worker.patrol.coverage()
    states = service.store.camera_states()
    metrics = service.metrics.text().decode()
    assert service.stop()
    assert coverage == CAMERAS / (CAMERAS + 1), "all but the dead one"
    assert 1 <= most <= 2
    assert states["dead"].status is LookStatus.UNREACHABLE
    assert all(states[f"p{n}"].status is LookStatus.OK for n in range(CAMERAS))
    assert "detector_coverage_ratio" in metrics
    store = open_store(load_settings(path).database)
    remembered = {name for name in cameras if store.memory(name, datetime.now(UTC) - timedelta(hours=1))}
    store.close()
    assert remembered == {f"p{n}" for n in range(CAMERAS)}, "their views, for the next start"
