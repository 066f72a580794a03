"""A bundle is what its manifest says, or it is refused with the file and field named."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.errors import BundleError
from detector.inference.bundle import Bundle, LabelEntry, Manifest, load_bundle
from detector.inference.open import open_detector
from detector.inference.seal import copy_bundle, guess_layout, write_manifest


def edit(bundle: Bundle, change: Callable[[dict[str, Any]], None]) -> Path:
    manifest = bundle.path / "manifest.json"
    content = json.loads(manifest.read_text())
    change(content)
    del content["seal"]
    manifest.write_text(json.dumps(content))
    return bundle.path


def test_a_sealed_bundle_comes_back_as_it_was(colour_bundle: Callable[..., Bundle]) -> None:
    entries = (
        LabelEntry(name="red", threshold=0.3, train_instances=7, val_instances=2, ap50=0.5),
        LabelEntry(name="green", synthetic_only=True),
        LabelEntry(name="blue"),
    )
    sealed = colour_bundle(labels=entries, dataset="abc", card="# Colours\n")
    loaded = load_bundle(sealed.path)
    assert loaded.manifest == sealed.manifest
    assert loaded.labels == ("red", "green", "blue")
    assert loaded.thresholds["red"] == 0.3
    assert loaded.synthetic_only == {"green"}
    assert loaded.model_version == f"colours@{loaded.manifest.sha256[:12]}"
    assert load_bundle(sealed.path / "manifest.json") == loaded
    assert (sealed.path / "card.md").read_text() == "# Colours\n"


def each_flipped_byte_is_refused(folder: Path, name: str, told: str, seed: int | None = None) -> None:
    """Load the bundle with one bit of one byte of a file turned: of every byte, or of 60 drawn with a seed."""
    file = folder / name
    good = file.read_bytes()
    positions = range(len(good)) if seed is None else random.Random(seed).sample(range(len(good)), 60)
    for position in positions:
        bad = bytearray(good)
        bad[position] ^= 1 << (position % 8)
        file.write_bytes(bytes(bad))
        with pytest.raises(BundleError, match=told):
            load_bundle(folder)
    file.write_bytes(good)
    load_bundle(folder)


def test_any_flipped_byte_of_the_model_is_detected(colour_bundle: Callable[..., Bundle]) -> None:
    each_flipped_byte_is_refused(colour_bundle().path, "model.onnx", r"model\.onnx.*sha256", seed=1)


@pytest.mark.parametrize("name", ["card.md", "parity.json"])
def test_any_flipped_byte_of_what_says_how_good_it_is_is_detected(
    colour_bundle: Callable[..., Bundle], name: str
) -> None:
    bundle = colour_bundle(card="# Colours\n")
    (bundle.path / "parity.json").write_text('{"passed": true}')
    write_manifest(bundle.path, bundle.manifest)
    each_flipped_byte_is_refused(bundle.path, name, rf"{re.escape(name)}.*sha256")
    (bundle.path / name).unlink()
    with pytest.raises(BundleError, match=name):
        load_bundle(bundle.path)


def test_any_flipped_byte_of_the_golden_picture_is_detected(colour_bundle: Callable[..., Bundle]) -> None:
    bundle = colour_bundle(golden=np.full((50, 60, 3), 200, np.uint8))
    each_flipped_byte_is_refused(bundle.path, "golden.npz", r"golden\.npz.*sha256", seed=2)


def test_any_flipped_byte_of_the_manifest_is_detected(colour_bundle: Callable[..., Bundle]) -> None:
    bundle = colour_bundle(golden=np.full((50, 60, 3), 200, np.uint8))
    told = r"manifest\.json|model\.onnx|golden\.npz|cannot be read"
    each_flipped_byte_is_refused(bundle.path, "manifest.json", told)


def test_a_threshold_changed_by_hand_is_told_and_may_be_meant(colour_bundle: Callable[..., Bundle]) -> None:
    bundle = colour_bundle(labels=(LabelEntry(name="red", threshold=0.25), LabelEntry(name="g"), LabelEntry(name="b")))
    manifest = bundle.path / "manifest.json"
    text = manifest.read_text()
    assert text.count("0.25") == 1
    manifest.write_text(text.replace("0.25", "0.75"))
    with pytest.raises(BundleError, match=r"manifest\.json: seal: .*not as it was written"):
        load_bundle(bundle.path)
    edit(bundle, lambda _content: None)
    assert load_bundle(bundle.path).thresholds["red"] == 0.75


def test_a_truncated_or_missing_file_is_named(colour_bundle: Callable[..., Bundle]) -> None:
    bundle = colour_bundle(golden=np.full((50, 60, 3), 200, np.uint8))
    model = bundle.path / "model.onnx"
    good = model.read_bytes()
    model.write_bytes(good[:-1])
    with pytest.raises(BundleError, match=r"model\.onnx.*size_bytes"):
        load_bundle(bundle.path)
    model.unlink()
    with pytest.raises(BundleError, match=r"model\.onnx: cannot be read"):
        load_bundle(bundle.path)
    model.write_bytes(good)
    (bundle.path / "golden.npz").write_bytes(b"PK")
    with pytest.raises(BundleError, match=r"golden\.npz"):
        load_bundle(bundle.path)


def test_altered_after_loading_is_detected_when_opened(colour_bundle: Callable[..., Bundle]) -> None:
    bundle = load_bundle(colour_bundle().path)
    model = bundle.path / "model.onnx"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(bytes(content))
    with pytest.raises(BundleError, match="SHA-256"):
        bundle.model_bytes()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda m: m.pop("sha256"), "sha256"),
        (lambda m: m.update(sha256="xyz"), "sha256"),
        (lambda m: m.update(colour="red"), "colour"),
        (lambda m: m["labels"][1].update(name="red"), "label 'red' is listed twice"),
        (lambda m: m["labels"].pop(), "needs 6 .* not 7"),
        (lambda m: m["labels"][0].update(threshold=1.5), "labels.0.threshold"),
        (lambda m: m["input"].update(width=65), "multiples of its stride"),
        (lambda m: m["output"].update(layout="yolo-v9"), "output.layout"),
        (lambda m: m.update(file="../model.onnx"), "file"),
        (lambda m: m.update(created="2026-01-01T00:00:00"), "time zone"),
        (lambda m: m.update(schema_version=2), "schema_version"),
    ],
)
def test_a_wrong_field_is_named(
    colour_bundle: Callable[..., Bundle], change: Callable[[dict[str, Any]], None], field: str
) -> None:
    path = edit(colour_bundle(), change)
    with pytest.raises(BundleError, match=rf"manifest\.json: .*{field}"):
        load_bundle(path)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda m: m["input"].update(width=96), "input.height and width|input.width"),
        (lambda m: m["input"].update(dynamic_batch=True), "input.dynamic_batch"),
        (lambda m: m["input"].update(dynamic_size=True), "input.dynamic_size"),
        (lambda m: m["input"].update(dtype="float16"), "input.dtype"),
        (lambda m: (m["labels"].pop(), m["output"].update(shape=[1, 6, 1])), r"output is \(1, 7, 1\)"),
    ],
)
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_manifest_that_lies_about_the_model_is_caught_when_opened(
    colour_bundle: Callable[..., Bundle],
    change: Callable[[dict[str, Any]], None],
    field: str,
    backend: str,
) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")
    path = edit(colour_bundle(), change)
    with pytest.raises(BundleError, match=field):
        open_detector(path, backend)


def test_no_bundle_at_all_says_what_one_is(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"a model bundle is a folder with manifest\.json"):
        load_bundle(tmp_path / "nothing")


def test_something_that_is_no_model_is_refused(tmp_path: Path, colour_bundle: Callable[..., Bundle]) -> None:
    bundle = colour_bundle()
    (bundle.path / "model.onnx").write_bytes(b"not a model")
    import hashlib

    digest = hashlib.sha256(b"not a model").hexdigest()
    edit(bundle, lambda m: m.update(sha256=digest, size_bytes=11))
    with pytest.raises(BundleError, match="cannot load it"):
        open_detector(bundle.path)


def test_a_copy_is_whole(tmp_path: Path, colour_bundle: Callable[..., Bundle]) -> None:
    bundle = colour_bundle(golden=np.full((50, 60, 3), 200, np.uint8))
    copy = copy_bundle(bundle, tmp_path / "elsewhere")
    assert copy.manifest == bundle.manifest
    assert copy.model_bytes() == bundle.model_bytes()


def test_layouts_are_told_apart_or_asked_for() -> None:
    assert guess_layout((1, 7, 3549), 3) == "yolo-v8"
    assert guess_layout((None, 7, None), 3) == "yolo-v8"
    assert guess_layout((1, 25200, 85), 80) == "yolo-v5"
    assert guess_layout((1, 300, 6), 12) == "yolo-end2end"
    with pytest.raises(BundleError, match="yolo-v5 and yolo-end2end"):
        guess_layout((1, 300, 6), 1)
    with pytest.raises(BundleError, match="no layout"):
        guess_layout((1, 9, 3549), 3)


def test_every_manifest_field_that_is_not_self_explaining_is_described() -> None:
    schema = Manifest.model_json_schema()
    for part in ("LabelEntry", "InputEntry", "OutputEntry"):
        for name, field in schema["$defs"][part]["properties"].items():
            assert "description" in field or name == "name", f"{part}.{name}"
