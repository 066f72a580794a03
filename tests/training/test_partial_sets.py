"""Merging sets that annotate different labels."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from detector.errors import DatasetError
from detector.training.partial_sets import (
    MixtureRecipe,
    merge_sets,
    merged_pictures,
    read_merged,
    read_mixture,
    refuse_changed_files,
    set_boxes,
)
from tests.training.drawn import draw_sets


def mixture(**sets: dict[str, object]) -> MixtureRecipe:
    return MixtureRecipe.model_validate(
        {"name": "shapes", "labels": ["square", "disc", "star"], "exclusive": [["square", "disc"]], "sets": sets}
    )


def test_merge_keeps_boxes_and_says_what_silence_means(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets")
    path = merge_sets(mixture(squares={"absent": ["star"]}, discs={"repeat": 2}), [root], tmp_path / "out")
    data = yaml.safe_load(path.read_text())
    assert data["names"] == {0: "square", 1: "disc", 2: "star"}
    assert data["evidence"]["squares"]["known"] == ["square"]
    assert data["evidence"]["squares"]["absent"] == ["star"]
    assert data["evidence"]["discs"]["known"] == ["disc"]
    theirs = (root / "discs/labels/train/003.txt").read_text().split()
    ours = (tmp_path / "out/labels/train/discs/003.txt").read_text().split()
    assert theirs[0] == "0"
    assert ours[0] == "1"
    assert ours[1:] == theirs[1:]
    assert (tmp_path / "out/images/val/squares/000.png").resolve() == (root / "squares/images/val/000.png").resolve()


def test_a_scene_that_fills_a_set_is_drawn_less_often_by_the_picture(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets")
    pictures = sorted((root / "squares/images/train").iterdir())
    assert len(pictures) > 4
    groups = ["film"] * 4 + [path.stem for path in pictures[4:]]
    rows = [f"images/train/{path.name},{group}" for path, group in zip(pictures, groups, strict=True)]
    (root / "squares/groups.csv").write_text("\n".join(["image,group", *rows]) + "\n")
    path = merge_sets(mixture(squares={"even": 1}, discs={}), [root], tmp_path / "out")
    evidence = read_merged(path)["evidence"]
    assert "draws" not in evidence["discs"]
    draws = evidence["squares"]["draws"]
    assert list(draws) == [path.name for path in pictures]
    shares = list(draws.values())
    assert shares[:4] == [shares[0]] * 4
    assert shares[4:] == [pytest.approx(4 * shares[0], rel=1e-3)] * (len(pictures) - 4)
    assert sum(shares) == pytest.approx(len(pictures), rel=1e-3)
    half = merge_sets(mixture(squares={"even": 0.5}, discs={}), [root], tmp_path / "out")
    shares = list(read_merged(half)["evidence"]["squares"]["draws"].values())
    assert shares[4] == pytest.approx(2 * shares[0], rel=1e-3)


def test_root_hash_follows_pictures_labels_and_mapping(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets")

    def root_hash(recipe: MixtureRecipe) -> str:
        return str(yaml.safe_load(merge_sets(recipe, [root], tmp_path / "out").read_text())["root_hash"])

    both = mixture(squares={}, discs={})
    first = root_hash(both)
    assert root_hash(both) == first
    assert root_hash(mixture(squares={}, discs={"map": {"disc": "star"}})) != first
    label = root / "discs/labels/val/001.txt"
    before = label.read_text()
    label.write_text(before.replace("0.25", "0.26"))
    assert root_hash(both) != first
    label.write_text(before)
    picture = root / "squares/images/train/000.png"
    content = bytearray(picture.read_bytes())
    content[-1] ^= 1
    picture.write_bytes(content)
    assert root_hash(both) != first


def test_a_label_that_gathers_an_incomplete_name_is_not_known(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets")
    (root / "discs/data.yaml").write_text(yaml.safe_dump({"names": ["disc", "ring"], "exhaustive": ["disc"]}))
    path = merge_sets(mixture(discs={"map": {"ring": "disc"}}), [root], tmp_path / "out")
    assert yaml.safe_load(path.read_text())["evidence"]["discs"]["known"] == []


def test_dropped_and_stale_labels_are_gone(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets")
    merge_sets(mixture(squares={}, discs={}), [root], tmp_path / "out")
    merge_sets(mixture(discs={"map": {"disc": None}}), [root], tmp_path / "out")
    assert not list((tmp_path / "out").glob("*/*/squares/*"))
    assert (tmp_path / "out/labels/train/discs/000.txt").read_text() == ""


def test_taught_boxes_join_the_training_pictures_only(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets")
    taught = {("squares", "000.png"): [("disc", 0.5, 0.5, 0.2, 0.2)]}
    recipe = mixture(squares={"taught": {"disc": 0.2}}, discs={})
    path = merge_sets(recipe, [root], tmp_path / "out", taught)
    assert yaml.safe_load(path.read_text())["evidence"]["squares"]["taught"] == {"disc": 0.2}
    lines = (tmp_path / "out/labels/train/squares/000.txt").read_text().splitlines()
    assert lines[1] == "1 0.500000 0.500000 0.200000 0.200000"
    assert len((tmp_path / "out/labels/val/squares/000.txt").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 0.5 0.5 0.1", "four numbers"),
        ("0 0.5 0.5 0 0.2", "empty box"),
        ("x 1 1 1 1", "000.txt:1"),
        ("4 .5 .5 .1 .1", "class 4"),
    ],
)
def test_a_malformed_label_names_its_file(tmp_path: Path, line: str, said: str) -> None:
    root = draw_sets(tmp_path / "sets")
    (root / "discs/labels/train/000.txt").write_text(line + "\n")
    with pytest.raises(DatasetError, match=said):
        merge_sets(mixture(discs={}), [root], tmp_path / "out")


def test_a_polygon_becomes_the_box_around_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("2 0.1 0.2 0.3 0.2 0.2 0.6\n")
    [(label, box)] = set_boxes(path)
    assert label == 2
    assert box == pytest.approx((0.2, 0.4, 0.2, 0.4))


def test_missing_and_empty_sets_are_refused(tmp_path: Path) -> None:
    root = draw_sets(tmp_path / "sets")
    with pytest.raises(DatasetError, match="triangles"):
        merge_sets(mixture(triangles={}), [root], tmp_path / "out")
    for picture in (root / "discs/images/train").iterdir():
        picture.unlink()
    with pytest.raises(DatasetError, match="no training pictures"):
        merge_sets(mixture(discs={}), [root], tmp_path / "out")


def test_a_recipe_with_an_unknown_label_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text("name: x\nlabels: [square]\nsets: {squares: {absent: [sqare]}}\n")
    with pytest.raises(DatasetError, match="sqare"):
        read_mixture(path)


def test_the_shipped_recipe_reads(root: Path) -> None:
    recipe = read_mixture(root / "datasets/street-14/manifest.yaml")
    assert recipe.labels[:3] == ["garbage", "bin", "bin_overflow"]
    assert len(recipe.sets) >= 17


def test_a_merged_dataset_is_read_back_without_what_a_trainer_keeps_beside_the_pictures(tmp_path: Path) -> None:
    path = merge_sets(mixture(squares={}, discs={}), [draw_sets(tmp_path / "sets")], tmp_path / "out")
    (tmp_path / "out/images/train/squares/000.npy").write_bytes(b"kept")
    pictures = merged_pictures(read_merged(path), "train")
    assert len(pictures) == 24
    assert {picture.suffix for picture in pictures} == {".png"}


@pytest.mark.parametrize(
    "victim",
    ["sets/squares/images/train/003.png", "out/labels/train/squares/003.txt", "out/labels/val/discs/000.txt",
     "out/data.yaml"],
)  # fmt: skip
def test_a_flipped_byte_of_a_merged_set_is_found(tmp_path: Path, victim: str) -> None:
    path = merge_sets(mixture(squares={}, discs={}), [draw_sets(tmp_path / "sets")], tmp_path / "out")
    refuse_changed_files(path, read_merged(path))
    changed = tmp_path / victim
    content = changed.read_bytes()
    assert content
    for position in range(0, len(content), max(1, len(content) // 11)):
        flipped = bytearray(content)
        flipped[position] ^= 1
        changed.write_bytes(flipped)
        with pytest.raises(DatasetError):
            refuse_changed_files(path, read_merged(path))
    changed.write_bytes(content)
    refuse_changed_files(path, read_merged(path))
    changed.unlink()
    with pytest.raises(DatasetError):
        refuse_changed_files(path, read_merged(path))


def test_a_picture_added_to_a_merged_set_is_found_and_older_sets_without_a_hash_of_their_words_stay_readable(
    tmp_path: Path,
) -> None:
    path = merge_sets(mixture(squares={}, discs={}), [draw_sets(tmp_path / "sets")], tmp_path / "out")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("words_hash")))
    refuse_changed_files(path, read_merged(path))
    (tmp_path / "out/images/train/discs/new.png").symlink_to(tmp_path / "sets/discs/images/train/000.png")
    with pytest.raises(DatasetError, match=r"new\.txt"):
        refuse_changed_files(path, read_merged(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [("path: [", r"data\.yaml:1"), ("path: out\nnames: {0: a}\n", r"evidence, exclusive, boxes, root_hash missing")],
)
def test_a_data_yaml_that_was_not_merged_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_merged(path)
