"""What is prepared ahead is what would have been made in its turn, and a model never takes another form for its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.frame import Prepared, plain
from detector.inference.bundle import Bundle
from detector.inference.form import InputForm
from detector.inference.letterbox import fit
from detector.inference.onnx import OnnxDetector, OnnxNetwork
from detector.inference.scripted import ScriptedDetector
from detector.inference.swap import HotSwap
from detector.inference.tiles import TiledDetector
from detector.inference.yolo import Limits

ALL = Limits(min_score=0.01, multi_label=True)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.sampled_from([None, 32]),
    st.sampled_from(["rgb", "bgr"]),
    st.sampled_from([("float32", 255, 0, 1e-7), ("float16", 255, 0, 5e-4), ("uint8", 1, 0, 0), ("int8", 1, 128, 0)]),
)
def test_the_prepared_canvas_is_the_one_made_from_the_picture(
    width: int, height: int, stride: int | None, colour: str, number: tuple[str, int, int, float]
) -> None:
    dtype, scale, shift, tolerance = number
    image = noise(height, width)
    prepared = InputForm((128, 96), stride, dtype, colour, 114).prepared(image)
    canvas = fit((width, height), (128, 96), stride=stride).apply(image, 114)
    expected = (canvas if colour == "bgr" else canvas[:, :, ::-1]).transpose(2, 0, 1)[None]
    assert prepared.image is image
    assert prepared.tensor.dtype == dtype
    assert prepared.tensor.shape == expected.shape
    values = prepared.tensor.astype(np.float64)
    assert np.abs(values - (expected.astype(np.float64) - shift) / scale).max() <= tolerance


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("threads", [1, 2])
def test_prepared_pictures_are_found_alike_alone_and_in_mixed_company(
    colour_bundle: Callable[..., Bundle], batch: int | None, threads: int
) -> None:
    detector = OnnxDetector(colour_bundle(batch=batch), "cpu", threads, limits=ALL)
    images = [noise(40, 90, seed) for seed in range(5)]
    mixed = [detector.prepare(image) if seed % 2 else image for seed, image in enumerate(images)]
    plainly = [detector.detect([image])[0] for image in images]
    for found, alone in zip(detector.detect(mixed), plainly, strict=True):
        assert [(d.label, d.box) for d in found] == [(d.label, d.box) for d in alone]
        assert [d.score for d in found] == pytest.approx([d.score for d in alone], abs=1e-6)


def test_on_one_thread_the_prepared_tensor_itself_goes_in(
    colour_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[np.ndarray] = []
    run = OnnxNetwork.run

    def recorded(self: OnnxNetwork, tensor: np.ndarray) -> np.ndarray:
        taken.append(tensor)
        return run(self, tensor)

    bundle = colour_bundle(batch=None)
    monkeypatch.setattr(OnnxNetwork, "run", recorded)
    images = [noise(64, 64, seed) for seed in range(3)]
    alone = OnnxDetector(bundle, "cpu", 1)
    ready = [alone.prepare(image) for image in images]
    alone.detect(ready)
    assert [id(tensor) for tensor in taken] == [id(one.tensor) for one in ready]
    taken.clear()
    OnnxDetector(bundle, "cpu", 2).detect(ready)
    assert [tensor.shape for tensor in taken] == [(3, 3, 64, 64)]


@pytest.mark.parametrize(
    "other",
    [{"size": (128, 96)}, {"dtype": "uint8"}, {"colour": "bgr"}, {"fill": 0}],
    ids=["size", "dtype", "colour", "fill"],
)
def test_a_model_swapped_in_between_prepares_anew(
    colour_bundle: Callable[..., Bundle], other: dict[str, object]
) -> None:
    first = OnnxDetector(colour_bundle("first"), "cpu", 1, limits=ALL)
    exported = {key: value for key, value in other.items() if key in ("size", "dtype")}
    bundle = colour_bundle("second", **exported)
    entry = bundle.manifest.input.model_copy(update={key: other[key] for key in other.keys() - exported.keys()})
    second = OnnxDetector(
        replace(bundle, manifest=bundle.manifest.model_copy(update={"input": entry})), "cpu", 1, limits=ALL
    )
    image = noise(90, 50)
    waiting = HotSwap(first, lambda _path: second).prepare(image)
    assert isinstance(waiting, Prepared)
    assert second.form.prepared(waiting).tensor is not waiting.tensor
    assert second.detect([waiting]) == second.detect([image])


def test_a_model_of_the_same_form_takes_what_was_prepared(colour_bundle: Callable[..., Bundle]) -> None:
    first, second = (OnnxDetector(colour_bundle(name), "cpu", 1) for name in ("first", "second"))
    waiting = first.prepare(noise(90, 50))
    assert second.form.prepared(waiting) is waiting


def test_what_is_no_picture_is_refused_ahead(colour_bundle: Callable[..., Bundle]) -> None:
    with pytest.raises(ValueError, match=r"a picture is \(H, W, 3\) uint8"):
        OnnxDetector(colour_bundle(), "cpu").prepare(np.zeros((10, 10), np.uint8))


def test_detectors_without_a_form_look_at_the_picture(colour_bundle: Callable[..., Bundle]) -> None:
    image = noise(8, 8)
    prepared = OnnxDetector(colour_bundle(), "cpu").prepare(image)
    assert plain(prepared) is image
    seen: list[np.ndarray] = []
    double = ScriptedDetector(lambda picture: seen.append(picture) or ())
    for detector in (double, TiledDetector(double)):
        assert detector.prepare(image) is image
        assert detector.detect([prepared]) == [[]]
    assert all(picture is image for picture in seen)
    assert len(seen) == 2
