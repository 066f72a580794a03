"""Makes pasted sets: cut-outs, puddles and adverts set into real street pictures, with exact boxes."""

from __future__ import annotations

import pathlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random

import cv2
import numpy as np

from datasets.synthetic import cutouts, posters, puddles
from datasets.synthetic.backgrounds import Background
from datasets.synthetic.cutouts import Picture, Rendered
from datasets.synthetic.layout import Labelled, SetWriter
from datasets.synthetic.perspective import Box, choose_row, place_free

TRIES = 30
METRES = {"street_stall": 2.2, "shop_goods": 3.0, "rubble_pile": 2.2, "manhole_abnormal": 0.8, "garbage": 1.2}
METRES |= {"uncovered_load": 4.5, "truck": 4.5}  # between a truck's width and its length
ON_ROAD = ("uncovered_load", "truck")  # only where the picture shows traffic
DRAWN = ("ponding", "poster")  # no cut-out: drawn into the picture itself


def ground_like(picture: Picture, box: Box) -> bool:
    """Whether the strip under a box looks like road or pavement: even, greyish, neither black nor glaring."""
    height, width = picture.shape[:2]
    top = int(max(0, box.bottom - 0.35 * (box.bottom - box.top)))
    part = picture[top : int(min(height, box.bottom)) + 1, int(max(0, box.left)) : int(min(width, box.right))]
    if part.size < 120:
        return False
    hsv = cv2.cvtColor(part, cv2.COLOR_BGR2HSV).reshape(-1, 3).astype(np.float32)
    light, spread, tint = hsv[:, 2].mean(), hsv[:, 2].std(), hsv[:, 1].mean()
    return bool(32 < light < 235 and spread < 42 and tint < 95)


def wall_like(picture: Picture, box: Box) -> bool:
    """Whether a place is an even, lit surface (an advert sticks there)."""
    part = picture[int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
    if part.size < 60:
        return False
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return bool(25 < grey.mean() < 240 and grey.std() < 30)


def among_traffic(box: Box, traffic: Sequence[Box]) -> bool:
    """Whether the foot of a box stands where traffic does: no higher, no lower and no further aside than its boxes."""
    wide, tall = max(t.right - t.left for t in traffic), max(t.bottom - t.top for t in traffic)
    middle = (box.left + box.right) / 2
    aside = min(t.left for t in traffic) - wide <= middle <= max(t.right for t in traffic) + wide
    rows = [t.bottom for t in traffic]
    return aside and min(rows) - 0.1 * tall <= box.bottom <= max(rows) + 0.3 * tall


def paste_object(
    picture: Picture, ground: Background, label: str, choices: Sequence[Rendered], taken: list[Box], rng: Random
) -> Box | None:
    """Sets one cut-out where it can stand; returns its box, or None when no place was found."""
    height, width = picture.shape[:2]
    view, metres = ground.source.view, METRES[label]
    traffic = [Box(b.left * width, b.top * height, b.right * width, b.bottom * height) for _, b in ground.boxes]
    if label in ON_ROAD and not traffic:
        return None
    for _ in range(TRIES):
        row = choose_row(rng, view, height, metres, 0.055 * width, 0.5 * width)
        if row is None:
            return None
        chosen = cutouts.nearest_pitch(rng, choices, view.pitch(row, height, width))
        scale = view.pixels_per_metre(row, height) / chosen.pixels_per_metre * rng.uniform(0.8, 1.25)
        if not 0.05 < scale < 2.2:
            continue
        sprite = cutouts.load(chosen, scale, flip=rng.random() < 0.5)
        solid = sprite.solid_box
        foot = (solid.left + solid.right) / 2
        left, top = round(rng.uniform(0.02, 0.98) * width - foot), round(row - solid.bottom)
        box = Box(left + solid.left, top + solid.top, left + solid.right, top + solid.bottom)
        if not place_free(box, taken, width, height) or not ground_like(picture, box):
            continue
        if label in ON_ROAD and not among_traffic(box, traffic):
            continue
        around = picture[max(0, int(box.bottom) - 40) : int(box.bottom) + 10, max(0, int(box.left)) : int(box.right)]
        if around.size == 0:
            continue
        seen = cutouts.set_in(picture, cutouts.tune(sprite, around, rng), left, top)
        if seen is not None:
            return seen
    return None


def paste_puddle(picture: Picture, ground: Background, taken: list[Box], rng: Random) -> Box | None:
    """Draws one puddle on free ground."""
    height, width = picture.shape[:2]
    for _ in range(TRIES):
        row = choose_row(rng, ground.source.view, height, 3.0, 0.1 * width, 0.8 * width)
        if row is None:
            return None
        column = rng.uniform(0.08, 0.92) * width
        trial = picture.copy()
        box = puddles.flood(trial, ground.source.view, rng, column, row)
        if box is None or not place_free(box, taken, width, height) or not ground_like(picture, box):
            continue
        picture[:] = trial
        return box
    return None


def _wall_spot(taken: list[Box], width: int, height: int, rng: Random) -> tuple[float, float, float]:
    """Left, top and sheet width to try: beside a graffito, which shows where the wall is, or on the facade."""
    if taken:
        mark = rng.choice(taken)
        size = rng.uniform(0.05, 0.15) * width
        return (
            rng.uniform(mark.left - 4 * size, mark.right + 2 * size),
            rng.uniform(mark.top - 1.5 * size, mark.bottom - 0.5 * size),
            size,
        )
    return rng.uniform(0.03, 0.9) * width, rng.uniform(0.4, 0.8) * height, rng.uniform(0.025, 0.07) * width


def paste_posters(picture: Picture, taken: list[Box], rng: Random) -> list[Box]:
    """Sticks a cluster of adverts on an even wall."""
    height, width = picture.shape[:2]
    for _ in range(TRIES):
        left, top, size = _wall_spot(taken, width, height, rng)
        area = Box(max(0.0, left), max(0.0, top), 0, 0)
        area = Box(area.left, area.top, min(width - 1, area.left + 3 * size), min(height - 1, area.top + 2.4 * size))
        if not place_free(area, taken, width, height) or not wall_like(picture, area):
            continue
        boxes: list[Box] = []
        for _ in range(rng.choice((1, 2, 2, 3, 4, 6))):
            left = rng.uniform(area.left, max(area.left + 1, area.right - size))
            top = rng.uniform(area.top, max(area.top + 1, area.bottom - size))
            aim = Box(left, top, left + size, top + size * 1.4)
            if any(aim.share_under(other) > 0.25 for other in boxes):
                continue
            box = posters.stick(picture, rng, left, top, size * rng.uniform(0.8, 1.1))
            if box is not None:
                boxes.append(box)
        if boxes:
            return boxes
    return []


def camera_look(picture: Picture, rng: Random) -> Picture:
    """What a camera does to the whole picture: a little noise and JPEG, so that pasted parts do not stand out."""
    noise = np.random.default_rng(rng.randrange(2**31)).normal(0, rng.uniform(0.5, 3.5), picture.shape)
    noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, rng.randint(70, 95)])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def compose(
    ground: Background,
    wanted: Sequence[str],
    rendered: Sequence[Rendered],
    rng: Random,
) -> tuple[Picture, list[Labelled]]:
    """One pasted picture; labels that find no place are left out. Raises FileNotFoundError on an unreadable picture."""
    picture = cutouts.read_picture(ground.picture)
    height, width = picture.shape[:2]
    carried = [
        Labelled(label, Box(b.left * width, b.top * height, b.right * width, b.bottom * height), False)
        for label, b in ground.boxes
    ]
    taken = [o.box for o in carried]
    placed: list[Labelled] = []
    for label in wanted:
        boxes: list[Box] = []
        if label == "poster":
            boxes = paste_posters(picture, taken, rng)
        else:
            if label == "ponding":
                box = paste_puddle(picture, ground, taken, rng)
            else:
                choices = [c for c in rendered if c.label == label and c.split == ground.split]
                box = paste_object(picture, ground, label, choices, taken, rng) if choices else None
            boxes = [] if box is None else [box]
        placed += [Labelled(label, b, True) for b in boxes]
        taken += boxes
    whole = Box(0, 0, width, height)
    kept = [o for o in carried if o.box.cut(whole).area > 0]
    return camera_look(picture, rng), kept + placed


def plan_labels(ground: Background, rng: Random, need: dict[str, int]) -> list[str]:
    """One or two labels for a background, those with the most pictures still to make first."""
    open_labels = [label for label in ground.source.pasted if need.get(label, 0) > 0]
    open_labels.sort(key=lambda label: (-need[label], rng.random()))
    return open_labels[: rng.choice((1, 1, 2))]


def make_set(
    writer: SetWriter,
    grounds: Sequence[Background],
    rendered: Sequence[Rendered],
    seed: int,
    per_label: dict[str, int],
    progress: Callable[[], None] | None = None,
) -> None:
    """Fills one set: about `per_label[label]` pictures of each label, the same for the same seed and inputs."""
    order = list(grounds)
    Random(f"{seed}/order").shuffle(order)
    need: dict[str, dict[str, int]] = defaultdict(dict)
    for label, count in per_label.items():
        need["train"][label], need["val"][label] = count, max(1, round(count * 0.2))
    passes = 0
    while passes < 3 and any(n > 0 for split in need.values() for n in split.values()):
        for ground in order:
            name = f"{pathlib.Path(ground.picture).stem}-p{passes}"
            rng = Random(f"{seed}/{ground.source.name}/{name}")
            wanted = plan_labels(ground, rng, need[ground.split])
            if not wanted:
                continue
            for label in wanted:
                need[ground.split][label] -= 1
            if writer.has(name):
                continue
            picture, objects = compose(ground, wanted, rendered, rng)
            if any(o.synthetic for o in objects):
                writer.write(name, ground.split, ground.group, picture, objects)
            if progress is not None:
                progress()
        passes += 1
