"""SIGTERM on a real process whose cameras, endpoint and desk all hang: it ends in order, and in its ten seconds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from detector.cli.running import DRAIN_S
from tests.acceptance.drawn import colour_bundle, write_clip
from tests.acceptance.test_whole_line import Running, write_settings
from tests.delivery.receiver import Answer, receiver
from tests.servers.hanging import STAGES, hanging_site
from tests.servers.rtsp import SilentServer
from tests.sources.clips import remux
from tests.worker.doubles import until

START_UP_S = 2.0
"""For the process to notice the signal and to unload what it has loaded."""


@pytest.mark.slow
def test_a_worker_in_which_everything_hangs_ends_in_its_time(tmp_path: Path, silent_server: SilentServer) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 8, range(0))
    (tmp_path / "site").mkdir()
    remux([clip], tmp_path / "site" / "live.flv")
    for number in range(2):
        remux([clip], tmp_path / "site" / f"{number}.ts", seconds=4)
    silent = f"127.0.0.1:{silent_server.port}"
    with hanging_site(tmp_path / "site") as site, receiver(lambda *_: Answer(hang=True)) as endpoint:
        addresses = {f"hls-{stage}": f"{site}/hls/{stage}/live.m3u8" for stage in STAGES}
        addresses |= {"flv": f"{site}/half/live.flv", "rtsp": f"rtsp://{silent}/x", "rtmp": f"rtmp://{silent}/live/x"}
        cameras: list[dict[str, Any]] = [{"id": name, "url": url} for name, url in addresses.items()]
        cameras += [
            {"id": f"visit-{name}", "url": url, "mode": "patrol", "period": 1} for name, url in addresses.items()
        ]
        cameras.append({"id": "dead", "url": "rtsp://127.0.0.1:1/x"})  # its health event hangs at the endpoint
        path = write_settings(tmp_path, cameras, endpoint.url, colour_bundle(tmp_path / "colours"))
        settings = yaml.safe_load(path.read_text())
        settings["sampling"] |= {"open_timeout": 300, "read_timeout": 300}
        settings["patrol"] = {"opens_per_second": 100, "concurrent": 16}
        settings["desk"] = {"url": f"http://{silent}"}
        path.write_text(yaml.safe_dump(settings))
        running = Running(path)
        try:
            running.wait_for(f"watching {len(cameras)} cameras")
            assert until(lambda: len(endpoint.requests) > 0), running.log.read_text()
            time.sleep(2)  # all readers and visits have run into the silence
        finally:
            running.process.terminate()
            code = running.process.wait(DRAIN_S + START_UP_S)
    assert code == 0
    told = [json.loads(line)["message"] for line in running.log.read_text().splitlines()]
    assert not [line for line in told if "left behind" in line], told
