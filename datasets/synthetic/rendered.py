"""Turns rendered whole streets into a set in YOLO layout."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from random import Random
from typing import Any

from datasets.synthetic.cutouts import read_picture
from datasets.synthetic.labels import LABELS
from datasets.synthetic.layout import Labelled, SetWriter
from datasets.synthetic.paste import camera_look
from datasets.synthetic.perspective import Box

SMALLEST = 40  # visible pixels below which an object carries no box: at that size nobody could name it

README = """SYNTHETIC streets rendered whole by `python -m datasets.synthetic scenes`: every picture has its own houses,
road, camera, light, weather and placing; a fifth are night pictures. Boxes are exact (the object's visible pixels).
Everything in the picture is known, so every label is exhaustive; objects with fewer than {smallest} visible pixels
carry no box. Parked bicycles, graffiti, smoke and many other things never occur here.

The demo clip comes from the same object and street code, with its own street, camera, light and object shapes: none
of its frames is in here, but a model trained on this set knows that world. A figure on this set says nothing about
real streets."""


def objects_of(record: dict[str, Any]) -> list[Labelled]:
    """The labelled objects of one rendered scene, those too small to name left out."""
    seen = (o for o in record["objects"] if o["pixels"] >= SMALLEST)
    return [Labelled(o["label"], Box(*(float(v) for v in o["box"])), True) for o in seen]


def collect_scenes(folder: pathlib.Path, names: Sequence[str], out: pathlib.Path) -> dict[str, dict[str, int]]:
    """Writes the set from the scenes rendered in `folder`; returns {split: {label: boxes}}."""
    writer = SetWriter(out, LABELS, README.format(smallest=SMALLEST))
    for name in names:
        record = json.loads((folder / f"{name}.json").read_text())
        if writer.has(name):
            continue
        picture = read_picture(folder / f"{name}.png")
        writer.write(name, record["split"], name, camera_look(picture, Random(name)), objects_of(record))
    return writer.finish()
