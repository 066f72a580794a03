"""The condition of one camera, judged from its pictures: only an `ok` picture may be judged for problems.

What counts, in this order (thresholds and the measurements behind them: picture.py, view.py and below):

- stale: the picture is older than `max_age_s`.
- dark: fewer than 2 % of the pixels are brighter than level 40 of 255.
- covered: one colour, half decoded, a logo, or nothing to be made out.
- frozen: the very same picture, bit for bit, in 3 looks over `frozen_after_s`; or one that differs nowhere by more than
  3 grey levels (of 160 x 90 cells) in 5 looks over `still_after_s`. A dark, empty street seen by a camera that smooths
  all noise away may stand still for minutes, hence the second, longer time; a clock in the picture prevents both.
- blurred: sharpness below 0.2 of the camera's own median over its last 50 good looks. After 200 such looks in a row the
  camera's own is learnt anew (fog, snow, night noise gone), but not if the picture is softer than almost any other.
- moved: the view is the remembered one, shifted by more than 1 % (told at once); or, in 3 looks in a row, it is
  another one (a lorry that fills the view for one or two looks is not meant). A changed view that stays the same for
  `relearn_looks` looks is taken as the new normal.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np

from detector.core.frame import Frame
from detector.core.look import LookStatus
from detector.sources.options import Clock
from detector.sources.picture import Grey, is_dark, small_grey, without_street
from detector.sources.view import SIZE, Edges, View, edges

SAME_LEVELS = 3
"""Grey levels: compressing the same picture anew changes averaged cells by no more."""

BLURRED_SHARE = 0.2
"""Of the usual sharpness. Real fixed clips stay above 0.27 of their median, a car that fills the view included."""

SOFT = 0.05
"""Sharpness below which no camera's normal state is: the softest twentieth of 2,329 street pictures (median 0.23)."""

_SHARPNESS_LOOKS = 50
_SHARPNESS_KNOWN = 5  # looks before blur is judged
_BLURRED_LOOKS = 200
_ALIEN_LOOKS = 3

Judged = tuple[LookStatus, str | None]


@dataclass(frozen=True, slots=True)
class ConditionOptions:
    """What may be set about judging a camera's condition."""

    max_age_s: float | None = 60.0  # older pictures are stale; None: never (files)
    frozen_after_s: float = 60.0  # identical for so long is frozen
    still_after_s: float = 600.0  # nearly identical for so long is frozen
    relearn_looks: int = 20  # looks after which a changed view is the camera's new view
    fixed: bool = True  # False: the camera moves (vehicle, drone, cruising PTZ); then its view is not judged
    logos: frozenset[int] = frozenset()  # fingerprints (picture.py) of pictures that a gateway shows instead


class _Stillness:
    """For how long the picture has not changed."""

    def __init__(self) -> None:
        self._digest = 0
        self._cells: Grey | None = None
        self._same_since: datetime | None = None
        self._still_since: datetime | None = None
        self._same_looks = 0
        self._still_looks = 0

    def observe(self, frame: Frame, grey: Grey, options: ConditionOptions) -> str | None:
        """Why the picture counts as frozen; None if it does not."""
        digest = zlib.crc32(frame.image[::8].tobytes())
        cells = np.asarray(cv2.resize(grey, SIZE, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        now = frame.captured_at
        if self._same_since is None or digest != self._digest:
            self._digest, self._same_since, self._same_looks = digest, now, 0
        before = self._cells
        if self._still_since is None or before is None or int(cv2.absdiff(before, cells).max()) > SAME_LEVELS:
            # Compared with the first still picture, not the last one: a slow dusk is a change.
            self._cells, self._still_since, self._still_looks = cells, now, 0
        self._same_looks += 1
        self._still_looks += 1
        same_s = (now - self._same_since).total_seconds()
        if self._same_looks >= 3 and same_s >= options.frozen_after_s:
            return f"the same picture for {same_s:.0f} s"
        still_s = (now - self._still_since).total_seconds()
        if self._still_looks >= 5 and still_s >= options.still_after_s:
            return f"nothing has changed for {still_s:.0f} s"
        return None


class _Sharpness:
    """The camera's usual sharpness."""

    def __init__(self) -> None:
        self.usual: deque[float] = deque(maxlen=_SHARPNESS_LOOKS)
        self._blurred_looks = 0

    @staticmethod
    def of(grey: Grey) -> float:
        """Variance of the Laplacian over the variance of brightness: contrast alone does not change it."""
        return float(cv2.Laplacian(grey, cv2.CV_32F).var()) / (float(grey.var()) + 1.0)

    def observe(self, grey: Grey) -> str | None:
        """Why the picture counts as blurred; None if it does not."""
        sharpness = self.of(grey)
        if len(self.usual) >= _SHARPNESS_KNOWN:
            share = sharpness / max(1e-6, float(np.median(list(self.usual))))
            if share < BLURRED_SHARE:
                self._blurred_looks += 1
                if self._blurred_looks < _BLURRED_LOOKS or sharpness < SOFT:
                    return f"{share:.0%} of its usual sharpness"
                self.usual.clear()
        self._blurred_looks = 0
        self.usual.append(sharpness)
        return None


class ConditionWatch:
    """Judges the pictures of one camera, in the order they were taken; remembers about 250 kB. Not thread-safe."""

    def __init__(self, options: ConditionOptions, clock: Clock) -> None:
        """`options` may be replaced at any time. `clock` gives the present, aware UTC, for the age of pictures."""
        self.options = options
        self._clock = clock
        self._stillness = _Stillness()
        self._sharpness = _Sharpness()
        self._view: View | None = None
        self._other: View | None = None  # a changed view that may become the normal one
        self._alien_looks = 0
        self.views_learnt = 0  # grows by one when a changed view has become the normal one
        self.last_good: datetime | None = None  # capture time of the newest picture that the memory was made of

    def judge(self, frame: Frame) -> Judged:
        """The status of a picture and, unless it is ok, one line that says why."""
        age_s = (self._clock() - frame.captured_at).total_seconds()
        if self.options.max_age_s is not None and age_s > self.options.max_age_s:
            return LookStatus.STALE, f"the newest picture is {age_s:.0f} s old"
        grey = small_grey(frame.image)
        frozen = self._stillness.observe(frame, grey, self.options)
        if is_dark(grey):
            return LookStatus.DARK, "too little light to see by"
        covered = without_street(grey, self.options.logos)
        if covered is not None:
            return LookStatus.COVERED, covered
        if frozen is not None:
            return LookStatus.FROZEN, frozen
        blurred = self._sharpness.observe(grey)
        if blurred is not None:
            return LookStatus.BLURRED, blurred
        moved = self._moved(edges(grey)) if self.options.fixed else None
        if moved is not None:
            return LookStatus.MOVED, moved
        self.last_good = frame.captured_at
        return LookStatus.OK, None

    def _moved(self, picture: Edges) -> str | None:
        if self._view is None:
            self._view = View(picture)
            return None
        comparison = self._view.compare(picture)
        alien = self._view.is_alien(comparison)
        if not alien and not comparison.is_shifted:
            self._view.learn(picture, comparison.agreement)
            self._other, self._alien_looks = None, 0
            return None
        self._alien_looks += 1
        if self._learnt_anew(picture):
            return None
        if comparison.is_shifted:
            right, down = comparison.shift
            return f"the view has shifted by {right:+.0%} of its width and {down:+.0%} of its height"
        if self._alien_looks >= _ALIEN_LOOKS:
            return f"another view: agrees by {comparison.agreement:.2f} with the one before"
        return None

    def _learnt_anew(self, picture: Edges) -> bool:
        """Keep the changed view in mind; once it has lasted, it is the normal one."""
        if self._other is None:
            self._other = View(picture)
            return False
        comparison = self._other.compare(picture)
        if self._other.is_alien(comparison) or comparison.is_shifted:
            self._other = View(picture)
            return False
        self._other.learn(picture, comparison.agreement)
        if self._other.pictures < self.options.relearn_looks:
            return False
        self._view, self._other, self._alien_looks = self._other, None, 0
        self._sharpness.usual.clear()
        self.views_learnt += 1
        return True

    def dump(self) -> dict[str, object]:
        """What should outlive a restart (the view and the usual sharpness), as JSON values; about 40 kB."""
        return {
            "view": None if self._view is None else self._view.dump(),
            "sharpness": list(self._sharpness.usual),
        }

    def restore(self, state: dict[str, object]) -> None:
        """Take up what `dump` gave. Raises ValueError or KeyError if it is no such."""
        view, sharpness = state["view"], state["sharpness"]
        self._view = View.load(view) if isinstance(view, dict) else None
        self._sharpness.usual.clear()
        if isinstance(sharpness, list):
            self._sharpness.usual.extend(float(value) for value in sharpness)
