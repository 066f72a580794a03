"""A drone and a fixed camera over one street: what both see is one case, what the drone alone sees is another.

Real readers, decoders, worker, database, deliveries and desk; only the network is a double, which finds red squares.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import numpy as np
import pytest
import yaml

from detector.config import check_settings, load_settings
from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.core.geo import GeoPoint, Pose, distance_m, shifted
from detector.core.pinhole import ground_of, seen_at, share_of_a_metre
from detector.desk_service import open_desk
from detector.inference.scripted import ScriptedDetector
from detector.inference.swap import HotSwap
from detector.service import Service
from tests.acceptance.test_whole_line import SECRET
from tests.worker.doubles import until

SIZE, FPS, SECONDS = (640, 360), 5, 28
CORNER = GeoPoint(35.0228, 110.9977)
A, B = CORNER, shifted(CORNER, 40, 3)  # two heaps
B_GONE_S = 18
RECEIVER_OFF = (1.5, -2.0)  # metres north and east, all flight long
POLE = Pose(shifted(CORNER, -15, 0), 6.0, 0.0, -22.0, 0.0, 70.0)


def drone(second: float) -> Pose:
    """Over the first heap, on to the second one, and waiting there."""
    way = np.interp(second, [0, 7, 10, 18, SECONDS], [-5, 4, 35, 42, 43])
    return Pose(shifted(CORNER, float(way), 1.0), 30.0, 20.0, -90.0, 0.0, 73.7)


def heaps(second: float) -> list[GeoPoint]:
    return [A, B] if second < B_GONE_S else [A]


def film(path: Path, pose: Callable[[float], Pose], heaps: Callable[[float], list[GeoPoint]], street: int) -> None:
    """What a camera sees: noise, and a red square of 2 m on each heap."""
    rng = np.random.default_rng(street)
    ground = rng.integers(40, 120, (SIZE[1] // 8, SIZE[0] // 8, 3)).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"bf": "0", "preset": "ultrafast", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *SIZE, "yuv420p", FPS
        stream.time_base = Fraction(1, FPS)
        for number in range(SECONDS * FPS):
            here = pose(number / FPS)
            picture = ground + rng.integers(-6, 7, ground.shape)
            for heap in heaps(number / FPS):
                at, metre = seen_at(here, heap, SIZE), share_of_a_metre(here, heap)
                if at is None or metre is None:
                    continue
                (x, y), wide = (at[0] * SIZE[0], at[1] * SIZE[1]), 2 * metre * SIZE[0]
                left, top, right, bottom = (round(v) for v in (x - wide / 2, y - wide, x + wide / 2, y))
                if left > 0 and top > 0 and right < SIZE[0] and bottom < SIZE[1]:
                    picture[top:bottom, left:right] = (20, 20, 230)
            image = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), "bgr24")
            image.pts = number
            container.mux(stream.encode(image))
        container.mux(stream.encode())


def subtitles(path: Path) -> None:
    """The drone's own telemetry as DJI writes it, its receiver a little off and its operator in it."""
    entries = []
    for number in range(SECONDS * FPS):
        pose = drone(number / FPS)
        told = shifted(pose.position, *RECEIVER_OFF)
        begin, end = (f"00:00:{n // FPS:02d},{n % FPS * 1000 // FPS:03d}" for n in (number, number + 1))
        entries.append(
            f'{number + 1}\n{begin} --> {end}\n<font size="28">FrameCnt: {number + 1}, DiffTime: 200ms\n'
            f"[focal_len: 240] [latitude: {told.latitude:.6f}] [longitude: {told.longitude:.6f}] [rel_alt:"
            f" {pose.height_m:.3f} abs_alt: 400.0] [gb_yaw: {pose.heading_deg:.1f} gb_pitch: {pose.pitch_deg:.1f}"
            " gb_roll: 0.0] HOME(110.5001,35.5001) </font>\n"
        )
    path.write_text("\n".join(entries), encoding="utf-8")


def red_squares(image: Image) -> list[Detection]:
    blue, green, red = (image[:, :, n].astype(int) for n in range(3))
    mask = ((red > 170) & (blue < 90) & (green < 90)).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(mask)
    boxes = [BoundingBox(*map(float, (x, y, x + w, y + h))) for x, y, w, h, area in found[1:] if area > 60]
    return [Detection("garbage", box, 0.9) for box in boxes]


def marks() -> list[list[float]]:
    found = []
    for x, y in ((0.2, 0.5), (0.8, 0.5), (0.1, 0.9), (0.9, 0.95), (0.5, 0.7)):
        spot = ground_of(POLE, (x, y), SIZE)
        assert spot is not None
        found.append([x, y, spot.latitude, spot.longitude])
    return found


def write_settings(folder: Path, endpoint: str) -> Path:
    confirm, clear = {"looks": 3, "of": 5, "dwell": "2 s"}, {"looks": 3, "after": "4 s"}
    categories = {"extends": "default", "categories": {"exposed_garbage": {"confirm": confirm, "clear": clear}}}
    (folder / "categories.yaml").write_text(yaml.safe_dump(categories))
    start = "2026-05-01T10:00:00"
    written = {
        "site": "one-spot",
        "timezone": "Asia/Shanghai",
        "model": {"path": "none"},
        "database": "sqlite:///street.db",
        "evidence": {"directory": "evidence"},
        "categories": "categories.yaml",
        "sampling": {"interval": 1},
        "cameras": [
            {"id": "drone", "url": "DJI_0001.MP4", "moving": True, "started_at": start},
            {"id": "pole", "url": "pole.mp4", "ground": marks(), "started_at": start},
        ],
        "endpoints": [{"name": "desk", "url": endpoint, "secrets": [SECRET], "events": ["problem.*"]}],
        "api": {"port": 0},
    }
    path = folder / "fleet.yaml"
    path.write_text(yaml.safe_dump(written))
    return path


def test_a_heap_that_a_drone_and_a_camera_see_is_one_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film(tmp_path / "DJI_0001.MP4", drone, heaps, 1)
    film(tmp_path / "pole.mp4", lambda _second: POLE, lambda _second: [A], 2)  # a wall hides the second one
    subtitles(tmp_path / "DJI_0001.SRT")
    model = ScriptedDetector(red_squares, labels=["garbage"])
    monkeypatch.setattr("detector.service.open_model", lambda _settings: HotSwap(model, lambda _path: model))
    desk = open_desk(tmp_path / "desk", [SECRET], evidence=tmp_path / "evidence", port=0)
    settings = load_settings(write_settings(tmp_path, f"{desk.url}/events"))
    assert not [one for one in check_settings(settings) if "cameras" in one.key and one.severity != "note"]
    service = Service(settings)
    service.start()
    try:

        def cases() -> list[dict[str, Any]]:
            return list(httpx.get(f"{desk.url}/cases.json").json()["cases"])

        assert until(service.finished)
        assert until(lambda: not any(service.store.outbox_depths().values()))
        assert until(lambda: len(cases()) == 2)
        told = {frozenset(source["camera_id"] for source in case["sources"]): case for case in cases()}
        problems = service.store.problems(limit=99)
    finally:
        service.stop()
        desk.stop()
    assert told.keys() == {frozenset({"drone", "pole"}), frozenset({"drone"})}
    both, alone = told[frozenset({"drone", "pole"})], told[frozenset({"drone"})]
    assert both["status"] == "open", "the drone has flown on, which clears nothing"
    assert {source["there"] for source in both["sources"]} == {True}
    assert [source["there"] for source in alone["sources"]] == [False], "it was seen to be gone from above"
    announced = [one for one in problems if one.revision]
    assert sorted(one.camera_id for one in announced) == ["drone", "drone", "pole"]
    for one in announced:
        ground = one.place.ground
        assert ground is not None
        off = min(distance_m(ground, A), distance_m(ground, B))
        assert off < 1 if one.camera_id == "pole" else off < (ground.error_m or 0) < 12
    cleared = next(one for one in announced if one.cleared_at is not None)
    assert cleared.cleared_at is not None
    assert (cleared.cleared_at - datetime(2026, 5, 1, 2, tzinfo=UTC)).total_seconds() > B_GONE_S
    assert "35.5001" not in str(problems) + str(both) + str(alone)
