"""Several sets become one; every byte is pinned."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from detector.cli.dataset import app
from detector.errors import DatasetError
from detector.training.check.finding import Kind
from detector.training.check.scan import scan_sets
from detector.training.formats.coco import read_coco
from detector.training.formats.labelme import read_labelme
from detector.training.formats.yolo import read_yolo
from detector.training.importing import import_sets, read_recipe, recipe_of_one
from detector.training.left_out import left_out
from detector.training.manifest import Dataset, read_dataset, verify
from detector.training.reading import read_set
from tests.training.conftest import draw
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


def of_no_area(form: str, root: Path) -> Path:
    """A set of one picture (64 x 48) in another tool's format with a bin, and boxes that enclose nothing of it.

    These are a bin of no width, a bin outside, and a crack without height; returns what to give as `path`.
    """
    draw(root / "images/a.png")
    drawn = [("bin", 4, 4, 30, 30), ("bin", 10, 10, 10, 20), ("bin", 70, 4, 90, 30), ("crack", 5, 40, 25, 40)]
    if form == "coco":
        document: Any = {
            "images": [{"id": 1, "file_name": "a.png"}],
            "categories": [{"id": 1, "name": "bin"}, {"id": 2, "name": "crack"}],
            "annotations": [
                {
                    "id": 7 + index,
                    "image_id": 1,
                    "category_id": 1 + (label == "crack"),
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                }
                for index, (label, x0, y0, x1, y1) in enumerate(drawn)
            ],
        }
    elif form == "labelstudio":
        results = [
            {
                "id": f"r{index}",
                "type": "rectanglelabels",
                "value": {
                    "x": x0 / 0.64, "y": y0 / 0.48, "width": (x1 - x0) / 0.64, "height": (y1 - y0) / 0.48,
                    "rotation": 0, "rectanglelabels": [label],
                },
            }
            for index, (label, x0, y0, x1, y1) in enumerate(drawn)
        ]  # fmt: skip
        document = [{"id": 3, "data": {"image": "a.png"}, "annotations": [{"result": results}]}]
    elif form == "labelme":
        shapes = [
            {"label": label, "points": [[x0, y0], [x1, y1]], "shape_type": "rectangle"}
            for label, x0, y0, x1, y1 in drawn
        ]
        document = {"shapes": shapes, "imagePath": "a.png"}
    elif form == "yolo":
        (root / "labels").mkdir()
        (root / "labels/a.txt").write_text(
            "".join(
                f"{int(label == 'crack')} {(x0 + x1) / 128} {(y0 + y1) / 96} {(x1 - x0) / 64} {(y1 - y0) / 48}\n"
                for label, x0, y0, x1, y1 in drawn
            )
        )
        (root / "data.yaml").write_text("names: [bin, crack]\ntrain: images\n")
        return root / "data.yaml"
    else:
        edges = ("xmin", "ymin", "xmax", "ymax") if form == "voc" else ("xtl", "ytl", "xbr", "ybr")
        items: list[str] = []
        for label, *box in drawn:
            if form == "voc":
                inner = "".join(f"<{edge}>{value}</{edge}>" for edge, value in zip(edges, box, strict=True))
                items.append(f"<object><name>{label}</name><bndbox>{inner}</bndbox></object>")
            else:
                inner = " ".join(f'{edge}="{value}"' for edge, value in zip(edges, box, strict=True))
                items.append(f'<box label="{label}" {inner}/>')
        body = "".join(items)
        text = f"<annotation><filename>a.png</filename>{body}</annotation>"
        if form == "cvat":
            text = f'<annotations><image name="a.png" width="64" height="48">{body}</image></annotations>'
        (root / "a.xml").write_text(text)
        return root / "a.xml" if form == "cvat" else root
    (root / "a.json").write_text(json.dumps(document))
    return root if form == "labelme" else root / "a.json"


@pytest.mark.parametrize(
    ("form", "file", "places"),
    [
        ("coco", "a.json", ("annotations.id 8", "annotations.id 9", "annotations.id 10")),
        ("yolo", "a.txt", ("line 2", "line 3", "line 4")),
        ("voc", "a.xml", ("object 2", "object 3", "object 4")),
        ("cvat", "a.xml", ("image 'a.png', shape 2", "image 'a.png', shape 3", "image 'a.png', shape 4")),
        ("labelstudio", "a.json", ("task 3, result r1", "task 3, result r2", "task 3, result r3")),
        ("labelme", "a.json", ("shape 2", "shape 3", "shape 4")),
    ],
)
def test_boxes_of_no_area_are_counted_named_and_found_again(
    form: str, file: str, places: tuple[str, str, str], tmp_path: Path
) -> None:
    path, city = of_no_area(form, tmp_path / "theirs"), tmp_path / "city"
    arguments = ["import", str(city), "--format", form, "--path", str(path), "--name", "bins", "--json"]
    arguments += [] if form == "yolo" else ["--images", str(tmp_path / "theirs/images")]
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 0, outcome.output
    common = {"source": "bins", "file": file, "picture": "images/bins/a.png"}
    assert json.loads(outcome.stdout)["empty_boxes"] == [
        {**common, "label": "bin", "places": list(places[:2]), "count": 2},
        {**common, "label": "crack", "places": list(places[2:]), "count": 1},
    ]
    assert "boxes of no area: 3 on 1 pictures" in outcome.stderr
    assert f"{file} ({places[0]}, {places[1]}): images/bins/a.png: 2 bin" in outcome.stderr
    data = read_dataset(city)
    (row,) = data.rows
    assert row.boxes == [("bin", 4.0, 4.0, 30.0, 30.0)]
    assert [(label, place) for label, *_, place in row.empty] == [
        (label, f"{file}: {place}") for label, place in zip(("bin", "bin", "crack"), places, strict=True)
    ]
    assert row.empty[0][1:5] == pytest.approx((10, 10, 10, 20), abs=0.01)
    assert "crack" in row.annotated
    assert list(verify(data)) == []
    assert len((city / "labels/bins/a.txt").read_text().splitlines()) == 1
    for place in (city, city / "data.yaml"):
        found = [item for item in scan_sets([place]).findings if item.kind is Kind.EMPTY_BOX]
        assert [(item.where, item.is_error) for item in found] == [(str(city / "images/bins/a.png"), True)] * 3
        assert found[2].text == f"crack: of no area, left out at the import; drawn in {file}: {places[2]}"


def test_a_long_list_of_boxes_of_no_area_is_cut_in_the_text_only(yolo_set: Callable[..., Path], tmp_path: Path) -> None:
    names = [f"p{number:02}" for number in range(12)]
    path = yolo_set({"train": {name: [("bin", 5, 5, 5, 9)] for name in names}})
    arguments = ["import", str(tmp_path / "city"), "--format", "yolo", "--path", str(path), "--name", "bins", "--json"]
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 0
    assert len(json.loads(outcome.stdout)["empty_boxes"]) == 12
    assert "boxes of no area: 12 on 12 pictures" in outcome.stderr
    assert "p09.png: 1 bin" in outcome.stderr
    assert "p10.png" not in outcome.stderr
    assert "and 2 more" in outcome.stderr


def test_boxes_of_no_area_follow_the_class_map_and_their_set(city: tuple[Path, Path], tmp_path: Path) -> None:
    folder, recipe = city
    label_file = tmp_path / "yolo/labels/train/cam2_20260102_090000.txt"
    label_file.write_text("0 0.5 0.5 0 0.1\n1 0.5 0.5 0 0.1\n")  # litter becomes garbage, umbrella is dropped
    before = import_sets(read_recipe(recipe), folder)
    (lost,) = left_out(before.rows, {"streets"})
    assert (lost.label, lost.count, lost.places) == ("garbage", 1, ("line 1",))
    assert left_out(before.rows, {"bins"}) == []
    row = next(row for row in before.rows if row.empty)
    assert '"empty":[["garbage"' in row.line()
    label_file.write_text("")
    after = import_sets(read_recipe(recipe), folder)
    assert left_out(after.rows, {"streets"}) == []
    assert "empty" not in "".join(row.line() for row in after.rows)  # as manifests were before there was such a field


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_an_edge_that_is_no_number_is_an_error_and_no_box_of_no_area(tmp_path: Path, value: str) -> None:
    path = of_no_area("coco", tmp_path / "theirs")
    path.write_text(path.read_text().replace("[10, 10, 0, 10]", f"[{value}, 10, 0, 10]"))
    with pytest.raises(DatasetError, match=r"annotations\.id 8.*not finite"):
        read_coco(path, tmp_path / "theirs/images")
    path = of_no_area("labelme", tmp_path / "other")
    (path / "a.json").write_text((path / "a.json").read_text().replace("[10, 10]", f"[{value}, 10]"))
    with pytest.raises(DatasetError, match=r"shape 2.*not finite"):
        read_labelme(path, path / "images")


def test_a_box_that_holds_no_pixel_is_found_in_an_imported_set(yolo_set: Callable[..., Path], tmp_path: Path) -> None:
    path = yolo_set({"train": {"a": [("bin", 4, 4, 30, 30), ("bin", 9, 9, 9.6, 20)]}})
    import_sets(recipe_of_one("city", {"name": "bins", "format": "yolo", "path": path}, None), tmp_path / "city")
    (found,) = [item for item in scan_sets([tmp_path / "city"]).findings if item.kind is Kind.EMPTY_BOX]
    assert found.where == f"{tmp_path / 'city/labels/bins/a.txt'}:2"
    assert found.text == "bin: less than a pixel inside"


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
    run(
        "export", str(folder), str(tmp_path / "tasks"), "--format", "labelstudio", "--prefix", "/data/local-files/?d=a/"
    )
    assert '"/data/local-files/?d=a/cam1_20260101_080000.png"' in (tmp_path / "tasks/tasks.json").read_text()
    class_map = tmp_path / "map.yaml"
    class_map.write_text("garbage: litter\nbin_overflow:\n")
    run("import", str(tmp_path / "single"), "--format", "cvat", "--path", str(tmp_path / "out/annotations.xml"),
        "--images", str(tmp_path / "out/images"), "--name", "back", "--map", str(class_map))  # fmt: skip
    single: Dataset = read_dataset(tmp_path / "single")
    assert sorted(single.labels) == ["bin", "litter"]
    (folder / "labels/bins/street_1.txt").write_text("")
    assert "street_1" in run("verify", str(folder), "--json", code=1)
