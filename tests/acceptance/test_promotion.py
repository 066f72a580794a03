"""A promotion and a rollback beside a real `detector run`: it follows the pointer, and looks at every picture."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from detector.inference.bundle import LabelEntry
from detector.inference.seal import seal
from tests.acceptance.test_whole_line import Running, write_settings
from tests.delivery.receiver import SECRET, Receiver, receiver
from tests.inference.conftest import colour_model
from tests.worker.doubles import until

PICTURES = 3_000  # about twenty are looked at in a second; the run is ended when both changes were seen
SHOWN = 10  # different ones, again and again
BEGAN = datetime(2026, 5, 4, 6, tzinfo=UTC)
PATIENCE_S = 240.0  # only so that a hang ends


def bundle(folder: Path, across: int) -> Path:
    """A bundle that calls what is red garbage and draws a box `across` pixels wide of the 64 that it sees."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load_model_from_string(colour_model())
    (box,) = (constant for constant in model.graph.initializer if constant.name == "box")
    values = np.array([32, 32, across, 10], np.float32).reshape(1, 4, 1)
    box.CopyFrom(onnx.numpy_helper.from_array(values, "box"))
    exported = folder.with_suffix(".onnx")
    exported.write_bytes(model.SerializeToString())
    seal(
        exported,
        folder,
        name="colours",
        version=str(across),
        created=datetime(2026, 1, 2, tzinfo=UTC),
        licence="CC0-1.0",
        labels=[LabelEntry(name=name, threshold=0.55) for name in ("garbage", "bin", "cone")],
        nominal_size=(64, 64),
    )
    return folder


def red(seed: int) -> bytes:
    """A JPEG of reddish noise, 160 x 120."""
    rng = np.random.default_rng(seed)
    street = rng.integers(20, 120, (30, 40, 3)).repeat(4, 0).repeat(4, 1) + rng.integers(-4, 5, (120, 160, 3))
    picture = (street + np.array([0, 0, 130])).clip(0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def album(folder: Path) -> Path:
    """One picture a second, by the times of the files; garbage on all of them."""
    folder.mkdir()
    shown = [red(seed) for seed in range(SHOWN)]
    for second in range(PICTURES):
        path = folder / f"{second:06}.jpg"
        path.write_bytes(shown[second % SHOWN])
        taken = (BEGAN + timedelta(seconds=second)).timestamp()
        os.utime(path, (taken, taken))
    return folder


def labelled(root: Path) -> Path:
    """The camera's pictures with garbage in the middle: what both models see, one a bit too narrow, one too wide."""
    for kind in ("images", "labels"):
        (root / kind / "val").mkdir(parents=True)
    for number in range(SHOWN):
        (root / f"images/val/{number}.jpg").write_bytes(red(number))
        (root / f"labels/val/{number}.txt").write_text(f"0 0.5 0.5 {21 / 64} {10 / 48}\n")
    (root / "data.yaml").write_text(yaml.safe_dump({"names": ["garbage"], "val": "images/val"}))
    return root / "data.yaml"


def command(folder: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "detector", *arguments, "--store", "store", "--json"],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def promoted(folder: Path, candidate: str) -> str:
    """Promote through the gate; the version that events will carry."""
    few = [argument for label in ("bin", "cone") for argument in ("--few", label)]
    options = ["--without-parity", "--min-instances", "1", "--samples", "20", *few]
    return str(command(folder, "promote", candidate, "--data", "set/data.yaml", *options)["step"]["model_version"])


Told = tuple[datetime, str, int]
"""Capture time, model version, width of the box in pixels."""


def observed(bureau: Receiver, last: int = 0) -> list[Told]:
    """What the endpoint was told of each look, in that order; all, or the `last` so many."""
    with bureau.lock:
        bodies = [body for _, body in bureau.accepted[-last:]]
    found = []
    for body in bodies:
        event = json.loads(body)
        box = event["data"]["place"]["box"]
        width = round(box["right"] - box["left"])
        found.append((datetime.fromisoformat(event["time"]), event["data"]["model_version"], width))
    return found


def looks_with(version: str, bureau: Receiver, count: int = 20) -> Callable[[], bool]:
    """Whether the last `count` looks were taken with that model."""
    return lambda: [one[1] for one in observed(bureau, count)] == [version] * count


def samples(text: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.slow
def test_a_running_worker_follows_the_pointer_and_misses_no_picture(tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval")
    bundle(tmp_path / "narrow", 20)
    bundle(tmp_path / "wide", 22)
    labelled(tmp_path / "set")
    first = promoted(tmp_path, "narrow")
    with receiver() as bureau:
        cameras: list[dict[str, object]] = [{"id": "gate", "url": str(album(tmp_path / "gate"))}]
        path = write_settings(tmp_path, cameras, None, tmp_path / "store" / "colours")
        settings = yaml.safe_load(path.read_text())
        endpoint = {"name": "desk", "url": bureau.url, "secrets": [SECRET], "events": ["detection.observed"]}
        path.write_text(yaml.safe_dump(settings | {"endpoints": [endpoint]}))
        running = Running(path)
        try:
            assert until(looks_with(first, bureau), PATIENCE_S), running.log.read_text()
            second = promoted(tmp_path, "wide")
            assert until(looks_with(second, bureau), PATIENCE_S), running.log.read_text()
            back = command(tmp_path, "rollback", "colours")["model_version"]
            assert back == first
            assert until(looks_with(first, bureau), PATIENCE_S), running.log.read_text()
            told = re.search(r"(http://127\.0\.0\.1:\d+)", running.log.read_text())
            assert told is not None
            metrics = httpx.get(f"{told[1]}/metrics").text
            seen = observed(bureau)
        finally:
            code = running.end()
    assert code == 0
    assert '"source has ended"' not in running.log.read_text(), "both changes fell into the run; else: more PICTURES"
    versions = [version for version, _ in groupby(seen, key=lambda one: one[1])]
    assert versions == [first, second, first]
    assert first != second
    assert {(version, width) for _, version, width in seen} == {(first, 50), (second, 55)}, "each from its own model"
    assert [at for at, *_ in seen] == [BEGAN + timedelta(seconds=number) for number in range(len(seen))]
    looks = samples(metrics, "detector_looks_total")
    assert {status for status, count in looks.items() if count} == {(("status", "ok"),)}, "no look failed"
    assert samples(metrics, "detector_frames_dropped_total") == {}, "no frame was dropped"
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    assert [line["message"] for line in lines if line["level"] in ("error", "critical", "warning")] == []
    assert [line["message"] for line in lines if "looking with" in line["message"]] == [
        f"looking with {second} now",
        f"looking with {first} now",
    ]
