"""The access log is shortened by the desk itself: at the start, and once a day."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from detector.config.desk import DeskEvidence
from detector.evidence.access import AccessLog
from tests.worker.doubles import until

NOW = datetime(2026, 9, 15, 12, 0, tzinfo=UTC)


def months(folder: Path) -> list[str]:
    return sorted(path.stem.removeprefix("access-") for path in folder.glob("access-*.jsonl"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of a year: March ended 168 days ago, February 199."""
    log = AccessLog(tmp_path / "access")
    for month in range(1, 10):
        log.record("li", "2026/01/01/a.jpg", datetime(2026, month, 3, tzinfo=UTC))
    return tmp_path / "access"


def test_old_months_go_when_the_desk_starts(make_desk: Any, folder: Path) -> None:
    make_desk(access_log_directory=folder, clock=lambda: NOW)
    assert until(lambda: months(folder) == [f"2026-{month:02}" for month in range(3, 10)])


def test_a_longer_time_can_be_set_and_a_shorter_one_cannot(make_desk: Any, folder: Path) -> None:
    make_desk(
        access_log_directory=folder,
        access_log_days=DeskEvidence(access_log_days=200).access_log_days,
        clock=lambda: NOW,
    )
    assert until(lambda: months(folder)[0] == "2026-02")
    with pytest.raises(ValidationError, match="180"):
        DeskEvidence(access_log_days=179)


def test_it_is_done_again_day_after_day(make_desk: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.desk.chores.FORGET_EVERY_S", 0.02)
    moment = [NOW]
    make_desk(access_log_directory=folder, clock=lambda: moment[0])
    assert until(lambda: months(folder)[0] == "2026-03")
    moment[0] = NOW + timedelta(days=30)
    assert until(lambda: months(folder)[0] == "2026-04")


def test_a_log_that_cannot_be_shortened_stops_nothing(
    make_desk: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = threading.Event()

    def refuses(_path: Path, *, missing_ok: bool = False) -> None:
        tried.set()
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuses)
    client = make_desk(access_log_directory=folder, clock=lambda: NOW).client
    assert tried.wait(20)
    assert client.get("/healthz").status_code == 200
    assert until(lambda: "could not be shortened" in caplog.text)
