"""When a picture was taken, told from the stream's clock, its time stamps, and the moment it arrived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

JUMP_S = 5.0
"""Time stamps that leave their line by more than this have jumped: the line starts anew."""

DRIFT = 0.001
"""Seconds per second by which the shortest known delay is forgotten: a camera's crystal may be off by far less."""

SMOOTHING = 0.1
"""Weight of a new reading of the stream's clock: FFmpeg gives it to a neighbour of the packet it belongs to, measured
up to 0.2 s off at 25 frames/s with B-frames, 0.04 s on average."""

STEP_S = 1.0
"""Larger differences between two readings are no such error: the camera's clock was set."""

_STEP = timedelta(milliseconds=1)


class CaptureClock(Protocol):
    """Turns presentation times (seconds, any origin) into moments."""

    def observe(self, pts_s: float, arrival: datetime, stream_clock: datetime | None) -> None:
        """Take in a packet's presentation time, when it came, and what the stream's own clock says of it."""
        ...

    def moment(self, pts_s: float | None, arrival: datetime) -> datetime:
        """The capture time, aware UTC, of a picture; always later than that of the picture before."""
        ...


class LiveClock:
    """For streams: the stream's own clock if it has one near ours, else arrival, freed from jitter by the time stamps.

    Without a stream clock, the packet that took the shortest way sets the line from time stamps to moments; packets
    that were held up on the way then get the time they should have come. A picture's time is therefore late by the
    shortest delay between the camera and here, and the first pictures after an opening by what the server held back.
    """

    def __init__(self, max_offset_s: float) -> None:
        """`max_offset_s`: largest believed difference between the stream's clock and ours, seconds."""
        self._max_offset_s = max_offset_s
        self._line: float | None = None  # moment (seconds since 1970) minus presentation time
        self._stream_line: float | None = None  # the same by the stream's own clock
        self._last_pts = 0.0
        self._last_moment: datetime | None = None
        self.offset_s: float | None = None  # stream's clock minus ours, at arrival; None = it has none

    @property
    def believed(self) -> bool:
        """Whether capture times come from the stream's own clock."""
        return self._stream_line is not None

    def observe(self, pts_s: float, arrival: datetime, stream_clock: datetime | None) -> None:
        """See CaptureClock."""
        line = arrival.timestamp() - pts_s
        if self._line is None or line - self._line > JUMP_S:
            self._line = line
            self._stream_line = None
        else:
            self._line = min(self._line + DRIFT * max(0.0, pts_s - self._last_pts), line)
        self._last_pts = pts_s
        if stream_clock is not None:
            self.offset_s = (stream_clock - arrival).total_seconds()
            near = abs(self.offset_s) <= self._max_offset_s
            self._stream_line = self._smoothed(stream_clock.timestamp() - pts_s) if near else None

    def _smoothed(self, line: float) -> float:
        before = self._stream_line
        if before is None or abs(line - before) > STEP_S:
            return line
        return before + SMOOTHING * (line - before)

    def moment(self, pts_s: float | None, arrival: datetime) -> datetime:
        """See CaptureClock."""
        line = self._line if self._stream_line is None else self._stream_line
        moment = arrival if pts_s is None or line is None else datetime.fromtimestamp(line + pts_s, UTC)
        if self._last_moment is not None and moment <= self._last_moment:
            moment = self._last_moment + _STEP
        self._last_moment = moment
        return moment


class FileClock:
    """For files: the first picture's moment plus the time stamps, which may jump but never turn time back."""

    def __init__(self, started_at: datetime) -> None:
        """`started_at`: capture time of the first picture, aware."""
        self._started_at = started_at.astimezone(UTC)
        self._origin: float | None = None  # presentation time that stands for started_at
        self._last_pts = 0.0
        self._last_moment: datetime | None = None
        self.offset_s: float | None = None

    @property
    def believed(self) -> bool:
        """A file has no clock of its own."""
        return False

    def observe(self, pts_s: float, arrival: datetime, stream_clock: datetime | None) -> None:
        """See CaptureClock; neither arrival nor a clock counts for files."""
        if self._origin is None:
            self._origin = pts_s
        elif abs(pts_s - self._last_pts) > JUMP_S:
            self._origin += pts_s - self._last_pts  # the line goes on where it broke
        self._last_pts = pts_s

    def moment(self, pts_s: float | None, arrival: datetime) -> datetime:
        """See CaptureClock."""
        seconds = 0.0 if self._origin is None else (self._last_pts if pts_s is None else pts_s) - self._origin
        moment = self._started_at + timedelta(seconds=seconds)
        if self._last_moment is not None and moment <= self._last_moment:
            moment = self._last_moment + _STEP
        self._last_moment = moment
        return moment
