"""When a picture was taken, told from the stream's clock, its time stamps, and the moment it arrived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

JUMP_S = 5.0
"""Time stamps that fall behind their line by more than this have jumped: the line starts anew."""

LEAP_S = 30.0
"""So have time stamps that leave the one before by more than this ..."""

BACK_S = 1.0
"""... or go back by more than this: pictures that are put in order go back by less."""

AHEAD_S = 5.0
"""Largest lead of a capture time over the arrival of its picture."""

SLEW = 0.1
"""Share of the stream's own spacing by which capture times may be stretched or squeezed to come true."""

DRIFT = 0.001
"""Seconds per second by which the shortest known delay is forgotten: a camera's crystal may be off by far less."""

SMOOTHING = 0.1
"""Weight of a new reading of the stream's clock: FFmpeg gives it to a neighbour of the packet it belongs to, measured
up to 0.2 s off at 25 frames/s with B-frames, 0.04 s on average."""

STEP_S = 1.0
"""Larger differences between two readings of a clock are no such error: it was set."""

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
    """For streams: arrival, freed from jitter by the time stamps, and put right by the stream's own clock.

    All times of a connection stand on one base, from the first picture on, whether and whenever the stream tells a
    clock of its own (RTSP: some seconds after the first picture):

    - The packet that took the shortest way sets the line from time stamps to moments; packets that were held up get
      the time they should have come. Pictures are late by that shortest delay, the first ones after an opening by what
      the server held back.
    - The stream's clock tells that delay. One that is behind the line by at most `max_offset_s` is believed, and times
      move to it; one that is ahead of it moves nothing, as no picture is taken after it came. One that is further off
      is a wrong clock: the stream stays on the line. (Which it is cannot be told: what is farther behind than
      streams are held up may be either.)
    - Times come true by slewing, as NTP's do: between two pictures passes what their time stamps say, give or take
      a share of SLEW, but no moment is more than AHEAD_S later than its picture came. So dwell times are never off by
      more, and looks do not pile up on one moment: only what a server has kept and sends at once at the opening, and
      only beyond AHEAD_S of it, is squeezed together.
    - Where time stamps jump, the line starts anew with the packet's arrival. If they only fell behind, and the stream's
      clock, right or wrong, says that they went on all the time, nothing jumped: the pictures are late by so much, and
      keep the times at which they were taken.
    - If our own clock is set back, times go on, slower by SLEW, until it has caught up; if it is set forward, so are
      they.
    """

    def __init__(self, max_offset_s: float) -> None:
        """`max_offset_s`: largest believed difference between the stream's clock and ours, seconds."""
        self._max_offset_s = max_offset_s
        self._line: float | None = None  # moment (seconds since 1970) minus presentation time
        self._stream_line: float | None = None  # the same by the stream's own clock
        self._came: float | None = None  # arrival of the newest packet, seconds since 1970
        self._set_back_s = 0.0  # by which our clock was set back, not caught up yet
        self._last_pts: float | None = None
        self._last_moment: datetime | None = None
        self._pictured: float | None = None  # presentation time of the picture before; None: not on this line
        self.offset_s: float | None = None  # stream's clock minus ours, at arrival; None = it has none

    @property
    def believed(self) -> bool:
        """Whether the stream has a clock of its own that is near ours."""
        return self._correction_s is not None

    @property
    def _correction_s(self) -> float | None:
        """What the stream's clock adds to the line, at most 0; None where it has none or one that is not believed."""
        if self._line is None or self._stream_line is None:
            return None
        offset_s = self._stream_line - self._line
        return min(0.0, offset_s) if abs(offset_s) <= self._max_offset_s else None

    def observe(self, pts_s: float, arrival: datetime, stream_clock: datetime | None) -> None:
        """See CaptureClock."""
        came = self._ours(arrival)
        line = came - pts_s
        told = None if stream_clock is None else stream_clock.timestamp() - pts_s
        before = self._line
        passed = 0.0 if self._last_pts is None else pts_s - self._last_pts
        fell_behind = before is not None and line - before > JUMP_S and not self._dated(told)
        if before is None or fell_behind or not -BACK_S <= passed <= LEAP_S:
            self._line, self._stream_line, self._pictured = line, None, None
        else:
            self._line = min(before + DRIFT * max(0.0, passed), line)
        self._last_pts = pts_s
        if stream_clock is not None and told is not None:
            self.offset_s = (stream_clock - arrival).total_seconds()
            self._stream_line = self._smoothed(told)

    def _ours(self, arrival: datetime) -> float:
        """An arrival by our clock as if that had not been set back but ran slower, seconds since 1970."""
        came = arrival.timestamp()
        if self._came is not None:
            passed = came - self._came
            was_set = passed < -STEP_S or passed > LEAP_S
            self._set_back_s = max(0.0, self._set_back_s - (passed if was_set else SLEW * max(0.0, passed)))
        self._came = came
        return came + self._set_back_s

    def _dated(self, told: float | None) -> bool:
        """Whether the stream's clock says that its time stamps have gone on as before."""
        return told is not None and self._stream_line is not None and abs(told - self._stream_line) <= STEP_S

    def _smoothed(self, line: float) -> float:
        before = self._stream_line
        if before is None or abs(line - before) > STEP_S:
            return line
        return before + SMOOTHING * (line - before)

    def moment(self, pts_s: float | None, arrival: datetime) -> datetime:
        """See CaptureClock; the packet that completed the picture was observed before, with the same arrival."""
        came = arrival.timestamp() + self._set_back_s
        true = came if pts_s is None or self._line is None else self._line + (self._correction_s or 0.0) + pts_s
        last = self._last_moment
        if last is not None and pts_s is not None and self._pictured is not None:
            spacing = max(0.0, pts_s - self._pictured)
            soonest, latest = (last.timestamp() + share * spacing for share in (1 - SLEW, 1 + SLEW))
            true = min(max(true, soonest), latest)
        moment = datetime.fromtimestamp(min(true, came + AHEAD_S), UTC)
        if last is not None and moment <= last:
            moment = last + _STEP
        self._last_moment, self._pictured = moment, pts_s
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
