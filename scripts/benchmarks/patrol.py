"""Patrol visits to a wall of cameras behind a real RTSP server, and the memory of streams that stay open."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _clips import camera_clip

from tests.servers.rtsp import NO_SERVER, RtspServer, server_python

CAMERAS = 1000
VISITS = 300
PLAIN_VISITS = 10
CONCURRENT = 8
STREAMS = 16

VISIT = """
import json, random, sys, time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from detector.sources.options import VisitOptions
from detector.sources.visit import visit
address, cameras, visits, concurrent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
walls = []
def call_on(number):
    begun = time.monotonic()
    visit(f"{address}/cam{number}", str(number), VisitOptions(), lambda: datetime.now(UTC))
    walls.append(time.monotonic() - begun)
call_on(0)
walls.clear()
chosen = random.Random(1).sample(range(cameras), visits)
cpu, begun = time.process_time(), time.monotonic()
with ThreadPoolExecutor(concurrent) as pool:
    list(pool.map(call_on, chosen))
wall = time.monotonic() - begun
print(json.dumps({"per_s": visits / wall, "cpu_s": (time.process_time() - cpu) / visits,
                  "wall_s": sorted(walls)[len(walls) // 2]}))
"""

PLAIN = """
import json, sys, time
import av
address, visits = sys.argv[1], int(sys.argv[2])
walls = []
def call_on(number):
    begun = time.monotonic()
    with av.open(f"{address}/cam{number}", options={"rtsp_transport": "tcp"}, timeout=10) as container:
        next(container.decode(video=0)).to_ndarray(format="bgr24")
    walls.append(time.monotonic() - begun)
call_on(0)
walls.clear()
cpu, begun = time.process_time(), time.monotonic()
for number in range(visits):
    call_on(number)
wall = time.monotonic() - begun
print(json.dumps({"per_s": visits / wall, "cpu_s": (time.process_time() - cpu) / visits,
                  "wall_s": sorted(walls)[len(walls) // 2]}))
"""

OPEN = """
import json, sys
from datetime import UTC, datetime
from threading import Thread
import psutil
from detector.sources.options import StreamOptions
from detector.sources.video import open_video
address, count = sys.argv[1], int(sys.argv[2])
options = StreamOptions(interval_s=2.0)
def opened(number):
    source = open_video(f"{address}/cam{number}", str(number), options, lambda: datetime.now(UTC))
    for _ in range(4):
        source.read()
    return source
first = opened(0)  # pays for the libraries
before = psutil.Process().memory_info().rss
sources = []
threads = [Thread(target=lambda n=n: sources.append(opened(n))) for n in range(1, count + 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
after = psutil.Process().memory_info().rss
print(json.dumps({"mb": (after - before) / count / 1e6}))
"""


def measure() -> dict[str, Any]:
    """Visits per second, CPU and wall time per visit, memory per open stream."""
    python = server_python()
    if python is None:
        raise SystemExit(NO_SERVER)
    with tempfile.TemporaryDirectory() as name:
        clip = camera_clip(Path(name) / "camera.mp4", "libx264")
        server = RtspServer(python, Path(name))
        try:
            server.start({f"cam{number}": clip for number in range(CAMERAS)})
            address = f"rtsp://127.0.0.1:{server.port}"
            crowd = _run(VISIT, address, str(CAMERAS), str(VISITS), str(CONCURRENT))
            single = _run(VISIT, address, str(CAMERAS), "30", "1")
            plain = _run(PLAIN, address, str(PLAIN_VISITS))
            memory = _run(OPEN, address, str(STREAMS))["mb"]
        finally:
            server.kill()
    cpu, wall = plain["cpu_s"] / single["cpu_s"], plain["wall_s"] / single["wall_s"]
    rows = [
        [who, found["per_s"], 1000 * found["cpu_s"], 1000 * found["wall_s"]]
        for who, found in (
            (f"ours, {CONCURRENT} at a time, {VISITS} visits", crowd),
            ("ours, one at a time", single),
            ("plain PyAV, one at a time", plain),
        )
    ]
    return {
        "title": "Patrol visits",
        "about": f"One good 1080p picture from each of {CAMERAS} cameras behind GStreamer's RTSP server on the same "
        "machine (which shares the cores): connect, take the first good keyframe, leave.",
        "columns": ["visitor", "visits/s", "CPU ms per visit (visitor)", "median wall ms per visit"],
        "rows": rows,
        "ratios": [
            {"name": "CPU per visit: plain over ours", "ratio": cpu, "target": "more than 1", "holds": cpu > 1},
            {"name": "wall time per visit: plain over ours", "ratio": wall, "target": "more than 4", "holds": wall > 4},
            {
                "name": "memory per open 1080p stream, MB",
                "ratio": memory,
                "target": "below 30",
                "holds": memory < 30,
            },
        ],
        "notes": [f"Memory: growth of the resident set over {STREAMS} streams that have each given 4 pictures."],
    }


def _run(program: str, *arguments: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
