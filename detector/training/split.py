"""Which pictures train and which measure: decided for whole clusters, by hash, so that it never changes by itself.

Pictures belong together when they share a group (camera, site, video) of their source; where no group is known,
when they were taken on the same day for the same source; where no time is known either, by the name they were
augmented from. Near-duplicates (perceptual hash) join whatever they connect. Each cluster's split follows from a
hash of the seed and of its smallest key, so adding pictures moves nothing, unless they tie two clusters together:
then the whole goes to `train` when any part of it was there, for a model may have learnt it already.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detector.errors import DatasetError
from detector.training.labelled import LabelledPicture
from detector.training.likeness import NEAR, Clusters, Hash, near_pairs, origin


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of the data goes where; the rest trains."""

    val: float = 0.15
    test: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.val < 1 and 0 <= self.test < 1 and self.val + self.test < 1):
            raise DatasetError(f"shares of val ({self.val}) and test ({self.test}) must leave something to train on")


def key(picture: LabelledPicture) -> str:
    """What a picture is kept together by, before its content is looked at."""
    if picture.group is not None:
        return f"{picture.source}/group/{picture.group}"
    if picture.captured_at is not None:
        return f"{picture.source}/day/{picture.captured_at.date().isoformat()}"
    return f"{picture.source}/name/{origin(picture.path.stem)}"


def split_pictures(
    pictures: Sequence[LabelledPicture],
    hashes: Sequence[Hash | None],
    shares: Shares,
    seed: int = 0,
    *,
    near: int = NEAR,
    keep: bool = True,
) -> tuple[LabelledPicture, ...]:
    """The same pictures with their split filled in.

    `hashes`: perceptual hash of each picture, None where it should not be compared (nearly empty pictures).
    `keep`: splits already given stand, unless a cluster holds several: see the module's text.
    """
    keys = [key(picture) for picture in pictures]
    clusters = _clusters(keys, hashes, near)
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(len(pictures)):
        members[clusters.of(index)].append(index)
    chosen: dict[int, str] = {}
    for indices in members.values():
        given = {pictures[index].split for index in indices} - {None} if keep else set()
        drawn = min((_fraction(seed, keys[index]), keys[index]) for index in indices)[0]
        split = _kept(given) or (
            "val" if drawn < shares.val else "test" if drawn < shares.val + shares.test else "train"
        )
        chosen.update(dict.fromkeys(indices, split))
    return tuple(replace(picture, split=chosen[index]) for index, picture in enumerate(pictures))


def shared_keys(pictures: Sequence[LabelledPicture]) -> Mapping[str, set[str]]:
    """Keys whose pictures stand in more than one split, with those splits; empty after `split_pictures`."""
    splits: dict[str, set[str]] = defaultdict(set)
    for picture in pictures:
        if picture.split is not None:
            splits[key(picture)].add(picture.split)
    return {name: found for name, found in splits.items() if len(found) > 1}


def _clusters(keys: Sequence[str], hashes: Sequence[Hash | None], near: int) -> Clusters:
    clusters = Clusters(len(keys))
    first: dict[str, int] = {}
    for index, name in enumerate(keys):
        clusters.join(index, first.setdefault(name, index))
    comparable = [index for index, value in enumerate(hashes) if value is not None]
    for one, other, _ in near_pairs([hashes[index] or 0 for index in comparable], near):
        clusters.join(comparable[one], comparable[other])
    return clusters


def _kept(given: set[str | None]) -> str | None:
    if not given:
        return None
    return "train" if "train" in given else "val" if "val" in given else "test"


def _fraction(seed: int, name: str) -> float:
    """A number in [0, 1) that depends on the seed and the name alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") / 2**64
