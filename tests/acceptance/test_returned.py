"""Said to be done, and still there: the case goes back with the picture of the look that proved it."""

from __future__ import annotations

import queue
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from detector.config import load_settings
from detector.core.frame import Frame, Image
from detector.desk_service import open_desk
from detector.service import Service
from tests.acceptance.drawn import colour_bundle
from tests.acceptance.test_whole_line import SECRET, write_settings
from tests.worker.doubles import now, until

INTERVAL_S = 600
SIDE = np.s_[60:180, 264:312]  # rows and columns beside the box, which stands in the middle


class Street:
    """An open stream: gives what is put in and, in the ten minutes between two looks, a picture for each wish."""

    def __init__(self) -> None:
        self.cleared_side = False  # the crew was there: beside the heap the street is bright now
        self.wishes = 0
        self._given: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._rng = np.random.default_rng(1)
        self._street = self._rng.integers(20, 120, (30, 40, 3)).repeat(8, 0).repeat(8, 1)

    def show(self, seconds_ago: float = 0.0) -> None:
        image = self._street + self._rng.integers(-4, 5, self._street.shape) + np.array([0, 0, 130])
        if self.cleared_side:
            image[SIDE] = 235
        picture: Image = image.clip(0, 255).astype(np.uint8)
        self._given.put(Frame("gate", now() - timedelta(seconds=seconds_ago), picture))

    def read(self) -> Frame | None:
        return self._given.get()

    def hasten(self) -> None:
        self.wishes += 1
        self.show()

    def close(self) -> None:
        self._given.put(None)


def side_of(picture: bytes) -> float:
    """Mean brightness beside the box, 0..255."""
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    shown: NDArray[np.uint8] = cv2.resize(image, (320, 240)).astype(np.uint8)
    return float(shown[SIDE].mean())


def test_what_is_still_there_goes_back_with_the_new_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street()
    monkeypatch.setattr("detector.assembly.cameras.open_video", lambda *_, **__: street)
    monkeypatch.setattr("detector.core.judging.CHECK_AFTER", timedelta(0))
    desk = open_desk(tmp_path / "desk", [SECRET], evidence=tmp_path / "evidence", port=0)
    cameras: list[dict[str, object]] = [{"id": "gate", "url": "rtsp://127.0.0.1:1/gate", "interval": INTERVAL_S}]
    path = write_settings(tmp_path, cameras, f"{desk.url}/events", colour_bundle(tmp_path / "colours"))
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"desk": {"url": desk.url, "every": 0.2}}))
    service = Service(load_settings(path))
    service.start()
    try:

        def cases() -> list[dict[str, Any]]:
            return list(httpx.get(f"{desk.url}/cases.json").json()["cases"])

        for number in range(1, 4):
            street.show(seconds_ago=40 - 10 * number)
            assert until(lambda n=number: [p.looks for p in service.store.problems(limit=9)] == [n])  # type: ignore[misc]
        assert until(lambda: len(cases()) == 1)
        (case,) = cases()
        address = f"{desk.url}/cases/{case['id']}"
        first = picture_of(desk.url, address)
        assert street.wishes == 0
        street.cleared_side = True
        for move in ("filed", "dispatched", "taken_up", "reported", "checked"):
            said = {"move": move, "department": "环卫所"} if move == "dispatched" else {"move": move}
            httpx.post(f"{address}/moves", json=said).raise_for_status()
        assert until(lambda: cases()[0]["stage"] == "handle")
        assert street.wishes > 0, "the stream is asked for looks between its own"
        told = httpx.get(f"{address}.json").json()
        assert [step["move"] for step in told["steps"]][-2:] == ["checked", "still_there"]
        assert (told["status"], told["department"], told["reopened"]) == ("open", "环卫所", 0)
        entry = told["history"][-1]
        assert entry["kind"] == "updated"
        assert told["evidence"]["before"]["url"] == entry["evidence"]["url"] != case["evidence"]["before"]["url"]
        again = picture_of(desk.url, address)
        assert again[0] != first[0]
        assert side_of(first[1]) < 150 < 200 < side_of(again[1])
        assert (tmp_path / "evidence" / entry["evidence"]["url"]).read_bytes() == again[1]
    finally:
        service.stop()
        desk.stop()


def picture_of(desk: str, address: str) -> tuple[str, bytes]:
    """The one picture that the page of the case shows: where it is and what it is."""
    (shown,) = re.findall(r'<img src="(/evidence/[^"]+)"', httpx.get(address).text)
    return shown, httpx.get(f"{desk}{shown}").raise_for_status().content
