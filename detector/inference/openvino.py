"""OpenVINO: the second backend, for Intel CPUs, integrated GPUs and NPUs. Needs the extra `openvino`."""

from __future__ import annotations

import threading
from typing import Any, Literal

import numpy as np

from detector.errors import BundleError, ConfigError
from detector.inference.bundle import Bundle
from detector.inference.form import Tensor
from detector.inference.yolo import Limits, Shape, YoloDetector


class OpenVinoDetector(YoloDetector):
    """A Detector that runs its bundle with OpenVINO."""

    def __init__(
        self,
        bundle: Bundle,
        provider: str = "auto",
        threads: int = 0,
        *,
        input_size: tuple[int, int] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Load the bundle's model.

        `provider`: an OpenVINO device (cpu, gpu, npu, auto = CPU). `threads`: CPU threads of one run,
        0 = OpenVINO's choice. Raises BundleError, or ConfigError when OpenVINO or the device is missing.
        """
        network = OpenVinoNetwork(bundle.model_bytes(), provider, threads, name=str(bundle.path / bundle.manifest.file))
        super().__init__(bundle, network, input_size=input_size, limits=limits)


class OpenVinoNetwork:
    """A compiled OpenVINO model as a Network."""

    def __init__(
        self,
        model: bytes,
        provider: str = "auto",
        threads: int = 0,
        *,
        name: str = "model",
        precision: Literal["f32", "bf16"] = "f32",
    ) -> None:
        """Load ONNX bytes; `name` is used in errors. `precision`: the arithmetic asked for on a CPU."""
        try:
            import openvino  # heavy and optional: only whoever chooses this backend pays for it
        except ImportError as error:
            raise ConfigError(
                "backend openvino needs the extra: pip install 'street-detector[openvino]', or use onnxruntime"
            ) from error
        core = openvino.Core()
        self._device = "CPU" if provider == "auto" else provider.upper()
        if self._device.split(".")[0] not in {device.split(".")[0] for device in core.available_devices}:
            raise ConfigError(f"provider {provider!r} is not among OpenVINO's devices {core.available_devices}")
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if self._device == "CPU":
            # Scores must be those of the other backend; without this OpenVINO takes bf16 where the CPU has it.
            settings["INFERENCE_PRECISION_HINT"] = precision
            if threads:
                settings["INFERENCE_NUM_THREADS"] = threads
        try:
            read = core.read_model(model, b"")
            self._input_dtype = str(read.input(0).get_element_type().to_dtype())
            compiled = core.compile_model(read, self._device, settings)
        except Exception as error:
            raise BundleError(f"{name}: OpenVINO cannot load it: {error}") from error
        if len(compiled.inputs) != 1:
            raise BundleError(f"{name}: takes {len(compiled.inputs)} inputs instead of one picture tensor")
        self._request = compiled.create_infer_request()
        self._input_shape = _shape(compiled.input(0).get_partial_shape())
        self._output_shape = _shape(compiled.output(0).get_partial_shape())
        self._one_thread = threads == 1
        self._one_at_a_time = threading.Lock()  # an infer request cannot be entered twice

    @property
    def input_shape(self) -> Shape:
        """(batch, 3, height, width), None where it varies."""
        return self._input_shape

    @property
    def input_dtype(self) -> str:
        """Name of the numpy type it takes."""
        return self._input_dtype

    @property
    def output_shape(self) -> Shape:
        """Shape of the first output."""
        return self._output_shape

    @property
    def device(self) -> str:
        """OpenVINO's name of the device, in lower case."""
        return self._device.lower()

    @property
    def gains_by_batches(self) -> bool:
        """See Network."""
        return not (self._one_thread and self._device == "CPU")

    def run(self, tensor: Tensor) -> Tensor:
        """One pass; returns a copy of the first output."""
        with self._one_at_a_time:
            self._request.infer([tensor], share_inputs=True)
            return np.array(self._request.get_output_tensor(0).data)


def _shape(partial: Any) -> Shape:
    return tuple(dimension.get_length() if dimension.is_static else None for dimension in partial)
