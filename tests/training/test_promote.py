"""The gate blocks what it must, promotion pins what it stores, and the way back is one command."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from detector.cli.promote import compare, promote, rollback
from detector.core.detection import Detection
from detector.errors import BundleError, DatasetError
from detector.inference.bundle import PARITY, Bundle, LabelEntry, load_bundle
from detector.inference.open import open_detector
from detector.inference.swap import HotSwap
from detector.training.evaluation.measure import Evaluation, measure
from detector.training.evaluation.predict import Predictions
from detector.training.gate import GateRules, Reason, decide, read_floors, read_parity
from detector.training.labelled import LabelledPicture
from detector.training.parity import Parity, ParityCheck, ParityReport, write_parity
from detector.training.promote import bundle_digest, current, history, store_bundle
from detector.training.promote import promote as move
from detector.training.promote import rollback as go_back
from tests.training.conftest import box, picture, seen

AT = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
LABELS = ("garbage", "bin")


def street(count: int = 30) -> list[LabelledPicture]:
    return [
        picture(
            box("garbage", 0, 0, 100, 100),
            box("bin", 300, 300, 400, 400),
            labels=LABELS,
            name=str(number),
            group=str(number),
        )
        for number in range(count)
    ]


def measured(pictures: Sequence[LabelledPicture], finds: Callable[[str, int], bool]) -> Evaluation:
    """What a model reaches that finds an object when `finds`(label, picture number)."""
    said: list[tuple[Detection, ...]] = []
    for number, scene in enumerate(pictures):
        said.append(
            tuple(
                seen(item.label, 0.9, item.box.left, item.box.top, item.box.right, item.box.bottom)
                for item in scene.boxes
                if finds(item.label, number)
            )
        )
    night = tuple(20.0 if number % 3 == 0 else 120.0 for number in range(len(pictures)))
    return measure(pictures, Predictions("m@1", tuple(said), night), LABELS, split="val", samples=100)


GOOD = measured(street(), lambda label, number: number % 10 != 0)


def judge(candidate: Evaluation, **more: object) -> list[tuple[str, str | None]]:
    rules = GateRules(**more)  # type: ignore[arg-type]
    return [(reason.kind, reason.label) for reason in decide(candidate, GOOD, rules=rules, claimed=LABELS).reasons]


def test_an_equal_or_better_model_passes() -> None:
    assert judge(GOOD) == []
    assert judge(measured(street(), lambda label, number: True)) == []


def test_a_label_that_fell_beyond_its_interval_blocks_although_the_mean_rose() -> None:
    worse = measured(street(), lambda label, number: label == "garbage" or number % 2 == 0)
    reasons = judge(worse)
    assert ("regression", "bin") in reasons
    assert all(label == "bin" for _, label in reasons)


def test_a_slice_that_fell_blocks_although_the_label_as_a_whole_did_not() -> None:
    # By day production misses one in six; the candidate finds all by day and loses two fifths of the night.
    pictures = street(180)
    before = measured(pictures, lambda label, number: number % 3 == 0 or number % 6 != 1)
    after = measured(pictures, lambda label, number: label == "bin" or number % 3 != 0 or number % 5 > 1)
    verdict = decide(after, before, rules=GateRules(), claimed=LABELS)
    assert [(row.label, row.part) for row in verdict.table if row.fell and row.decides] == [("garbage", "light=night")]
    assert "light=night" in verdict.reasons[0].text


def test_a_slice_of_few_objects_or_groups_does_not_decide() -> None:
    before = measured(street(30), lambda label, number: True)  # ten objects by night
    after = measured(street(30), lambda label, number: number % 3 != 0 or number % 2 == 0)
    rows = {(row.label, row.part): row for row in decide(after, before, rules=GateRules(), claimed=LABELS).table}
    assert rows["garbage", "light=night"].fell
    assert not rows["garbage", "light=night"].decides


@pytest.mark.parametrize(("cameras", "decides"), [(120, True), (8, True), (7, False), (1, False)])
def test_many_objects_of_few_cameras_do_not_decide(cameras: int, decides: bool) -> None:
    """An interval over a handful of groups is a guess, however many objects they hold."""
    pictures = [replace(scene, group=str(number % cameras)) for number, scene in enumerate(street(120))]
    before = measured(pictures, lambda label, number: True)
    after = measured(pictures, lambda label, number: label == "bin" or number % 2 == 0)
    verdict = decide(after, before, rules=GateRules(), claimed=LABELS)
    rows = {(row.label, row.part): row for row in verdict.table}
    assert rows["garbage", "all"].fell
    assert rows["garbage", "all"].decides is decides
    assert verdict.passed is not decides


def test_too_few_objects_block_unless_waived_or_synthetic() -> None:
    few = measured(street(6), lambda label, number: True)
    rules = GateRules(min_instances=10)
    blocked = decide(few, None, rules=rules, claimed=(*LABELS, "ponding")).reasons
    assert {(reason.kind, reason.label) for reason in blocked} == {
        ("too_few", "garbage"), ("too_few", "bin"), ("too_few", "ponding"),
    }  # fmt: skip
    waived = GateRules(min_instances=10, waived=frozenset({"garbage"}))
    left = decide(few, None, rules=waived, claimed=(*LABELS, "ponding"), synthetic_only={"ponding"}).reasons
    assert [reason.label for reason in left] == ["bin"]


def test_a_lost_label_a_floor_and_a_failed_parity_block(tmp_path: Path) -> None:
    lost = replace(GOOD, labels={"garbage": GOOD.labels["garbage"]})
    assert ("missing_label", "bin") in judge(lost)
    floors = tmp_path / "floors.yaml"
    floors.write_text("garbage: 0.99\ncrack: 0.2\ngarbage@set: 0.8\nbin@set: 0.95\nbin@elsewhere: 0.1\n")
    assert judge(GOOD, floors=read_floors(floors)) == [
        ("floor", "garbage"), ("floor", "crack"), ("floor", "bin"), ("floor", "bin"),
    ]  # fmt: skip
    report = tmp_path / "parity.json"
    report.write_text('{"passed": false, "text": "score differs by 0.2", "model": "abc"}')
    failures = read_parity(report, "abc")
    assert failures == [Reason("parity", None, "exported file and network disagree: score differs by 0.2")]
    assert not decide(GOOD, GOOD, rules=GateRules(), claimed=LABELS, failures=failures).passed
    for path, text in ((floors, "bin: 0.5\ngarbage: high"), (floors, "bin: 0.5\ngarbage: 80"), (report, "[]")):
        path.write_text(text)
        with pytest.raises(DatasetError, match=f"{path.name}:2: garbage" if path is floors else path.name):
            read_floors(path) if path is floors else read_parity(path, "abc")


# --- the store ---------------------------------------------------------------------------------------------------

ROWS = [[24, 24, 32, 32, 0.9, 0.05], [50, 50, 20, 20, 0.02, 0.7]]


@pytest.fixture
def two(constant_bundle: Callable[..., Bundle]) -> tuple[Bundle, Bundle]:
    return constant_bundle(ROWS, folder="first"), constant_bundle(ROWS[:1], folder="second", version="2")


def test_promotion_and_two_ways_back(two: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    store = tmp_path / "store"
    stored = [store_bundle(store, bundle, bundle.manifest, "# card\n") for bundle in two]
    assert stored[0] == store_bundle(store, two[0], two[0].manifest, "# card\n"), "content-addressed"
    assert current(store, "constant") is None
    for bundle in stored:
        move(store, "constant", bundle, AT, passed=True)
    assert current(store, "constant") == stored[1]
    assert open_detector(store / "constant").model_version == load_bundle(stored[1]).model_version
    assert go_back(store, "constant", AT, note="too many alarms").bundle == stored[0].name
    assert current(store, "constant") == stored[0]
    with pytest.raises(BundleError, match="no bundle to go back to"):
        go_back(store, "constant", AT)
    go_back(store, "constant", AT, to=stored[1].name[:6])
    assert current(store, "constant") == stored[1]
    assert [step.action for step in history(store, "constant")] == ["promote", "promote", "rollback", "rollback"]
    assert history(store, "constant")[2].previous == stored[1].name


def test_an_altered_bundle_is_never_gone_back_to(two: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    store = tmp_path / "store"
    stored = [store_bundle(store, bundle, bundle.manifest, "") for bundle in two]
    for bundle in stored:
        move(store, "constant", bundle, AT, passed=True)
    model = stored[0] / "model.onnx"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(bytes(content))
    with pytest.raises(BundleError, match="SHA-256"):
        go_back(store, "constant", AT)
    content[len(content) // 2] ^= 1
    model.write_bytes(bytes(content))
    manifest = stored[0] / "manifest.json"
    manifest.write_text(manifest.read_text().replace("CC0-1.0", "CC0-1.1"))
    assert bundle_digest(stored[0]) != stored[0].name
    with pytest.raises(BundleError, match="altered"):
        go_back(store, "constant", AT)
    assert current(store, "constant") == stored[1]


def test_a_real_folder_in_the_pointers_place_is_left_alone(two: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    store = tmp_path / "store"
    bundle = store_bundle(store, two[0], two[0].manifest, "")
    (store / "constant").mkdir()
    with pytest.raises(BundleError, match="not a pointer"):
        move(store, "constant", bundle, AT, passed=True)
    assert history(store, "constant") == ()


def test_a_working_detector_follows_the_pointer_without_missing_a_picture(
    two: tuple[Bundle, Bundle], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    stored = [store_bundle(store, bundle, bundle.manifest, "") for bundle in two]
    move(store, "constant", stored[0], AT, passed=True)
    pointer = store / "constant"
    swap = HotSwap(open_detector(pointer), open_detector)
    picture = np.zeros((64, 64, 3), np.uint8)
    counts: list[int] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            counts.append(len(swap.detect([picture])[0]))

    worker = threading.Thread(target=look)
    worker.start()
    places = [(pointer / "manifest.json").resolve()]
    try:
        for change in (
            lambda: move(store, "constant", stored[1], AT, passed=True),
            lambda: go_back(store, "constant", AT),
        ):
            change()
            assert swap.load(pointer).accepted
            places.append((pointer / "manifest.json").resolve())
            seen = len(counts)
            while len(counts) < seen + 3:
                worker.join(0.01)
                assert worker.is_alive()
    finally:
        stop.set()
        worker.join()
    assert places[0] != places[1] != places[2], "what the worker watches"
    # The first model reports two boxes, the second one: every look got the answer of one of them, in this order.
    runs = [count for index, count in enumerate(counts) if index == 0 or counts[index - 1] != count]
    assert runs in ([2, 1, 2], [1, 2])  # the second where no look fell before the first change


# --- the commands ------------------------------------------------------------------------------------------------


def run(command: Callable[..., None], *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments))


def with_parity(bundle: Bundle, agrees: bool = True) -> Bundle:
    """Put the report beside the model that `detector export` leaves there."""
    result = Parity(agrees, "box by box", 30, 1.0, 0.0, 0)
    checks = (ParityCheck("fp32 file against the network", True, result),)
    write_parity(bundle.path / PARITY, ParityReport(bundle.manifest.sha256, "fp32", 9, 64, 0.1, checks))
    return bundle


@pytest.fixture
def val(yolo_set: Callable[..., Path]) -> Path:
    pictures = {f"p{number}": [("garbage", 8, 8, 40, 40), ("bin", 40, 40, 60, 60)] for number in range(24)}
    return yolo_set({"train": {"t": []}, "val": pictures}, size=(64, 64))


def test_the_gate_blocks_and_changes_nothing_then_promotes_then_goes_back(
    val: Path, constant_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    labels = [LabelEntry(name="garbage", train_instances=5), LabelEntry(name="bin", train_instances=4)]
    good = with_parity(constant_bundle(ROWS, labels=labels, folder="good"))
    lost = [ROWS[0], [10, 50, 20, 20, 0.02, 0.7]]
    blind = with_parity(constant_bundle(lost, labels=labels, folder="blind", version="2"))
    store = tmp_path / "store"
    common = ["--data", str(val), "--store", str(store), "--samples", "40", "--json"]
    limits = tmp_path / "limits.md"
    limits.write_text("Never seen in snow.\n")
    first = run(promote, str(good.path), *common, "--limits", str(limits))
    assert first.exit_code == 0, (first.output, first.exception)
    assert json.loads(first.stdout)["step"]["passed"]
    in_force = current(store, "constant")
    assert in_force is not None
    manifest = load_bundle(in_force).manifest
    assert [(entry.ap50, entry.val_instances, entry.train_instances) for entry in manifest.labels] == [
        (1.0, 24, 5), (1.0, 24, 4),
    ]  # fmt: skip
    card = (in_force / "card.md").read_text()
    assert "| garbage | 5 | 24 | 1.000 |" in card
    assert "Never seen in snow." in card
    assert "never at night" in card

    blocked = run(promote, str(blind.path), *common)
    assert blocked.exit_code == 1
    said = json.loads(blocked.stdout)
    assert {(reason["kind"], reason["label"]) for reason in said["reasons"]} == {("regression", "bin")}
    assert current(store, "constant") == in_force
    assert len(history(store, "constant")) == 1
    assert run(compare, str(blind.path), str(good.path), "--data", str(val), "--samples", "40").exit_code == 1
    table = tmp_path / "table.md"
    better = run(compare, str(good.path), str(blind.path), "--data", str(val), "--samples", "40", "--table", str(table))
    assert better.exit_code == 0
    assert table.read_text().splitlines()[-1] == "| mean of 2 labels | | 1.000 | 0.500 | |"

    forced = run(promote, str(blind.path), *common, "--force", "--note", "a trial")
    assert forced.exit_code == 0
    assert not history(store, "constant")[-1].passed
    assert history(store, "constant")[-1].reasons
    assert current(store, "constant") != in_force
    back = run(rollback, "constant", "--store", str(store), "--json")
    assert json.loads(back.stdout)["bundle"] == in_force.name
    assert current(store, "constant") == in_force
    shown = run(rollback, "constant", "--store", str(store), "--show", "--json")
    assert [step["action"] for step in json.loads(shown.stdout)] == ["promote", "promote", "rollback"]


def test_a_plain_folder_can_be_written_and_synthetic_labels_are_marked(
    val: Path, constant_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    labels = [
        LabelEntry(name="garbage", train_instances=5),
        LabelEntry(name="bin", train_instances=4),
        LabelEntry(name="ponding", synthetic_only=True, threshold=0.5),
    ]
    bundle = constant_bundle([[*row, 0.0] for row in ROWS], labels=labels)
    out = tmp_path / "models/street"
    with_parity(bundle)
    origins = tmp_path / "origins.yaml"
    entry = "{url: https://example.org, at: ., format: yolo, licence: CC BY 4.0 as declared, groups: picture}"
    origins.write_text(f"sets:\n  drawn: {entry}\n")
    done = run(
        promote, str(bundle.path), "--data", str(val), "--into", str(out), "--samples", "40", "--origins", str(origins)
    )
    assert done.exit_code == 0, (done.output, done.exception)
    manifest = load_bundle(out).manifest
    assert manifest.labels[2].synthetic_only
    assert manifest.labels[2].ap50 is None
    card = (out / "card.md").read_text()
    assert "**ponding**: trained on synthetic pictures only" in card
    assert "ponding (synthetic only)" in card
    assert "| drawn | CC BY 4.0 as declared | 1 | 24 |" in card
    assert read_parity(out / PARITY, manifest.sha256) == [], "the report goes along"


def test_nobody_compared_file_and_network(val: Path, constant_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = constant_bundle(ROWS, labels=[LabelEntry(name=name, train_instances=5) for name in ("garbage", "bin")])
    store = tmp_path / "store"
    common = [str(bundle.path), "--data", str(val), "--store", str(store), "--samples", "20", "--json"]

    def kinds(*more: str) -> list[str]:
        done = run(promote, *common, *more)
        assert done.exit_code == 1
        assert current(store, "constant") is None
        return [reason["kind"] for reason in json.loads(done.stdout)["reasons"]]

    assert kinds() == ["parity"], "no report"
    with_parity(bundle, agrees=False)
    assert kinds() == ["parity"], "a failed one"
    elsewhere = tmp_path / "elsewhere.json"
    with_parity(bundle)
    elsewhere.write_text((bundle.path / PARITY).read_text().replace(bundle.manifest.sha256, "b" * 64))
    assert kinds("--parity", str(elsewhere)) == ["parity"], "one about another file"
    (bundle.path / PARITY).unlink()
    assert run(promote, *common, "--without-parity", "--note", "bought").exit_code == 0
    assert [step.note for step in history(store, "constant")] == ["bought; parity waived"]


def test_a_bundle_that_fails_its_self_test_is_refused(
    val: Path, constant_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = constant_bundle(ROWS)
    model = bundle.path / "model.onnx"
    model.write_bytes(model.read_bytes()[:-4] + b"1234")
    refused = run(promote, str(bundle.path), "--data", str(val), "--store", str(tmp_path / "store"))
    assert isinstance(refused.exception, BundleError)
    assert not (tmp_path / "store").exists()
