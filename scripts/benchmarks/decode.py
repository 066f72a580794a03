"""What it costs to keep looking at one camera: late keyframe decoding against reading everything."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _clips import camera_clip, content

CODED_S, TIMES = 12, 5
SECONDS = CODED_S * TIMES
INTERVAL_S = 2.0
WIDTH = 640

CALM = (
    "What is saved lies between the keyframes: the busier the street, the more. Where nothing moves, keyframes are "
    "most of the stream."
)

OURS = """
import json, sys, time
from datetime import UTC, datetime
from detector.sources.options import StreamOptions
from detector.sources.video import open_video
def run():
    options = StreamOptions(interval_s=float(sys.argv[2]), max_width=int(sys.argv[3]))
    source = open_video(sys.argv[1], "bench", options, lambda: datetime.now(UTC))
    looks = sum(1 for _ in iter(source.read, None))
    source.close()
    return looks
run()
begun = time.process_time()
looks = run()
print(json.dumps({"looks": looks, "cpu_s": time.process_time() - begun}))
"""

OPENCV = """
import json, sys, time
import cv2
def run():
    capture, number, looks = cv2.VideoCapture(sys.argv[1]), 0, 0
    while capture.grab():
        if number % int(sys.argv[2]) == 0:
            _, image = capture.retrieve()
            cv2.resize(image, (int(sys.argv[3]), int(sys.argv[3]) * 9 // 16), interpolation=cv2.INTER_AREA)
            looks += 1
        number += 1
    capture.release()
    return looks
run()
begun = time.process_time()
looks = run()
print(json.dumps({"looks": looks, "cpu_s": time.process_time() - begun}))
"""


def measure() -> dict[str, Any]:
    """CPU milliseconds per second of stream, H.264 and H.265."""
    rows: list[list[object]] = []
    ratios: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        for label, codec in (("H.264", "libx264"), ("H.265", "libx265")):
            clip = camera_clip(Path(name) / f"{codec}.mp4", codec, coded_s=CODED_S, times=TIMES)
            runs = [
                (
                    _timed(OURS, clip, str(INTERVAL_S), str(WIDTH)),
                    _timed(OPENCV, clip, str(round(INTERVAL_S * 25)), str(WIDTH)),
                )
                for _ in range(3)
            ]
            ours = min((run[0] for run in runs), key=lambda found: found["cpu_s"])
            theirs = min((run[1] for run in runs), key=lambda found: found["cpu_s"])
            for who, found in (("ours", ours), ("cv2: grab all, retrieve 1 of 50", theirs)):
                rows.append([label, who, found["looks"], 1000 * found["cpu_s"] / SECONDS])
            ratio = theirs["cpu_s"] / ours["cpu_s"]
            ratios.append(
                {"name": f"{label}: cv2 over ours", "ratio": ratio, "target": "at least 12", "holds": ratio >= 12}
            )
    return {
        "title": "Watching one camera",
        "about": "CPU time for one second of a 1080p stream of 25 frames/s and 4 Mbit/s with a keyframe each 50 frames "
        f"({content()[1]}, enlarged, with sensor noise); one picture each {INTERVAL_S:g} s is decoded and scaled "
        f"to {WIDTH} pixels width; all threads counted.",
        "columns": ["codec", "reader", f"pictures in {SECONDS} s", "CPU ms per stream-second"],
        "rows": rows,
        "ratios": ratios,
        "notes": [CALM],
    }


def _timed(program: str, clip: Path, *arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", program, str(clip), *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
