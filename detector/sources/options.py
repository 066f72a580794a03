"""What a camera's owner may set about how pictures are taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

Clock = Callable[[], datetime]
"""Gives the present moment, aware UTC."""

CLOCK_OFF_S = 5.0
"""A stream's clock that is further from ours than this is wrong: live streams are held up by less on their way."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How a stream or file is read. Raises ValueError for values that make no sense."""

    interval_s: float = 10.0  # wanted seconds between two pictures, in stream time; 0 = every picture
    open_timeout_s: float = 5.0  # for the server's answer, and once more for its first data
    read_timeout_s: float = 5.0  # without any data; HLS is given at least 20 s, its data comes segment by segment
    no_picture_s: float = 60.0  # data keeps coming, but no picture can be made of it
    max_width: int | None = None  # pictures are scaled down to this width, pixels; never up
    max_clock_offset_s: float = CLOCK_OFF_S  # a stream's own clock that is further from ours is not believed
    started_at: datetime | None = None  # files: when the first picture was taken; now, if not given
    realtime: bool = False  # files: at the speed they were filmed instead of as fast as they are read

    def __post_init__(self) -> None:
        if self.interval_s < 0:
            raise ValueError(f"interval_s must not be negative, not {self.interval_s}")
        if min(self.open_timeout_s, self.read_timeout_s, self.no_picture_s) <= 0:
            raise ValueError("timeouts must be positive: a camera that never answers must not block")
        if self.max_width is not None and self.max_width < 16:
            raise ValueError(f"max_width must be at least 16 pixels, not {self.max_width}")
        if self.started_at is not None and self.started_at.tzinfo is None:
            raise ValueError("started_at must be an aware datetime")


@dataclass(frozen=True, slots=True)
class VisitOptions:
    """How a patrol visit takes its one picture. Raises ValueError for values that make no sense."""

    open_timeout_s: float = 5.0  # as in StreamOptions
    read_timeout_s: float = 5.0  # as in StreamOptions
    good_picture_s: float = 15.0  # from the opening on; cameras send a keyframe each 1 to 10 s as a rule
    max_width: int | None = None  # pixels
    max_clock_offset_s: float = CLOCK_OFF_S  # as in StreamOptions
    logos: frozenset[int] = frozenset()  # fingerprints of the gateway's own pictures, see picture.fingerprint

    def __post_init__(self) -> None:
        if min(self.open_timeout_s, self.read_timeout_s, self.good_picture_s) <= 0:
            raise ValueError("timeouts must be positive: a camera that never answers must not block")
        if self.max_width is not None and self.max_width < 16:
            raise ValueError(f"max_width must be at least 16 pixels, not {self.max_width}")
