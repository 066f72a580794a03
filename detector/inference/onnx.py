"""onnxruntime: the default backend, on CPU, CUDA or TensorRT."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime

from detector.errors import BundleError, ConfigError
from detector.inference.bundle import Bundle
from detector.inference.form import Tensor
from detector.inference.yolo import Limits, Shape, YoloDetector

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
_FALLBACKS = {"cpu": ("cpu",), "cuda": ("cuda", "cpu"), "tensorrt": ("tensorrt", "cuda", "cpu")}


class OnnxDetector(YoloDetector):
    """A Detector that runs its bundle with onnxruntime."""

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

        `provider`: auto (CUDA where present, else CPU), cpu, cuda or tensorrt. `threads`: CPU threads of one
        run, 0 = all cores. `input_size`: (width, height), pixels, for models of dynamic size.
        Raises BundleError or ConfigError.
        """
        network = OnnxNetwork(bundle.model_bytes(), provider, threads, name=str(bundle.path / bundle.manifest.file))
        super().__init__(bundle, network, input_size=input_size, limits=limits)


class OnnxNetwork:
    """An onnxruntime session as a Network."""

    def __init__(self, model: bytes, provider: str = "auto", threads: int = 0, *, name: str = "model") -> None:
        """Load ONNX bytes; `name` is used in errors."""
        wanted = provider_names(provider)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors only: exported YOLO graphs draw harmless warnings at load
        # Idle threads must not spin: the same cores decode the cameras' video between two batches.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=wanted)
        except Exception as error:
            raise BundleError(f"{name}: onnxruntime cannot load it: {error}") from error
        got = self._session.get_providers()[0]
        if provider != "auto" and got != wanted[0]:
            raise ConfigError(f"provider {provider!r} could not be started, onnxruntime fell back to {got}")
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise BundleError(f"{name}: takes {len(inputs)} inputs instead of one picture tensor")
        self._one_thread = threads == 1
        self._input, self._output = inputs[0], self._session.get_outputs()[0]

    @property
    def input_shape(self) -> Shape:
        """(batch, 3, height, width), None where it varies."""
        return _shape(self._input.shape)

    @property
    def input_dtype(self) -> str:
        """Name of the numpy type it takes."""
        return _dtype(self._input.type)

    @property
    def output_shape(self) -> Shape:
        """Shape of the first output."""
        return _shape(self._output.shape)

    @property
    def device(self) -> str:
        """cpu, cuda or tensorrt."""
        got = self._session.get_providers()[0]
        return next((short for short, long in _PROVIDERS.items() if long == got), str(got))

    @property
    def gains_by_batches(self) -> bool:
        """See Network."""
        return not (self._one_thread and self.device == "cpu")

    def run(self, tensor: Tensor) -> Tensor:
        """One pass; returns the first output."""
        return np.asarray(self._session.run([self._output.name], {self._input.name: tensor})[0])


def provider_names(provider: str) -> list[str]:
    """Providers to ask onnxruntime for, best first.

    Raises ConfigError for an unknown one or one that this installation of onnxruntime does not have.
    """
    present = onnxruntime.get_available_providers()
    if provider == "auto":
        provider = "cuda" if _PROVIDERS["cuda"] in present else "cpu"
    if provider not in _PROVIDERS:
        raise ConfigError(f"unknown provider {provider!r}: use auto, {', '.join(_PROVIDERS)}")
    if _PROVIDERS[provider] not in present:
        raise ConfigError(
            f"provider {provider!r} is not in this onnxruntime (it has {', '.join(present)}); "
            "use auto or cpu, or install onnxruntime-gpu"
        )
    return [_PROVIDERS[short] for short in _FALLBACKS[provider] if _PROVIDERS[short] in present]


def _shape(shape: Sequence[int | str | None]) -> Shape:
    return tuple(side if isinstance(side, int) and side > 0 else None for side in shape)


def _dtype(name: str) -> str:
    names = {
        "tensor(float)": "float32",
        "tensor(float16)": "float16",
        "tensor(uint8)": "uint8",
        "tensor(int8)": "int8",
    }
    return names.get(name, name)
