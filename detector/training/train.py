"""`detector train`: a run from its recipe, stage after stage, resumable at any epoch."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import ultralytics

from detector.errors import DatasetError
from detector.training.partial_score import LabelScore
from detector.training.partial_sets import merged_pictures, read_merged, refuse_changed_files
from detector.training.recipe import Recipe
from detector.training.train_engine import StageTrainer
from detector.training.train_model import only_safe_checkpoints
from detector.training.train_state import load_state

STATE_FILE = "state.pt"
RECORD_FILE = "run.json"


class TrainingInterrupted(Exception):
    """The process was told to stop; the state of the last finished epoch is on disk."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """Where a finished (or already finished) run lies and how its averaged weights scored on
    val.
    """

    folder: Path
    state: Path
    epochs: int
    scores: dict[str, LabelScore]


@dataclass(frozen=True, slots=True)
class TrainStep:
    """Where a run stands after a batch. `epoch` and `batch` count from 1; `losses` are running means of the epoch."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    image_size: int
    losses: Mapping[str, float]


Progress = Callable[[TrainStep], None]


def train(recipe: Recipe, runs: Path, resume: bool = True, progress: Progress | None = None) -> TrainResult:
    """Train `recipe` in runs/<name>; an earlier unfinished run of the same name is continued.

    Writes state.pt (all that is needed to go on), weights/last.pt and best.pt (for ultralytics' own tools),
    results.csv and results.png (curves), val_predictions.jpg, and run.json (recipe, data hash, versions and threads of
    each start).
    Every picture and label file is compared with the root hash first.
    Raises DatasetError for empty or changed data and unsafe files, TrainingInterrupted on SIGTERM
    or SIGINT.
    """
    only_safe_checkpoints()
    data = read_merged(recipe.data)
    if not merged_pictures(data, "train"):
        raise DatasetError(f"{recipe.data}: no training pictures under {data['path']}")
    refuse_changed_files(recipe.data, data)
    folder = runs / recipe.name
    state = folder / STATE_FILE
    if state.exists() and not resume:
        raise DatasetError(f"{folder}: this run exists; resume it or name the new one differently")
    if state.exists():
        _refuse_other_mixture(folder, recipe, data)
    recorded = False
    scores: dict[str, LabelScore] = {}
    with _stoppable():
        while (done := load_state(state).epoch if state.exists() else 0) < recipe.epochs:
            trainer = StageTrainer(recipe, _overrides(recipe, done, runs), state)
            if not recorded:  # by now torch has the threads it will train on
                _record(folder, recipe, data)
                recorded = True
            if progress is not None:
                trainer.add_callback("on_train_batch_end", _reporter(progress, recipe))
            trainer.train()
            scores = trainer.scores
    return TrainResult(folder, state, load_state(state).epoch, scores)


def _reporter(progress: Progress, recipe: Recipe) -> Callable[[StageTrainer], None]:
    """A callback of ultralytics that counts batches, which the trainer itself does not keep."""
    seen = {"epoch": -1, "batch": 0}

    def report(trainer: StageTrainer) -> None:
        if trainer.epoch != seen["epoch"]:
            seen.update(epoch=trainer.epoch, batch=0)
        seen["batch"] += 1
        losses = {name: float(value) for name, value in trainer.tloss.items()}
        batches, size = len(trainer.train_loader), trainer.args.imgsz
        progress(TrainStep(trainer.epoch + 1, recipe.epochs, seen["batch"], batches, size, losses))

    return report


def _overrides(recipe: Recipe, done: int, runs: Path) -> dict[str, Any]:
    """Settings of ultralytics for the stage that the next epoch belongs to."""
    stage, _, last = recipe.stage_at(done)
    return {
        "model": recipe.model,
        "data": str(recipe.data),
        "task": "detect",
        "mode": "train",
        "epochs": last,
        "imgsz": stage.image_size,
        "batch": stage.batch,
        "nbs": stage.batch,
        "mosaic": stage.mosaic,
        "close_mosaic": 0,
        "mixup": 0.0,
        "cutmix": 0.0,
        "copy_paste": 0.0,
        "scale": recipe.scale,
        "translate": recipe.translate,
        "degrees": recipe.degrees,
        "erasing": 0.0,
        "optimizer": recipe.optimizer,
        "lr0": recipe.learning_rate,
        "momentum": 0.9,
        "weight_decay": recipe.weight_decay,
        "warmup_epochs": recipe.warmup_epochs,
        "warmup_bias_lr": 0.0,
        "amp": False,
        "freeze": recipe.freeze or None,
        "seed": recipe.seed,
        "deterministic": False,
        "patience": recipe.epochs + 1,
        "project": str(runs.resolve()),
        "name": recipe.name,
        "exist_ok": True,
        "plots": True,
        "val": True,
        "save": True,
        "device": None if torch.cuda.is_available() else "cpu",
    }


def _mixture_hash(data: Mapping[str, Any]) -> str:
    """SHA-256 of what the pictures are taken to say: labels, what silence means in each set, how often it is drawn."""
    said = {name: data[name] for name in ("names", "evidence", "exclusive")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _refuse_other_mixture(folder: Path, recipe: Recipe, data: Mapping[str, Any]) -> None:
    """Raise DatasetError when the run in `folder` began with another mixture of the same pictures."""
    path = folder / RECORD_FILE
    before = json.loads(path.read_text(encoding="utf-8"))[-1] if path.exists() else {}
    if before.get("mixture", _mixture_hash(data)) != _mixture_hash(data):
        raise DatasetError(
            f"{recipe.data}: the mixture changed since {folder.name} began (labels, evidence or draws of a set); "
            "restore it, or start a new run with start_from"
        )


def _record(folder: Path, recipe: Recipe, data: dict[str, Any]) -> None:
    """Append what this process is about to do to run.json: recipe, data hash, versions, threads."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECORD_FILE
    history = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    history.append(
        {
            "recipe": recipe.model_dump(mode="json"),
            "root_hash": data["root_hash"],
            "mixture": _mixture_hash(data),
            "python": sys.version.split()[0],
            "torch": torch.__version__,
            "ultralytics": ultralytics.__version__,
            "machine": platform.machine(),
            "threads": torch.get_num_threads(),
        }
    )
    path.write_text(json.dumps(history, indent=1), encoding="utf-8")


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn SIGTERM and SIGINT into TrainingInterrupted in the training process, and into a quiet
    exit in its loaders.
    """
    owner = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:
            os._exit(128 + number)
        raise TrainingInterrupted(f"stopped by {signal.Signals(number).name}; run the same command to go on")

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
