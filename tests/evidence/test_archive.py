"""Pictures on disk: whole or not there, found only where they belong, gone when their time is up."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detector.errors import EvidenceError
from detector.evidence.archive import Archive
from detector.evidence.picture import encode

DAY = datetime(2026, 1, 10, 12, tzinfo=UTC)


def jpeg(category: str) -> bytes:
    return encode(np.zeros((16, 16, 3), np.uint8), {"category": category})


def everything(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_picture_lies_under_its_day_in_utc_and_comes_back(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "evidence")
    at = datetime(2026, 3, 1, 2, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    relative = archive.write("0a1b-2c", at, b"content")
    assert relative == "2026/02/28/0a1b-2c.jpg"
    assert archive.read(relative) == b"content"
    assert everything(archive.root) == [relative]
    assert stat.S_IMODE((archive.root / relative).stat().st_mode) & 0o007 == 0, "not for everybody on the machine"
    assert archive.write("0a1b-2c", at, b"again") == relative
    assert archive.read(relative) == b"again"


@pytest.mark.parametrize("event_id", ["", "../x", "a/b", ".hidden", "a b", "x" * 101, "a\n"])
def test_ids_that_are_no_file_names_are_refused(tmp_path: Path, event_id: str) -> None:
    with pytest.raises(EvidenceError, match="cannot be a file name"):
        Archive(tmp_path).write(event_id, DAY, b"x")


@pytest.mark.parametrize(
    "relative",
    [
        "../secret.jpg",
        "2026/01/10/../../../secret.jpg",
        "/etc/passwd",
        "2026/01/10/.e.partial",
        "2026/01/10/e.jpg/../e.jpg",
        "2026/01/10/e.txt",
        "2026/01/10/e.jpg\n",
        "2026\\01\\10\\e.jpg",
        "",
    ],
)
def test_paths_of_another_shape_are_refused(tmp_path: Path, relative: str) -> None:
    archive = Archive(tmp_path / "evidence")
    archive.write("e", DAY, b"x")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    with pytest.raises(EvidenceError, match="is not the path of an evidence picture"):
        archive.read(relative)


def test_links_that_lead_outside_are_refused(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "evidence")
    archive.write("e", DAY, b"x")
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    (archive.root / "2026/01/10/link.jpg").symlink_to(secret)
    with pytest.raises(EvidenceError, match="outside of the evidence folder"):
        archive.read("2026/01/10/link.jpg")


def test_a_picture_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="may have been deleted"):
        Archive(tmp_path).read("2026/01/10/e.jpg")


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EvidenceError, match="No space left on device"):
        archive.write("e", DAY, b"x")
    assert everything(tmp_path) == []


def test_retention_goes_by_category(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for days_ago in (0, 29, 30, 31, 89, 90, 91, 400):
        for category in ("exposed_garbage", "street_stall", "unheard_of"):
            archive.write(f"{category}-{days_ago}", DAY - timedelta(days=days_ago), jpeg(category))
    archive.write("no-note-31", DAY - timedelta(days=31), b"\xff\xd8 not ours")
    purge = archive.purge(DAY, {"exposed_garbage": 90, "street_stall": 30}, default_days=60)
    left = {Path(name).stem for name in everything(tmp_path)}
    assert left == {
        *(f"exposed_garbage-{n}" for n in (0, 29, 30, 31, 89, 90)),
        *(f"street_stall-{n}" for n in (0, 29, 30)),
        *(f"unheard_of-{n}" for n in (0, 29, 30, 31)),
        "no-note-31",
    }
    assert purge.deleted == 24 + 1 - len(left)
    assert purge.freed_bytes > 0
    assert purge.failed == ()
    assert not (tmp_path / "2024").exists(), "empty folders go"
    assert archive.purge(DAY, {"exposed_garbage": 90, "street_stall": 30}, default_days=60).deleted == 0


def test_retention_keeps_away_from_what_is_not_its_own(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.write("old", DAY - timedelta(days=500), jpeg("x"))
    strangers = [tmp_path / "notes.jpg", tmp_path / "2020/13/45/x.jpg", tmp_path / "2020/01/01/readme.txt"]
    for stranger in strangers:
        stranger.parent.mkdir(parents=True, exist_ok=True)
        stranger.write_bytes(b"")
    archive.purge(DAY, {}, default_days=10)
    assert all(stranger.is_file() for stranger in strangers)
    assert not list(tmp_path.rglob("old.jpg"))


def test_retention_removes_what_a_crash_left_but_not_what_is_being_written(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    folder = tmp_path / "2026/01/10"
    folder.mkdir(parents=True)
    old, new = folder / ".a.1.partial", folder / ".b.2.partial"
    for path, age in ((old, timedelta(hours=2)), (new, timedelta(minutes=1))):
        path.write_bytes(b"half")
        os.utime(path, ((DAY - age).timestamp(),) * 2)
    archive.purge(DAY, {}, default_days=10)
    assert [path.name for path in folder.iterdir()] == [new.name]
