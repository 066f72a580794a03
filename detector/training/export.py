"""From a trained network to the file that the runtime opens: ONNX with float32 in and out.

The network is written once with float32 weights. The `fp16` variant stores the weights in half precision behind Cast
nodes, which onnxruntime folds back to float32 when it loads the file: half the size on disk, the arithmetic unchanged.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from ultralytics.nn.tasks import DetectionModel

from detector.errors import DatasetError
from detector.training.train_model import only_safe_checkpoints, read_checkpoint
from detector.training.train_state import TrainState, load_state

OPSET = 17  # read by onnxruntime since 1.12 and by OpenVINO since 2022.3
SMALLEST_HALVED = 64  # elements: below it a Cast costs more bytes than it saves


def network_of_state(state: TrainState, model: str) -> DetectionModel:
    """The averaged network of a training state; `model` is the description it was built from (`yolov5n.yaml`)."""
    network = DetectionModel(state.network or model, nc=len(state.labels), verbose=False)
    try:
        network.load_state_dict(state.average)
    except RuntimeError as error:
        raise DatasetError(f"the training state does not fit {model}: {str(error).splitlines()[0]}") from error
    network.names = dict(enumerate(state.labels))
    return network.eval()


def mean_state(first: Path, others: Sequence[Path]) -> TrainState:
    """The state in `first` with the mean of all averaged weights in place of its own; counters are those of `first`."""
    state = load_state(first)
    weights = [state.average]
    for path in others:
        other = load_state(path)
        if other.labels != state.labels or _shapes(other) != _shapes(state):
            raise DatasetError(f"{path}: is no run of the same network for the same labels as {first}")
        weights.append(other.average)
    mean = {name: _mean([one[name] for one in weights]) for name in state.average}
    return replace(state, average=mean)


def _shapes(state: TrainState) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in state.average.items()}


def _mean(values: Sequence[torch.Tensor]) -> torch.Tensor:
    """Counters, which are no weights, are those of the first."""
    return torch.stack([*values]).mean(dim=0) if values[0].is_floating_point() else values[0]


def read_network(
    path: Path, model: str | None = None, others: Sequence[Path] = ()
) -> tuple[torch.nn.Module, list[str]]:
    """Network and labels of a training state (`state.pt`) or an ultralytics checkpoint; nothing in the file is run.

    `others`: states of other runs of the same network for the same labels; the result is the mean of all weights, which
    is worth trying where one run started from the other (Wortsman et al. 2022, "Model soups", arXiv:2203.05482).
    Raises DatasetError when they do not fit together.
    """
    only_safe_checkpoints()
    try:
        state = mean_state(path, others) if others else load_state(path)
    except DatasetError:
        if others:
            raise
        network = read_checkpoint(path)
        names = network.names
        return network.eval(), list(names.values() if isinstance(names, dict) else names)  # type: ignore[arg-type]
    if state.network is None and model is None:
        raise DatasetError(f"{path}: does not say its network; name the description it was trained from (yolov5n.yaml)")
    return network_of_state(state, model or ""), state.labels


def export_onnx(network: torch.nn.Module, path: Path, size: int = 640) -> None:
    """Write `network` as ONNX: input `images` (batch, 3, height, width) float32 RGB 0..1, output `output0`
    (batch, 4 + labels, anchors) with cx cy w h in input pixels and sigmoid scores; batch, height and width are free
    (height and width multiples of the network's stride). `size` is only the example's side, pixels.
    """
    network = deepcopy(network).float().cpu().eval()
    network = network.fuse() if hasattr(network, "fuse") else network  # type: ignore[operator]
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    head: Any = network.model[-1]  # type: ignore[index]
    head.export, head.dynamic, head.format = True, True, "onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer warns about the grid's size checks, which dynamic=True makes safe
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, size, size),),
            str(path),
            input_names=["images"],
            output_names=["output0"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,  # the other exporter needs onnxscript and cannot leave height and width free here
        )
    _name_channels(path, 4 + int(head.nc))


def _name_channels(path: Path, channels: int) -> None:
    """Write the number of output channels into the file: the tracer loses it once height and width are free."""
    model = onnx.load(str(path))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = channels
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def halve_weights(source: Path, target: Path) -> None:
    """Store the weights of `source` in float16 and cast them back to float32 in the graph."""
    model = onnx.load(str(source))
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST_HALVED:
            continue
        if np.abs(values).max(initial=0.0) > np.finfo(np.float16).max:
            continue
        half = f"{tensor.name}_half"
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [tensor.name], name=f"{tensor.name}_cast", to=TensorProto.FLOAT))
    for index, node in enumerate(casts):
        graph.node.insert(index, node)
    onnx.checker.check_model(model)
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))
