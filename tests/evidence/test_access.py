"""Who opened which picture is written down first, and kept."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detector.errors import ConfigError, EvidenceError
from detector.evidence.access import AccessLog

AT = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)


def test_one_line_for_each_access_one_file_a_month(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "access")
    log.record("王\n五", "2026/03/01/e.jpg", AT, address="10.0.0.8", purpose="review")
    log.record("desk", "2026/03/01/f.jpg", AT.replace(month=4, day=1))
    files = sorted((tmp_path / "access").iterdir())
    assert [path.name for path in files] == ["access-2026-03.jsonl", "access-2026-04.jsonl"]
    lines = files[0].read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "at": "2026-03-31T23:59:00.000+00:00",
            "who": "王\n五",
            "picture": "2026/03/01/e.jpg",
            "address": "10.0.0.8",
            "purpose": "review",
        }
    ]


def test_lines_of_many_threads_stay_whole(tmp_path: Path) -> None:
    def read_many(who: int) -> None:
        log = AccessLog(tmp_path)
        for number in range(25):
            log.record(f"user-{who}", f"2026/03/01/{number}.jpg", AT)

    threads = [threading.Thread(target=read_many, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = [json.loads(line) for line in (tmp_path / "access-2026-03.jsonl").read_text().splitlines()]
    assert len({(entry["who"], entry["picture"]) for entry in entries}) == 8 * 25


def test_what_cannot_be_logged_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "access").write_text("a file where the folder should be")
    with pytest.raises(EvidenceError, match="picture withheld"):
        AccessLog(tmp_path / "access").record("desk", "2026/03/01/e.jpg", AT)


def test_months_go_after_their_time_and_never_earlier_than_180_days(tmp_path: Path) -> None:
    log = AccessLog(tmp_path)
    for year, month in ((2025, 8), (2025, 9), (2025, 12), (2026, 3)):
        log.record("desk", "2026/03/01/e.jpg", datetime(year, month, 15, tzinfo=UTC))
    (tmp_path / "access-notes.jsonl").write_text("")
    assert log.purge(datetime(2026, 3, 30, tzinfo=UTC)) == 1  # August ended 210 days before, September 180
    assert not (tmp_path / "access-2025-08.jsonl").exists()
    assert (tmp_path / "access-2025-09.jsonl").exists()
    assert log.purge(datetime(2026, 3, 31, tzinfo=UTC)) == 1
    assert (tmp_path / "access-notes.jsonl").exists()
    with pytest.raises(ConfigError, match="at least 180 days"):
        log.purge(AT, 179)
