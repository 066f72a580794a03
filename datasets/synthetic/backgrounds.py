"""Real street pictures to paste on: the train split of the street sets, with the boxes they carry."""

from __future__ import annotations

import csv
import hashlib
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from datasets.synthetic.labels import INDEX
from datasets.synthetic.perspective import Box, View


@dataclass(frozen=True, slots=True)
class Source:
    """What we know of a set of backgrounds.

    `pasted`: labels that make sense there. `sure`: those of them of which the set's own pictures hold practically
    none (looked through by hand), so that the pasted boxes are all there are. `carried`: the set's labels under our
    names; the set's own `exhaustive` holds for them.
    """

    name: str
    view: View
    pasted: tuple[str, ...]
    sure: tuple[str, ...]
    carried: dict[str, str]


def _same(*labels: str) -> dict[str, str]:
    return {label: label for label in labels}


SOURCES: tuple[Source, ...] = (
    Source(
        "cctv-vn",
        View(0.02, 6.5, 1.0),
        ("rubble_pile", "manhole_abnormal", "ponding", "street_stall"),
        ("rubble_pile", "manhole_abnormal", "ponding"),
        _same("bicycle", "bus", "car", "motorcycle", "truck", "van"),
    ),
    Source(
        "two-wheelers-in",
        View(0.40, 1.7),
        ("rubble_pile", "street_stall", "shop_goods", "ponding", "manhole_abnormal"),
        ("rubble_pile", "shop_goods", "ponding", "manhole_abnormal", "street_stall"),
        _same("motorcycle", "bus", "car"),
    ),
    Source(
        "road-surface-br",
        View(-0.08, 1.9, 0.95),
        ("manhole_abnormal", "ponding", "rubble_pile"),
        ("manhole_abnormal", "ponding", "rubble_pile"),
        _same("pothole", "crack"),
    ),
    Source(
        "municipal-reports-nl",
        View(0.30, 1.6),
        ("street_stall", "shop_goods", "manhole_abnormal", "ponding"),
        ("street_stall", "shop_goods", "manhole_abnormal"),
        _same("garbage", "piled_materials", "bulky_waste", "bin", "bin_overflow", "rubble_pile"),
    ),
    Source(
        "bins-cn",
        View(0.28, 1.6),
        ("street_stall", "shop_goods", "rubble_pile", "manhole_abnormal"),
        ("street_stall", "manhole_abnormal"),
        _same("garbage", "bin", "bin_overflow"),
    ),
    Source("graffiti-gr", View(0.45, 1.5), ("poster",), (), _same("graffiti")),
    Source("facades-signs-ru", View(0.6, 1.6), ("poster",), (), {}),
)


@dataclass(frozen=True, slots=True)
class Background:
    """One picture with the boxes that come with it (product label, box in shares of the picture)."""

    source: Source
    picture: pathlib.Path
    group: str
    split: str
    boxes: tuple[tuple[str, Box], ...]


def split_of(group: str, val_share: float = 0.15) -> str:
    """`val` for a fixed share of the groups, decided by the group's own name (stable when pictures are added)."""
    draw = int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return "val" if draw < val_share else "train"


def _label_lines(label_file: pathlib.Path, names: list[str]) -> Iterator[tuple[str, list[float]]]:
    """The set's own name and the values of each line: 4 of a box, 6 or more of a polygon, shares of the picture.

    No file means no object. Raises ValueError naming file and line.
    """
    if not label_file.exists():
        return
    by_class = dict(enumerate(names))  # unlike the list, it has no class -1
    for number, line in enumerate(label_file.read_text().splitlines(), 1):
        if not line.strip():
            continue
        first, *rest = line.split()
        try:
            name, values = by_class[int(first)], [float(v) for v in rest]
        except (ValueError, KeyError) as cause:
            raise ValueError(f"{label_file}:{number}: not a YOLO label line: {line!r}") from cause
        if len(values) != 4 and (len(values) < 6 or len(values) % 2):
            raise ValueError(f"{label_file}:{number}: neither four numbers nor at least three points: {line!r}")
        yield name, values


def _boxes(label_file: pathlib.Path, names: list[str], carried: dict[str, str]) -> Iterator[tuple[str, Box]]:
    for name, values in _label_lines(label_file, names):
        if name not in carried:
            continue
        if len(values) > 4:  # polygon: its bounding box
            xs, ys = values[0::2], values[1::2]
            yield carried[name], Box(min(xs), min(ys), max(xs), max(ys))
        else:
            cx, cy, w, h = values
            yield carried[name], Box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)


def own_labels(data: pathlib.Path, source: Source) -> tuple[str, ...]:
    """Our names of the labels that the set itself annotates everywhere."""
    described = yaml.safe_load((data / source.name / "data.yaml").read_text())
    return tuple(source.carried[n] for n in described.get("exhaustive") or () if n in source.carried)


def raw_labels(root: pathlib.Path, label: str) -> Iterator[tuple[pathlib.Path, str, list[list[float]]]]:
    """Every train picture of a set that shows `label`: the picture, its group, and the label lines' values as they are
    (4 of a box, more of a polygon; shares of the picture). Raises ValueError for a broken label line."""
    names: list[str] = yaml.safe_load((root / "data.yaml").read_text())["names"]
    with (root / "groups.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            label_file = root / "labels" / "train" / f"{pathlib.Path(row['image']).stem}.txt"
            if row["split"] != "train":
                continue
            values = [values for name, values in _label_lines(label_file, names) if name == label]
            if values:
                yield root / row["image"], row["group"], values


def read_source(data: pathlib.Path, source: Source) -> list[Background]:
    """All train pictures of a set, sorted by name. `data` is the folder that holds the sets.

    Raises FileNotFoundError when the set is not there, ValueError for a broken label line.
    """
    root = data / source.name
    names: list[str] = yaml.safe_load((root / "data.yaml").read_text())["names"]
    unknown = [label for label in source.carried.values() if label not in INDEX]
    if unknown:
        raise ValueError(f"{source.name}: labels {unknown} are not labels of the product")
    found = []
    with (root / "groups.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            if row["split"] != "train":
                continue
            picture = root / row["image"]
            label_file = root / "labels" / "train" / f"{picture.stem}.txt"
            boxes = tuple(_boxes(label_file, names, source.carried))
            group = f"{source.name}/{row['group']}"
            found.append(Background(source, picture, group, split_of(group), boxes))
    return sorted(found, key=lambda b: b.picture.name)
