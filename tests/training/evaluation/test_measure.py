"""The whole evaluation: through the command, on drawn sets, and on real pictures with a real network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from detector.cli.evaluate import evaluate
from detector.errors import DatasetError, DetectorError
from detector.inference.bundle import Bundle, LabelEntry
from detector.inference.scripted import ScriptedDetector
from detector.training.evaluation.measure import measure
from detector.training.evaluation.predict import Predictions, predict, read_predictions, write_predictions
from detector.training.formats.yolo import read_yolo
from tests.training.conftest import box, picture, seen

# In a 64x64 picture: one box 8..40 x 8..40 labelled garbage, one 40..60 x 40..60 labelled bin, and a false bin.
ROWS = [[24, 24, 32, 32, 0.9, 0.05], [50, 50, 20, 20, 0.02, 0.7], [10, 54, 12, 12, 0.01, 0.3]]
GARBAGE = ("garbage", 8, 8, 40, 40)
BIN = ("bin", 40, 40, 60, 60)


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(evaluate)
    outcome = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_the_command_prints_exactly_the_promised_json(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    first = yolo_set({"val": {"a": [GARBAGE, BIN], "b": [BIN]}}, size=(64, 64), name="both")
    second = yolo_set({"val": {"c": [GARBAGE], "d": []}}, labels=("garbage", "umbrella"), size=(64, 64), name="other")
    bundle = constant_bundle(ROWS)
    report = tmp_path / "report"
    said = run("--model", str(bundle.path), "--data", str(first), "--data", str(second), "--json",
               "--report", str(report), "--threshold-from", "val")  # fmt: skip
    figures = json.loads(said)
    assert list(figures) == ["labels"]
    assert list(figures["labels"]) == ["bin", "garbage"]
    assert set(figures["labels"]["bin"]) == {"ap50", "ap50_95", "precision", "recall", "threshold", "instances"}
    # bin: annotated in `both` alone: two right at 0.7, two wrong at 0.3
    assert figures["labels"]["bin"]["ap50"] == pytest.approx(1.0)
    assert figures["labels"]["bin"]["instances"] == 2
    assert (figures["labels"]["bin"]["precision"], figures["labels"]["bin"]["recall"]) == (1.0, 1.0)
    assert 0.3 < figures["labels"]["bin"]["threshold"] < 0.7
    # garbage: in both sets: right on a and c, wrong on b and d, all with the same score
    assert figures["labels"]["garbage"]["instances"] == 2
    assert figures["labels"]["garbage"]["precision"] == pytest.approx(0.5)
    page = (report / "index.html").read_text()
    assert "umbrella" in page
    assert "http" not in page
    assert {path.name for path in (report / "curves").iterdir()} >= {"bin-pr.png", "garbage-threshold.png"}
    assert list((report / "worst").iterdir())
    linked = set(re.findall(r'(?:src|href)="([^"#]+)"', page))
    assert {name for name in linked if not (report / name).is_file()} == set()
    kept = {str(path.relative_to(report)) for folder in ("curves", "worst") for path in (report / folder).iterdir()}
    assert kept <= linked, "every picture is shown"
    anchors = {name for name in re.findall(r'href="#([^"]+)"', page) if f'id="{name}"' not in page}
    assert anchors == set()


def test_the_report_marks_what_was_learned_from_rendered_pictures_only(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    data = yolo_set({"val": {"a": [GARBAGE, BIN]}}, size=(64, 64))
    labels = (LabelEntry(name="garbage"), LabelEntry(name="bin", synthetic_only=True))
    bundle, report = constant_bundle(ROWS, labels), tmp_path / "report"
    app = typer.Typer()
    app.command()(evaluate)
    outcome = CliRunner().invoke(app, ["--model", str(bundle.path), "--data", str(data), "--report", str(report)])
    assert outcome.exit_code == 0, outcome.output
    assert "trained on synthetic pictures only: bin\n" in outcome.stderr
    rows = (report / "index.html").read_text().split("<tr>")
    marked = [row for row in rows if "trained on synthetic pictures only" in row]
    assert len(marked) == 1
    assert '"#bin"' in marked[0]


def test_thresholds_of_the_manifest_are_used_once_they_were_measured(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle]
) -> None:
    data = yolo_set({"val": {"a": [GARBAGE, BIN]}}, size=(64, 64))
    labels = (LabelEntry(name="garbage", threshold=0.95, ap50=0.5), LabelEntry(name="bin", threshold=0.95))
    bundle = constant_bundle(ROWS, folder="measured", labels=labels)
    figures = json.loads(run("--model", str(bundle.path), "--data", str(data), "--json"))["labels"]
    assert (figures["garbage"]["threshold"], figures["garbage"]["recall"]) == (0.95, 0.0)
    assert figures["bin"]["recall"] == 1.0


def test_a_threshold_chosen_on_another_split_is_checked_here(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle]
) -> None:
    data = yolo_set({"train": {"a": [BIN]}, "val": {"b": [BIN], "c": []}}, labels=("bin",), size=(64, 64))
    bundle = constant_bundle([[*row[:4], row[5]] for row in ROWS], labels=("bin",))
    figures = json.loads(run("--model", str(bundle.path), "--data", str(data), "--json", "--threshold-from", "train"))[
        "labels"
    ]["bin"]
    assert 0.3 < figures["threshold"] < 0.7
    assert (figures["precision"], figures["recall"]) == (0.5, 1.0)


def test_a_set_with_a_test_split_alone_is_measured_on_it(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle]
) -> None:
    data = yolo_set({"test": {"a": [GARBAGE]}}, labels=("garbage",), size=(64, 64))
    bundle = constant_bundle([row[:5] for row in ROWS], labels=("garbage",))
    figures = json.loads(run("--model", str(bundle.path), "--data", str(data.parent), "--json"))["labels"]
    assert figures["garbage"]["instances"] == 1


def test_a_part_of_a_set_with_a_split_of_its_own_in_nested_folders_and_polygons(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle]
) -> None:
    data = yolo_set({"private/cam-1/night": {"a": [BIN]}, "private/cam-2": {"b": [BIN]}}, ("bin",), size=(64, 64))
    for path in (data.parent / "labels").rglob("*.txt"):
        path.write_text("0.0 0.625 0.625 0.9375 0.625 0.9375 0.9375 0.625 0.9375\n")
    bundle = constant_bundle([[*row[:4], row[5]] for row in ROWS], labels=("bin",))
    for text in (
        "train: images/train\nval: images/val\nprivate: images/private\nnc: 1\nnames: {0: bin}\n",
        "val: images/private\nnames: [bin]\n",
        "path: images\nval: [private/cam-1, private/cam-2]\nnames: [bin]\n",
    ):
        data.write_text(text)
        figures = json.loads(run("--model", str(bundle.path), "--data", str(data), "--json"))["labels"]["bin"]
        assert (figures["ap50"], figures["instances"]) == (pytest.approx(1.0), 2), text
    data.write_text("train: images/train\nprivate: images/private\nnames: [bin]\n")
    assert json.loads(run("--model", str(bundle.path), "--data", str(data), "--split", "private", "--json"))["labels"]


def test_each_set_is_measured_on_what_it_has(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle]
) -> None:
    first = yolo_set({"val": {"a": [GARBAGE]}, "test": {"b": [], "c": []}}, ("garbage",), size=(64, 64), name="one")
    second = yolo_set({"train": {"e": []}, "test": {"d": [GARBAGE]}}, ("garbage",), size=(64, 64), name="two")
    bundle = constant_bundle([row[:5] for row in ROWS], labels=("garbage",))
    figures = json.loads(run("--model", str(bundle.path), "--data", str(first), "--data", str(second), "--json"))
    assert figures["labels"]["garbage"]["instances"] == 2
    assert figures["labels"]["garbage"]["precision"] == 1.0


def test_a_label_that_the_model_lacks_is_there_with_zero(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle]
) -> None:
    data = yolo_set({"val": {"a": [("crack", 5, 5, 20, 20)]}}, labels=("garbage", "crack"), size=(64, 64))
    figures = json.loads(run("--model", str(constant_bundle(ROWS).path), "--data", str(data), "--json"))["labels"]
    assert list(figures) == ["crack"]
    assert (figures["crack"]["ap50"], figures["crack"]["threshold"]) == (0.0, None)


def test_an_unknown_model_or_an_empty_split_says_so(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle]
) -> None:
    data = yolo_set({"val": {"a": [GARBAGE]}})
    app = typer.Typer()
    app.command()(evaluate)
    outcome = CliRunner().invoke(app, ["--model", "nowhere", "--data", str(data)])
    assert isinstance(outcome.exception, DetectorError)
    assert "nowhere" in str(outcome.exception)
    outcome = CliRunner().invoke(app, ["--model", "nowhere", "--data", str(data), "--split", "test"])
    assert isinstance(outcome.exception, DatasetError)


def test_predictions_survive_a_round_trip(yolo_set: Callable[..., Path], tmp_path: Path) -> None:
    pictures = read_yolo(yolo_set({"val": {"a": [GARBAGE], "b": [BIN]}})).pictures
    steps: list[int] = []
    detector = ScriptedDetector([[seen("bin", 1 / 3, 0.1, 0.2, 5, 6)], []], labels=("bin",))
    said = predict(detector, pictures, batch=1, progress=steps.append)
    assert (steps, detector.batches) == ([1, 1], [1, 1])
    write_predictions(tmp_path / "said.jsonl", pictures, said)
    back = read_predictions(tmp_path / "said.jsonl", pictures)
    assert back.detections == said.detections
    assert back.model_version == said.model_version
    other = read_yolo(yolo_set({"val": {"z": []}}, name="elsewhere")).pictures
    with pytest.raises(DatasetError, match="z"):
        read_predictions(tmp_path / "said.jsonl", other)
    with (tmp_path / "said.jsonl").open("a") as file:
        file.write('{"picture": 3}\n')
    with pytest.raises(DatasetError, match=r"said\.jsonl:4"):
        read_predictions(tmp_path / "said.jsonl", pictures)


def test_slices_by_source_light_and_size(yolo_set: Callable[..., Path]) -> None:
    pictures = read_yolo(yolo_set({"val": {"a": [GARBAGE], "b": [GARBAGE]}}, size=(64, 64))).pictures
    said = predict(ScriptedDetector([[seen("garbage", 0.9, 8, 8, 40, 40)], []]), pictures)
    dark = type(said)(said.model_version, said.detections, (120.0, 20.0))
    slices = {part.name: part for part in measure(pictures, dark, ["garbage"], split="val").labels["garbage"].slices}
    assert slices["light=day"].ap50 == 1.0
    assert slices["light=night"].ap50 == 0.0
    assert set(slices) == {"light=day", "light=night", "source=drawn", "size=large"}


@pytest.mark.parametrize(
    ("side", "size"), [(31.9, "small"), (32.1, "medium"), (95.9, "medium"), (96.1, "large"), (500, "large")]
)
def test_an_object_is_small_or_large_as_the_model_sees_it(side: float, size: str) -> None:
    """The limits are COCO's, on the canvas of 640 pixels: the picture is twice as wide."""
    scene = picture(box("garbage", 10, 10, 10 + 2 * side, 10 + 2 * side), size=(1280, 1280))
    said = Predictions("m@1", ((),), (120.0,))
    found = measure([scene], said, ["garbage"], split="val").labels["garbage"].slices
    assert [part.name for part in found if part.name.startswith("size=")] == [f"size={size}"]


@pytest.mark.slow
def test_real_pictures_and_a_real_network_reach_what_the_network_is_known_to_reach(
    shared: Path, tmp_path: Path
) -> None:
    """The trainer's own validation, which interpolates otherwise, gives 0.677, 0.898 and 0.851 on the same pictures."""
    from datetime import UTC, datetime

    from detector.inference.onnx import OnnxDetector
    from detector.inference.seal import seal
    from detector.inference.yolo import Limits

    bundle = seal(
        shared / "weights/starter-garbage.onnx",
        tmp_path / "starter",
        name="starter",
        version="0",
        created=datetime(2026, 1, 2, tzinfo=UTC),
        licence="AGPL-3.0-only",
        labels=[LabelEntry(name=name) for name in ("garbage", "bin", "bin_overflow")],
    )
    pictures = read_yolo(shared / "data/bins-cn", ["val"]).pictures
    limits = Limits(min_score=0.001, iou=0.7, multi_label=True)  # as the trainer validates
    said = predict(OnnxDetector(bundle, "cpu", limits=limits), pictures)
    result = measure(pictures, said, bundle.labels, split="val", samples=0, slices=False)
    reached = {label: figures.ap50 for label, figures in result.labels.items()}
    assert reached == pytest.approx({"garbage": 0.677, "bin": 0.898, "bin_overflow": 0.851}, abs=0.015)
