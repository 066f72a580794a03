"""Small labelled sets drawn on the spot, and a network that always says the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from detector.core.detection import BoundingBox, Detection
from detector.inference.bundle import Bundle, LabelEntry
from detector.inference.seal import seal
from detector.training.labelled import LabelledBox, LabelledPicture

Box = tuple[str, float, float, float, float]
"""label, left, top, right, bottom in pixels."""


def box(label: str, left: float, top: float, right: float, bottom: float) -> LabelledBox:
    return LabelledBox(label, BoundingBox(left, top, right, bottom))


def seen(label: str, score: float, left: float, top: float, right: float, bottom: float) -> Detection:
    return Detection(label, BoundingBox(left, top, right, bottom), score)


def picture(
    *boxes: LabelledBox,
    labels: Sequence[str] = ("garbage",),
    exhaustive: Sequence[str] | None = None,
    name: str = "a",
    size: tuple[int, int] = (640, 640),
    source: str = "set",
    group: str | None = None,
) -> LabelledPicture:
    return LabelledPicture(
        path=Path(f"{name}.png"),
        size=size,
        boxes=boxes,
        annotated=frozenset(labels),
        exhaustive=frozenset(labels if exhaustive is None else exhaustive),
        source=source,
        split="val",
        group=group,
    )


def draw(path: Path, size: tuple[int, int] = (64, 48), seed: int = 0, level: int = 128) -> Path:
    """A picture of smooth noise, different for each seed; `level`: its mean grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.float32)
    image = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    image = np.clip(image - image.mean() + level, 0, 255).astype(np.uint8)
    assert cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def yolo_set(tmp_path: Path) -> Callable[..., Path]:
    """Write a YOLO set: {split: {picture name: boxes in pixels}} -> its data.yaml."""

    def make(
        splits: dict[str, dict[str, Sequence[Box]]],
        labels: Sequence[str] = ("garbage", "bin"),
        name: str = "drawn",
        groups: dict[str, str] | None = None,
        size: tuple[int, int] = (64, 48),
        **more: Any,
    ) -> Path:
        root, number, rows = tmp_path / name, 0, ["image,group,split"]
        for split, pictures in splits.items():
            for stem, boxes in pictures.items():
                draw(root / f"images/{split}/{stem}.png", size, seed=number)
                number += 1
                lines = [
                    f"{labels.index(label)} {(x0 + x1) / 2 / size[0]:.8f} {(y0 + y1) / 2 / size[1]:.8f} "
                    f"{(x1 - x0) / size[0]:.8f} {(y1 - y0) / size[1]:.8f}"
                    for label, x0, y0, x1, y1 in boxes
                ]
                path = root / f"labels/{split}/{stem}.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("".join(line + "\n" for line in lines))
                rows.append(f"images/{split}/{stem}.png,{(groups or {}).get(stem, stem)},{split}")
        data = {"path": ".", **{split: f"images/{split}" for split in splits}, "names": list(labels), **more}
        (root / "data.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
        (root / "groups.csv").write_text("\n".join(rows) + "\n")
        return root / "data.yaml"

    return make


def constant_model(rows: Sequence[Sequence[float]], size: int = 64) -> bytes:
    """ONNX bytes: (1, 3, size, size) -> (1, 4 + labels, N); each row is cx cy w h and a score per label."""
    from onnx import TensorProto, helper, numpy_helper

    table = np.asarray(rows, np.float32).T[None]
    constants: dict[str, np.ndarray[Any, Any]] = {
        "zero": np.array(0, np.float32),
        "table": table,
        "all": np.array([1, 2, 3], np.int64),
    }
    nodes = [
        helper.make_node("ReduceMean", ["images", "all"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "table"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, list(table.shape))],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


@pytest.fixture
def constant_bundle(tmp_path: Path) -> Callable[..., Bundle]:
    """Seal a network that reports the given rows for every picture."""

    def make(
        rows: Sequence[Sequence[float]],
        labels: Sequence[str | LabelEntry] = ("garbage", "bin"),
        folder: str = "constant",
        **keywords: Any,
    ) -> Bundle:
        pytest.importorskip("onnx")
        exported = tmp_path / f"{folder}.onnx"
        exported.write_bytes(constant_model(rows))
        settings: dict[str, Any] = {
            "name": "constant",
            "version": "1",
            "created": datetime(2026, 1, 2, tzinfo=UTC),
            "licence": "CC0-1.0",
            "labels": tuple(LabelEntry(name=label) if isinstance(label, str) else label for label in labels),
        }
        return seal(exported, tmp_path / folder, **(settings | keywords))

    return make
