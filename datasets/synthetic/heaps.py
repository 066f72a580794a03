"""Real rubbish cut out of labelled pictures and set into the views of fixed cameras, which hardly show any themselves.

Outlines come from the set where it has polygons, else from GrabCut inside the box (C. Rother et al., 2004). Only train
pictures are cut and only train pictures are filled, so no evaluation picture is touched.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.synthetic import cutouts
from datasets.synthetic.backgrounds import SOURCES, Background, Source, raw_labels, split_of
from datasets.synthetic.layout import SetWriter
from datasets.synthetic.paste import compose
from datasets.synthetic.perspective import Box

CUT_FROM = ("bags-kr", "garbage-streets", "bins-cn", "municipal-reports-nl")
SET_INTO = ("cctv-vn", "two-wheelers-in", "road-surface-br")
GRAB_SIDE = 144  # pixels: GrabCut's time grows with the area, its outline hardly gains beyond this
SMALLEST = 44  # pixels: what is smaller gives no outline worth keeping
METRES = (0.6, 1.6)  # longer side that a cut-out stands for, drawn anew for each: the pictures do not say it
PITCH = 25.0  # degrees below the horizontal, typical of pictures taken by people who stand before a heap

Mask = NDArray[np.uint8]


def clusters(masks: Sequence[Mask], gap: int) -> Iterator[Mask]:
    """Unions of the (H, W) 0/255 masks that lie within `gap` pixels of one another: bags of one heap."""
    if not masks:
        return
    union = np.maximum.reduce(masks)
    near = cv2.dilate(union, np.ones((gap, gap), np.uint8))
    count, parts = cv2.connectedComponents(near)
    for part in range(1, count):
        yield np.where(parts == part, union, 0).astype(np.uint8)


def grabbed(picture: cutouts.Picture, box: Box) -> Mask | None:
    """(H, W) 0/255 mask of what stands out inside a box; None when nothing or nearly all of it does.

    Only the box and a quarter of its size around it are looked at: the ground that matters is the ground beside it.
    """
    height, width = picture.shape[:2]
    if box.area > 0.6 * height * width:
        return None
    aside, above = (box.right - box.left) / 4, (box.bottom - box.top) / 4
    left, top = int(max(0, box.left - aside)), int(max(0, box.top - above))
    whole = picture[top : int(box.bottom + above), left : int(box.right + aside)]
    scale = min(1.0, GRAB_SIDE / max(whole.shape[:2]))
    part = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    corner_x, corner_y = (box.left - left) * scale, (box.top - top) * scale
    size_x, size_y = (box.right - box.left) * scale, (box.bottom - box.top) * scale
    rect = (int(corner_x), int(corner_y), int(size_x), int(size_y))
    marks = np.zeros(part.shape[:2], np.uint8)
    cv2.setRNGSeed(0)
    cv2.grabCut(part, marks, rect, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_RECT)
    found = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    opened = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    grown = cv2.resize(opened, whole.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    found = np.where(grown > 127, 255, 0).astype(np.uint8)
    if not 0.3 * box.area < (found > 0).sum() < 0.93 * box.area:
        return None
    mask = np.zeros((height, width), np.uint8)
    mask[top : top + whole.shape[0], left : left + whole.shape[1]] = found
    return mask


def outlines(picture: cutouts.Picture, rows: Sequence[Sequence[float]]) -> Iterator[Mask]:
    """Masks of the rubbish in one picture. `rows`: YOLO values of each, a box (4) or a polygon (more), in 0..1."""
    height, width = picture.shape[:2]
    bags = []
    for row in rows:
        if len(row) == 4:
            cx, cy, w, h = np.array(row) * (width, height, width, height)
            if min(w, h) < SMALLEST:
                continue
            inside = Box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2).cut(Box(1, 1, width - 1, height - 1))
            mask = grabbed(picture, inside)
            if mask is not None:
                yield mask
        else:
            points = np.array(row).reshape(-1, 2) * (width, height)
            bags.append(cv2.fillPoly(np.zeros((height, width), np.uint8), [points.round().astype(np.int32)], 255))
    yield from clusters([np.asarray(bag, np.uint8) for bag in bags], max(3, width // 60))


def cut(data: pathlib.Path, out: pathlib.Path, seed: int, progress: Callable[[], None] | None = None) -> int:
    """Write the cut-outs of all sets that stand under `data`, laid out as rendered ones; returns how many there are."""
    (out / ".done").mkdir(parents=True, exist_ok=True)
    for name in CUT_FROM:
        if not (data / name / "data.yaml").exists():
            continue
        for picture_file, group, rows in raw_labels(data / name, "garbage"):
            done = out / ".done" / f"{name}-{picture_file.stem}"
            if not done.exists():
                picture = cutouts.read_picture(picture_file)
                split = split_of(f"{name}/{group}")
                for number, mask in enumerate(outlines(picture, rows)):
                    _save(out / f"{name}-{picture_file.stem}-{number}", picture, mask, split, seed)
                done.touch()
            if progress is not None:
                progress()
    return len(list(out.glob("*.json")))


def _save(stem: pathlib.Path, picture: cutouts.Picture, mask: Mask, split: str, seed: int) -> None:
    box = cutouts.box_from_mask(mask > 0)
    if min(box.right - box.left, box.bottom - box.top) < SMALLEST:
        return
    window = np.s_[int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8))[window]  # the rim still shows the old ground
    soft = cv2.GaussianBlur(inner, (0, 0), 1.0)
    cv2.imwrite(str(stem.with_name(f"{stem.name}.png")), np.dstack([picture[window], soft]))
    cv2.imwrite(str(stem.with_name(f"{stem.name}-mask.png")), inner)
    metres = Random(f"{seed}/{stem.name}").uniform(*METRES)
    scale = max(box.right - box.left, box.bottom - box.top) / metres
    record = {"name": stem.name, "label": "garbage", "split": split, "pitch": PITCH, "pixels_per_metre": scale}
    stem.with_name(f"{stem.name}.json").write_text(json.dumps(record))


def views() -> list[Source]:
    """The fixed-camera and vehicle views that take heaps; none vouches for being free of other rubbish."""
    return [replace(s, pasted=("garbage",), sure=()) for s in SOURCES if s.name in SET_INTO]


def fill(
    writer: SetWriter,
    grounds: Sequence[Background],
    heaps: Sequence[cutouts.Rendered],
    seed: int,
    progress: Callable[[], None] | None = None,
) -> None:
    """One to three heaps into each picture, the same for the same seed and inputs."""
    for ground in grounds:
        name = f"{pathlib.Path(ground.picture).stem}-heaps"
        rng = Random(f"{seed}/{ground.source.name}/{name}")
        if not writer.has(name):
            own = [h for h in heaps if h.split == ground.split]
            drawn = rng.sample(own, min(5, len(own)))  # all alike in pitch: chance decides
            picture, objects = compose(ground, ["garbage"] * rng.choice((1, 2, 2, 3)), drawn, rng)
            if any(o.synthetic for o in objects):
                writer.write(name, ground.split, ground.group, picture, objects)
        if progress is not None:
            progress()
