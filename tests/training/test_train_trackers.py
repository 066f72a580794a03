"""Trackers of runs are ultralytics' own; here a recorder stands in for MLflow, which is not among our extras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("torch", reason="needs the extra `train` (torch, ultralytics)")
pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")

from detector.training.partial_sets import MixtureRecipe, merge_sets
from tests.training.drawn import draw_sets

pytestmark = [pytest.mark.train, pytest.mark.slow]

RECORDER = """
import json
from pathlib import Path
from types import SimpleNamespace
__version__ = "0"
def _note(name, *values):
    with Path("calls.jsonl").open("a") as file:
        file.write(json.dumps([name, *values], default=str) + "\\n")
def set_experiment(name): _note("experiment", name)
def autolog(): pass
def active_run(): return None
def start_run(run_name): _note("run", run_name); return SimpleNamespace(info=SimpleNamespace(run_id="1"))
def get_tracking_uri(): return "here"
def log_params(params): _note("params", params)
def log_metrics(metrics, step): _note("metrics", step, metrics)
def log_artifact(path): _note("artifact", path)
def end_run(status): _note("end", status)
"""
TRAIN = """
import sys
from ultralytics import settings
settings.update(mlflow=sys.argv[1] == "on", tensorboard=False, sync=False)
sys.argv[1:] = ["train", "train.yaml", "--runs", "runs"]
from detector.cli import main
main()
"""


def calls(folder: Path, switch: str) -> list[list[Any]]:
    """Train two stages of one epoch with the recorder switched on or off; what was told to it."""
    merged = merge_sets(
        MixtureRecipe.model_validate({"name": "s", "labels": ["square"], "sets": {"squares": {}}}),
        [draw_sets(folder / "sets")],
        folder / "data",
    )
    stage = {"epochs": 1, "image_size": 64, "batch": 10}
    recipe = {
        "name": "tiny", "data": str(merged), "model": "yolov5n.yaml", "threads": 1, "score_size": 64,
        "stages": [stage, {**stage, "decay": True}],
    }  # fmt: skip
    (folder / "train.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "stand-in").mkdir()
    (folder / "stand-in/mlflow.py").write_text(RECORDER)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MLFLOW"))}
    environment |= {"YOLO_CONFIG_DIR": str(folder), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder / "stand-in")}
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, switch], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "runs/tiny/state.pt").exists()
    path = folder / "calls.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_switched_on_tracker_gets_losses_scores_and_files_of_every_stage(tmp_path: Path) -> None:
    told = calls(tmp_path, "on")
    assert [values for name, *values in told if name == "run"] == [["tiny"], ["tiny"]], "a run for each stage"
    steps = {values[0] for name, *values in told if name == "metrics"}
    metrics = {key for name, *values in told if name == "metrics" for key in values[1]}
    assert steps == {0, 1}
    assert metrics >= {"ap50/square", "train/box_loss", "lr/pg0"}
    assert any(str(values[0]).endswith("results.csv") for name, *values in told if name == "artifact")
    assert [values for name, *values in told if name == "end"] == [["FINISHED"], ["FINISHED"]]


def test_a_switched_off_tracker_gets_nothing(tmp_path: Path) -> None:
    assert calls(tmp_path, "off") == []
    assert not list(tmp_path.rglob("events.out.tfevents*"))
    assert not (tmp_path / "mlruns").exists()
