"""What is worth labelling: each reason by itself, the caps, and a task that a labelling tool takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from detector.cli.mine import mine as command
from detector.core.detection import Detection
from detector.core.look import Look, LookStatus
from detector.errors import DatasetError
from detector.evidence.archive import Archive
from detector.evidence.looks import KeptLook, LookRecorder, kept_looks
from detector.inference.bundle import Bundle
from detector.training.formats.cvat import read_cvat
from detector.training.formats.yolo import read_yolo
from detector.training.mining.choose import Mined, MiningRules, Why, mine
from detector.training.mining.tasks import write_task
from detector.training.mining.verdicts import Verdict, read_verdicts
from tests.training.conftest import draw, seen

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
RULES = MiningRules({"garbage": 0.5, "bin": 0.5})


@pytest.fixture
def keep(tmp_path: Path) -> Callable[..., KeptLook]:
    """Keep a look with a picture of its own; answers it as read back."""
    recorder = LookRecorder(Archive(tmp_path / "looks"), lambda image, detections: image)
    made = iter(range(1000))

    def make(minute: float, *found: Detection, camera: str = "cam", street: int | None = None) -> KeptLook:
        number = next(made)
        path = draw(tmp_path / "streets/p.png", (320, 240), seed=number if street is None else 5000 + street)
        image = cv2.imread(str(path))
        assert image is not None
        at = START + timedelta(minutes=minute)
        recorder.keep(Look(camera, at, LookStatus.OK, found, "m@1", (320, 240)), np.asarray(image, np.uint8))
        return next(look for look in kept_looks(tmp_path / "looks") if (look.camera_id, look.at) == (camera, at))

    return make


def verdict(decision: str, label: str = "garbage", **more: object) -> Verdict:
    return Verdict.model_validate(
        {"camera": "cam", "label": label, "box": (10, 10, 60, 60), "from": START, "to": START + timedelta(hours=1),
         "decision": decision} | more
    )  # fmt: skip


def reasons(found: Sequence[Mined]) -> list[Why]:
    return [one.why[0] for one in found]


AT_PLACE = seen("garbage", 0.9, 12, 10, 60, 60)


def test_verdicts_make_negatives_positives_and_new_labels(keep: Callable[..., KeptLook]) -> None:
    look = keep(1, AT_PLACE)
    (rejected,) = mine([look], [verdict("rejected")], RULES)
    assert (rejected.why, rejected.boxes) == ((Why.HARD_NEGATIVE,), ())
    (confirmed,) = mine([look], [verdict("confirmed")], RULES)
    assert (confirmed.why, confirmed.boxes) == ((Why.CONFIRMED,), (AT_PLACE,))
    (renamed,) = mine([look], [verdict("relabelled", label_now="bulky_waste")], RULES)
    assert [item.label for item in renamed.boxes] == ["bulky_waste"]
    assert mine([look], [verdict("rejected", camera="other")], RULES) == []
    assert mine([look], [verdict("rejected", label="bin")], RULES) == []
    assert mine([keep(90, AT_PLACE)], [verdict("rejected")], RULES) == []
    later = verdict("confirmed", to=START + timedelta(hours=2))
    assert reasons(mine([look], [later, verdict("rejected")], RULES)) == [Why.CONFIRMED], "the newest counts"


def test_unsure_and_rare(keep: Callable[..., KeptLook]) -> None:
    unsure, sure = keep(1, seen("bin", 0.42, 0, 0, 50, 50)), keep(20, seen("bin", 0.9, 0, 0, 50, 50))
    (found,) = mine([unsure, sure], [], RULES)
    assert (found.look, found.why) == (unsure, (Why.NEAR_THRESHOLD,))
    assert len(found.boxes) == 1
    rare = MiningRules(RULES.thresholds, rare=frozenset({"bin"}))
    assert len(mine([unsure, sure], [], rare)) == 2


def test_flickering_is_what_both_neighbours_contradict(keep: Callable[..., KeptLook]) -> None:
    steady = [keep(minute, AT_PLACE) for minute in (0, 1, 2)]
    assert mine(steady, [], RULES) == []
    gone = keep(3)
    back = keep(4, AT_PLACE)
    (found,) = mine([*steady, gone, back], [], RULES)
    assert (found.look, found.why) == (gone, (Why.FLICKERING,))
    blip = keep(5, AT_PLACE, seen("bin", 0.9, 200, 100, 260, 160))
    after = keep(6, AT_PLACE)
    assert [one.look for one in mine([*steady, back, blip, after], [], RULES)] == [blip]
    assert mine([steady[0], keep(30), keep(60, AT_PLACE)], [], RULES) == [], "too far apart to say anything"


def test_caps_and_near_duplicates(keep: Callable[..., KeptLook]) -> None:
    unsure = seen("bin", 0.5, 0, 0, 50, 50)
    many = [keep(minute, unsure) for minute in range(0, 300, 20)]
    few = MiningRules(RULES.thresholds, per_camera_day=4)
    assert len(mine(many, [], few)) == 4
    other = keep(1, unsure, camera="other")
    assert len(mine([*many, other], [], few)) == 5
    same = [keep(minute, unsure, camera="fixed", street=7) for minute in range(0, 300, 20)]
    assert len(mine(same, [], RULES)) == 1
    rejected = keep(3, AT_PLACE, camera="fixed", street=7)
    found = mine([*same, rejected], [verdict("rejected", camera="fixed")], RULES)
    assert reasons(found) == [Why.HARD_NEGATIVE], "the verdict comes first and stands for its likes"


def test_what_people_decided_is_taken_before_what_the_model_doubts(keep: Callable[..., KeptLook]) -> None:
    doubts = [keep(minute, seen("bin", 0.5, 0, 0, 50, 50)) for minute in (0, 20)]
    decided = keep(40, AT_PLACE)
    rules = MiningRules(RULES.thresholds, per_camera_day=1)
    (found,) = mine([*doubts, decided], [verdict("rejected")], rules)
    assert found.look == decided


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"camera": "a"}', "label"),
        (verdict("rejected").model_dump_json(by_alias=True).replace("08:00:00Z", "08:00:00"), "from"),
        (verdict("rejected").model_dump_json(by_alias=True).replace("rejected", "relabelled"), "label_now"),
        ("no json", "line"),
    ],
)
def test_a_wrong_verdict_names_line_and_field(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(verdict("rejected").model_dump_json(by_alias=True) + "\n\n" + line + "\n")
    with pytest.raises(DatasetError, match=rf"verdicts\.jsonl:3: .*{message}"):
        read_verdicts(path)


def test_tasks_for_each_tool(keep: Callable[..., KeptLook], tmp_path: Path) -> None:
    keep(1, AT_PLACE)
    found = mine([keep(2, AT_PLACE)], [verdict("relabelled", label_now="bulky_waste")], RULES)
    write_task(found, ["garbage"], "cvat", tmp_path / "cvat", name="m@1")
    (picture,) = read_cvat(tmp_path / "cvat/annotations.xml", tmp_path / "cvat/images").pictures
    assert [box.label for box in picture.boxes] == ["bulky_waste"]
    raw = json.loads((tmp_path / "cvat/labels.json").read_text())
    assert [entry["name"] for entry in raw] == ["garbage", "bulky_waste"]
    write_task(found, ["gar<bage"], "labelstudio", tmp_path / "studio", name="m@1")
    view = ElementTree.parse(tmp_path / "studio/label_config.xml").getroot()
    assert [entry.get("value") for entry in view.iter("Label")] == ["gar<bage", "bulky_waste"]
    (task,) = json.loads((tmp_path / "studio/tasks.json").read_text())
    (result,) = task["predictions"][0]["result"]
    tool = view.find("RectangleLabels")
    assert tool is not None
    assert (result["from_name"], result["to_name"]) == (tool.get("name"), tool.get("toName"))
    write_task(found, ["garbage"], "yolo", tmp_path / "yolo", name="m@1")
    data = read_yolo(tmp_path / "yolo")
    assert data.labels == ("garbage", "bulky_waste")
    assert data.exhaustive == frozenset(), "pre-labels are not complete until a person has looked"
    assert data.pictures[0].group == "cam"
    with pytest.raises(DatasetError, match="excel"):
        write_task(found, ["garbage"], "excel", tmp_path / "x", name="m@1")


def test_the_command(keep: Callable[..., KeptLook], constant_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    keep(1, AT_PLACE)
    keep(20)
    bundle = constant_bundle([[24, 24, 32, 32, 0.9, 0.05]])
    said = tmp_path / "verdicts.jsonl"
    said.write_text(verdict("rejected").model_dump_json(by_alias=True) + "\n")
    app = typer.Typer()
    app.command()(command)
    out = tmp_path / "task"
    days = (datetime.now(UTC) - START).days + 2
    outcome = CliRunner().invoke(
        app,
        [str(tmp_path / "looks"), "--verdicts", str(said), "--model", str(bundle.path), "--out", str(out), "--json",
         "--days", str(max(days, 1))],
    )  # fmt: skip
    assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    assert json.loads(outcome.stdout) == {"looks": 2, "chosen": 1, "why": {"hard_negative": 1}}
    (task,) = json.loads((out / "tasks.json").read_text())
    assert task["predictions"][0]["result"] == []
    (reason,) = (out / "reasons.jsonl").read_text().splitlines()
    assert json.loads(reason)["why"] == ["hard_negative"]
