"""From a clip to the case at the desk, with nothing but what is in the repository."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
import yaml

from detector.config import load_settings
from detector.desk_service import open_desk
from detector.service import Service
from tests.acceptance.drawn import colour_bundle, write_clip
from tests.worker.doubles import until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CANARY = "c4n4ryP4ss"
CATEGORIES = {
    "extends": "default",
    "categories": {
        "exposed_garbage": {
            "confirm": {"looks": 3, "of": 4, "dwell": "3 s"},
            "clear": {"looks": 3, "after": "3 s", "reopen_within": "1 h"},
        }
    },
}


def write_settings(folder: Path, cameras: list[dict[str, object]], endpoint: str | None, model: Path) -> Path:
    (folder / "categories.yaml").write_text(yaml.safe_dump(CATEGORIES))
    endpoints = [{"name": "desk", "url": endpoint, "secrets": [SECRET]}] if endpoint else []
    path = folder / "fleet.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "model": {"path": str(model)},
                "database": "sqlite:///street.db",
                "evidence": {"directory": "evidence"},
                "categories": "categories.yaml",
                "sampling": {"interval": 1, "open_timeout": 2, "read_timeout": 2},
                "cameras": cameras,
                "endpoints": endpoints,
                "api": {"port": 0},
                "log": {"format": "json", "level": "debug"},
            }
        )
    )
    return path


def test_a_clip_becomes_one_case_that_is_cleared_at_the_desk(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    model = colour_bundle(tmp_path / "colours")
    clip = write_clip(tmp_path / "street.mp4", 30, range(8, 18))
    desk = open_desk(tmp_path / "desk", [SECRET], evidence=tmp_path / "evidence", port=0)
    try:
        path = write_settings(tmp_path, [{"id": "gate", "url": str(clip)}], f"{desk.url}/events", model)
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"desk": {"url": desk.url}}))
        service = Service(load_settings(path))
        service.start()

        def cleared() -> bool:
            found = httpx.get(f"{desk.url}/cases.json").json()["cases"]
            return service.finished() and [one["status"] for one in found] == ["cleared"]

        assert until(cleared, 60)
        assert httpx.get(f"{service.url}/readyz").json()["status"] == "ready"
        assert "detector_looks_total" in httpx.get(f"{service.url}/metrics").text
        page = httpx.get(f"{service.url}/").text
        assert all(text in page for text in ("gate", "colours@", "recording", "takes events", f'href="{desk.url}"'))
        assert service.stop()
        metrics = service.metrics.text().decode()
        (case,) = httpx.get(f"{desk.url}/cases.json").json()["cases"]
        assert case["status"] == "cleared"
        history = httpx.get(f"{desk.url}/cases/{case['id']}.json").json()["history"]
        assert len(history) == 2, "opened and cleared, each once"
        assert len(list((tmp_path / "evidence").rglob("*.jpg"))) == 2
        assert re.search(r'detector_looks_total\{status="ok"\} 30\.0', metrics)
        assert "<html" in httpx.get(desk.url).text
    finally:
        desk.stop()
    left = [t.name for t in threading.enumerate() if t not in before]
    assert [name for name in left if name.startswith(("loop-", "reader-", "patrol-", "chores"))] == []


def test_what_the_desk_rejects_is_dismissed_by_the_worker(tmp_path: Path) -> None:
    model = colour_bundle(tmp_path / "colours")
    clip = write_clip(tmp_path / "street.mp4", 20, range(4, 20))
    desk = open_desk(tmp_path / "desk", [SECRET], evidence=tmp_path / "evidence", port=0)
    try:
        path = write_settings(tmp_path, [{"id": "gate", "url": str(clip)}], f"{desk.url}/events", model)
        written = yaml.safe_load(path.read_text())
        written["desk"] = {"url": desk.url, "every": 0.2}
        path.write_text(yaml.safe_dump(written))
        service = Service(load_settings(path))
        service.start()

        def cases() -> list[dict[str, object]]:
            return list(httpx.get(f"{desk.url}/cases.json").json()["cases"])

        assert until(lambda: service.finished() and len(cases()) > 0, 60)
        (case,) = cases()
        assert case["status"] == "open"
        said = {"decision": "reject", "reason": "legal_advert", "by": "li"}
        httpx.post(f"{desk.url}/cases/{case['id']}/verdicts", json=said).raise_for_status()
        assert until(lambda: cases()[0]["status"] == "dismissed", 60)
        assert service.stop()
    finally:
        desk.stop()


class Running:
    """`detector run` as a process of its own."""

    def __init__(self, path: Path) -> None:
        self.log = path.parent / "run.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "detector", "run", str(path)],
                stdout=log,
                stderr=log,
                env=os.environ | {"CAMERA_PASSWORD": CANARY},
            )

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        """Until `text` stands in the log."""
        deadline = time.monotonic() + seconds
        while text not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"{text!r} never came:\n{self.log.read_text()}"
            time.sleep(0.05)

    def end(self, signal_number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(signal_number)
        return self.process.wait(60)


def test_no_password_shows_anywhere(tmp_path: Path) -> None:
    model = colour_bundle(tmp_path / "colours")
    url = "rtsp://admin:${CAMERA_PASSWORD}@127.0.0.1:1/live?token=${CAMERA_PASSWORD}"
    cameras: list[dict[str, object]] = [
        {"id": "dead", "url": url},
        {"id": "dead-patrol", "url": url, "mode": "patrol", "period": 1},
    ]
    running = Running(write_settings(tmp_path, cameras, "http://127.0.0.1:1/" + "events", model))
    try:
        running.wait_for("watching 2 cameras")
        port = re.search(r"(http://127\.0\.0\.1:\d+)", running.log.read_text())
        assert port is not None, "the log tells where the API is"
        deadline = time.monotonic() + 60
        while httpx.get(f"{port[1]}/cameras.json").text.count("unreachable") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        shown = [
            httpx.get(f"{port[1]}/{page}").text for page in ("cameras.json", "metrics", "readyz", "deliveries.json")
        ]
        processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    finally:
        code = running.end()
    assert code == 0
    everything = [*shown, processes, running.log.read_text()]
    assert any("127.0.0.1:1" in text for text in everything), "the address itself is told"
    for text in everything:
        assert CANARY not in text
        assert SECRET not in text
    for file in tmp_path.rglob("street.db*"):
        assert CANARY.encode() not in file.read_bytes()


@pytest.mark.parametrize("broken", [False, True])
def test_sighup_takes_a_valid_file_and_refuses_a_broken_one(tmp_path: Path, broken: bool) -> None:
    model = colour_bundle(tmp_path / "colours")
    cameras: list[dict[str, object]] = [{"id": "one", "url": "rtsp://127.0.0.1:1/a"}]
    path = write_settings(tmp_path, cameras, None, model)
    running = Running(path)
    try:
        running.wait_for("watching 1 cameras")
        cameras.append({"id": "two", "url": "rtsp://127.0.0.1:1/b", **({"intervall": 3} if broken else {})})
        write_settings(tmp_path, cameras, None, model)
        running.process.send_signal(signal.SIGHUP)
        running.wait_for("the old ones stay in force" if broken else "settings reloaded: 2 cameras")
        if broken:
            lines = [json.loads(line) for line in running.log.read_text().splitlines() if "old ones" in line]
            assert "intervall" in lines[0]["message"]
    finally:
        assert running.end() == 0
