"""The run of the shipped model as the repository tells it: its commands fit together, and the trainer takes it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer.main
import yaml

from datasets.synthetic import heaps, trucks
from datasets.synthetic.backgrounds import SOURCES
from detector.cli.main import app
from detector.inference.bundle import load_bundle
from detector.training.origins import read_origins
from detector.training.partial_sets import MixtureRecipe, merge_sets, merged_pictures, read_merged, read_mixture
from detector.training.recipe import Recipe, read_recipe


@pytest.fixture
def folder(root: Path) -> Path:
    return root / "datasets" / "street-14"


@pytest.fixture
def recipe(folder: Path) -> Recipe:
    return read_recipe(folder / "train.yaml")


def commands(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The commands in a recipe's comment and what each was told; fails where the program would not take them."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#   detector "):
            continue
        name, arguments = "", shlex.split(line)[2:]
        command: Any = typer.main.get_command(app)
        while hasattr(command, "commands"):
            name, *arguments = arguments
            command = command.commands[name]
        yield name, command.make_context(name, arguments).params


def test_the_commands_of_the_comment_lead_to_the_recipe(folder: Path, root: Path, recipe: Recipe) -> None:
    said = list(commands(folder / "train.yaml"))
    assert [name for name, _ in said] == ["teach", "merge", "train"]
    teach, merge, train = (told for _, told in said)
    for told in (teach, merge):
        assert (root / told["recipe"]).samefile(folder / "manifest.yaml")
    assert merge["taught"] == teach["out"]
    assert (root / merge["out"] / "data.yaml").resolve() == recipe.data.resolve()
    assert (root / train["recipe"]).samefile(folder / "train.yaml")
    assert recipe.backbone is not None
    assert recipe.backbone.resolve() == root / "runs/weights/yolov5n-coco-backbone-fp16.pth"


def test_every_set_is_one_to_fetch_or_one_that_a_command_makes(folder: Path) -> None:
    mixture = read_mixture(folder / "manifest.yaml")
    fetched = set(read_origins(folder / "origins.yaml").sets)
    kinds = {"paste": SOURCES, "heaps": heaps.views(), "trucks": trucks.views()}
    made = {f"{kind}-{source.name}" for kind, sources in kinds.items() for source in sources}
    made |= {"streets", "streets-pasted"}
    for name, entry in mixture.sets.items():
        assert name in (made if entry.synthetic else fetched), name


def test_the_shipped_model_has_the_labels_of_the_mixture(folder: Path, root: Path) -> None:
    mixture = read_mixture(folder / "manifest.yaml")
    assert load_bundle(root / "models" / "street-14").labels == tuple(mixture.labels)


def test_the_schedule_is_what_it_says(recipe: Recipe) -> None:
    assert recipe.epochs == sum(stage.epochs for stage in recipe.stages) == 45
    assert [recipe.rate_factor(epoch) for epoch in (0, 36, 44)] == [1, 1, pytest.approx(recipe.last_learning_rate)]
    sides = [(stage.smallest or stage.image_size, stage.image_size) for stage in recipe.stages]
    assert sides == sorted(sides), "the canvas grows"
    assert all(smallest <= largest for smallest, largest in sides)


def sets_of(mixture: MixtureRecipe, root: Path) -> Path:
    """Each set of the mixture with the labels that its entry speaks of and one picture a split, a box of each on it."""
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    for name, entry in mixture.sets.items():
        told = [*entry.map, *(entry.known or []), *entry.hinted] or ["car"]
        labels = list(dict.fromkeys(told))
        for split in ("train", "val"):
            for kind in ("images", "labels"):
                (root / name / kind / split).mkdir(parents=True)
            assert cv2.imwrite(str(root / name / "images" / split / "a.png"), picture)
            lines = [f"{number} 0.5 0.5 0.4 0.4\n" for number in range(len(labels))]
            (root / name / "labels" / split / "a.txt").write_text("".join(lines))
        (root / name / "data.yaml").write_text(yaml.safe_dump({"names": labels, "exhaustive": labels}))
    return root


@pytest.mark.train
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_trainer_takes_mixture_and_recipe_stage_by_stage(folder: Path, recipe: Recipe, tmp_path: Path) -> None:
    """No epoch is run: what is asked is whether each stage could begin."""
    torch = pytest.importorskip("torch", reason="needs the extra `train` (torch, ultralytics)")
    pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")
    from ultralytics.nn.tasks import DetectionModel

    from detector.training.train import _overrides
    from detector.training.train_engine import StageTrainer

    mixture = read_mixture(folder / "manifest.yaml")
    data = merge_sets(mixture, [sets_of(mixture, tmp_path / "sets")], tmp_path / "data")
    merged = read_merged(data)
    assert list(merged["names"].values()) == mixture.labels
    assert {path.parent.name for path in merged_pictures(merged, "train")} == set(mixture.sets)
    backbone = tmp_path / "backbone.pth"
    start = DetectionModel(recipe.model, nc=80, verbose=False).state_dict()
    torch.save({name: value.half() for name, value in start.items()}, backbone)
    here = recipe.model_copy(update={"data": data, "backbone": backbone, "cache": "none", "workers": 0})
    done = 0
    for stage in recipe.stages:
        trainer = StageTrainer(here, _overrides(here, done, tmp_path / "runs"), tmp_path / "none" / "state.pt")
        assert (trainer.args.imgsz, trainer.args.batch, trainer.args.epochs) == (
            stage.image_size, stage.batch, done + stage.epochs,
        )  # fmt: skip
        done += stage.epochs
    trainer.setup_model()
    assert trainer.model.model[-1].nc == len(mixture.labels)
    copied = trainer.model.state_dict()
    first = next(name for name, value in start.items() if value.ndim == 4)
    assert torch.allclose(copied[first].float(), start[first].half().float()), "the backbone arrived"
    repeats = trainer.get_dataloader(str(tmp_path / "data/images/train"), batch_size=4).sampler
    assert len(repeats) == int(sum(entry.repeat for entry in mixture.sets.values()))
