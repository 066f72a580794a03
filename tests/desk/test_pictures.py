"""Evidence pictures: nothing outside the folder, nothing unlogged."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.desk import DeskOptions, create_desk
from detector.desk.pictures import Picture, Pictures
from detector.errors import ConfigError

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
BASE = "http://127.0.0.1:8100/evidence"


@dataclass
class Log:
    """Remembers who saw what; can be made to fail."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False

    def __call__(self, reader: str, name: str) -> None:
        if self.broken:
            raise OSError("disk full")
        self.lines.append((reader, name))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An evidence folder with a picture, beside things that must not be seen."""
    root = tmp_path / "evidence"
    (root / "2026" / "03").mkdir(parents=True)
    (root / "2026" / "03" / "a b.jpg").write_bytes(JPEG)
    (root / "notes.txt").write_text("not a picture")
    (tmp_path / "private.jpg").write_bytes(b"canary")
    (root / "way-out.jpg").symlink_to(tmp_path / "private.jpg")
    (root / "folder.jpg").mkdir()
    return root


def test_a_picture_is_shown_and_logged(make_desk: Any, folder: Path) -> None:
    log = Log()
    client = make_desk(evidence_directory=folder, log_access=log, token="open-sesame").client
    assert client.get("/evidence/2026/03/a%20b.jpg").status_code == 401
    assert log.lines == []
    answer = client.get("/evidence/2026/03/a%20b.jpg", auth=("li", "open-sesame"))
    assert (answer.status_code, answer.content) == (200, JPEG)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert log.lines == [("li", "2026/03/a b.jpg")]


def test_without_the_log_no_picture(make_desk: Any, folder: Path) -> None:
    log = Log(broken=True)
    client = make_desk(evidence_directory=folder, log_access=log).client
    answer = client.get("/evidence/2026/03/a%20b.jpg")
    assert answer.status_code == 503
    assert JPEG not in answer.content


def test_a_desk_with_pictures_must_have_a_log(make: Any, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ConfigError, match="access log"):
        create_desk(DeskOptions(f"sqlite:///{tmp_path}/d.db", [make.secret], evidence_directory=folder))


@pytest.mark.parametrize(
    "name",
    [
        "none.jpg",
        "notes.txt",
        "folder.jpg",
        "way-out.jpg",
        "../private.jpg",
        "..%2fprivate.jpg",
        "2026/..%2f..%2fprivate.jpg",
        "%2e%2e/private.jpg",
        "2026/03/a%20b.jpg%00",
        "%2fetc%2fpasswd.jpg",
        "x" * 5000 + ".jpg",
        "",
    ],
)
def test_nothing_else_is_shown(make_desk: Any, folder: Path, name: str) -> None:
    log = Log()
    client = make_desk(evidence_directory=folder, log_access=log).client
    answer = client.get(f"/evidence/{name}")
    assert answer.status_code == 404
    assert b"canary" not in answer.content
    assert log.lines == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.sampled_from(["..", ".", "2026", "03", "way-out.jpg", "private.jpg", "", "~", "\\"])))
def test_no_path_leads_out(folder: Path, parts: list[str]) -> None:
    pictures = Pictures(folder, None)
    for name in ("/".join(parts), "/".join([*parts, "private.jpg"])):
        found = pictures.file(name)
        assert found is None or found.is_relative_to(folder.resolve())


SHOWN = Picture(src="/evidence/2026/03/a%20b.jpg", link="/evidence/2026/03/a%20b.jpg")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, Picture()),
        (f"{BASE}/2026/03/a%20b.jpg", SHOWN),
        ("2026/03/a b.jpg", SHOWN),
        ("2026/03/gone.jpg", Picture()),
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
