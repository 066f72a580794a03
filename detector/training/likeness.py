"""Pictures that show the same: a perceptual hash of 64 bits, and names that augmentation tools leave behind.

The hash is the usual DCT one (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010,
section 3.2.1): the picture as 32x32 grey values, its cosine transform, the 8x8 lowest frequencies compared with
their median.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.core.frame import Image

Hash = int
NEAR = 6
"""Bits that may differ between near-duplicates. Measured on the real sets: see docs/datasets.md."""

_AUGMENTED = re.compile(r"[._]rf[._][0-9a-f]{8,}.*$", re.IGNORECASE)


def perceptual_hash(image: Image) -> Hash:
    """64 bits of what the picture shows; (H, W, 3) uint8."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = np.asarray(cv2.dct(small))[:8, :8].ravel()
    bits = low > np.median(low[1:])  # the first is the mean brightness and says nothing about content
    return int(np.packbits(bits).view(">u8")[0])


def flatness(image: Image) -> float:
    """Standard deviation of the grey values; hashes of nearly empty pictures (below about 8) match by chance."""
    return float(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).std())


def near_pairs(hashes: Sequence[Hash], near: int = NEAR) -> Iterator[tuple[int, int, int]]:
    """All pairs (first, second, differing bits) of positions whose hashes differ in at most `near` bits."""
    values = np.asarray(hashes, dtype=np.uint64)
    for first in range(len(values)):
        different = _ones(values[first + 1 :] ^ values[first])
        for offset in np.flatnonzero(different <= near):
            yield first, first + 1 + int(offset), int(different[offset])


def origin(stem: str) -> str:
    """The name of the picture that an augmented copy (`name.rf.0123abcd`) was made from; other names as they are."""
    return _AUGMENTED.sub("", stem)


def is_augmented(stem: str) -> bool:
    """Whether the name is that of a copy made by an augmentation tool."""
    return _AUGMENTED.search(stem) is not None


class Clusters:
    """Things that belong together, directly or through others (union-find)."""

    def __init__(self, count: int) -> None:
        """`count` things, each alone."""
        self._parent = list(range(count))

    def join(self, first: int, second: int) -> None:
        """Put both and all that belongs to them together."""
        self._parent[self.of(first)] = self.of(second)

    def of(self, item: int) -> int:
        """The item that stands for the cluster of `item`."""
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item


def _ones(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Set bits of each value (numpy 1.26 has no bitwise_count)."""
    octets = values.reshape(-1, 1).view(np.uint8)
    return np.asarray(np.unpackbits(octets, axis=1).sum(axis=1), dtype=np.int64)
