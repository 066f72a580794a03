"""Which of a stream's pictures are wanted, and whether its keyframes are enough for that. Pure."""

from __future__ import annotations

from collections import deque

TOLERANCE = 0.05
"""Share of the interval by which a picture may come early: time stamps are rounded and jitter."""

PATIENCE = 0.1
"""Share of the interval for which a keyframe is waited for while it is not known how often they come."""

JUMP_S = 30.0
"""A step of the time stamps that is longer than this, or any step back by more than 1 s, is a jump."""

_KNOWN_GOPS = 4


class Sampler:
    """One picture each `interval_s`, on a steady grid, in stream time (seconds of presentation time)."""

    def __init__(self, interval_s: float) -> None:
        """`interval_s`: wanted seconds between two pictures; 0 wants every one."""
        self.interval_s = interval_s
        self._due: float | None = None  # None: the next picture, whatever its time
        self._hastened = False  # the next keyframe is wanted, whatever is due
        self._taken_undated = False
        self._last: float | None = None
        self._last_key: float | None = None
        self._gops: deque[float] = deque(maxlen=_KNOWN_GOPS)

    @property
    def longest_gop_s(self) -> float | None:
        """Longest of the latest distances between two keyframes, seconds; None until two were seen."""
        return max(self._gops, default=None)

    @property
    def since_keyframe_s(self) -> float:
        """Stream time since the last keyframe, seconds."""
        if self._last_key is None or self._last is None:
            return 0.0
        return max(0.0, self._last - self._last_key)

    @property
    def gop_s(self) -> float | None:
        """Distance to expect between keyframes, seconds: the longest lately, the running one included."""
        longest = self.longest_gop_s
        return None if longest is None else max(longest, self.since_keyframe_s)

    @property
    def keyframes_suffice(self) -> bool:
        """Whether keyframes are known to come at least as often as pictures are wanted."""
        gop = self.gop_s
        return gop is not None and gop <= self.interval_s * (1 + TOLERANCE)

    def see(self, t: float, *, keyframe: bool) -> None:
        """Take in the time of a packet, in the order of arrival."""
        if self._last is not None and not -1.0 <= t - self._last <= JUMP_S:
            self._last_key = None  # a distance over a jump is none
            self._due = None
        if self._taken_undated:
            self._taken_undated, self._due = False, t + self.interval_s
        if keyframe:
            if self._last_key is not None and t > self._last_key:
                self._gops.append(t - self._last_key)
            self._last_key = t
        self._last = t

    def hasten(self) -> None:
        """Want the next keyframe too, unless another picture is taken before it; the grid stays. From any thread."""
        self._hastened = True

    def due(self, t: float | None, *, keyframe: bool = False) -> bool:
        """Whether a picture of this time is wanted; None = time unknown, wanted if nothing was taken yet."""
        if t is None:
            return self._due is None and not self._taken_undated
        if self._due is None:
            return True
        if keyframe and self._hastened:
            return True
        patient = not keyframe and not self._gops
        return t >= self._due + self.interval_s * (PATIENCE if patient else -TOLERANCE)

    def take(self, t: float | None) -> None:
        """A picture of this time was taken; the next is due one interval on, on the grid. One that came before its time
        was an extra one.
        """
        self._hastened = False
        if t is None:
            self._taken_undated = True
            return
        if self._due is None or self.interval_s == 0:
            self._due = t + self.interval_s
            return
        if t < self._due - TOLERANCE * self.interval_s:
            return
        behind = max(0.0, t - self._due) // self.interval_s
        self._due += (behind + 1) * self.interval_s
        if self._due - t < TOLERANCE * self.interval_s:
            self._due += self.interval_s
