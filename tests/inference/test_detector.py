"""Whole detectors on a network whose right answer is known: the mean colours of the canvas."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from detector.core.detection import BoundingBox, Detection
from detector.errors import BundleError, ConfigError
from detector.inference import onnx as onnx_backend
from detector.inference.bundle import Bundle
from detector.inference.onnx import OnnxDetector
from detector.inference.open import open_detector
from detector.inference.scripted import ScriptedDetector
from detector.inference.swap import HotSwap
from detector.inference.yolo import Limits

BACKENDS = ["onnxruntime", "openvino"]


def need(backend: str) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")


def plain(blue: int, green: int, red: int, height: int = 64, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), (blue, green, red), np.uint8)


def scores(found: list[Detection]) -> dict[str, float]:
    return {detection.label: detection.score for detection in found}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8"])
def test_colours_reach_the_network_in_order_and_scale(
    colour_bundle: Callable[..., Bundle], backend: str, dtype: str
) -> None:
    need(backend)
    bundle = colour_bundle(dtype=dtype)
    detector = open_detector(bundle.path, backend, limits=Limits(min_score=0.01, multi_label=True))
    found = detector.detect([plain(blue=51, green=102, red=204)])[0]
    assert [detection.label for detection in found] == ["red", "green", "blue"]
    assert scores(found) == pytest.approx({"red": 0.8, "green": 0.4, "blue": 0.2}, abs=2e-3)
    assert found[0].box == BoundingBox(22, 27, 42, 37)
    assert detector.model_version == bundle.model_version
    assert detector.labels == ("red", "green", "blue")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch", [None, 1, 2, 3])
@pytest.mark.parametrize("size", [None, (64, 64), (128, 96)])
def test_a_mixed_batch_gives_what_single_pictures_give(
    colour_bundle: Callable[..., Bundle], backend: str, batch: int | None, size: tuple[int, int] | None
) -> None:
    need(backend)
    detector = open_detector(
        colour_bundle(batch=batch, size=size).path, backend, limits=Limits(min_score=0.01, multi_label=True)
    )
    source = np.random.default_rng(3)
    shapes = [(40, 90), (90, 40), (64, 64), (40, 90), (200, 300), (40, 90), (7, 500)]
    images = [source.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]
    together = detector.detect(images)
    apart = [detector.detect([image])[0] for image in images]
    assert len(together) == len(images)
    for mixed, alone in zip(together, apart, strict=True):
        assert scores(mixed) == pytest.approx(scores(alone), abs=1e-5)
        assert {d.label: d.box for d in mixed} == {d.label: d.box for d in alone}
    assert detector.detect([]) == []


def test_dynamic_size_uses_the_smallest_canvas(colour_bundle: Callable[..., Bundle]) -> None:
    dynamic = OnnxDetector(colour_bundle(size=None, nominal_size=(640, 640)), "cpu")
    assert dynamic.tensor(np.zeros((1080, 1920, 3), np.uint8)).shape == (1, 3, 384, 640)
    smaller = OnnxDetector(dynamic.bundle, "cpu", input_size=(320, 320))
    assert smaller.tensor(np.zeros((1080, 1920, 3), np.uint8)).shape == (1, 3, 192, 320)


def test_impossible_sizes_are_refused(colour_bundle: Callable[..., Bundle]) -> None:
    with pytest.raises(ConfigError, match="takes 64x64 pictures only, not 128x128"):
        OnnxDetector(colour_bundle(), "cpu", input_size=(128, 128))
    with pytest.raises(ConfigError, match="multiples of 32"):
        OnnxDetector(colour_bundle("d", size=None), "cpu", input_size=(100, 128))


@pytest.mark.parametrize(
    "image",
    [np.zeros((10, 10), np.uint8), np.zeros((10, 10, 4), np.uint8), np.zeros((10, 10, 3), np.float32)],
)
def test_what_is_no_picture_is_refused(colour_bundle: Callable[..., Bundle], image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"a picture is \(H, W, 3\) uint8"):
        OnnxDetector(colour_bundle(), "cpu").detect([image])


def test_unknown_backends_and_devices_say_what_there_is(colour_bundle: Callable[..., Bundle]) -> None:
    path = colour_bundle().path
    with pytest.raises(ConfigError, match="use onnxruntime or openvino"):
        open_detector(path, "tensorflow")
    with pytest.raises(ConfigError, match="use auto, cpu, cuda, tensorrt"):
        open_detector(path, provider="quantum")
    if "CUDAExecutionProvider" not in onnx_backend.onnxruntime.get_available_providers():
        with pytest.raises(ConfigError, match="'cuda' is not in this onnxruntime"):
            open_detector(path, provider="cuda")
    assert open_detector(path, provider="cpu").device == "cpu"


def test_the_golden_picture_is_checked_at_every_load(colour_bundle: Callable[..., Bundle]) -> None:
    picture = plain(blue=20, green=20, red=200)
    good = colour_bundle("good", golden=picture)
    assert good.manifest.golden is not None
    assert scores(open_detector(good.path).detect([picture])[0])["red"] == pytest.approx(200 / 255, abs=1e-4)
    # The same golden answer with the labels in another order: a model that is whole and yet wrong.
    other = colour_bundle("other", names=("blue", "green", "red"), golden=picture)
    (other.path / "golden.npz").write_bytes((good.path / "golden.npz").read_bytes())
    manifest = json.loads((other.path / "manifest.json").read_text())
    manifest["golden"] = json.loads((good.path / "manifest.json").read_text())["golden"]
    manifest["input"]["colour"] = "bgr"
    del manifest["seal"]
    (other.path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"golden\.npz: self-test failed on cpu"):
        open_detector(other.path)


def test_a_network_that_gives_no_numbers_fails_its_self_test(
    colour_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = colour_bundle().path
    monkeypatch.setattr(
        onnx_backend.OnnxNetwork, "run", lambda self, tensor: np.full((len(tensor), 7, 1), np.nan, np.float32)
    )
    with pytest.raises(BundleError, match="not finite"):
        open_detector(path)


def test_a_failing_run_is_our_own_error(colour_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch) -> None:
    detector = OnnxDetector(colour_bundle(), "cpu")

    def fail(self: object, tensor: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(onnx_backend.OnnxNetwork, "run", fail)
    with pytest.raises(BundleError, match=r"model failed on input \(1, 3, 64, 64\): out of memory"):
        detector.detect([plain(0, 0, 0)])


def test_a_bad_bundle_keeps_the_old_model_and_says_why(colour_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    first, second = colour_bundle("first"), colour_bundle("second", batch=2, name="colours-two")
    swap = HotSwap(open_detector(first.path), open_detector)
    model = second.path / "model.onnx"
    good = model.read_bytes()
    model.write_bytes(good[:-1] + b"!")
    refused = swap.load(second.path)
    assert not refused.accepted
    assert refused.model_version == first.model_version == swap.model_version
    assert refused.reason is not None
    assert "SHA-256" in refused.reason
    assert swap.load(tmp_path / "nowhere").accepted is False
    model.write_bytes(good)
    accepted = swap.load(second.path)
    assert accepted.accepted
    assert accepted.model_version == second.model_version == swap.model_version
    assert swap.labels == ("red", "green", "blue")
    assert scores(swap.detect([plain(0, 0, 255)])[0])["red"] == pytest.approx(1)


def test_detection_goes_on_while_a_model_is_loaded() -> None:
    may_finish = threading.Event()
    loading = threading.Event()
    new = ScriptedDetector(model_version="new@1")

    def slowly(path: Path) -> ScriptedDetector:
        loading.set()
        assert may_finish.wait(30)
        return new

    swap = HotSwap(ScriptedDetector(model_version="old@1"), slowly)
    thread = threading.Thread(target=swap.load, args=(Path("anywhere"),))
    thread.start()
    assert loading.wait(30)
    held = swap.current
    assert swap.detect([plain(0, 0, 0)]) == [[]]
    assert swap.model_version == "old@1"
    may_finish.set()
    thread.join(30)
    assert swap.model_version == "new@1"
    assert held.model_version == "old@1"


def test_the_double_answers_from_its_script() -> None:
    weak = Detection("bin", BoundingBox(0, 0, 1, 1), 0.2)
    strong = Detection("bin", BoundingBox(0, 0, 1, 1), 0.9)
    double = ScriptedDetector([[weak, strong], []], labels=("bin",))
    picture = plain(0, 0, 0)
    assert double.detect([picture, picture, picture]) == [[strong, weak], [], []]
    assert double.batches == [3]
    assert ScriptedDetector(lambda image: [weak]).detect([picture]) == [[weak]]
