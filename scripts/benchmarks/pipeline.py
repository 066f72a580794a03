"""The whole line against its most expensive part, and against the trainer's own way of reading video."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime
import yaml

from detector.config import load_settings
from detector.inference.bundle import load_bundle
from detector.inference.open import open_detector
from detector.logs import configure
from detector.service import Service
from detector.sources.options import StreamOptions
from detector.sources.video import open_video

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "detector" / "demo" / "street.mp4"
MODEL = ROOT / "models" / "street-14"
CAMERAS, THREADS, BATCH = 16, 1, 4
SECONDS, FPS, GOP = 48, 25, 50
INTERVAL_S = 2.0
SIZES = (448, 640)  # side of the canvas: the shipped model's own, and what far things need

NOTE = (
    "Where the model is cheap the line is bound by what surrounds it: a 1080p keyframe costs more to decode than the "
    "network at 448 px; and on two cores with shared caches inference is slower while the other core decodes."
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
    ratios = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("STREET_BENCH_DIR")) as name:
        clip = _camera_like(Path(name) / "camera.mp4")
        for size in SIZES:
            folder = Path(name) / str(size)
            folder.mkdir()
            bare = max(_bare(clip, size) for _ in range(2))
            looks, wall, cpu = _ours(folder, clip, size)
            theirs = _theirs(clip, size)
            whole, ours = looks / wall, cpu / looks
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
        "about": f"{SECONDS} s of the demo street as 1080p25 H.264 with a keyframe each 2 s, one look each 2 s, the "
        f"shipped model on {THREADS} thread. Ours decodes, letterboxes, infers, judges and stores durably, from "
        f"{CAMERAS} files at once; the bare figure is onnxruntime alone on the same batches.",
        "columns": ["what", "frames/s", "CPU ms per look"],
        "rows": rows,
        "ratios": ratios,
        "notes": [NOTE],
    }


def _ratio(name: str, value: float, least: float) -> dict[str, Any]:
    return {"name": name, "ratio": value, "target": f"at least {least:g}", "holds": value >= least}


def _camera_like(path: Path) -> Path:
    """The demo clip as a 1080p camera would send it."""
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        options = {"bf": "0", "preset": "veryfast", "sc_threshold": "0"}
        stream = target.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 1920, 1080, "yuv420p", GOP
        number = 0
        for frame in source.decode(video=0):
            if number >= SECONDS * FPS:
                break
            large = frame.reformat(width=1920, height=1080)
            for _ in range(2):  # the clip has 12.5 frames a second
                large.pts, large.time_base = number, Fraction(1, FPS)
                target.mux(stream.encode(large))
                number += 1
        target.mux(stream.encode())
    return path


def _bare(clip: Path, size: int) -> float:
    """Frames per second of session.run on the tensors of the clip's looks, in batches as the line makes them."""
    detector = open_detector(MODEL, threads=THREADS, input_size=(size, size))
    images = []
    source = open_video(str(clip), "bench", StreamOptions(interval_s=INTERVAL_S), _now)
    while (frame := source.read()) is not None:
        images.append(frame.image)
    source.close()
    batches = [
        np.concatenate([detector.tensor(image) for image in images[at : at + BATCH]])
        for at in range(0, len(images), BATCH)
    ]
    session = onnxruntime.InferenceSession(
        load_bundle(MODEL).model_bytes(), sess_options=_one_thread(), providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    session.run(None, {name: batches[0]})
    started = time.perf_counter()
    for batch in batches:
        session.run(None, {name: batch})
    return len(images) / (time.perf_counter() - started)


def _one_thread() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    return options


def _now() -> datetime:
    return datetime.now(UTC)


def _ours(folder: Path, clip: Path, size: int) -> tuple[int, float, float]:
    """Looks, wall seconds and CPU seconds of a service that watches the clip as several files until they end."""
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
    wall, cpu = time.perf_counter(), time.process_time()
    service.start()
    while not service.finished():
        time.sleep(0.005)
    drained = service.stop(60)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    looks = service.metrics.looks_by_status().get("ok", 0)
    if not drained or looks < CAMERAS * SECONDS / INTERVAL_S * 0.9:
        raise RuntimeError(f"only {looks} looks were judged: nothing to compare")
    return looks, wall, cpu


def _theirs(clip: Path, size: int) -> float | None:
    """CPU seconds per look of ultralytics reading the same clip with the same model; None when it is not installed."""
    if find_spec("ultralytics") is None:
        return None
    model = str(MODEL / load_bundle(MODEL).manifest.file)
    stride = str(round(INTERVAL_S * FPS))
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, model, str(clip), stride, str(size)], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return float(told["cpu_s"]) / int(told["looks"])
