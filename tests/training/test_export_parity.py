"""The exported file against the network in torch: it agrees, and a file that is not the network's does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

torch = pytest.importorskip("torch", reason="needs the extra `train` (torch, ultralytics)")
pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")

from ultralytics.nn.tasks import DetectionModel  # noqa: E402

from detector.errors import DatasetError  # noqa: E402
from detector.inference.bundle import Bundle, LabelEntry  # noqa: E402
from detector.inference.seal import seal  # noqa: E402
from detector.training.export import export_onnx, halve_weights  # noqa: E402
from detector.training.export_parity import check_pictures, measure_parity  # noqa: E402
from detector.training.gate import read_parity  # noqa: E402
from detector.training.parity import write_parity  # noqa: E402
from detector.training.partial_sets import MixtureRecipe, merge_sets  # noqa: E402
from tests.training.drawn import draw_sets  # noqa: E402

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
LABELS = ["bin", "car", "truck"]
SIZE = 96


@pytest.fixture(scope="module", params=["yolov5n.yaml", "yolo26n.yaml"])
def network(request: pytest.FixtureRequest) -> Any:
    """Random weights whose normalisation has seen pictures, so that scores differ from place to place."""
    torch.manual_seed(0)
    made = DetectionModel(request.param, nc=len(LABELS), verbose=False)
    made.train()
    with torch.no_grad():
        for _ in range(60):
            made(torch.rand(4, 3, SIZE, SIZE))
    for branch in made.model[-1].cv3:
        torch.nn.init.normal_(branch[-1].weight, std=0.3)
        torch.nn.init.constant_(branch[-1].bias, -2.0)
    return made.eval()


@pytest.fixture
def images() -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.integers(0, 255, (70 + 13 * index, 90, 3)).astype(np.uint8) for index in range(4)]


@pytest.fixture
def sealed(tmp_path: Path) -> Callable[..., Bundle]:
    def make(file: Path, precision: Any = "fp32") -> Bundle:
        return seal(
            file, tmp_path / file.stem, name="t", version="1", created=datetime(2026, 1, 1, tzinfo=UTC),
            labels=[LabelEntry(name=name) for name in LABELS], licence="AGPL-3.0-or-later",
            nominal_size=(SIZE, SIZE), precision=precision,
        )  # fmt: skip

    return make


def test_a_true_export_agrees_in_both_precisions(
    network: Any, images: list[np.ndarray], sealed: Callable[..., Bundle], tmp_path: Path
) -> None:
    full, half = tmp_path / "full.onnx", tmp_path / "half.onnx"
    export_onnx(network, full, size=SIZE)
    halve_weights(full, half)
    report = measure_parity(network, LABELS, sealed(full), sealed(half, "fp16"), images, SIZE)
    assert report.passed, report.text
    assert report.precision == "fp16"
    assert all(check.result.boxes > 20 for check in report.checks), report.text
    told = {check.what for check in report.checks if not check.decides}
    assert "fp16 file against the network, before suppression" in told, "the rounding itself is told, not judged"
    path = tmp_path / "parity.json"
    write_parity(path, report)
    assert read_parity(path, report.model) == []
    assert json.loads(path.read_text())["checks"][0]["result"]["unmatched"] == 0


def test_a_file_with_one_other_layer_does_not(
    network: Any, images: list[np.ndarray], sealed: Callable[..., Bundle], tmp_path: Path
) -> None:
    file = tmp_path / "spoilt.onnx"
    export_onnx(network, file, size=SIZE)
    model = onnx.load(str(file))
    weights = next(tensor for tensor in model.graph.initializer if tensor.name.endswith("cv3.0.2.weight"))
    values = numpy_helper.to_array(weights).copy()
    values *= -1
    weights.CopyFrom(numpy_helper.from_array(values, weights.name))
    onnx.save(model, str(file))
    bundle = sealed(file)
    report = measure_parity(network, LABELS, bundle, bundle, images, SIZE)
    assert not report.passed
    assert report.text.startswith("fp32 file against the network")


def test_without_val_pictures_nothing_can_be_compared(tmp_path: Path) -> None:
    sets = {"squares": {}, "discs": {}}
    recipe = MixtureRecipe.model_validate({"name": "shapes", "labels": ["square", "disc"], "sets": sets})
    data = merge_sets(recipe, [draw_sets(tmp_path / "sets")], tmp_path / "out")
    shutil.rmtree(tmp_path / "out/images/val")
    with pytest.raises(DatasetError, match="no validation pictures"):
        check_pictures(data)
