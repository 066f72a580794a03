"""Pictures for the trainer: mosaics of one set only, and repeat-factor sampling.

A mosaic of pictures from different sets would have no single answer to "is an unlabelled car
evidence here", so the partners of a picture are drawn from its own set.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler
from ultralytics.data.augment import Mosaic, RandomPerspective
from ultralytics.data.dataset import YOLODataset

from detector.training.partial_augment import augmented


class SameSetMosaic(Mosaic):  # type: ignore[misc]  # ultralytics is untyped
    """Mosaic whose partners come from the set of the picture being drawn."""

    def get_indexes(self) -> list[int]:
        """Indices of the n - 1 partners."""
        return random.choices(self.dataset.partners, k=self.n - 1)


class PartialDataset(YOLODataset):  # type: ignore[misc]  # ultralytics is untyped
    """YOLODataset over the merged layout images/<split>/<set>/<picture>."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.members: dict[str, list[int]] = {}
        self.partners: list[int] = []
        self._affine: RandomPerspective | None = None
        self._degrees = 0.0
        super().__init__(*args, **kwargs)

    def set_of(self, index: int) -> str:
        """Name of the set that picture `index` comes from."""
        return Path(self.im_files[index]).parent.name

    def build_transforms(self, hyp: Any = None) -> Any:
        """The usual augmentations; transforms that mix pictures of any sets are not allowed."""
        for index in range(len(self.im_files)):
            self.members.setdefault(self.set_of(index), []).append(index)
        if self.augment and any(getattr(hyp, name, 0.0) for name in ("mixup", "cutmix", "copy_paste")):
            raise ValueError("mixup, cutmix and copy_paste mix pictures of different sets: set them to 0")
        transforms = super().build_transforms(hyp)
        first = transforms.transforms[0] if self.augment else None
        if first is not None and isinstance(first.transforms[0], Mosaic):
            first.transforms[0] = SameSetMosaic(self, imgsz=self.imgsz, p=first.transforms[0].p)
            self._affine = next(step for step in first.transforms if isinstance(step, RandomPerspective))
            self._degrees = self._affine.degrees
        return transforms

    def _augment_of(self, index: int) -> Mapping[str, float]:
        entry = self.data["evidence"].get(self.set_of(index), {}) if self.augment else {}
        return entry.get("augment") or {}

    def get_image_and_label(self, index: int) -> dict[str, Any]:
        """A picture and its boxes, with what its set alone undergoes, before any mosaic."""
        return augmented(super().get_image_and_label(index), self._augment_of(index))

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One augmented sample. A mosaic holds one set only, so one rotation fits it."""
        self.partners = self.members[self.set_of(index)]
        if self._affine is not None:
            self._affine.degrees = self._augment_of(index).get("degrees", self._degrees)
        item: dict[str, Any] = super().__getitem__(index)
        return item


def picture_repeats(dataset: PartialDataset, evidence: Mapping[str, Mapping[str, Any]]) -> NDArray[np.float64]:
    """(pictures,) expected draws per epoch: the `repeat` of each picture's set, times its own share in `draws`."""

    def draws(index: int) -> float:
        entry = evidence[dataset.set_of(index)]
        share = entry.get("draws", {}).get(Path(dataset.im_files[index]).name, 1.0)
        return float(entry.get("repeat", 1.0)) * float(share)

    return np.array([draws(index) for index in range(len(dataset.im_files))])


class RepeatSampler(Sampler[int]):
    """Draws picture i `repeats[i]` times an epoch on average; each epoch has the same length.

    Systematic sampling: a picture of factor 1.3 is drawn once or twice, never more or less. The
    order and the draws follow from (seed, epoch) alone, so a resumed run sees the pictures that an
    uninterrupted one would have seen.
    """

    def __init__(self, repeats: NDArray[np.float64], seed: int, epoch: int = 0) -> None:
        self._ends = np.cumsum(repeats)
        self._seed = seed
        self.epoch = epoch
        self._length = int(self._ends[-1])

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng((self._seed, self.epoch))
        self.epoch += 1
        points = generator.uniform(0.0, 1.0) + np.arange(self._length)
        chosen = np.minimum(np.searchsorted(self._ends, points, side="right"), len(self._ends) - 1)
        return iter(torch.as_tensor(generator.permutation(chosen)).tolist())
