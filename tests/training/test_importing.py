"""Several sets become one; every byte is pinned."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from detector.cli.dataset import app
from detector.errors import DatasetError
from detector.training.formats.yolo import read_yolo
from detector.training.importing import import_sets, read_recipe, recipe_of_one
from detector.training.manifest import Dataset, read_dataset, verify
from detector.training.reading import read_set
from tests.training.test_formats import FROM_DATUMARO


@pytest.fixture
def city(yolo_set: Callable[..., Path], tmp_path: Path) -> tuple[Path, Path]:
    """Two sets in one: (its folder, the recipe)."""
    first = yolo_set(
        {
            "train": {"cam1_20260101_080000": [("litter", 1, 1, 20, 20)], "cam2_20260102_090000": []},
            "val": {"cam3_20260103_100000": [("litter", 5, 5, 30, 30), ("umbrella", 1, 1, 9, 9)]},
        },
        labels=("litter", "umbrella"),
        name="yolo",
    )
    recipe = tmp_path / "sets.yaml"
    recipe.write_text(
        yaml.safe_dump(
            {
                "name": "city",
                "labels": ["bin_overflow"],
                "sets": [
                    {
                        "name": "streets",
                        "format": "yolo",
                        "path": str(first.relative_to(tmp_path)),
                        "map": {"litter": "garbage", "umbrella": None},
                        "group_pattern": "^(cam\\d+)_",
                        "time_pattern": "(\\d{8}_\\d{6})",
                        "licence": "CC0-1.0",
                    },
                    {
                        "name": "bins",
                        "format": "coco",
                        "path": str(FROM_DATUMARO / "coco/annotations/instances_train.json"),
                        "images": str(FROM_DATUMARO / "coco/images"),
                        "exhaustive": ["bin", "bin_overflow"],
                        "split": "train",
                    },
                ],
            }
        )
    )
    return tmp_path / "city", recipe


def test_sets_merge_under_our_labels(city: tuple[Path, Path]) -> None:
    folder, recipe = city
    data = import_sets(read_recipe(recipe), folder)
    assert data.labels == ("bin_overflow", "garbage", "bin")
    assert len(data.rows) == 6
    by_path = {row.path: row for row in data.rows}
    row = by_path["images/streets/cam3_20260103_100000.png"]
    assert [box[0] for box in row.boxes] == ["garbage"]
    assert (row.split, row.source, row.licence) == ("val", "streets", "CC0-1.0")
    assert row.captured_at == datetime(2026, 1, 3, 10)  # noqa: DTZ001 - the file name says no zone
    assert row.annotated == ["garbage"]
    other = by_path["images/bins/street_1.jpg"]
    assert other.annotated == ["bin", "bin_overflow", "garbage"]
    assert other.exhaustive == ["bin", "bin_overflow"]
    assert other.split == "train"
    again = read_yolo(folder)  # the label files and data.yaml say the same as the manifest
    assert {picture.path.name: len(picture.boxes) for picture in again.pictures} == {
        Path(row.path).name: len(row.boxes) for row in data.rows
    }
    assert list(verify(read_dataset(folder))) == []


def test_a_merged_set_keeps_what_was_annotated_in_each_picture(city: tuple[Path, Path]) -> None:
    folder, recipe = city
    import_sets(read_recipe(recipe), folder)
    for place in (folder, folder / "data.yaml"):
        by_source = {picture.source: picture for picture in read_set(place, ["train"]).pictures}
        assert by_source["streets"].annotated == {"garbage"}
        assert by_source["bins"].annotated == {"garbage", "bin", "bin_overflow"}
        assert by_source["bins"].exhaustive == {"bin", "bin_overflow"}
        assert {picture.split for picture in read_set(place, ["val"]).pictures} == {"val"}


def test_the_group_of_the_pattern_wins_over_the_sets_own(city: tuple[Path, Path]) -> None:
    folder, recipe = city
    groups = {row.path: row.group for row in import_sets(read_recipe(recipe), folder).rows}
    assert groups["images/streets/cam1_20260101_080000.png"] == "cam1"
    assert groups["images/bins/street_1.jpg"] is None


def test_importing_again_changes_nothing_and_the_root_hash_tells(city: tuple[Path, Path]) -> None:
    folder, recipe = city
    first = import_sets(read_recipe(recipe), folder)
    assert import_sets(read_recipe(recipe), folder).root == first.root
    text = recipe.read_text().replace("CC0-1.0", "CC-BY-4.0")
    recipe.write_text(text)
    assert import_sets(read_recipe(recipe), folder).root != first.root


@pytest.mark.parametrize("victim", ["images/bins/street_2.jpg", "labels/bins/street_2.txt"])
def test_a_flipped_byte_is_found(city: tuple[Path, Path], victim: str) -> None:
    folder, recipe = city
    data = import_sets(read_recipe(recipe), folder)
    path = folder / victim
    content = bytearray(path.read_bytes())
    for position in range(0, len(content), max(1, len(content) // 7)):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(bytes(changed))
        (problem,) = verify(data)
        assert victim in problem
    path.unlink()
    assert "cannot be read" in next(verify(data))


@pytest.mark.parametrize("victim", ["dataset.json", "manifest.jsonl", "data.yaml", "train.txt", "val.txt"])
def test_a_flipped_byte_beside_the_pictures_is_found(city: tuple[Path, Path], victim: str) -> None:
    folder, recipe = city
    assert list(verify(import_sets(read_recipe(recipe), folder))) == []
    path = folder / victim
    content = path.read_bytes()
    for position in range(0, len(content), max(1, len(content) // 150)):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(bytes(changed))
        try:
            problems = list(verify(read_dataset(folder)))
        except DatasetError:
            continue
        assert any(victim in problem for problem in problems), position
    path.write_bytes(content)
    assert list(verify(read_dataset(folder))) == []


def test_a_set_whose_header_has_no_seal_yet_stays_valid(city: tuple[Path, Path]) -> None:
    folder, recipe = city
    import_sets(read_recipe(recipe), folder)
    header = json.loads((folder / "dataset.json").read_text())
    del header["seal"]
    (folder / "dataset.json").write_text(json.dumps(header, indent=2, ensure_ascii=False) + "\n")
    assert list(verify(read_dataset(folder))) == []


def test_a_changed_manifest_is_found(city: tuple[Path, Path]) -> None:
    folder, recipe = city
    import_sets(read_recipe(recipe), folder)
    path = folder / "manifest.jsonl"
    text = path.read_text()
    path.write_text(text.replace('"split":"val"', '"split":"train"'))
    with pytest.raises(DatasetError, match="root hash"):
        read_dataset(folder)
    path.write_text(text.replace('"split":"val"', '"split":"exam"'))
    with pytest.raises(DatasetError, match=r"manifest\.jsonl:\d+: split"):
        read_dataset(folder)
    path.write_text(text.replace('"path":"images', '"path":"../images'))
    with pytest.raises(DatasetError, match="stay inside"):
        read_dataset(folder)


def test_a_file_nobody_listed_is_found(city: tuple[Path, Path]) -> None:
    folder, recipe = city
    data = import_sets(read_recipe(recipe), folder)
    (folder / "labels/bins/stray.txt").write_text("")
    assert "not in the manifest" in next(verify(data))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"map": {"litre": "garbage"}}, "litre"),
        ({"exhaustive": ["umbrella2"]}, "umbrella2"),
        ({"format": "excel"}, "format"),
        ({"group_pattern": "cam"}, "parentheses"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_wrong_recipe_says_what(city: tuple[Path, Path], change: dict[str, object], message: str) -> None:
    folder, recipe = city
    content = yaml.safe_load(recipe.read_text())
    content["sets"][0] |= change
    recipe.write_text(yaml.safe_dump(content))
    with pytest.raises(DatasetError, match=message):
        import_sets(read_recipe(recipe), folder)


@pytest.mark.parametrize(
    ("form", "written", "said"),
    [
        ("excel", "litter: garbage\n", r"map\.yaml: format"),
        ("coco", "map: {litter: garbage}\ncolour: red\n", r"map\.yaml: colour"),
        ("coco", "litter: [garbage]\n", r"map\.yaml: map\.litter"),
        ("coco", "litter: garbage: bin\n", r"map\.yaml:1: "),
    ],
)
def test_a_wrong_class_map_of_a_single_set_says_what(tmp_path: Path, form: str, written: str, said: str) -> None:
    class_map = tmp_path / "map.yaml"
    class_map.write_text(written)
    with pytest.raises(DatasetError, match=said):
        recipe_of_one("city", {"name": "bins", "format": form, "path": tmp_path}, class_map)


def test_the_commands_from_import_to_export(city: tuple[Path, Path], tmp_path: Path) -> None:
    folder, recipe = city

    def run(*arguments: str, code: int = 0) -> str:
        outcome = CliRunner().invoke(app, list(arguments))
        assert outcome.exit_code == code, (outcome.output, outcome.exception)
        return outcome.stdout

    said = json.loads(run("import", str(folder), "--recipe", str(recipe), "--json"))
    assert said["pictures"] == 6
    json.loads(run("verify", str(folder), "--json"))
    split = json.loads(run("split", str(folder), "--val", "0.5", "--no-keep", "--json"))
    assert split["shared_groups"] == 0
    assert split["root"] == read_dataset(folder).root
    run("export", str(folder), str(tmp_path / "out"), "--format", "cvat")
    assert (tmp_path / "out/annotations.xml").exists()
    class_map = tmp_path / "map.yaml"
    class_map.write_text("garbage: litter\nbin_overflow:\n")
    run("import", str(tmp_path / "single"), "--format", "cvat", "--path", str(tmp_path / "out/annotations.xml"),
        "--images", str(tmp_path / "out/images"), "--name", "back", "--map", str(class_map))  # fmt: skip
    single: Dataset = read_dataset(tmp_path / "single")
    assert sorted(single.labels) == ["bin", "litter"]
    (folder / "labels/bins/street_1.txt").write_text("")
    assert "street_1" in run("verify", str(folder), "--json", code=1)
