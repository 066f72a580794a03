"""What a redacted evidence picture costs."""

from __future__ import annotations

import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from detector.core.detection import BoundingBox, Detection
from detector.evidence.archive import Archive
from detector.evidence.picture import Caption
from detector.evidence.recorder import EvidenceRecorder
from detector.evidence.redact import Redactor

SIZES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
ROUNDS = 5


def measure() -> dict[str, Any]:
    """One row for each picture size; CPU seconds of the whole way and of redaction alone."""
    process = psutil.Process()
    before = process.memory_info().rss
    redactor = Redactor(threads=1)
    rows: list[list[Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        recorder = EvidenceRecorder(Archive(Path(folder)), redactor.redact)
        for width, height in SIZES:
            image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
            row: list[Any] = [f"{width}x{height}"]
            for vehicles in (0, 6):
                step = width / 8
                seen = [
                    Detection("car", BoundingBox(n * step, height / 2, (n + 0.9) * step, height * 0.7), 0.5)
                    for n in range(vehicles)
                ]
                caption = Caption("x", "x", "x", 0.5, "c", "c", datetime(2026, 1, 1, tzinfo=UTC), UTC)
                best = float("inf")
                for number in range(ROUNDS):
                    started = time.process_time()
                    recorder.record(f"event-{number}", image, seen, None, caption)
                    best = min(best, time.process_time() - started)
                row.append(best)
            rows.append(row)
    grown = (process.memory_info().rss - before) / 2**20
    return {
        "title": "Evidence",
        "about": f"Redact, draw, encode and write one picture, one thread, best CPU time of {ROUNDS}. "
        "A vehicle costs one more look at an enlarged crop.",
        "columns": ["picture", "CPU, s", "CPU with 6 vehicles, s"],
        "rows": rows,
        "notes": [f"The process grew by {grown:.0f} MiB over all sizes."],
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
