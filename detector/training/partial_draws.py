"""How often the pictures of one set are drawn, where few scenes stand in most of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path


def group_shares(pictures: Sequence[Path], groups: Mapping[Path, str], evenness: float) -> dict[str, float]:
    """File name of each picture -> draws relative to the mean picture of the set, which is 1.

    `groups`: resolved picture -> its group (video, site, day); a picture without one is a group of its own. The
    pictures of a group of n share n ** (1 - evenness) draws: 0 draws every picture alike, 1 every group alike.
    """
    named = {picture: groups.get(picture.resolve(), picture.name) for picture in pictures}
    sizes = Counter(named.values())
    weights = {picture.name: float(sizes[group]) ** -evenness for picture, group in named.items()}
    mean = sum(weights.values()) / len(weights) if weights else 1.0
    return {name: round(weight / mean, 4) for name, weight in weights.items()}
