"""`detector cameras list`: how many patrolled cameras were looked at within their period."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detector.cli.main import app
from detector.core.health import CameraState
from detector.core.look import LookStatus
from detector.store import open_store

SETTINGS = """
database: sqlite:///street.db
patrol: {period: 10 min}
cameras:
  - {id: in-time, url: rtsp://127.0.0.1:1/a, mode: patrol}
  - {id: too-old, url: rtsp://127.0.0.1:1/b, mode: patrol}
  - {id: rare, url: rtsp://127.0.0.1:1/c, mode: patrol, period: 2 h}
  - {id: never, url: rtsp://127.0.0.1:1/d, mode: patrol}
  - {id: off, url: rtsp://127.0.0.1:1/e, mode: patrol, enabled: false}
  - {id: stream, url: rtsp://127.0.0.1:1/f}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings with a database that knows good looks of 5 and 60 minutes ago."""
    file = tmp_path / "fleet.yaml"
    file.write_text(SETTINGS)
    store, now = open_store(str(file.with_name("street.db"))), datetime.now(UTC)
    for name, minutes in {"in-time": 5, "too-old": 60, "rare": 60, "off": 5, "stream": 5}.items():
        at = now - timedelta(minutes=minutes)
        store.set_camera_state(CameraState(name, LookStatus.OK, at, now, at))
    store.close()
    return file


def listed(*words: str | Path) -> str:
    return CliRunner().invoke(app, ["cameras", "list", *map(str, words)], catch_exceptions=False).stdout


def test_the_share_of_patrolled_cameras_looked_at_within_their_period_is_told(config: Path) -> None:
    assert listed("-c", config).splitlines()[-1] == "looked at within its period: 50.0 % of 4 patrolled"
    told = {one["id"]: one["in_period"] for one in json.loads(listed("-c", config, "--json"))}
    assert told == {"in-time": True, "too-old": False, "rare": True, "never": False, "off": None, "stream": None}


def test_without_patrolled_cameras_there_is_no_share(config: Path) -> None:
    config.write_text("cameras:\n  - {id: stream, url: 'rtsp://127.0.0.1:1/f'}\ndatabase: sqlite:///street.db\n")
    assert "stream" in listed("-c", config)
    assert "period" not in listed("-c", config)
