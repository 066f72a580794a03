"""Evidence pictures: nothing outside the folder, nothing unlogged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from detector.desk.pictures import Picture, Pictures
from detector.errors import ConfigError

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
BASE = "http://127.0.0.1:8100/evidence"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An evidence folder with a picture, beside things that must not be seen."""
    root = tmp_path / "evidence"
    day = root / "2026" / "03" / "02"
    day.mkdir(parents=True)
    (day / "a.jpg").write_bytes(JPEG)
    (day / "notes.txt").write_text("canary")
    (tmp_path / "private.jpg").write_bytes(b"canary")
    (day / "way-out.jpg").symlink_to(tmp_path / "private.jpg")
    (day / "folder.jpg").mkdir()
    return root


def lines(folder: Path) -> list[dict[str, str]]:
    """The access log of the desk."""
    files = sorted((folder.parent / "evidence-access").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_a_picture_is_shown_and_logged(make_desk: Any, folder: Path, make: Any) -> None:
    client = make_desk(evidence_directory=folder, token="open-sesame", clock=lambda: make.start).client
    assert client.get("/evidence/2026/03/02/a.jpg").status_code == 401
    assert lines(folder) == []
    answer = client.get("/evidence/2026/03/02/a.jpg", auth=("li", "open-sesame"))
    assert (answer.status_code, answer.content) == (200, JPEG)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    entry = lines(folder)[0]
    assert (entry["who"], entry["picture"]) == ("li", "2026/03/02/a.jpg")
    assert entry["at"].startswith("2026-03-02T01:00")


def test_without_the_log_no_picture(make_desk: Any, folder: Path) -> None:
    (folder.parent / "evidence-access").write_text("a file where the log's folder should be")
    client = make_desk(evidence_directory=folder).client
    answer = client.get("/evidence/2026/03/02/a.jpg")
    assert answer.status_code == 503
    assert JPEG not in answer.content


def test_the_log_may_be_kept_elsewhere(make_desk: Any, folder: Path, tmp_path: Path) -> None:
    client = make_desk(evidence_directory=folder, access_log_directory=tmp_path / "who").client
    assert client.get("/evidence/2026/03/02/a.jpg").status_code == 200
    assert len(list((tmp_path / "who").glob("*.jsonl"))) == 1
    assert lines(folder) == []


@pytest.mark.parametrize(
    "name",
    [
        "2026/03/02/none.jpg",
        "2026/03/02/notes.txt",
        "2026/03/02/folder.jpg",
        "2026/03/02/way-out.jpg",
        "../private.jpg",
        "..%2fprivate.jpg",
        "2026/03/02/..%2f..%2f..%2f..%2fprivate.jpg",
        "2026/03/%2e%2e/private.jpg",
        "2026/03/02/a.jpg%00",
        "%2fetc%2fpasswd.jpg",
        "2026/03/02/" + "x" * 5000 + ".jpg",
        "",
    ],
)
def test_nothing_else_is_shown(make_desk: Any, folder: Path, name: str) -> None:
    client = make_desk(evidence_directory=folder).client
    answer = client.get(f"/evidence/{name}")
    assert answer.status_code == 404
    assert b"canary" not in answer.content
    assert lines(folder) == []


def test_without_a_folder_there_are_no_pictures(desk: Any) -> None:
    assert desk.client.get("/evidence/2026/03/02/a.jpg").status_code == 404


SHOWN = Picture(src="/evidence/2026/03/02/a.jpg", link="/evidence/2026/03/02/a.jpg")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, Picture()),
        (f"{BASE}/2026/03/02/a.jpg", SHOWN),
        ("2026/03/02/a.jpg", SHOWN),
        ("2026/03/02/gone.jpg", Picture()),
        (f"{BASE}/../private.jpg", Picture()),
        (f"{BASE}-elsewhere/a.jpg", Picture(link=f"{BASE}-elsewhere/a.jpg")),
        ("https://elsewhere/a.jpg", Picture(link="https://elsewhere/a.jpg")),
        ("javascript:alert(1)", Picture()),
        ("data:image/png;base64,AAAA", Picture()),
        ("//elsewhere/a.jpg", Picture()),
        ("/etc/passwd", Picture()),
        ("file:///etc/passwd", Picture()),
        ("../private.jpg", Picture()),
    ],
)
def test_links(folder: Path, url: str | None, expected: Picture) -> None:
    assert Pictures(folder, BASE).picture(url) == expected


def test_pictures_that_the_worker_serves(make_desk: Any) -> None:
    pictures = Pictures(None, BASE)
    assert pictures.picture(f"{BASE}/a.jpg") == Picture(src=f"{BASE}/a.jpg", link=f"{BASE}/a.jpg")
    assert pictures.picture("a.jpg") == Picture()
    policy = make_desk(evidence_base_url=BASE).client.get("/").headers["content-security-policy"]
    assert "img-src 'self' http://127.0.0.1:8100;" in policy


def test_a_senseless_base_is_told() -> None:
    with pytest.raises(ConfigError, match="http"):
        Pictures(None, "ftp://x/")
