"""A stream or video file as a source of frames: RTSP(S) over TCP, RTMP, HTTP-FLV, HLS, MPEG-TS, files."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any, cast

import av
import av.error
from av.packet import Packet
from av.video.stream import VideoStream

from detector.core.frame import Frame
from detector.core.geo import Pose
from detector.errors import SourceUnreachable, SourceUnreadable
from detector.logs import logger
from detector.sources.container import (
    HLS_READ_TIMEOUT_S,
    is_hls,
    is_live,
    open_container,
    scheme,
    shown,
    translated,
    video_of,
)
from detector.sources.decoding import BgrConverter, GopDecoder
from detector.sources.interrupt import Interrupt
from detector.sources.options import Clock, StreamOptions
from detector.sources.sampling import Sampler
from detector.sources.telemetry.whereabouts import Whereabouts
from detector.sources.timing import FileClock, LiveClock

log = logger(__name__)

ENDLESS_FORMATS = frozenset({"flv", "live_flv", "mpegts"})
"""Formats in which gateways send live pictures over HTTP."""

BROKEN_READS = 50
"""Damaged packets in a row after which a stream counts as unreadable."""


LEAST_KEYFRAME = 64
"""Bytes; no coded picture of a street is smaller."""

CLOCK_KNOWN_S = 30.0
"""Stream time after which a wrong clock is told: what a server held back at the opening has been sent by then."""


def open_video(
    url: str, camera_id: str, options: StreamOptions, clock: Clock, whereabouts: Whereabouts | None = None
) -> VideoSource:
    """Open a stream (see container.LIVE for the schemes) or a video file and return it, sampling.

    `clock` gives the present, aware UTC. `whereabouts`: gives the pictures of a moving camera their poses.
    Raises SourceUnreachable or SourceUnreadable; see open_container.
    """
    return VideoSource(url, camera_id, options, clock, whereabouts=whereabouts)


def stream_clock(packet: Packet[VideoStream]) -> datetime | None:
    """The packet's capture time by the sender's own clock, where it tells (RTSP: from RTCP sender reports)."""
    if not packet.has_sidedata("prft"):
        return None
    # AVProducerReferenceTime: int64 wall clock in microseconds since 1970, int flags
    (micros,) = struct.unpack_from("=q", bytes(packet.get_sidedata("prft")))
    return datetime.fromtimestamp(micros / 1e6, UTC)


def begins_group(packet: Packet[VideoStream]) -> bool:
    """Whether a group of pictures begins with this packet. Old AVI files mark empty place-holders as keyframes."""
    return packet.is_keyframe and packet.size >= LEAST_KEYFRAME


def seconds(packet: Packet[Any]) -> float | None:
    """Presentation time of a packet in seconds, else its decoding time, else None."""
    stamp = packet.pts if packet.pts is not None else packet.dts
    if stamp is None:
        return None
    base = packet.time_base
    return stamp * base.numerator / base.denominator  # a Fraction's own product takes ten times as long


class VideoSource:
    """An open stream or file that gives one frame each `interval_s`. Implements FrameSource.

    Keyframes alone are decoded where they come often enough; otherwise all that leads to a wanted picture is.
    """

    def __init__(
        self,
        url: str,
        camera_id: str,
        options: StreamOptions,
        clock: Clock,
        *,
        keyframes_only: bool = False,
        whereabouts: Whereabouts | None = None,
    ) -> None:
        """See open_video. With `keyframes_only`, no picture between two keyframes is ever given."""
        self.camera_id = camera_id
        self._url = url
        self._live = is_live(url)
        self._options = options
        self._clock = clock
        self._keyframes_only = keyframes_only
        self._whereabouts = whereabouts
        self._closing = threading.Event()
        self._interrupt = Interrupt()
        self._reading = threading.Lock()
        self._sampler = Sampler(options.interval_s)
        self._container = open_container(url, options.open_timeout_s, options.read_timeout_s)
        try:
            self._data = None if whereabouts is None else whereabouts.listen(self._container)
            self._video = video_of(self._container, url, self._data)
            self._decoder = GopDecoder(self._video)
        except BaseException:
            self._container.close()
            raise
        # A camera's stream has no end, whatever length its server announces; over HTTP, files may be read too.
        finite = scheme(url) in ("http", "https") and self._container.duration is not None
        self._endless = self._live and not (finite and self._container.format.name not in ENDLESS_FORMATS)
        self._converter = BgrConverter(options.max_width)
        self._times = LiveClock(options.max_clock_offset_s) if self._live else FileClock(options.started_at or clock())
        self._packets = self._demuxed()
        self._sufficed: bool | None = None
        self._clock_since: float | None = None  # presentation time from which the stream's clock has been known
        self._clock_told = keyframes_only  # a visit is too short to tell
        self._began: tuple[float, datetime] | None = None  # files in real time: first frame, by both clocks

    @property
    def gop_s(self) -> float | None:
        """Distance between keyframes as measured lately, seconds; None until two were seen."""
        return self._sampler.gop_s

    @property
    def decodes_fully(self) -> bool:
        """Whether keyframes come too seldom for the wanted interval, so that pictures between them are decoded."""
        return self.gop_s is not None and not self._sampler.keyframes_suffice

    @property
    def has_clock(self) -> bool:
        """Whether the stream has a clock of its own that is believed."""
        return self._times.believed

    @property
    def clock_offset_s(self) -> float | None:
        """The stream's own clock minus ours, seconds; None if it has none."""
        return self._times.offset_s

    def read(self) -> Frame | None:
        """See FrameSource; None also after close()."""
        with self._reading, self._interrupt.inside():
            try:
                frame = None if self._closing.is_set() else self._next()
            except av.FFmpegError as error:
                if not self._closing.is_set():
                    limit = self._options.read_timeout_s
                    if is_hls(self._url):
                        limit = max(limit, HLS_READ_TIMEOUT_S)
                    raise translated(error, self._url, f"no data for {limit:g} s") from error
                frame = None
        if self._closing.is_set():
            self.close()
            return None
        return frame

    def hasten(self) -> None:
        """See FrameSource: the next keyframe is given."""
        self._sampler.hasten()

    def close(self) -> None:
        """See FrameSource. A blocked read is interrupted and then releases the connection itself: FFmpeg's connections
        must not be closed under a running read.
        """
        self._closing.set()
        self._interrupt.fire()
        if self._reading.acquire(blocking=False):
            try:
                self._packets.close()
                self._container.close()
            finally:
                self._reading.release()

    def _next(self) -> Frame | None:
        last_picture = time.monotonic()
        for packet in self._packets:
            if self._closing.is_set():
                return None
            if packet.size == 0:
                continue
            frame = self._taken(packet)
            if frame is not None:
                self._pace(frame)
                return frame
            silent = time.monotonic() - last_picture
            if self._live and silent > self._options.no_picture_s + self._options.interval_s:
                raise SourceUnreadable(
                    f"{shown(self._url)}: sends data, but no picture could be decoded for {silent:.0f} s"
                )
        if self._endless:
            raise SourceUnreachable(f"{shown(self._url)}: the stream ended")
        return None

    def _taken(self, packet: Packet[VideoStream]) -> Frame | None:
        """Take a packet in; the frame that was due, if it completes one."""
        t, arrival, keyframe = seconds(packet), self._clock(), begins_group(packet)
        if t is not None:
            self._times.observe(t, arrival, stream_clock(packet) if self._live else None)
            self._sampler.see(t, keyframe=keyframe)
            self._tell_clock(t)
        suffice = self._keyframes_only or self._sampler.keyframes_suffice
        if keyframe:
            self._tell_how()
            self._decoder.start(packet)
        elif self._keyframes_only:
            return None
        else:
            # Held even while keyframes suffice: "smart" encoders stretch a group without warning.
            self._decoder.follow(packet, likely=not suffice)
        wanted = self._sampler.due(t, keyframe=keyframe) and (keyframe or not suffice)
        picture = self._decoder.picture() if wanted else None
        if picture is None:
            return None
        self._sampler.take(t)
        taken = t if picture.pts is None or picture.time_base is None else float(picture.pts * picture.time_base)
        moment = self._times.moment(taken, arrival)
        return Frame(self.camera_id, moment, self._converter.image(picture), self._pose(taken, moment))

    def _pose(self, taken: float | None, moment: datetime) -> Pose | None:
        """Where a moving camera was when a picture was taken."""
        if self._whereabouts is None:
            return None
        start, base = self._video.start_time, self._video.time_base
        since_start = None if taken is None or base is None else taken - float((start or 0) * base)
        return self._whereabouts.pose(taken, since_start, moment)

    def _tell_how(self) -> None:
        """Say once, and again when it changes, what is decoded of this stream."""
        gop, suffice = self._sampler.gop_s, self._sampler.keyframes_suffice
        if self._keyframes_only or gop is None or suffice is self._sufficed:
            return
        self._sufficed = suffice
        if suffice:
            log.info("keyframes suffice", camera_id=self.camera_id, gop_s=round(gop, 2))
        else:
            log.warning(
                "keyframes come too seldom for the wanted interval: decoding fully, at many times the cost; "
                "shorten the camera's keyframe interval or lengthen interval_s",
                camera_id=self.camera_id,
                gop_s=round(gop, 2),
                interval_s=self._options.interval_s,
            )

    def _tell_clock(self, t: float) -> None:
        """Say once that the stream's clock is wrong."""
        offset_s = self._times.offset_s
        if self._clock_told or offset_s is None:
            return
        self._clock_since = t if self._clock_since is None else min(t, self._clock_since)
        if t - self._clock_since < CLOCK_KNOWN_S:
            return
        self._clock_told = True
        if not self._times.believed:
            log.warning(
                "the camera's clock is wrong: its pictures are timed by when they come; set it by NTP",
                camera_id=self.camera_id,
                clock_offset_s=round(offset_s, 1),
            )

    def _pace(self, frame: Frame) -> None:
        """Files in real time: wait until the frame's moment; ends at once on close."""
        if self._live or not self._options.realtime:
            return
        now = time.monotonic()
        if self._began is None:
            self._began = (now, frame.captured_at)
        begun, first = self._began
        ahead = (frame.captured_at - first).total_seconds() - (now - begun)
        if ahead > 0:
            self._closing.wait(ahead)

    def _demuxed(self) -> Generator[Packet[VideoStream]]:
        """All packets of the video; survives damaged ones."""
        broken = 0
        streams = [self._video] if self._data is None else [self._video, self._data]
        while True:
            try:
                for packet in self._container.demux(streams):
                    broken = 0
                    if self._whereabouts is not None and packet.stream is self._data:
                        self._whereabouts.take(packet, seconds(packet))
                    else:
                        yield cast("Packet[VideoStream]", packet)
            except av.error.InvalidDataError:
                broken += 1
                if broken > BROKEN_READS:
                    raise
                continue
            return
