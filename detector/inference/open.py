"""One door to every backend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from detector.errors import ConfigError
from detector.inference.bundle import load_bundle
from detector.inference.onnx import OnnxDetector
from detector.inference.openvino import OpenVinoDetector
from detector.inference.selftest import self_test
from detector.inference.yolo import Limits, YoloDetector

BACKENDS: dict[str, Callable[..., YoloDetector]] = {
    "onnxruntime": OnnxDetector,
    "openvino": OpenVinoDetector,
}


def open_detector(
    path: Path,
    backend: str = "onnxruntime",
    *,
    provider: str = "auto",
    threads: int = 0,
    input_size: tuple[int, int] | None = None,
    limits: Limits | None = None,
) -> YoloDetector:
    """Check the bundle in folder `path`, load it and pass it through its self-test.

    `backend`: a key of BACKENDS. The rest as in OnnxDetector and OpenVinoDetector.
    Raises BundleError when the bundle is not fit for use, ConfigError for a backend or device that is not there.
    """
    if backend not in BACKENDS:
        raise ConfigError(f"unknown backend {backend!r}: use {' or '.join(BACKENDS)}")
    detector = BACKENDS[backend](
        load_bundle(path), provider=provider, threads=threads, input_size=input_size, limits=limits
    )
    self_test(detector)
    return detector
