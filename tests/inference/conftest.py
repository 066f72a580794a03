"""A tiny real network, made on the spot: its three labels score the mean red, green and blue of the canvas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.inference.bundle import Bundle, LabelEntry
from detector.inference.seal import seal

CREATED = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def labels(*names: str) -> tuple[LabelEntry, ...]:
    return tuple(LabelEntry(name=name) for name in names)


def colour_model(batch: int | None = 1, size: tuple[int, int] | None = (64, 64), dtype: str = "float32") -> bytes:
    """ONNX bytes: (batch, 3, height, width) -> (batch, 7, 1), one box in the middle, scores = channel means."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kinds = {
        "float32": TensorProto.FLOAT,
        "float16": TensorProto.FLOAT16,
        "uint8": TensorProto.UINT8,
        "int8": TensorProto.INT8,
    }
    height, width = (size[1], size[0]) if size else ("height", "width")
    shift, scale = {"uint8": (0, 255), "int8": (128, 255)}.get(dtype, (0, 1))
    constants = {
        "shift": np.array(shift, np.float32),
        "scale": np.array(scale, np.float32),
        "zero": np.array(0, np.float32),
        "box": np.array([32, 32, 20, 10], np.float32).reshape(1, 4, 1),
        "flat": np.array([0, 3, 1], np.int64),
        "one": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["numbers", "shift"], ["shifted"]),
        helper.make_node("Div", ["shifted", "scale"], ["values"]),
        helper.make_node("GlobalAveragePool", ["values"], ["pooled"]),
        helper.make_node("Reshape", ["pooled", "flat"], ["scores"]),
        helper.make_node("ReduceMean", ["scores", "one"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "box"], ["boxes"]),
        helper.make_node("Concat", ["boxes", "scores"], ["output0"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("images", kinds[dtype], [batch or "batch", 3, height, width])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [batch or "batch", 7, 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture
def colour_bundle(tmp_path: Path) -> Callable[..., Bundle]:
    """Seal a colour model; keywords of `colour_model` and of `seal`."""

    def make(folder: str = "colours", **keywords: Any) -> Bundle:
        pytest.importorskip("onnx")
        model_keywords = {key: keywords.pop(key) for key in ("batch", "size", "dtype") if key in keywords}
        exported = tmp_path / f"{folder}.onnx"
        exported.write_bytes(colour_model(**model_keywords))
        names: Sequence[str] = keywords.pop("names", ("red", "green", "blue"))
        settings: dict[str, Any] = {
            "name": "colours",
            "version": "1",
            "created": CREATED,
            "licence": "CC0-1.0",
            "labels": labels(*names),
            "nominal_size": (64, 64),
        }
        return seal(exported, tmp_path / folder, **(settings | keywords))

    return make


@pytest.fixture(scope="session")
def starter(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A real network of layout yolo-v8: garbage, bin, bin_overflow."""
    return seal(
        shared / "weights" / "starter-garbage.onnx",
        tmp_path_factory.mktemp("bundles") / "starter",
        name="starter",
        version="0",
        created=CREATED,
        licence="AGPL-3.0-only",
        labels=labels("garbage", "bin", "bin_overflow"),
    )


@pytest.fixture(scope="session")
def coco(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A real network of layout yolo-v5 with 80 labels."""
    return seal(
        shared / "weights" / "yolov5n-coco.onnx",
        tmp_path_factory.mktemp("bundles") / "coco",
        name="coco",
        version="0",
        created=CREATED,
        licence="AGPL-3.0-only",
        labels=labels(*(f"class_{index}" for index in range(80))),
    )


@pytest.fixture(scope="session")
def pictures(shared: Path) -> list[Path]:
    """Real street pictures of several shapes."""
    found: list[Path] = []
    for dataset in ("bins-cn", "cctv-vn", "garbage-streets", "coco-streets"):
        folder = shared / "data" / dataset / "images" / "val"
        found += sorted(folder.iterdir())[:12]
    return found
