from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.synthetic import cutouts, heaps
from datasets.synthetic.backgrounds import raw_labels
from datasets.synthetic.layout import SetWriter
from datasets.synthetic.perspective import Box
from tests.training.synthetic.drawn import background


def street_with_heap(seed: int) -> np.ndarray:
    """A grey, grainy street (240 x 320) with a colourful heap between (100, 80) and (200, 160)."""
    rng = np.random.default_rng(seed)
    picture = rng.normal(120, 5, (240, 320, 3)).clip(0, 255).astype(np.uint8)
    colours = rng.integers(0, 255, (8, 10, 3)) * np.array([1.0, 0.2, 0.1]) + [0, 0, 140]
    patch = cv2.resize(colours.clip(0, 255).astype(np.uint8), (100, 80), interpolation=cv2.INTER_NEAREST)
    inside = cv2.ellipse(np.zeros((80, 100), np.uint8), (50, 40), (48, 38), 0, 0, 360, 255, -1) > 0
    picture[80:160, 100:200][inside] = patch[inside]
    return picture


def labelled_set(root: Path, name: str, lines: str) -> Path:
    folder = root / name
    for part in ("images/train", "labels/train"):
        (folder / part).mkdir(parents=True)
    (folder / "data.yaml").write_text("names: [garbage, bin]\nexhaustive: [garbage]\n")
    with (folder / "groups.csv").open("w", newline="") as table:
        rows = csv.writer(table)
        rows.writerows(
            [("image", "group", "split"), ("images/train/a.png", "g", "train"), ("images/val/b.png", "h", "val")]
        )
    cv2.imwrite(str(folder / "images" / "train" / "a.png"), street_with_heap(1))
    (folder / "labels" / "train" / "a.txt").write_text(lines)
    return folder


def test_grabcut_finds_the_heap_inside_its_box() -> None:
    mask = heaps.grabbed(street_with_heap(3), Box(94, 74, 206, 166))
    assert mask is not None
    found = cutouts.box_from_mask(mask > 0)
    assert (found.left, found.top, found.right, found.bottom) == pytest.approx((102, 82, 199, 159), abs=6)


def test_a_box_over_most_of_the_picture_gives_no_outline() -> None:
    assert heaps.grabbed(street_with_heap(3), Box(2, 2, 318, 238)) is None


def test_bags_that_touch_are_one_heap_and_others_apart() -> None:
    bags = []
    for left in (10, 32, 150):
        mask = np.zeros((100, 200), np.uint8)
        mask[40:60, left : left + 20] = 255
        bags.append(mask)
    found = sorted(cutouts.box_from_mask(m > 0).left for m in heaps.clusters(bags, 5))
    assert found == [10, 150]
    assert list(heaps.clusters([], 5)) == []


def test_only_train_pictures_with_the_label_are_read(tmp_path: Path) -> None:
    folder = labelled_set(tmp_path, "bags-kr", "0 0.5 0.5 0.3 0.3\n1 0.2 0.2 0.1 0.1\n")
    assert list(raw_labels(folder, "garbage")) == [(folder / "images/train/a.png", "g", [[0.5, 0.5, 0.3, 0.3]])]
    assert [values for _, _, values in raw_labels(folder, "bin")] == [[[0.2, 0.2, 0.1, 0.1]]]


@pytest.mark.parametrize("line", ["0 0.5 0.5 wide 0.3", "7 0.5 0.5 0.3 0.3", "-1 0.5 0.5 0.3 0.3", "0 0.5 0.5 0.3"])
def test_a_broken_label_line_is_named_by_file_and_line(tmp_path: Path, line: str) -> None:
    folder = labelled_set(tmp_path, "bags-kr", f"0 0.5 0.5 0.3 0.3\n\n{line}\n")
    with pytest.raises(ValueError, match=r"labels/train/a\.txt:3: "):
        list(raw_labels(folder, "garbage"))


def test_heaps_are_cut_once_and_set_with_exact_boxes(tmp_path: Path) -> None:
    polygon = "0 0.3125 0.333 0.625 0.333 0.625 0.667 0.3125 0.667\n"
    labelled_set(tmp_path / "data", "bags-kr", polygon)
    work = tmp_path / "heaps"
    assert heaps.cut(tmp_path / "data", work, seed=1) == 1
    before = {path: path.stat().st_mtime_ns for path in work.glob("*.*")}
    assert heaps.cut(tmp_path / "data", work, seed=1) == 1
    assert {path: path.stat().st_mtime_ns for path in work.glob("*.*")} == before

    found = cutouts.find(work)
    assert [(f.label, f.pitch) for f in found] == [("garbage", heaps.PITCH)]
    ground = background(tmp_path / "grounds", "street", split=found[0].split)
    writer = SetWriter(tmp_path / "out", (), "Test.")
    heaps.fill(writer, [ground], found, seed=2)
    label_file = tmp_path / "out" / "labels" / found[0].split / "street-heaps.txt"
    boxes = [line.split() for line in label_file.read_text().splitlines()]
    made = cutouts.read_picture(label_file.parents[2] / "images" / found[0].split / "street-heaps.webp").astype(int)
    old = cutouts.read_picture(ground.picture).astype(int)
    changed = cv2.medianBlur((np.abs(made - old).max(axis=2) > 45).astype(np.uint8), 5) > 0
    assert boxes
    assert changed.any()
    covered = np.zeros_like(changed)
    for _, cx, cy, w, h in (map(float, box) for box in boxes):
        left, top = int((cx - w / 2) * 480) - 3, int((cy - h / 2) * 360) - 3
        covered[max(0, top) : top + int(h * 360) + 6, max(0, left) : left + int(w * 480) + 6] = True
    assert not (changed & ~covered).any()
