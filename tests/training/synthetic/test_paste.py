from __future__ import annotations

from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from datasets.synthetic import cutouts, paste, posters, puddles
from datasets.synthetic.layout import SetWriter
from datasets.synthetic.perspective import Box
from tests.training.synthetic.drawn import STREET, background, cutout


def red(picture: np.ndarray) -> np.ndarray:
    return picture[..., 2].astype(int) - picture[..., 1] > 60


def test_the_box_is_that_of_the_object_not_of_its_shadow(tmp_path: Path) -> None:
    cutout(tmp_path, "rubble_pile", "a")
    sprite = cutouts.load(cutouts.find(tmp_path)[0], 1.0, flip=False)
    picture = np.full((300, 400, 3), 120, np.uint8)
    box = cutouts.set_in(picture, sprite, 50, 60)
    assert box is not None
    seen = cutouts.box_from_mask(red(picture))
    assert (box.left, box.top, box.right, box.bottom) == (seen.left, seen.top, seen.right, seen.bottom)
    assert picture[60 + 85, 50 + 95].max() < 110, "the shadow darkens the ground outside the box"


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.0, 1.7])
def test_the_box_follows_scale_and_mirroring_to_a_pixel(tmp_path: Path, scale: float) -> None:
    cutout(tmp_path, "rubble_pile", "a")
    rendered = cutouts.find(tmp_path)[0]
    straight, turned = (cutouts.load(rendered, scale, flip=flip) for flip in (False, True))
    for sprite in (straight, turned):
        box = sprite.solid_box
        assert box.right - box.left == pytest.approx(101 * scale, abs=1.5)
        assert box.bottom - box.top == pytest.approx(101 * scale, abs=1.5)
    width = straight.alpha.shape[1]
    assert turned.solid_box.left == pytest.approx(width - straight.solid_box.right, abs=1.5)


def test_an_object_that_leaves_the_picture_is_cut_or_refused(tmp_path: Path) -> None:
    cutout(tmp_path, "rubble_pile", "a")
    sprite = cutouts.load(cutouts.find(tmp_path)[0], 1.0, flip=False)
    picture = np.full((300, 400, 3), 120, np.uint8)
    cut = cutouts.set_in(picture, sprite, -20, 60)
    assert cut is not None
    assert cut.left == 0
    before = picture.copy()
    assert cutouts.set_in(picture, sprite, -90, 60) is None
    assert cutouts.set_in(picture, sprite, 900, 60) is None
    assert np.array_equal(before, picture)


def test_an_empty_mask_has_no_box() -> None:
    with pytest.raises(ValueError, match="empty mask"):
        cutouts.box_from_mask(np.zeros((4, 4), bool))


def test_a_lost_cutout_names_its_file(tmp_path: Path) -> None:
    cutout(tmp_path, "rubble_pile", "a")
    rendered = cutouts.find(tmp_path)[0]
    rendered.picture.unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.png"):
        cutouts.load(rendered, 1.0, flip=False)


def test_a_pasted_object_stands_on_the_ground_at_the_size_of_its_row(tmp_path: Path) -> None:
    cutout(tmp_path / "c", "rubble_pile", "a")
    ground = background(tmp_path / "b", "one")
    sizes = []
    for seed in range(12):
        _, objects = paste.compose(ground, ["rubble_pile"], cutouts.find(tmp_path / "c"), Random(seed))
        assert len(objects) == 1, seed
        box = objects[0].box
        assert box.bottom > 0.3 * 360
        sizes.append(((box.right - box.left) / (100 / 60), STREET.pixels_per_metre(box.bottom, 360)))
    for size, per_metre in sizes:
        assert 0.7 * per_metre < size < 1.35 * per_metre


def test_pasting_keeps_carried_boxes_and_stays_off_them(tmp_path: Path) -> None:
    cutout(tmp_path / "c", "rubble_pile", "a")
    car = ("car", Box(0.1, 0.5, 0.6, 0.9))
    ground = background(tmp_path / "b", "one", boxes=(car,))
    for seed in range(8):
        _, objects = paste.compose(ground, ["rubble_pile"], cutouts.find(tmp_path / "c"), Random(seed))
        carried = [o for o in objects if not o.synthetic]
        assert [o.label for o in carried] == ["car"]
        for pasted in (o for o in objects if o.synthetic):
            assert carried[0].box.share_under(pasted.box) <= 0.12


def test_val_pictures_use_val_objects_only(tmp_path: Path) -> None:
    cutout(tmp_path / "c", "rubble_pile", "a", split="train")
    _, objects = paste.compose(
        background(tmp_path / "b", "one", split="val"), ["rubble_pile"], cutouts.find(tmp_path / "c"), Random(1)
    )
    assert objects == []


def test_a_puddle_mirrors_what_is_above_and_its_box_holds_what_changed(tmp_path: Path) -> None:
    picture = np.full((360, 480, 3), 110, np.uint8)
    picture[:120] = (240, 200, 160)
    before = picture.copy()
    box = puddles.flood(picture, STREET, Random(4), 240, 260)
    assert box is not None
    strong = np.abs(picture.astype(int) - before).max(axis=2) > 60
    seen = cutouts.box_from_mask(strong)
    assert seen.left >= box.left - 2
    assert seen.right <= box.right + 2
    assert seen.top >= box.top - 2
    assert seen.bottom <= box.bottom + 2
    assert np.array_equal(picture[:100], before[:100]), "nothing above the ground changes"


def test_posters_are_seen_where_their_boxes_are() -> None:
    picture = np.full((360, 480, 3), 150, np.uint8)
    before = picture.copy()
    boxes = [b for b in (posters.stick(picture, Random(s), 40 + 100 * s, 80, 60) for s in range(4)) if b is not None]
    assert len(boxes) >= 3
    changed = np.abs(picture.astype(int) - before).max(axis=2) > 25
    for box in boxes:
        assert changed[int(box.top) : int(box.bottom), int(box.left) : int(box.right)].mean() > 0.1
        changed[int(box.top) - 2 : int(box.bottom) + 2, int(box.left) - 2 : int(box.right) + 2] = False
    assert changed.mean() < 0.001


def test_adverts_carry_numbers_that_nobody_has() -> None:
    assert all(posters.phone(Random(s)).startswith("10") and len(posters.phone(Random(s))) == 11 for s in range(20))


def test_a_set_is_reproducible_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    for n in range(6):
        cutout(tmp_path / "c", "rubble_pile", f"t{n}", "train", 8 + 4 * n)
        cutout(tmp_path / "c", "rubble_pile", f"v{n}", "val", 8 + 4 * n)
    grounds = [background(tmp_path / "b", f"g{n}", "val" if n == 0 else "train") for n in range(6)]
    rendered = cutouts.find(tmp_path / "c")

    def make(name: str) -> Path:
        writer = SetWriter(tmp_path / name, ("rubble_pile",), "drawn")
        paste.make_set(writer, grounds, rendered, 7, {"rubble_pile": 4})
        writer.finish()
        return tmp_path / name

    first, second = make("first"), make("second")
    files = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file() and p.name != "README.md")
    assert len([f for f in files if f.suffix == ".webp"]) == 5
    for file in files:
        assert (first / file).read_bytes() == (second / file).read_bytes(), file
    victim = next((first / "images" / "train").iterdir())
    kept = {p: p.stat().st_mtime_ns for p in (first / "images").rglob("*.webp") if p != victim}
    victim.unlink()
    (first / ".done" / f"{victim.stem}.json").unlink()
    make("first")
    assert victim.read_bytes() == (second / victim.relative_to(first)).read_bytes()
    assert all(p.stat().st_mtime_ns == stamp for p, stamp in kept.items()), "finished pictures are not made again"


def test_ground_and_wall_are_told_from_clutter() -> None:
    even = np.full((200, 200, 3), 120, np.uint8)
    clutter = np.random.default_rng(1).integers(0, 255, (200, 200, 3)).astype(np.uint8)
    box = Box(40, 40, 160, 160)
    assert paste.ground_like(even, box)
    assert paste.wall_like(even, box)
    assert not paste.ground_like(clutter, box)
    assert not paste.wall_like(clutter, box)
    assert not paste.ground_like(np.zeros_like(even), box), "a black wedge is no ground"
    green = np.full((200, 200, 3), (40, 200, 40), np.uint8)
    assert not paste.ground_like(cv2.GaussianBlur(green, (5, 5), 0), box)
