"""Everything the check must find, one set with each of it; and a clean set passes."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from detector.cli.dataset import app
from detector.inference.bundle import Bundle
from detector.training.check.compare import compare, counts
from detector.training.check.finding import ADVICE, Kind
from detector.training.check.scan import scan_sets
from detector.training.check.suspects import suspects
from detector.training.likeness import near_pairs, origin, perceptual_hash
from tests.training.conftest import box, draw, picture, seen

BOX = ("bin", 4, 4, 30, 30)


def kinds(place: Path) -> dict[Kind, int]:
    scan = scan_sets([place])
    found = [*scan.findings, *compare(scan)]
    return {kind: sum(item.kind is kind for item in found) for kind in {item.kind for item in found} - {Kind.RARE}}


@pytest.fixture
def clean(yolo_set: Callable[..., Path]) -> Path:
    return yolo_set({"train": {"a": [BOX], "b": []}, "val": {"c": [BOX]}})


def test_a_clean_set_has_no_finding(clean: Path) -> None:
    assert kinds(clean) == {}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("7 0.5 0.5 0.1 0.1", Kind.UNKNOWN_CLASS),
        ("1 0.5 0.5 0.1", Kind.BAD_LINE),
        ("1 0.5 0.5 0.0 0.1", Kind.EMPTY_BOX),
        ("1 1.5 0.5 0.1 0.1", Kind.EMPTY_BOX),
        ("1 1.0 0.5 0.4 0.4", Kind.OUTSIDE),
        ("1 0.265625 0.354166 0.40625 0.541666", Kind.TWICE),
    ],
)
def test_bad_lines(clean: Path, line: str, kind: Kind) -> None:
    path = clean.parent / "labels/train/a.txt"
    path.write_text(path.read_text() + line + "\n")
    assert kinds(clean) == {kind: 1}


def test_files_without_partner(clean: Path) -> None:
    (clean.parent / "labels/train/b.txt").rename(clean.parent / "labels/train/z.txt")
    assert kinds(clean) == {Kind.ORPHAN: 1, Kind.NO_LABELS: 1}


def test_pictures_that_cannot_be_read(clean: Path) -> None:
    root = clean.parent / "images/train"
    (root / "a.png").write_bytes((root / "a.png").read_bytes()[:200])
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (root / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    found = kinds(clean)
    assert found[Kind.BOMB] == 1
    assert found[Kind.UNREADABLE] == 1


def test_leaks_between_splits(yolo_set: Callable[..., Path]) -> None:
    groups = {"a": "cam1", "b": "cam1", "c": "cam2", "d": "cam3"}
    data = yolo_set({"train": {"a": [BOX], "c": [BOX]}, "val": {"b": [BOX], "d": [BOX]}}, groups=groups)
    assert kinds(data) == {Kind.LEAK_GROUP: 1}
    image = cv2.imread(str(data.parent / "images/train/c.png"))
    assert image is not None
    brighter = np.clip(image.astype(np.int16) + 9, 0, 255).astype(np.uint8)
    cv2.imwrite(str(data.parent / "images/val/d.png"), brighter)
    assert kinds(data) == {Kind.LEAK_GROUP: 1, Kind.LEAK_LIKENESS: 1}
    cv2.imwrite(str(data.parent / "images/val/d.png"), image)
    assert kinds(data) == {Kind.LEAK_GROUP: 1, Kind.LEAK_COPY: 1}


def test_copies_that_an_augmentation_tool_made(yolo_set: Callable[..., Path]) -> None:
    names = {name: [BOX] for name in ("s_jpg.rf.0123456789ab", "s_jpg.rf.ba9876543210", "t_jpg.rf.0123456789ab")}
    data = yolo_set({"train": names, "val": {"t_jpg.rf.ba9876543210": [BOX]}})
    assert kinds(data) == {Kind.AUGMENTED: 1, Kind.LEAK_COPY: 1}
    assert origin("street_jpg.rf.0123456789ab") == "street_jpg"
    assert origin("surf_01") == "surf_01"


def test_the_same_file_twice_in_one_split(clean: Path) -> None:
    root = clean.parent
    (root / "images/train/e.png").write_bytes((root / "images/train/a.png").read_bytes())
    (root / "labels/train/e.txt").write_bytes((root / "labels/train/a.txt").read_bytes())
    assert kinds(clean) == {Kind.DUPLICATE: 1}


def test_labels_too_rare_to_measure_and_counts(clean: Path) -> None:
    scan = scan_sets([clean])
    rare = [item for item in compare(scan) if item.kind is Kind.RARE]
    assert [item.where for item in rare] == ["bin"]
    table = counts(scan)
    assert dict(table["bin", "drawn"]) == {"train": 1, "val": 1}
    assert table["garbage", "drawn"].total() == 0


def test_nearly_empty_pictures_are_not_taken_for_each_other(clean: Path) -> None:
    for place in ("train/a", "val/c"):
        cv2.imwrite(str(clean.parent / f"images/{place}.png"), np.full((48, 64, 3), 90 + len(place), np.uint8))
    assert Kind.LEAK_LIKENESS not in kinds(clean)


def test_hashes_of_the_same_street_are_near_and_of_others_far(tmp_path: Path) -> None:
    images = [cv2.imread(str(draw(tmp_path / f"{seed}.png", (320, 240), seed=seed))) for seed in range(40)]
    hashes = [perceptual_hash(np.asarray(image, np.uint8)) for image in images]
    smaller = [perceptual_hash(np.asarray(cv2.resize(np.asarray(image), (200, 150)), np.uint8)) for image in images]
    assert all((one ^ other).bit_count() <= 4 for one, other in zip(hashes, smaller, strict=True))
    assert list(near_pairs(hashes, 6)) == []
    assert list(near_pairs([0, 2**64 - 1, 0b111], 3)) == [(0, 2, 3)]


def test_labels_that_a_model_doubts() -> None:
    scene = picture(
        box("bin", 0, 0, 100, 100), box("bin", 300, 300, 500, 500), box("garbage", 200, 0, 260, 60),
        labels=("bin", "garbage", "crack"), exhaustive=("bin", "garbage"),
    )  # fmt: skip
    said = [
        seen("bin", 0.9, 0, 0, 100, 100),  # right
        seen("bin", 0.8, 200, 0, 260, 60),  # drawn as garbage
        seen("garbage", 0.7, 0, 400, 60, 460),  # nobody drew it
        seen("crack", 0.9, 0, 500, 60, 560),  # not boxed completely: says nothing
    ]
    found = suspects([scene], [said], frozenset({"bin", "garbage"}))
    assert [(item.label, item.detection is not None) for item in found] == [
        ("garbage", True), ("garbage", True), ("bin", False),
    ]  # fmt: skip
    assert "drawn as garbage, seen as bin" in found[0].text
    assert "not drawn" in found[1].text
    assert "not seen" in found[2].text


def test_the_command_exits_with_an_error_says_what_to_do_and_draws(
    yolo_set: Callable[..., Path], constant_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    groups = {"a": "cam1", "b": "cam1"}
    data = yolo_set({"train": {"a": [BOX]}, "val": {"b": [BOX]}}, groups=groups)
    bundle = constant_bundle([[50, 50, 20, 20, 0.02, 0.7]])
    outcome = CliRunner().invoke(
        app, ["check", str(data), "--sheets", str(tmp_path / "sheets"), "--model", str(bundle.path), "--json"]
    )
    assert outcome.exit_code == 1
    assert ADVICE[Kind.LEAK_GROUP][:30] in outcome.stderr
    said = json.loads(outcome.stdout)
    assert said["errors"] == 1
    assert {item["kind"] for item in said["findings"]} == {"leak_group", "rare_label", "label_suspect"}
    sheets = {Path(path).name for path in said["sheets"]}
    assert sheets == {"leak_group.png", "label-bin.png", "suspects-bin.png"}
    for path in said["sheets"]:
        assert cv2.imread(path) is not None


def test_the_real_sets_hold_no_broken_picture_and_the_leaks_we_know_of(shared: Path) -> None:
    scan = scan_sets([shared / "data/aerial-cars", shared / "data/bags-kr"])
    found = [*scan.findings, *compare(scan)]
    assert {item.kind for item in found} == {Kind.EMPTY_BOX, Kind.TWICE, Kind.LEAK_LIKENESS, Kind.RARE}
    leaks = [item for item in found if item.kind is Kind.LEAK_LIKENESS]
    assert {item.pictures[0].name for item in leaks} == {"MOS77.webp"}  # one flight, two groups
