"""Annotation formats: files that Datumaro wrote, round trips, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.core.detection import BoundingBox
from detector.errors import DatasetError
from detector.training.formats.coco import read_coco
from detector.training.formats.cvat import read_cvat, rotated
from detector.training.formats.labelme import read_labelme
from detector.training.formats.labelstudio import read_label_studio, write_label_studio
from detector.training.formats.masks import read_masks
from detector.training.formats.voc import read_voc
from detector.training.formats.yolo import read_label_line, read_yolo
from detector.training.importing import WRITERS, export_set
from detector.training.labelled import LabelledBox, LabelledPicture, LabelledSet
from tests.training.conftest import draw

FROM_DATUMARO = Path(__file__).parent / "from_datumaro"
"""Written by Datumaro 1.13.12 from the boxes below (random colour patches as pictures)."""
WRITTEN = {
    ("street_1", "garbage"): (3, 4, 33, 24),
    ("street_1", "bin"): (40, 10, 73.5, 51.25),
    ("street_1", "bin_overflow"): (10, 30, 30, 60),  # around the polygon 10,30 30,32 22,60
    ("street_2", "bin_overflow"): (0, 0, 64, 96),
}

READERS: dict[str, Callable[[Path], LabelledSet]] = {
    "coco": lambda folder: read_coco(folder / "annotations.json", folder / "images"),
    "yolo": lambda folder: read_yolo(folder),
    "voc": lambda folder: read_voc(folder / "Annotations", folder / "images"),
    "cvat": lambda folder: read_cvat(folder / "annotations.xml", folder / "images"),
    "labelstudio": lambda folder: read_label_studio(folder / "tasks.json", folder / "images"),
    "labelme": lambda folder: read_labelme(folder),
}


def boxes_of(data: LabelledSet) -> dict[tuple[str, str], tuple[float, float, float, float]]:
    return {
        (picture.path.stem, item.label): (item.box.left, item.box.top, item.box.right, item.box.bottom)
        for picture in data.pictures
        for item in picture.boxes
    }


@pytest.mark.parametrize(
    ("read", "polygons", "pictures"),
    [
        (lambda: read_coco(FROM_DATUMARO / "coco/annotations/instances_train.json", FROM_DATUMARO / "coco"), True, 3),
        (lambda: read_cvat(FROM_DATUMARO / "cvat/train.xml"), True, 3),
        (lambda: read_voc(FROM_DATUMARO / "voc"), False, 2),  # VOC has no file for a picture without objects
        (lambda: read_yolo(FROM_DATUMARO / "yolo"), False, 3),
    ],
    ids=["coco", "cvat", "voc", "yolo"],
)
def test_what_datumaro_wrote_is_read(read: Callable[[], LabelledSet], polygons: bool, pictures: int) -> None:
    data = read()
    expected = {name: box for name, box in WRITTEN.items() if polygons or name != ("street_1", "bin_overflow")}
    found = boxes_of(data)
    assert found.keys() == expected.keys()
    for name, box in expected.items():
        assert found[name] == pytest.approx(box, abs=0.01)
    assert len(data.pictures) == pictures
    assert set(data.labels) == {"garbage", "bin", "bin_overflow"}


@st.composite
def labelled(draw_from: st.DrawFn) -> list[LabelledBox]:
    boxes = []
    for _ in range(draw_from(st.integers(0, 5))):
        left = draw_from(st.floats(0, 90, allow_subnormal=False))
        top = draw_from(st.floats(0, 60, allow_subnormal=False))
        right = draw_from(st.floats(left + 1, 97, allow_subnormal=False))
        bottom = draw_from(st.floats(top + 1, 64, allow_subnormal=False))
        boxes.append(LabelledBox(draw_from(st.sampled_from(["bin", "garbage"])), BoundingBox(left, top, right, bottom)))
    return boxes


@pytest.mark.parametrize("form", sorted(WRITERS))
@given(first=labelled(), second=labelled())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_round_trip(
    form: str, tmp_path_factory: pytest.TempPathFactory, first: list[LabelledBox], second: list[LabelledBox]
) -> None:
    folder = tmp_path_factory.mktemp(form)
    always = LabelledBox("bin", BoundingBox(1, 1, 5, 5)), LabelledBox("garbage", BoundingBox(2, 2, 8, 9))
    pictures = tuple(
        LabelledPicture(
            path=draw(folder / f"from/street {name}.png", (97, 64), seed=number),
            size=(97, 64),
            boxes=(*always, *boxes),
            annotated=frozenset({"bin", "garbage"}),
            exhaustive=frozenset({"bin", "garbage"}),
            source="street",
            split="train",
        )
        for number, (name, boxes) in enumerate((("a", first), ("b", second)))
    )
    export_set(LabelledSet("street", ("garbage", "bin"), pictures), form, folder / "to")
    back = READERS[form](folder / "to")
    assert [picture.path.name for picture in back.pictures] == [picture.path.name for picture in pictures]
    for before, after in zip(pictures, back.pictures, strict=True):
        assert [item.label for item in after.boxes] == [item.label for item in before.boxes]
        for wanted, found in zip(before.boxes, after.boxes, strict=True):
            moved = max(abs(getattr(found.box, side) - getattr(wanted.box, side)) for side in BoundingBox.__slots__)
            assert moved <= 0.5
            assert moved <= 0.01  # far better than asked for


@given(
    st.floats(-0.2, 1.2),
    st.floats(-0.2, 1.2),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(1, 4000),
    st.integers(1, 4000),
)
def test_a_yolo_line_says_the_same_box_in_pixels(
    cx: float, cy: float, w: float, h: float, wide: int, high: int
) -> None:
    label, box = read_label_line(f"1 {cx!r} {cy!r} {w!r} {h!r}", ("a", "b"), (wide, high))
    assert label == "b"
    assert (box.left + box.right) / 2 == pytest.approx(cx * wide, abs=1e-6)
    assert box.width == pytest.approx(w * wide, abs=1e-6)
    assert (box.top + box.bottom) / 2 == pytest.approx(cy * high, abs=1e-6)
    assert box.height == pytest.approx(h * high, abs=1e-6)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 0.5 0.5 0.1 0.1", "class 2 is unknown"),
        ("-1 0.5 0.5 0.1 0.1", "not a whole number"),
        ("0 0.5 0.5 0.1", "3 numbers"),
        ("0 0.5 0.5 0.1 0.1 0.9", "5 numbers"),
        ("0 0.5 0.5 nan 0.1", "not finite"),
        ("0 0.5 0.5 wide 0.1", "not numbers"),
    ],
)
def test_a_wrong_yolo_line_names_file_and_line(yolo_set: Callable[..., Path], line: str, message: str) -> None:
    data = yolo_set({"val": {"a": [("bin", 1, 1, 9, 9)]}})
    path = data.parent / "labels/val/a.txt"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DatasetError, match=message) as caught:
        read_yolo(data)
    assert f"{path}:2" in str(caught.value)


def test_a_yolo_polygon_becomes_the_box_around_it() -> None:
    _, box = read_label_line("0 0.1 0.2 0.5 0.1 0.3 0.6", ("a",), (100, 50))
    assert box == BoundingBox(10, 5, 50, 30)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("names: [a, a]\nval: images/val\n", "stands twice"),
        ("names: {0: a, 2: b}\nval: images/val\n", "without a gap"),
        ("names: [a]\n", "names no split"),
        ("names: [a]\nval: nowhere\n", "neither a folder"),
        ("names: [a]\nval: images/val\nexhaustive: [b]\n", "exhaustive"),
        ("names: [a\n", r"data\.yaml:2: expected"),
        ("names: [a]\nnames: [b]\nval: images/val\n", r"data\.yaml:2: names: given twice"),
    ],
)
def test_a_wrong_data_yaml_says_what(yolo_set: Callable[..., Path], text: str, message: str) -> None:
    data = yolo_set({"val": {"a": []}})
    data.write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_yolo(data)


@pytest.mark.parametrize(
    "text",
    [
        "names: [garbage]\nval: ../images/val\n",  # as Roboflow writes it
        "names: [garbage]\npath: C:\\Users\\me\\set\nval: ./images/val\n",
        "names: [garbage]\nval: [images/val]\ndownload: https://example.org/set.zip\nnc: 1\n",
    ],
)
def test_paths_of_other_machines_and_tools(yolo_set: Callable[..., Path], text: str) -> None:
    data = yolo_set({"val": {"a": [("garbage", 8, 8, 40, 40)]}})
    data.write_text(text)
    assert [picture.labels() for picture in read_yolo(data).pictures] == [{"garbage"}]


def test_a_rotated_cvat_box_becomes_the_upright_box_around_it() -> None:
    box = rotated(BoundingBox(0, 0, 10, 4), 90)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((3, -3, 7, 7))
    side = rotated(BoundingBox(0, 0, 2, 2), 45).width
    assert side == pytest.approx(2 * math.sqrt(2))


def test_cvat_for_video_and_entities_are_refused(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    path = tmp_path / "annotations.xml"
    path.write_text("<annotations><track id='0' label='bin'/></annotations>")
    with pytest.raises(DatasetError, match="CVAT for images"):
        read_cvat(path)
    path.write_text('<!DOCTYPE a [<!ENTITY b "bomb">]><annotations>&b;</annotations>')
    with pytest.raises(DatasetError, match="document type"):
        read_cvat(path)
    path.write_text("<annotations>\n<image")
    with pytest.raises(DatasetError, match=r"annotations\.xml:2"):
        read_cvat(path)


def test_label_studio_takes_the_newest_finished_annotation_and_knows_uploads(tmp_path: Path) -> None:
    draw(tmp_path / "images/street 7.png", (200, 100))
    shape = {"type": "rectanglelabels", "value": {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}}
    old = {"was_cancelled": False, "updated_at": "2026-01-01", "result": []}
    new = {"updated_at": "2026-02-01", "result": [{**shape, "value": {**shape["value"], "rectanglelabels": ["bin"]}}]}
    gone = {"was_cancelled": True, "updated_at": "2026-03-01", "result": []}
    tasks = [
        {"id": 1, "data": {"image": "/data/upload/3/0123abcd-street%207.png"}, "annotations": [old, new, gone]},
        {"id": 2, "data": {"image": "nobody-looked.png"}, "annotations": []},
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    data = read_label_studio(tmp_path / "tasks.json", tmp_path / "images")
    assert boxes_of(data) == {("street 7", "bin"): (20, 20, 80, 60)}
    new["result"][0]["image_rotation"] = 90
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    with pytest.raises(DatasetError, match="task 1"):
        read_label_studio(tmp_path / "tasks.json", tmp_path / "images")


def test_pre_labels_for_label_studio_are_predictions(tmp_path: Path) -> None:
    picture = LabelledPicture(
        path=draw(tmp_path / "a.png"),
        size=(64, 48),
        boxes=(LabelledBox("bin", BoundingBox(0, 0, 32, 24)),),
        annotated=frozenset({"bin"}),
        exhaustive=frozenset({"bin"}),
        source="s",
    )
    write_label_studio(LabelledSet("m@1", ("bin",), (picture,)), tmp_path, as_predictions=True, prefix="/d/?d=x/")
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    assert task["data"]["image"] == "/d/?d=x/a.png"
    assert "annotations" not in task
    assert task["predictions"][0]["result"][0]["value"]["width"] == 50


def test_masks_by_value_and_by_file(tmp_path: Path) -> None:
    draw(tmp_path / "images/a.png", (64, 48))
    mask = np.zeros((24, 32), np.uint8)  # half the picture's size
    mask[2:10, 4:12] = 1
    mask[12:20, 20:30] = 2
    mask[0:1, 0:1] = 1  # a speck
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/a.png"), mask)
    data = read_masks(tmp_path / "masks", tmp_path / "images", values={"1": "pothole", "2": "crack"})
    assert boxes_of(data) == {("a", "pothole"): (8, 4, 24, 20), ("a", "crack"): (40, 24, 60, 40)}
    with pytest.raises(DatasetError, match=r"value 2,2,2.*map it"):
        read_masks(tmp_path / "masks", tmp_path / "images", values={"1": "pothole"})
    (tmp_path / "masks/a.png").rename(tmp_path / "masks/a_CRACK.png")
    cv2.imwrite(str(tmp_path / "masks/a_CRACK.png"), (mask == 2).astype(np.uint8) * 255)
    data = read_masks(tmp_path / "masks", tmp_path / "images", suffixes={"_CRACK": "crack"})
    assert boxes_of(data) == {("a", "crack"): (40, 24, 60, 40)}
    with pytest.raises(DatasetError, match="either"):
        read_masks(tmp_path / "masks", tmp_path / "images")


def test_coco_refuses_what_does_not_fit(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", (64, 48))
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "bin"}],
        "annotations": [
            {"id": 7, "image_id": 1, "category_id": 1, "segmentation": [[1, 2, 11, 2, 11, 22]]},
            {"id": 8, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1},
        ],
    }
    path = tmp_path / "c.json"

    def read() -> LabelledSet:
        path.write_text(json.dumps(document))
        return read_coco(path)

    assert boxes_of(read()) == {("a", "bin"): (1, 2, 11, 22)}
    document["annotations"][0]["category_id"] = 5
    with pytest.raises(DatasetError, match=r"annotations\.id 7: category_id 5"):
        read()
    document["annotations"][0] = {"id": 7, "image_id": 9, "category_id": 1, "bbox": [0, 0, 9, 9]}
    with pytest.raises(DatasetError, match="image_id 9"):
        read()
    document["annotations"] = []
    document["images"][0]["width"] = 640
    with pytest.raises(DatasetError, match="another size"):
        read()
    document["images"][0] = {"id": 1, "file_name": "../../etc/passwd.png"}
    with pytest.raises(DatasetError, match="is not below"):
        read()


def test_the_same_name_in_two_folders_needs_its_path(tmp_path: Path) -> None:
    draw(tmp_path / "cam1/a.png")
    draw(tmp_path / "cam2/a.png")
    path = tmp_path / "c.json"
    document = {"images": [{"id": 1, "file_name": "elsewhere/cam2/a.png"}], "categories": [{"id": 1, "name": "bin"}]}
    path.write_text(json.dumps(document))
    assert read_coco(path).pictures[0].path == tmp_path / "cam2/a.png"
    document["images"] = [{"id": 1, "file_name": "a.png"}]
    path.write_text(json.dumps(document))
    with pytest.raises(DatasetError, match="may be any of"):
        read_coco(path)
