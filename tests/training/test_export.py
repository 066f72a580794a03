"""The exported file says what the trained network says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train` (torch, ultralytics)")
pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")

from ultralytics.nn.tasks import DetectionModel  # noqa: E402

from detector.errors import DatasetError  # noqa: E402
from detector.inference.bundle import LabelEntry  # noqa: E402
from detector.inference.seal import seal  # noqa: E402
from detector.training.export import export_onnx, halve_weights, read_network  # noqa: E402
from detector.training.train_state import TrainState, save_state  # noqa: E402

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
LABELS = ["bin", "car", "truck"]


@pytest.fixture(scope="module")
def network() -> Any:
    torch.manual_seed(0)
    return DetectionModel("yolov5n.yaml", nc=len(LABELS), verbose=False).eval()


@pytest.fixture(scope="module")
def exported(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_onnx(network, path, size=128)
    return path


def run(path: Path, tensor: Any) -> Any:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["output0"], {"images": tensor})[0]


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 128, 128), (2, 96, 160)])
def test_any_batch_and_size_gives_what_the_network_gives(
    network: Any, exported: Path, batch: int, height: int, width: int
) -> None:
    tensor = np.random.default_rng(0).random((batch, 3, height, width), np.float32)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(tensor))[0].numpy()
    found = run(exported, tensor)
    assert found.shape == wanted.shape == (batch, 4 + len(LABELS), height * width // 64 * 21 // 16)
    np.testing.assert_allclose(found[:, :4], wanted[:, :4], atol=0.05)  # pixels
    np.testing.assert_allclose(found[:, 4:], wanted[:, 4:], atol=1e-4)


def test_half_weights_halve_the_file_and_keep_the_answer(exported: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.onnx"
    halve_weights(exported, half)
    assert half.stat().st_size < 0.6 * exported.stat().st_size
    tensor = np.random.default_rng(1).random((1, 3, 128, 128), np.float32)
    before, after = run(exported, tensor), run(half, tensor)
    assert after.dtype == np.float32
    np.testing.assert_allclose(after[:, 4:], before[:, 4:], atol=1e-3)
    np.testing.assert_allclose(after[:, :4], before[:, :4], atol=0.5)


def test_the_runtime_accepts_a_bundle_made_of_it(exported: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.onnx"
    halve_weights(exported, half)
    labels = [LabelEntry(name=name) for name in LABELS]
    bundle = seal(
        half, tmp_path / "bundle", name="tiny", version="1", created=datetime(2026, 1, 1, tzinfo=UTC),
        labels=labels, licence="AGPL-3.0-or-later", precision="fp16",
    )  # fmt: skip
    assert bundle.manifest.output.layout == "yolo-v8"
    assert bundle.manifest.input.dynamic_batch
    assert bundle.manifest.input.dynamic_size


def test_a_training_state_gives_back_its_averaged_network(network: Any, tmp_path: Path) -> None:
    averaged = network.state_dict()
    other = {name: torch.zeros_like(value) for name, value in averaged.items()}
    path = tmp_path / "state.pt"
    save_state(path, TrainState(1, other, averaged, 5, {}, None, "0" * 64, LABELS, dict(network.yaml)))
    read, labels = read_network(path)
    assert labels == LABELS
    for name, value in read.state_dict().items():
        assert torch.equal(value, averaged[name])


def test_the_mean_of_two_runs(network: Any, tmp_path: Path) -> None:
    first = network.state_dict()
    second = {n: value + 1 if value.is_floating_point() else value + 7 for n, value in first.items()}
    paths = [tmp_path / "first.pt", tmp_path / "second.pt"]
    for path, average in zip(paths, (first, second), strict=True):
        save_state(path, TrainState(1, first, average, 5, {}, None, "0" * 64, LABELS, dict(network.yaml)))
    read, labels = read_network(paths[0], others=paths[1:])
    assert labels == LABELS
    for name, value in read.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, first[name] + 0.5)
        else:
            assert torch.equal(value, first[name])


@pytest.mark.parametrize("labels", [LABELS[::-1], [*LABELS, "more"]])
def test_runs_for_other_labels_have_no_mean(network: Any, tmp_path: Path, labels: list[str]) -> None:
    weights = network.state_dict()
    paths = [tmp_path / "first.pt", tmp_path / "second.pt"]
    for path, names in zip(paths, (LABELS, labels), strict=True):
        save_state(path, TrainState(1, weights, weights, 5, {}, None, "0" * 64, names, dict(network.yaml)))
    with pytest.raises(DatasetError, match=r"second\.pt: is no run of the same network"):
        read_network(paths[0], others=paths[1:])
