"""Whether a fixed camera still shows the view it showed before, told from where edges run. Pure.

A view is remembered as the running mean of edge orientations at 160 x 90: each pixel a complex number whose angle is
twice the edge's and whose length is its clearness. What stands still adds up, what drives through cancels out, and
brightness and contrast do not matter.

Measured on seven real fixed clips (street and motorway, 13 to 131 pictures each): pictures of the same view agree with
the memory by 0.60 to 0.96 (0.30 where one car fills the view); moved sideways by 2 % of the width, another view agrees
by 0.66 with a shift and by 0.15 to 0.30 less without; pictures of other cameras agree by -0.06 to 0.25.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.sources.picture import Grey

SIZE = (160, 90)
"""(width, height) of a remembered view, pixels."""

Edges = NDArray[np.complex64]
"""(90, 160) edge orientations."""

SHIFT_GAIN = 0.12
"""A shifted view must agree by this much more than an unshifted one (traffic in fixed views: at most 0.02)."""

SHIFT_PIXELS = 2
"""Of 160: 1.25 %. Poles sway by one (measured on car-detection.mp4)."""

ALIEN_SHARE = 0.4
"""A view that agrees by less than this share of what is usual shows something else."""

_CLEAR = 12.0  # gradient at which an edge counts half; below it is mostly noise
_ADAPT = 0.03  # weight of a new picture in the memory, once that holds enough of them


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a picture relates to the remembered view."""

    agreement: float  # -1..1 as it stands
    shifted_agreement: float  # -1..1 at the best shift
    shift: tuple[float, float]  # of the picture against the memory, (right, down) as shares of width and height

    @property
    def is_shifted(self) -> bool:
        """Whether the picture shows the same view from a camera that was turned."""
        right, down = abs(self.shift[0]) * SIZE[0], abs(self.shift[1]) * SIZE[1]
        far = max(right, down) > SHIFT_PIXELS - 0.5
        return far and self.shifted_agreement - self.agreement >= SHIFT_GAIN


def edges(grey: Grey) -> Edges:
    """Edge orientations of a grey picture of any size."""
    small = cv2.GaussianBlur(cv2.resize(grey, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32), (3, 3), 0)
    along = cv2.Sobel(small, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(small, cv2.CV_32F, 0, 1)
    strength = np.hypot(along, down)
    unit = (along + 1j * down) / (strength + 1e-3)
    # squared: the angle is doubled, so that light-to-dark and dark-to-light are the same edge
    return np.asarray(unit * unit * (strength / (strength + _CLEAR)), dtype=np.complex64)


class View:
    """The memory of one view."""

    def __init__(self, first: Edges) -> None:
        """Begin with one picture's edges."""
        self._mean = first.copy()
        self.pictures = 1
        self.usual: float | None = None  # usual agreement

    def compare(self, picture: Edges) -> Comparison:
        """Compare without learning. Looks for a shift only where the picture agrees less than usual."""
        norm = float(np.linalg.norm(self._mean) * np.linalg.norm(picture)) + 1e-6
        agreement = float(np.vdot(self._mean, picture).real) / norm
        if self.usual is not None and agreement > 0.85 * self.usual:
            return Comparison(agreement, agreement, (0.0, 0.0))
        spectrum = np.fft.fft2(self._mean).conj() * np.fft.fft2(picture)
        correlation = np.fft.ifft2(spectrum).real
        row, column = np.unravel_index(int(correlation.argmax()), correlation.shape)
        right = (int(column) + SIZE[0] // 2) % SIZE[0] - SIZE[0] // 2
        down = (int(row) + SIZE[1] // 2) % SIZE[1] - SIZE[1] // 2
        best = float(correlation.max()) / norm
        return Comparison(agreement, best, (right / SIZE[0], down / SIZE[1]))

    def is_alien(self, comparison: Comparison) -> bool:
        """Whether the picture shows something else, or so much stands in front that nothing is left of the view."""
        usual = 0.5 if self.usual is None else self.usual
        return comparison.agreement < ALIEN_SHARE * usual

    def learn(self, picture: Edges, agreement: float) -> None:
        """Take a picture of this view into the memory."""
        self.pictures += 1
        weight = max(_ADAPT, 1 / self.pictures)
        self._mean += np.complex64(weight) * (picture - self._mean)
        if self.usual is None:
            self.usual = agreement
        else:
            self.usual += max(_ADAPT, 1 / self.pictures) * (agreement - self.usual)

    def dump(self) -> dict[str, object]:
        """All that is remembered, as JSON values; about 40 kB."""
        parts = np.stack([self._mean.real, self._mean.imag])
        packed = np.clip(np.rint(parts * 127), -127, 127).astype(np.int8)
        return {
            "edges": base64.b64encode(packed.tobytes()).decode(),
            "pictures": self.pictures,
            "usual": self.usual,
        }

    @classmethod
    def load(cls, state: dict[str, object]) -> View:
        """The memory that `dump` wrote. Raises ValueError or KeyError if it is no such."""
        packed = np.frombuffer(base64.b64decode(str(state["edges"])), dtype=np.int8)
        parts = packed.reshape(2, SIZE[1], SIZE[0]).astype(np.float32) / 127
        view = cls(np.asarray(parts[0] + 1j * parts[1], dtype=np.complex64))
        view.pictures = int(str(state["pictures"]))
        view.usual = None if state["usual"] is None else float(str(state["usual"]))
        return view
