"""What a run must remember to go on: one file of tensors and plain values, replaced whole at the
end of each epoch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from detector.errors import DatasetError


@dataclass(frozen=True, slots=True)
class TrainState:
    """`epoch` counts finished epochs. `network` describes the architecture as ultralytics does (None in older files).
    `model` and `average` are float32 state dicts, `average` the one to use.
    """

    epoch: int
    model: dict[str, torch.Tensor]
    average: dict[str, torch.Tensor]
    updates: int
    optimizer: dict[str, Any]
    best_fitness: float | None
    root_hash: str
    labels: list[str]
    network: dict[str, Any] | None = None


def save_state(path: Path, state: TrainState) -> None:
    """Write the file beside its place, flush it to disk and move it in, so that a crash leaves the
    old or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    with beside.open("wb") as file:
        torch.save({name: getattr(state, name) for name in state.__slots__}, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load_state(path: Path) -> TrainState:
    """Read a state file without running anything in it (weights_only); raises DatasetError when it
    is not one.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        return TrainState(**content)
    except OSError as error:
        raise DatasetError(f"{path}: cannot read the training state ({error.strerror})") from error
    except Exception as error:  # torch raises pickle, zip and runtime errors of many kinds
        raise DatasetError(
            f"{path}: not a training state that is safe to load ({str(error).splitlines()[0]})"
        ) from error
