"""The whole line against its most expensive part, and against the trainer's own way of reading video."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import onnxruntime
import yaml
from _clips import camera_clip, content

from detector.config import load_settings
from detector.inference.bundle import load_bundle
from detector.inference.open import open_detector
from detector.logs import configure
from detector.service import Service
from detector.sources.options import StreamOptions
from detector.sources.video import open_video

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "street-14"
CAMERAS, THREADS, BATCH = 16, 1, 4
CODED_S, TIMES, FPS, GOP = 12, 10, 25, 50
SECONDS = CODED_S * TIMES
INTERVAL_S = 2.0
ROUNDS = 3  # of the bare run over all tensors
SIZES = (448, 608, 640)  # side of the canvas: where the network is cheap, the shipped one, and what fixed cameras want

NOTE = (
    "Two cores share all work. At 448 px a 1080p keyframe costs more to decode than the network to run: with both "
    "cores busy throughout there is no time left that could bring the line nearer to bare inference on one of them."
)

CALM = (
    "What ours saves lies between the keyframes. Where nothing moves and no noise is coded there is less of it: on the "
    "demo's drawn street, enlarged, ultralytics costs less than 4 times as much at 640 px."
)

THEIRS = """
import json, resource, sys, time
from ultralytics import YOLO
model = YOLO(sys.argv[1], task="detect")
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
looks, started = 0, 0.0
stride, size = int(sys.argv[3]), int(sys.argv[4])
for result in model.predict(sys.argv[2], stream=True, vid_stride=stride, imgsz=size, verbose=False):
    if looks == 0:
        started = cpu()   # the first look pays for loading
    looks += 1
print(json.dumps({"looks": looks - 1, "cpu_s": cpu() - started}))
"""


def measure() -> dict[str, Any]:
    """Frames per second of the whole line over bare inference; CPU seconds per look of ultralytics over ours."""
    configure(level="error")
    rows: list[list[Any]] = []
    ratios, busy = [], []
    with tempfile.TemporaryDirectory(dir=os.environ.get("STREET_BENCH_DIR")) as name:
        clip = camera_clip(Path(name) / "camera.mp4", "libx264", coded_s=CODED_S, times=TIMES, rate=FPS, gop=GOP)
        for size in SIZES:
            folder = Path(name) / str(size)
            folder.mkdir()
            bare = max(_bare(clip, size) for _ in range(2))
            looks, wall, cpu = _ours(folder, clip, size)
            theirs = _theirs(clip, size)
            whole, ours = looks / wall, cpu / looks
            busy.append(f"{cpu / wall / (os.cpu_count() or 1):.0%} at {size} px")
            rows += [
                [f"{size} px: session.run on the same tensors", round(bare, 1), None],
                [f"{size} px: the whole line, {CAMERAS} cameras", round(whole, 1), round(ours * 1000, 1)],
            ]
            ratios.append(_ratio(f"{size} px: frames/s of the whole line over those of session.run", whole / bare, 0.9))
            if theirs is not None:
                rows.append([f"{size} px: ultralytics predict, vid_stride=50", None, round(theirs * 1000, 1)])
                ratios.append(_ratio(f"{size} px: CPU seconds per look of ultralytics over ours", theirs / ours, 4))
    return {
        "title": "The whole line",
        "about": f"{SECONDS} s of 1080p25 H.264 as a camera sends it ({content()[1]}, enlarged, with sensor "
        f"noise, 4 Mbit/s, a keyframe each 2 s), one look each 2 s, the shipped model on {THREADS} thread. Ours "
        f"decodes, letterboxes, infers, judges and stores durably, from {CAMERAS} files at once; the bare figure is "
        "onnxruntime alone, on the same tensors, one by one as the line runs them. Loading counts for nobody.",
        "columns": ["what", "frames/s", "CPU ms per look"],
        "rows": rows,
        "ratios": ratios,
        "notes": [NOTE, CALM, f"Of all cores the line used {', '.join(busy)}."],
    }


def _ratio(name: str, value: float, least: float) -> dict[str, Any]:
    return {"name": name, "ratio": value, "target": f"at least {least:g}", "holds": value >= least}


def _bare(clip: Path, size: int) -> float:
    """Frames per second of session.run on the tensors of the clip's looks, one by one as the line runs them."""
    detector = open_detector(MODEL, threads=THREADS, input_size=(size, size))
    tensors = []
    source = open_video(str(clip), "bench", StreamOptions(interval_s=INTERVAL_S), _now)
    while (frame := source.read()) is not None:
        tensors.append(detector.tensor(frame.image))
    source.close()
    session = onnxruntime.InferenceSession(
        load_bundle(MODEL).model_bytes(), sess_options=_one_thread(), providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    session.run(None, {name: tensors[0]})
    started = time.perf_counter()
    for _ in range(ROUNDS):
        for tensor in tensors:
            session.run(None, {name: tensor})
    return ROUNDS * len(tensors) / (time.perf_counter() - started)


def _one_thread() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    return options


def _now() -> datetime:
    return datetime.now(UTC)


def _ours(folder: Path, clip: Path, size: int) -> tuple[int, float, float]:
    """Looks, wall seconds and CPU seconds of a service that watches the clip as several files until they end.

    From the moment it watches until the last look is stored; loading is not counted, here as little as of the others.
    """
    path = folder / "fleet.yaml"
    cameras = [{"id": f"camera-{number}", "url": str(clip)} for number in range(CAMERAS)]
    written = {
        "model": {"path": str(MODEL), "threads": THREADS, "batch_size": BATCH, "input_size": size},
        "database": "sqlite:///bench.db",
        "evidence": {"directory": "evidence"},
        "sampling": {"interval": INTERVAL_S},
        "patrol": {"opens_per_second": 1000},
        "cameras": cameras,
        "api": {"port": 0},
    }
    path.write_text(yaml.safe_dump(written))
    service = Service(load_settings(path))
    service.start()
    wall, cpu = time.perf_counter(), time.process_time()
    while not service.finished():
        time.sleep(0.005)
    drained = service.worker.stop(60)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    service.stop(60)
    looks = service.metrics.looks_by_status().get("ok", 0)
    if not drained or looks < CAMERAS * SECONDS / INTERVAL_S * 0.9:
        raise RuntimeError(f"only {looks} looks were judged: nothing to compare")
    return looks, wall, cpu


def _theirs(clip: Path, size: int) -> float | None:
    """CPU seconds per look of ultralytics reading the same clip with the same model; None when it is not installed."""
    if importlib.util.find_spec("ultralytics") is None:
        return None
    model = str(MODEL / load_bundle(MODEL).manifest.file)
    stride = str(round(INTERVAL_S * FPS))
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, model, str(clip), stride, str(size)], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return float(told["cpu_s"]) / int(told["looks"])
