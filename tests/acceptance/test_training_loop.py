"""The ML engineer's whole loop as commands: merge, train with a stop in between, export, evaluate, promote, detect."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest
import yaml

pytest.importorskip("torch", reason="needs the extra `train` (torch, ultralytics)")
pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")

from tests.training.drawn import draw_sets

pytestmark = [pytest.mark.train, pytest.mark.slow]

RECIPE = {
    "name": "tiny",
    "data": "data/data.yaml",
    "model": "yolov5n.yaml",
    "threads": 1,
    "score_size": 96,
    "stages": [
        {"epochs": 1, "image_size": 64, "batch": 10},
        {"epochs": 1, "image_size": 96, "batch": 10, "decay": True},
    ],
}
MIXTURE = {"name": "shapes", "labels": ["square", "disc"], "sets": {"squares": {}, "discs": {}}}


def detector(folder: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "detector", *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {"YOLO_CONFIG_DIR": str(folder), "OMP_NUM_THREADS": "1"}


def stop_in_the_middle(folder: Path) -> None:
    """Start the run and send SIGTERM as soon as the first epoch is on disk."""
    with (folder / "train.log").open("wb") as log:
        run = subprocess.Popen(
            [sys.executable, "-m", "detector", "train", "train.yaml", "--runs", "runs"],
            cwd=folder, env=environment(folder), stdout=log, stderr=log,
        )  # fmt: skip
        try:
            while run.poll() is None and not (folder / "runs/tiny/state.pt").exists():
                time.sleep(0.02)
            run.send_signal(signal.SIGTERM)
            run.wait(120)
        finally:
            run.kill()
            run.wait()
    assert (folder / "runs/tiny/state.pt").exists(), (folder / "train.log").read_text()


def test_from_pictures_to_a_promoted_model_that_detects(tmp_path: Path) -> None:
    draw_sets(tmp_path / "sets")
    for name in ("squares", "discs"):
        path = tmp_path / f"sets/{name}/data.yaml"
        path.write_text(path.read_text() + "val: images/val\n")
    (tmp_path / "mixture.yaml").write_text(yaml.safe_dump(MIXTURE))
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(RECIPE))
    sets = [f"sets/{name}/data.yaml" for name in ("squares", "discs")]
    measured = [argument for path in sets for argument in ("--data", path)]

    detector(tmp_path, "dataset", "merge", "mixture.yaml", "--sets", "sets", "--out", "data")
    stop_in_the_middle(tmp_path)
    result = json.loads(detector(tmp_path, "train", "train.yaml", "--runs", "runs", "--json"))
    assert result["epochs"] == 2
    lines = (tmp_path / "runs/tiny/results.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2"], "no epoch twice, none left out"

    export = ["export", "runs/tiny/state.pt", "--data", "data/data.yaml", "--out", "bundle", "--size", "96", "--json"]
    parity = json.loads(detector(tmp_path, *export))["parity"]
    assert parity["passed"], parity["text"]
    figures = json.loads(detector(tmp_path, "evaluate", "--model", "bundle", *measured, "--json"))["labels"]
    assert {label: values["instances"] for label, values in figures.items()} == {"square": 4, "disc": 4}

    blocked = json.loads(
        detector(tmp_path, "promote", "bundle", *measured, "--store", "store", "--json", "--samples", "20", code=1)
    )
    assert {reason["kind"] for reason in blocked["reasons"]} == {"too_few"}
    detector(
        tmp_path, "promote", "bundle", *measured, "--store", "store", "--name", "tiny", "--min-instances", "4",
        "--samples", "20",
    )  # fmt: skip
    assert (tmp_path / "store/tiny/parity.json").exists()
    assert "| square | 12 | 4 |" in (tmp_path / "store/tiny/card.md").read_text()

    picture = tmp_path / "sets/squares/images/val/000.png"
    assert cv2.imread(str(picture)) is not None
    seen = json.loads(detector(tmp_path, "detect", str(picture), "--model", "store/tiny", "--score", "0.01", "--json"))
    manifest = json.loads((tmp_path / "store/tiny/manifest.json").read_text())
    assert seen["model"] == f"bundle@{manifest['sha256'][:12]}"
    assert len(seen["pictures"]) == 1
