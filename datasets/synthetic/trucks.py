"""Rendered tipper trucks set into real street views: with an open heap of soil or rubble, and harmless likenesses.

A truck with an open heap carries two equal boxes, `truck` and `uncovered_load`; one that is covered, closed, empty or
laden with piece goods carries `truck` alone. The views hold no real ones, so what was not set in has no open load.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from statistics import median

from datasets.synthetic.backgrounds import SOURCES, Background, Source
from datasets.synthetic.cutouts import Picture, Rendered
from datasets.synthetic.layout import Labelled, SetWriter
from datasets.synthetic.paste import compose

LABEL = "uncovered_load"
SET_INTO = ("cctv-vn", "two-wheelers-in")
AT_EYE_LEVEL = ("two-wheelers-in",)  # cameras of all distances: the size of what passes tells the scale
TALL = {"car": 1.5, "motorcycle": 1.65, "bus": 3.0}  # metres, a motorcycle with its rider


def views() -> list[Source]:
    """The views that take trucks; looked through by hand, none shows an open load of soil or rubble itself."""
    return [replace(s, pasted=(LABEL, "truck"), sure=(LABEL,)) for s in SOURCES if s.name in SET_INTO]


def fitted(ground: Background) -> Background:
    """The background with the horizon that gives its vehicles their usual height, for pictures taken at eye level."""
    source = ground.source
    seen = [(box.bottom, (box.bottom - box.top) / TALL[label]) for label, box in ground.boxes if label in TALL]
    if source.name not in AT_EYE_LEVEL or not seen:
        return ground
    horizon = median(row - metre * source.view.height for row, metre in seen)
    return replace(ground, source=replace(source, view=replace(source.view, horizon=horizon)))


def boxed(objects: Sequence[Labelled]) -> list[Labelled]:
    """The objects with the `truck` box that each uncovered load stands on."""
    return [*objects, *(replace(o, label="truck") for o in objects if o.label == LABEL)]


def draw(ground: Background, trucks: Sequence[Rendered], rng: Random) -> tuple[Picture, list[Labelled]]:
    """One picture with one or two trucks, as many with an open load as without."""
    wanted = [rng.choice((LABEL, "truck")) for _ in range(rng.choice((1, 1, 2)))]
    own = {label: [t for t in trucks if t.label == label and t.split == ground.split] for label in (LABEL, "truck")}
    drawn = [t for some in own.values() for t in rng.sample(some, min(14, len(some)))]  # else few suit each angle
    return compose(fitted(ground), wanted, drawn, rng)


def fill(
    writer: SetWriter,
    grounds: Sequence[Background],
    trucks: Sequence[Rendered],
    count: dict[str, int],
    seed: int,
    progress: Callable[[], None] | None = None,
) -> None:
    """About `count[split]` pictures, the same for the same seed and inputs; each background is used at most twice."""
    order = list(grounds)
    Random(f"{seed}/order").shuffle(order)
    left = dict(count)
    for turn in range(2):
        for ground in order:
            if left.get(ground.split, 0) <= 0:
                continue
            name = f"{ground.picture.stem}-trucks{turn}"
            if not writer.has(name):
                picture, objects = draw(ground, trucks, Random(f"{seed}/{ground.source.name}/{name}"))
                if not any(o.synthetic for o in objects):
                    continue
                writer.write(name, ground.split, ground.group, picture, boxed(objects))
            left[ground.split] -= 1
            if progress is not None:
                progress()
