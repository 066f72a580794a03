"""When a recording was filmed: on the camera's own clock unless it says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from detector.assembly import cameras_of
from detector.config import check_settings, load_settings


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-05-01T18:00", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        ("2026-05-01T18:00:30+02:00", datetime(2026, 5, 1, 16, 0, 30, tzinfo=UTC)),
        ("2026-05-01T18:00Z", datetime(2026, 5, 1, 18, tzinfo=UTC)),
    ],
)
def test_started_at(tmp_path: Path, written: str, moment: datetime) -> None:
    (tmp_path / "list.csv").write_text(f"id,url,started_at\nlisted,clip.mp4,{written}\n")
    camera = f"{{id: a, url: clip.mp4, started_at: {written}}}"
    file = tmp_path / "fleet.yaml"
    file.write_text(f"timezone: Asia/Shanghai\ncameras_file: list.csv\ncameras: [{camera}]\n")
    cameras = cameras_of(load_settings(file))
    assert {name: found.started_at for name, found in cameras.items()} == {"a": moment, "listed": moment}


def test_a_live_camera_has_no_start(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("cameras: [{id: a, url: 'rtsp://h/1', started_at: 2026-05-01T18:00}]\n")
    told = [str(finding) for finding in check_settings(load_settings(file))]
    assert f"{file}:1: cameras[0].started_at: has no effect on a live camera" in told
