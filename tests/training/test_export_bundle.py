"""From a training state to a bundle with an honest manifest and card."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train` (torch, ultralytics)")
pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")

from ultralytics.nn.tasks import DetectionModel  # noqa: E402

from detector.errors import DatasetError  # noqa: E402
from detector.inference.bundle import PARITY, load_bundle  # noqa: E402
from detector.training.export_bundle import UNMEASURED_THRESHOLD, export_bundle, label_entries, read_figures  # noqa: E402
from detector.training.formats.yolo import read_yolo  # noqa: E402
from detector.training.partial_sets import MixtureRecipe, merge_sets  # noqa: E402
from detector.training.train_state import TrainState, save_state  # noqa: E402
from tests.training.drawn import draw_sets  # noqa: E402

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
FIGURES = {"square": {"ap50": 0.75, "ap50_95": 0.5, "threshold": 0.3, "precision": 0.8, "recall": 0.7, "instances": 4}}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = draw_sets(tmp_path / "sets", pictures=3)
    sets: dict[str, Any] = {"squares": {}, "discs": {"synthetic": True}}
    recipe = MixtureRecipe.model_validate({"name": "shapes", "labels": ["square", "disc"], "sets": sets})
    return merge_sets(recipe, [root], tmp_path / "data")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = DetectionModel("yolov5n.yaml", nc=2, verbose=False)
    weights = network.state_dict()
    path = tmp_path / "state.pt"
    save_state(path, TrainState(3, weights, weights, 9, {}, None, "0" * 64, ["square", "disc"], dict(network.yaml)))
    return path


def test_labels_say_what_they_rest_on(data: Path) -> None:
    square, disc = label_entries(data, FIGURES)
    assert (square.train_instances, square.val_instances, square.synthetic_only) == (3, 4, False)
    assert (square.ap50, square.threshold) == (0.75, 0.3)
    assert (disc.train_instances, disc.val_instances, disc.synthetic_only) == (0, 0, True)
    assert (disc.ap50, disc.threshold) == (None, UNMEASURED_THRESHOLD)
    _, stray = label_entries(data, FIGURES | {"disc": FIGURES["square"]})  # a figure on boxes that the recipe dropped
    assert (stray.ap50, stray.threshold) == (None, UNMEASURED_THRESHOLD)


def test_a_label_that_was_never_trained_is_refused(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets", pictures=3)
    recipe = MixtureRecipe.model_validate({"name": "s", "labels": ["square", "star"], "sets": {"squares": {}}})
    path = merge_sets(recipe, [root], tmp_path / "data")
    with pytest.raises(DatasetError, match="star"):
        label_entries(path)


def test_a_sealed_bundle_with_its_card(data: Path, state: Path, tmp_path: Path) -> None:
    bundle = export_bundle(
        state, data, tmp_path / "bundle", name="shapes", version="1", created=datetime(2026, 1, 1, tzinfo=UTC),
        nominal_size=96, figures=FIGURES, notes="Drawn in a minute.",
    )  # fmt: skip
    assert load_bundle(tmp_path / "bundle").labels == ("square", "disc")
    assert bundle.manifest.precision == "fp16"
    assert bundle.synthetic_only == {"disc"}
    card = (tmp_path / "bundle/card.md").read_text()
    assert "| square | 3 | 0 | 0 | 4 | 0.75 | 0.50 | 0.30 | 0.80 | 0.70 |" in card
    assert "| disc (synthetic only) | 0 | 0 | 7 |" in card
    assert "Drawn in a minute." in card
    assert "Never seen in a real picture: disc." in card


def test_int8_wants_pictures_to_be_checked_on(data: Path, state: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="int8 needs"):
        export_bundle(
            state, data, tmp_path / "bundle", name="shapes", version="1", created=datetime(2026, 1, 1, tzinfo=UTC),
            precision="int8", nominal_size=96,
        )  # fmt: skip


def test_a_state_of_other_labels_is_refused(data: Path, state: Path, tmp_path: Path) -> None:
    text = data.read_text().replace("1: disc", "1: ring").replace("\n  disc:", "\n  ring:")
    data.write_text(text)
    with pytest.raises(DatasetError, match="other labels"):
        export_bundle(state, data, tmp_path / "b", name="x", version="1", created=datetime(2026, 1, 1, tzinfo=UTC))


def test_figures_that_are_none_are_named(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"labels": FIGURES}))
    assert read_figures(path) == FIGURES
    path.write_text("[]")
    with pytest.raises(DatasetError, match=r"figures\.json"):
        read_figures(path)


def test_an_int8_bundle_says_what_it_costs(data: Path, state: Path, tmp_path: Path) -> None:
    names = tmp_path / "sets/squares/data.yaml"
    names.write_text(names.read_text() + "val: images/val\n")
    check = read_yolo(names, ["val"]).pictures
    bundle = export_bundle(
        state, data, tmp_path / "bundle", name="shapes", version="1", created=datetime(2026, 1, 1, tzinfo=UTC),
        precision="int8", nominal_size=96, check=check,
    )  # fmt: skip
    report = json.loads((tmp_path / "bundle" / PARITY).read_text())
    assert (report["model"], report["precision"]) == (bundle.manifest.sha256, "int8")
    assert report["notes"][0].startswith("int8 costs most on square: AP50 0.")
    assert report["notes"][1] == "what int8 costs was not measured on: disc"
