"""What the pictures of one set alone undergo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("ultralytics", reason="needs the extra `train`")

from ultralytics.cfg import DEFAULT_CFG
from ultralytics.data.augment import RandomPerspective
from ultralytics.utils.instance import Instances

from detector.training.partial_augment import augmented, quarter_turned
from detector.training.partial_data import PartialDataset, picture_repeats
from detector.training.partial_sets import MixtureRecipe, merge_sets
from tests.training.drawn import draw_sets


def picture(normalized: bool) -> dict[str, Any]:
    image = np.zeros((40, 60, 3), np.uint8)
    image[5:15, 10:40] = (10, 90, 250)
    box = np.array([[25.0, 10.0, 30.0, 10.0]], np.float32)
    if normalized:
        box /= (60, 40, 60, 40)
    return {
        "img": image,
        "ori_shape": (80, 120),
        "resized_shape": (40, 60),
        "ratio_pad": (0.5, 0.5),
        "instances": Instances(box, np.zeros((0, 1000, 2), np.float32), bbox_format="xywh", normalized=normalized),
    }


@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("quarters", [1, 3])
def test_a_turned_box_lies_on_the_turned_thing(quarters: int, normalized: bool) -> None:
    label = quarter_turned(picture(normalized), quarters)
    assert label["img"].shape == (60, 40, 3)
    assert (label["ori_shape"], label["resized_shape"]) == ((120, 80), (60, 40))
    rows, columns = np.nonzero(label["img"][..., 2])
    box = label["instances"]
    box.convert_bbox("xyxy")
    if normalized:
        box.denormalize(40, 60)
    assert box.bboxes[0] == pytest.approx([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], abs=1e-3)


def test_grey_and_turned_pictures_leave_the_cached_one_alone() -> None:
    label = picture(normalized=True)
    cached = label["img"]
    before = cached.copy()
    result = augmented(label, {"quarter_turns": 1.0, "grey": 1.0})["img"]
    assert result.shape == (60, 40, 3)
    assert (result == result[..., :1]).all()
    assert (cached == before).all()
    assert augmented(picture(normalized=True), {})["img"].shape == (40, 60, 3)


def test_a_picture_is_drawn_by_the_repeat_of_its_set_and_its_own_share(tmp_path: Path) -> None:
    sets = {"squares": {}, "discs": {"repeat": 2, "even": 1}}
    recipe = MixtureRecipe.model_validate({"name": "shapes", "labels": ["square", "disc"], "sets": sets})
    root = draw_sets(tmp_path / "sets")
    first, *others = sorted((root / "discs/images/train").iterdir())
    rows = ["image,group", *(f"images/train/{path.name},film" for path in others)]
    (root / "discs/groups.csv").write_text("\n".join(rows) + "\n")
    data = yaml.safe_load(merge_sets(recipe, [root], tmp_path / "out").read_text())
    dataset = PartialDataset(
        img_path=str(tmp_path / "out/images/train"), imgsz=64, augment=True, hyp=DEFAULT_CFG, task="detect", data=data
    )
    repeats = picture_repeats(dataset, data["evidence"])
    of_set = np.array([dataset.set_of(index) for index in range(len(dataset))])
    names = np.array([Path(file).name for file in dataset.im_files])
    assert set(repeats[of_set == "squares"]) == {1.0}
    whole = 2 * (len(others) + 1)  # half of it is that of the lone picture, the other half that of the film
    assert repeats[(of_set == "discs") & (names == first.name)] == pytest.approx(whole / 2, rel=1e-3)
    assert repeats[(of_set == "discs") & (names != first.name)].sum() == pytest.approx(whole / 2, rel=1e-3)


def test_only_the_named_set_is_turned(tmp_path: Path) -> None:
    sets = {"squares": {}, "discs": {"augment": {"degrees": 30.0, "quarter_turns": 0.5, "grey": 1.0}}}
    recipe = MixtureRecipe.model_validate({"name": "shapes", "labels": ["square", "disc"], "sets": sets})
    data = yaml.safe_load(merge_sets(recipe, [draw_sets(tmp_path / "sets")], tmp_path / "out").read_text())
    dataset = PartialDataset(
        img_path=str(tmp_path / "out/images/train"), imgsz=64, augment=True, hyp=DEFAULT_CFG, task="detect", data=data
    )
    affine = next(step for step in dataset.transforms.transforms[0].transforms if isinstance(step, RandomPerspective))
    degrees = {}
    for index in range(len(dataset)):
        image = dataset.get_image_and_label(index)["img"]
        assert (image == image[..., :1]).all() == (dataset.set_of(index) == "discs")
        dataset[index]
        degrees[dataset.set_of(index)] = affine.degrees
    assert degrees == {"squares": 0.0, "discs": 30.0}
    assert "augment" not in data["evidence"]["squares"]
