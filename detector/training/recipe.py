"""The YAML of one training run: `detector train RECIPE.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from detector.errors import ConfigError
from detector.training.written import read_written


class Stage(BaseModel):
    """A stretch of epochs at one image size. `decay`: the learning rate falls linearly to its last
    value over the stage.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    epochs: int = Field(gt=0)
    image_size: int = Field(default=640, ge=64, multiple_of=32)
    smallest: int | None = Field(
        default=None,
        ge=64,
        multiple_of=32,
        description="each batch is shrunk to a random side between this and image_size",
    )
    batch: int = Field(default=16, gt=0)
    mosaic: float = Field(default=0.5, ge=0.0, le=1.0)
    decay: bool = False


class Recipe(BaseModel):
    """One run. Paths are relative to the recipe's own folder.

    `model` is a model description (`yolov5n.yaml`), a checkpoint of ultralytics (`yolo26n.pt`) or a
    local one; `backbone` a plain state dict whose fitting tensors are copied in; `start_from` the
    state file of an earlier run, whose averaged weights start this one (its data may differ; its
    labels are those of this run or the first of them, in the same order). The learning rate is
    constant after the warm-up until a decaying stage, so that a run can be extended by adding
    stages before the last one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    data: Path
    model: str
    backbone: Path | None = None
    start_from: Path | None = None
    stages: list[Stage] = Field(min_length=1)
    seed: int = 0
    optimizer: Literal["AdamW", "SGD"] = "AdamW"
    learning_rate: float = Field(default=1e-3, gt=0.0)
    last_learning_rate: float = Field(default=0.02, gt=0.0, le=1.0, description="as a fraction of learning_rate")
    weight_decay: float = Field(default=0.02, ge=0.0)
    warmup_epochs: float = Field(default=1.0, ge=0.0)
    precision: Literal["fp32", "bf16"] = "fp32"
    loss: Literal["partial", "plain"] = "partial"
    threads: int | None = Field(default=None, gt=0)
    workers: int = Field(default=0, ge=0)
    cache: Literal["ram", "disk", "none"] = "none"
    score_every: int = Field(default=1, gt=0)
    score_size: int = Field(default=640, ge=64, multiple_of=32)
    scale: float = Field(default=0.5, ge=0.0, le=0.9)
    translate: float = Field(default=0.1, ge=0.0, le=0.9)
    degrees: float = Field(default=0.0, ge=0.0, le=45.0)
    freeze: int = Field(default=0, ge=0, description="first layers of the network that keep their start weights")
    average_decay: float = Field(default=0.999, gt=0.0, lt=1.0)
    average_ramp: float = Field(default=100.0, gt=0.0, description="updates over which the average's decay ramps up")

    @property
    def epochs(self) -> int:
        """Epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    def stage_at(self, epoch: int) -> tuple[Stage, int, int]:
        """The stage that epoch (from 0) belongs to, with its first epoch and the one after its
        last.
        """
        first = 0
        for stage in self.stages:
            if epoch < first + stage.epochs:
                return stage, first, first + stage.epochs
            first += stage.epochs
        raise ValueError(f"epoch {epoch} lies beyond the recipe's {first}")

    def rate_factor(self, epoch: int) -> float:
        """Learning rate of an epoch as a fraction of `learning_rate`: 1 until a decaying stage,
        then down to the last value.
        """
        stage, first, _ = self.stage_at(min(epoch, self.epochs - 1))
        if not stage.decay:
            return 1.0
        done = (epoch - first + 1) / stage.epochs
        return 1.0 + (self.last_learning_rate - 1.0) * min(done, 1.0)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe and resolve its paths against its folder; raises ConfigError naming file, line and field."""
    recipe = read_written(path, Recipe, ConfigError)
    here = path.resolve().parent
    moved = {name: here / value for name in ("data", "backbone", "start_from") if (value := getattr(recipe, name))}
    return recipe.model_copy(update=moved)
