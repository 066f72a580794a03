"""Quantisation and its gate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train` (torch, ultralytics)")
pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")

from ultralytics.nn.tasks import DetectionModel  # noqa: E402

from detector.errors import BundleError  # noqa: E402
from detector.inference.bundle import LabelEntry  # noqa: E402
from detector.inference.onnx import OnnxDetector  # noqa: E402
from detector.inference.seal import seal  # noqa: E402
from detector.training.export import export_onnx  # noqa: E402
from detector.training.export_int8 import calibration_images, losses, quantise, refuse_lossy  # noqa: E402
from detector.training.partial_sets import MixtureRecipe, merge_sets  # noqa: E402
from tests.training.drawn import SIDE, draw_sets  # noqa: E402

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_a_quantised_model_keeps_its_scores_and_decodes_in_float(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = DetectionModel("yolov5n.yaml", nc=2, verbose=False).eval()
    full = tmp_path / "full.onnx"
    export_onnx(network, full, size=96)
    labels = [LabelEntry(name="a"), LabelEntry(name="b")]
    bundle = seal(
        full, tmp_path / "bundle", name="t", version="1", created=datetime(2026, 1, 1, tzinfo=UTC), labels=labels,
        licence="AGPL-3.0-or-later", nominal_size=(96, 96),
    )  # fmt: skip
    detector = OnnxDetector(bundle, "cpu")
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 255, (96, 96, 3)).astype(np.uint8) for _ in range(4)]
    small = tmp_path / "int8.onnx"
    quantise(full, small, detector, images)
    assert small.stat().st_size < 0.4 * full.stat().st_size
    graph = onnx.load(str(small)).graph
    assert {node.op_type for node in graph.node} >= {"QuantizeLinear", "DequantizeLinear"}
    made = {output: node.op_type for node in graph.node for output in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    floating = [node.name for node in convolutions if made.get(node.input[1]) != "DequantizeLinear"]
    assert len(floating) == 2 + 6 + 1, "two at the entrance, two branches of three levels at the exit, the decoding"
    assert len(floating) < len(convolutions) / 3
    users = {name: {user.op_type for user in graph.node if name in user.input} for name in made}
    after = {node.input[0]: users[node.output[0]] for node in graph.node if node.op_type == "DequantizeLinear"}
    for node in graph.node:
        if node.op_type == "QuantizeLinear":
            beside = {made.get(node.input[0], ""), *after[node.output[0]]}
            assert beside & {"Conv", "Gemm", "MatMul"}, f"{node.name} quantises what only {beside} have to do with"
    sealed = seal(
        small, tmp_path / "int8", name="t", version="1", created=datetime(2026, 1, 1, tzinfo=UTC), labels=labels,
        licence="AGPL-3.0-or-later", nominal_size=(96, 96), precision="int8",
    )  # fmt: skip
    before = detector.raw(images[0])
    after = OnnxDetector(sealed, "cpu").raw(images[0])
    np.testing.assert_allclose(after[:4], before[:4], atol=6)  # pixels; a quantised grid would be off by tens
    np.testing.assert_allclose(after[4:], before[4:], atol=0.05)


def test_no_pictures_no_calibration(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no pictures"):
        quantise(tmp_path / "a.onnx", tmp_path / "b.onnx", None, [])  # type: ignore[arg-type]


def test_calibration_looks_at_training_pictures_only(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets", pictures=3)
    for path in root.rglob("val/*.png"):
        cv2.imwrite(str(path), np.full((SIDE, SIDE, 3), 255, np.uint8))
    recipe = MixtureRecipe.model_validate({"name": "s", "labels": ["square"], "sets": {"squares": {}}})
    data = merge_sets(recipe, [root], tmp_path / "data")
    images = calibration_images(data, 200, seed=0)
    assert len(images) == 3
    assert all(image.min() < 255 for image in images)
    assert len(calibration_images(data, 2, seed=0)) == 2


def test_the_gate_names_every_label_that_lost() -> None:
    refuse_lossy({"bin": 0.9, "crack": 0.2}, {"bin": 0.89, "crack": 0.19})
    with pytest.raises(BundleError, match=r"bin 0\.900 -> 0\.870"):
        refuse_lossy({"bin": 0.9, "crack": 0.2}, {"bin": 0.87, "crack": 0.2})
    collapsed = losses({"smoke": 0.015, "bin": 0.5}, {"smoke": 0.0, "bin": 0.5})
    assert [one.label for one in collapsed] == ["smoke"]
    assert [one.label for one in losses({"fire": 0.3}, {})] == ["fire"]
