"""The network a run starts from: never by running what a downloaded file says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from ultralytics.nn import tasks
from ultralytics.nn.tasks import DetectionModel, torch_safe_load
from ultralytics.utils import LOGGER

from detector.errors import DatasetError
from detector.training.train_state import load_state


def only_safe_checkpoints() -> None:
    """Make every checkpoint that ultralytics opens in this process go through its allow-list of
    model classes.

    A `.pt` file is a pickle and may run any code when opened without one. ultralytics reads the
    switch once, at import, from ULTRALYTICS_SAFE_LOAD; the trainer must not depend on the caller's
    environment.
    """
    tasks.SAFE_LOAD = True


def read_checkpoint(path: str | Path) -> torch.nn.Module:
    """The model inside an ultralytics checkpoint, float32; raises DatasetError when the file holds
    anything unexpected.
    """
    try:
        content, _ = torch_safe_load(str(path), safe_only=True)
        model = content.get("ema") or content.get("model")
        if not isinstance(model, torch.nn.Module):
            raise TypeError("no model inside")
    except Exception as error:  # pickle, zip, type and runtime errors of many kinds
        reason = (str(error).splitlines() or [""])[0]
        raise DatasetError(f"{path}: not a checkpoint that is safe to load ({reason})") from error
    return model.float()


def fitting_tensors(source: dict[str, torch.Tensor], target: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of `source` whose name and shape `target` has, as float32."""
    return {k: v.float() for k, v in source.items() if k in target and v.shape == target[k].shape}


def copy_backbone(model: DetectionModel, path: Path) -> int:
    """Copy the fitting tensors of a plain state dict (opened weights_only) into `model`; returns
    how many of its own they are.

    Raises DatasetError when the file is not a state dict or fits less than a tenth of the network.
    """
    try:
        source = torch.load(path, map_location="cpu", weights_only=True)
        fitting = fitting_tensors(source, model.state_dict())
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise DatasetError(f"{path}: not a plain state dict that is safe to load ({reason})") from error
    if len(fitting) < len(model.state_dict()) // 10:
        raise DatasetError(
            f"{path}: fits only {len(fitting)} of {len(model.state_dict())} tensors: another architecture"
        )
    model.load_state_dict(fitting, strict=False)
    LOGGER.info(f"{len(fitting)} of {len(model.state_dict())} tensors start from {path.name}")
    return len(fitting)


def start_from_state(model: DetectionModel, path: Path, labels: Sequence[str]) -> int:
    """Fill `model` with the averaged weights of an earlier run; returns how many labels are new.

    `labels`, those of the data, are the run's own or the run's own with new ones appended. The class outputs of the
    head have one row per label: the earlier rows are copied, those of new labels keep the initialisation they have.

    Raises DatasetError for other labels, another order of them, or another architecture.
    """
    earlier = load_state(path)
    old, fresh = len(earlier.labels), model.state_dict()
    if list(labels[:old]) != earlier.labels:
        raise DatasetError(
            f"{path}: trained for other labels than the data; it can start a run with the same labels in the same "
            f"order and new ones behind them, and its own are: {', '.join(earlier.labels)}"
        )
    fitting = fitting_tensors(earlier.average, fresh)
    for name in fresh.keys() & earlier.average.keys() - fitting.keys():
        saved, ours = earlier.average[name].float(), fresh[name]
        if saved.shape[:1] == (old,) and ours.shape == (len(labels), *saved.shape[1:]):
            fitting[name] = torch.cat([saved, ours[old:]])
    if odd := sorted(fresh.keys() ^ earlier.average.keys() | fresh.keys() - fitting.keys()):
        raise DatasetError(f"{path}: another architecture; {len(odd)} tensors do not fit, {odd[0]} among them")
    model.load_state_dict(fitting, strict=True)
    return len(labels) - old
