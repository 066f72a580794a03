"""A real run on a drawn dataset: trained, interrupted, resumed, refused."""

from __future__ import annotations

import csv
import os
import pickle
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

torch = pytest.importorskip("torch", reason="needs the extra `train` (torch, ultralytics)")
pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")

from detector.errors import ConfigError, DatasetError  # noqa: E402
from detector.training import train as training  # noqa: E402
from detector.training.partial_sets import MixtureRecipe, merge_sets, read_merged  # noqa: E402
from detector.training.recipe import Recipe, read_recipe  # noqa: E402
from detector.training.train import TrainingInterrupted, TrainStep, train  # noqa: E402
from detector.training.train_engine import StageTrainer  # noqa: E402
from detector.training.train_model import read_checkpoint  # noqa: E402
from detector.training.train_state import load_state  # noqa: E402
from tests.training.drawn import draw_sets  # noqa: E402

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = draw_sets(tmp_path / "sets")
    recipe = MixtureRecipe.model_validate(
        {"name": "shapes", "labels": ["square", "disc"], "sets": {"squares": {}, "discs": {"repeat": 1.5}}}
    )
    return merge_sets(recipe, [root], tmp_path / "data")


def recipe_for(data: Path, **changes: Any) -> Recipe:
    stages = [{"epochs": 1, "image_size": 64, "batch": 10}, {"epochs": 1, "image_size": 96, "batch": 10, "decay": True}]
    values = {"name": "tiny", "data": data, "model": "yolov5n.yaml", "stages": stages, "threads": 1, "score_size": 96}
    return Recipe.model_validate(values | changes)


def interrupt_at(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Send this process SIGTERM at the start of the given batch (counted over the run, from 1)."""
    seen = 0
    unchanged = StageTrainer.preprocess_batch

    def counting(self: StageTrainer, values: dict[str, Any]) -> dict[str, Any]:
        nonlocal seen
        seen += 1
        if seen == batch:
            os.kill(os.getpid(), signal.SIGTERM)
        return unchanged(self, values)

    monkeypatch.setattr(StageTrainer, "preprocess_batch", counting)


def epochs_in_csv(folder: Path) -> list[int]:
    with (folder / "results.csv").open() as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


def test_interrupted_resumed_and_whole(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        interrupt_at(patch, batch=4)  # three batches an epoch: the first of the second epoch
        with pytest.raises(TrainingInterrupted, match="SIGTERM"):
            train(recipe_for(data), runs)
    assert signal.getsignal(signal.SIGTERM) is before
    assert load_state(runs / "tiny/state.pt").epoch == 1

    steps: list[tuple[int, int]] = []

    def note(step: TrainStep) -> None:
        steps.append((step.epoch, torch.get_num_threads()))

    result = train(recipe_for(data, threads=2), runs, progress=note)
    assert result.epochs == 2
    assert set(steps) == {(2, 2)}, "of the second epoch alone, on the threads that the recipe names"
    assert epochs_in_csv(result.folder) == [1, 2]
    assert set(result.scores) == {"square", "disc"}
    assert result.scores["disc"].instances == 4
    assert (result.folder / "results.png").exists()
    assert (result.folder / "val_predictions.jpg").exists()
    record = yaml.safe_load((result.folder / "run.json").read_text())
    assert [entry["root_hash"] for entry in record] == [yaml.safe_load(data.read_text())["root_hash"]] * 2
    assert record[0]["torch"] == torch.__version__
    assert [entry["threads"] for entry in record] == [1, 2]

    again = train(recipe_for(data), runs)  # nothing left to do
    assert again.epochs == 2
    assert epochs_in_csv(result.folder) == [1, 2]


def test_a_changed_dataset_is_refused_on_resume(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, batch=4)
        with pytest.raises(TrainingInterrupted):
            train(recipe_for(data), tmp_path / "runs")
    label = tmp_path / "sets/discs/labels/train/000.txt"
    label.write_text(label.read_text().replace("0.25", "0.35"))
    shapes = {"name": "shapes", "labels": ["square", "disc"], "sets": {"squares": {}, "discs": {"repeat": 1.5}}}
    merge_sets(MixtureRecipe.model_validate(shapes), [tmp_path / "sets"], tmp_path / "data")
    with pytest.raises(DatasetError, match="the data changed"):
        train(recipe_for(data), tmp_path / "runs")


@pytest.mark.parametrize("change", [{"absent": ["square"]}, {"repeat": 2.0}, {"known": []}])
def test_a_changed_mixture_of_the_same_pictures_is_refused_on_resume(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, batch=4)
        with pytest.raises(TrainingInterrupted):
            train(recipe_for(data), tmp_path / "runs")
    discs = {"repeat": 1.5} | change
    shapes = {"name": "shapes", "labels": ["square", "disc"], "sets": {"squares": {}, "discs": discs}}
    before = read_merged(data)["root_hash"]
    merge_sets(MixtureRecipe.model_validate(shapes), [tmp_path / "sets"], tmp_path / "data")
    assert read_merged(data)["root_hash"] == before
    with pytest.raises(DatasetError, match="the mixture changed since tiny began"):
        train(recipe_for(data), tmp_path / "runs")


@pytest.mark.parametrize("victim", ["data/labels/train/discs/000.txt", "sets/squares/images/val/000.png"])
def test_a_set_that_was_changed_in_place_is_refused_before_any_epoch(data: Path, tmp_path: Path, victim: str) -> None:
    path = tmp_path / victim
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="changed since they were merged"):
        train(recipe_for(data), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_new_run_starts_from_the_weights_of_an_earlier_one(data: Path, tmp_path: Path) -> None:
    first = train(recipe_for(data, stages=[{"epochs": 1, "image_size": 64, "batch": 10}]), tmp_path / "runs")
    still = recipe_for(
        data, name="second", start_from=first.state, learning_rate=1e-12, weight_decay=0.0, average_decay=0.5,
        stages=[{"epochs": 1, "image_size": 64, "batch": 10}],
    )  # fmt: skip
    second = train(still, tmp_path / "runs")
    before, after = load_state(first.state).average, load_state(second.state).average
    name = "model.24.cv3.0.2.weight"
    assert torch.allclose(before[name], after[name], atol=1e-6)


def with_labels(tmp_path: Path, labels: list[str]) -> Path:
    """The drawn sets merged under other labels; the appended ones have no boxes."""
    recipe = MixtureRecipe.model_validate({"name": "shapes", "labels": labels, "sets": {"squares": {}, "discs": {}}})
    return merge_sets(recipe, [tmp_path / "sets"], tmp_path / "-".join(labels))


def test_a_new_run_goes_on_with_labels_appended(data: Path, tmp_path: Path) -> None:
    stages = [{"epochs": 1, "image_size": 64, "batch": 10}]
    first = train(recipe_for(data, stages=stages), tmp_path / "runs")
    longer = recipe_for(
        with_labels(tmp_path, ["square", "disc", "ring"]), name="third", start_from=first.state, stages=stages,
        learning_rate=1e-12, weight_decay=0.0, average_decay=0.5,
    )  # fmt: skip
    after = load_state(train(longer, tmp_path / "runs").state)
    before = load_state(first.state)
    assert after.labels == ["square", "disc", "ring"]
    weights = [name for name in before.average if not name.endswith(("running_mean", "running_var", "tracked"))]
    grown = [name for name in weights if before.average[name].shape != after.average[name].shape]
    assert grown == [f"model.24.cv3.{level}.2.{part}" for level in range(3) for part in ("weight", "bias")]
    for name in weights:
        kept = after.average[name][:2] if name in grown else after.average[name]
        assert torch.allclose(before.average[name], kept, atol=1e-6), name
    assert all(bool((after.average[f"model.24.cv3.{level}.2.bias"][2:] < -4).all()) for level in range(3))


@pytest.mark.parametrize("labels", [["disc", "square"], ["square", "ring", "disc"], ["ring", "square", "disc"]])
def test_a_new_run_with_labels_in_another_order_is_refused(data: Path, tmp_path: Path, labels: list[str]) -> None:
    first = train(recipe_for(data, stages=[{"epochs": 1, "image_size": 64, "batch": 10}]), tmp_path / "runs")
    other = recipe_for(with_labels(tmp_path, labels), name="fourth", start_from=first.state)
    with pytest.raises(DatasetError, match="trained for other labels"):
        train(other, tmp_path / "runs")


def test_a_new_run_from_another_architecture_is_refused(data: Path, tmp_path: Path) -> None:
    first = train(recipe_for(data, stages=[{"epochs": 1, "image_size": 64, "batch": 10}]), tmp_path / "runs")
    other = recipe_for(data, name="fifth", start_from=first.state, model="yolov8n.yaml")
    with pytest.raises(DatasetError, match="another architecture"):
        train(other, tmp_path / "runs")


def test_empty_and_unprepared_data_are_refused(data: Path, tmp_path: Path) -> None:
    for link in (tmp_path / "data/images/train").rglob("*.png"):
        link.unlink()
    with pytest.raises(DatasetError, match="no training pictures"):
        train(recipe_for(data), tmp_path / "runs")
    plain = tmp_path / "plain.yaml"
    plain.write_text("names: [square]\ntrain: images/train\n")
    with pytest.raises(DatasetError, match="root_hash"):
        train(recipe_for(plain), tmp_path / "runs")


class Bomb:
    """Unpickling it leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("form", ["zip", "pickle"])
def test_a_pickle_bomb_is_refused_wherever_a_checkpoint_is_read(data: Path, tmp_path: Path, form: str) -> None:
    trace = tmp_path / "exploded"
    path = tmp_path / "bomb.pt"
    if form == "zip":
        torch.save({"model": Bomb(trace)}, path)
    else:
        path.write_bytes(pickle.dumps({"model": Bomb(trace)}))
    torch.load(path, weights_only=False) if form == "zip" else pickle.loads(path.read_bytes())
    trace.unlink()  # it does go off where nobody minds
    for attempt in (
        lambda: read_checkpoint(path),
        lambda: load_state(path),
        lambda: train(recipe_for(data, model=str(path)), tmp_path / "runs"),
        lambda: train(recipe_for(data, name="b", backbone=path), tmp_path / "runs"),
        lambda: train(recipe_for(data, name="c", start_from=path), tmp_path / "runs"),
    ):
        with pytest.raises(DatasetError, match="safe to load"):
            attempt()
        assert not trace.exists()


def test_the_rate_is_flat_until_the_decaying_stage() -> None:
    stages = [{"epochs": 3}, {"epochs": 3, "decay": True}]
    recipe = Recipe.model_validate(
        {"name": "x", "data": "d", "model": "m", "stages": stages, "last_learning_rate": 0.1}
    )
    assert [recipe.rate_factor(epoch) for epoch in range(6)] == pytest.approx([1, 1, 1, 0.7, 0.4, 0.1])
    assert recipe.stage_at(3)[1:] == (3, 6)


def test_a_recipe_error_names_file_and_field(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("name: x\ndata: d.yaml\nmodel: m\nstages: [{epochs: 0}]\n")
    with pytest.raises(ConfigError, match=r"run\.yaml:4: stages\[0\]\.epochs"):
        read_recipe(path)


def test_paths_of_a_recipe_are_relative_to_it(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("name: x\ndata: data/data.yaml\nmodel: m\nstages: [{epochs: 1}]\n")
    assert read_recipe(path).data == tmp_path / "data/data.yaml"
    assert training.STATE_FILE == "state.pt"
