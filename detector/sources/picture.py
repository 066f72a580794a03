"""What one picture alone tells about how it came about: grey of a decoder that was not ready, a logo, no light. Pure.

Thresholds are from 2,329 street pictures of 17 sets (fixed cameras, phones, vehicles, drones) at 320 px width; the
figures beside them are the extremes of those pictures.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.core.frame import Image

Grey = NDArray[np.uint8]
"""(H, W) uint8 brightness."""

WIDTH = 320
"""Width of the small grey picture that everything here is told from, pixels."""

UNIFORM_STD = 5.0
"""Grey levels. Less spread is one colour: a decoder's grey, a closed shutter (darkest night picture: 6.7)."""

FLAT_SHARE = 0.85
"""Share of 8 x 8 blocks with a spread below 1 grey level: a logo, a test card (plainest façade: 0.71)."""

FEATURELESS = 5.5
"""Variance of the Laplacian at 80 pixels width, where sensor noise is averaged away: a cloth or a hand in front of the
lens (with noise of 4 levels: 4.9; the one picture that thick smoke fills: 5.9; all others: 32 and more)."""

DARK_LEVEL = 40
"""Grey level that 2 % of a picture must reach (three night pictures without any lamp stay below 50)."""

BRIGHT_SHARE = 0.02
"""That share."""

GREY_ROWS = 0.15
"""Share of rows, at the bottom, that are flat decoder grey: the keyframe came half."""

_DECODER_GREY = (124, 136)  # luma 128 is 130 in full range
_LOGO_BITS = 6  # differing bits of 64 up to which two fingerprints show the same picture


def small_grey(image: Image) -> Grey:
    """The picture in grey, 320 pixels wide, from (H, W, 3) uint8 BGR."""
    height, width = image.shape[:2]
    step = max(1, width // (2 * WIDTH))  # whole steps first: averaging all of a 4K picture would cost 10 ms
    # the pixels of image[::step, ::step]; NumPy takes 0.8 ms to gather them from 1080p, this 0.35 ms
    coarse = image if step == 1 else cv2.resize(image, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_NEAREST)
    size = (WIDTH, max(8, round(height * WIDTH / width)))
    grey = cv2.cvtColor(cv2.resize(coarse, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, dtype=np.uint8)


def fingerprint(grey: Grey) -> int:
    """64 bits that stay the same when a picture is scaled or compressed anew (row-wise difference hash)."""
    tiny = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (tiny[:, 1:] > tiny[:, :-1]).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def without_street(grey: Grey, logos: frozenset[int] = frozenset()) -> str | None:
    """Why the picture cannot be one of a street, in one line; None if it can.

    `logos`: fingerprints of the pictures that a gateway shows in place of a camera's.
    """
    if float(grey.std()) < UNIFORM_STD:
        return "one plain colour"
    if grey_bottom(grey) >= GREY_ROWS:
        return "the lower part was not decoded"
    if logos:
        mark = fingerprint(grey)
        if any((mark ^ logo).bit_count() <= _LOGO_BITS for logo in logos):
            return "the gateway's own picture instead of the camera's"
    if flat_share(grey) > FLAT_SHARE:
        return "almost nothing but plain areas, like a logo"
    if coarse_detail(grey) < FEATURELESS:
        return "nothing to be made out"
    return None


def coarse_detail(grey: Grey) -> float:
    """Variance of the Laplacian of the picture at 80 pixels width, grey levels squared."""
    size = (WIDTH // 4, max(4, grey.shape[0] // 4))
    coarse = cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(coarse, cv2.CV_32F).var())


def is_dark(grey: Grey) -> bool:
    """Whether there is too little light to see by."""
    return int(np.count_nonzero(grey >= DARK_LEVEL)) < BRIGHT_SHARE * grey.size


def flat_share(grey: Grey) -> float:
    """Share of 8 x 8 blocks without any texture, 0..1."""
    rows, columns = grey.shape[0] // 8, grey.shape[1] // 8
    whole = grey[: rows * 8, : columns * 8].astype(np.float32)
    # averages over the blocks; E[x^2] - E[x]^2 about the middle grey, which keeps float32 exact enough
    whole -= 128
    mean, square = (cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA) for part in (whole, whole * whole))
    return float((square - mean * mean < 1.0).mean())


def grey_bottom(grey: Grey) -> float:
    """Share of the height, from the bottom, that is flat in the grey of undecoded blocks, 0..1."""
    low, high = _DECODER_GREY
    flat = 0
    for row in grey[::-1]:  # a street ends it with the first row
        if not (low <= float(row.mean()) <= high and float(row.std()) < 2.0):
            break
        flat += 1
    return flat / len(grey)
