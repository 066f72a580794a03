"""What a camera or file sends, for `doctor` and `cameras test`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import av

from detector.errors import SourceUnreadable
from detector.sources.container import is_live, open_container, shown, translated, video_of
from detector.sources.decoding import BgrConverter, GopDecoder
from detector.sources.picture import is_dark, small_grey, without_street
from detector.sources.sampling import Sampler
from detector.sources.timing import LiveClock
from detector.sources.video import begins_group, seconds, stream_clock


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What was found on one connection."""

    codec: str  # FFmpeg's name: h264, hevc, mjpeg ...
    size: tuple[int, int]  # (width, height) of the first picture, pixels
    fps: float | None  # pictures per second as they came, by their time stamps; None: fewer than two came
    gop_s: float | None  # longest distance between keyframes seen, seconds; None: not two within the watch
    gop_at_least_s: float  # no keyframe for so long at the end of the watch, seconds
    bit_rate: float | None  # of the video, bit/s over the watch; None: unknown
    seconds_to_open: float  # until the server had answered
    seconds_to_first_frame: float  # until the first picture was decoded, from the beginning
    has_clock: bool  # whether the stream tells its own clock (RTCP sender reports)
    clock_offset_s: float | None  # that clock minus ours, seconds
    broken_packets: int  # that could not be decoded
    remark: str | None  # what is wrong with the picture itself, one line


def probe(
    url: str,
    *,
    watch_s: float = 6.0,
    open_timeout_s: float = 5.0,
    read_timeout_s: float = 5.0,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> StreamReport:
    """Connect, watch for `watch_s` seconds of stream time after the first picture, report, leave.

    Ends early once three keyframes and, on a stream, its clock were seen. RTSP servers send their clock within about
    5 s. Raises SourceUnreachable or SourceUnreadable.
    """
    began = time.monotonic()
    container = open_container(url, open_timeout_s, read_timeout_s)
    opened = time.monotonic()
    try:
        video = video_of(container, url)
        decoder, sampler, clock = GopDecoder(video), Sampler(0.0), LiveClock(float("inf"))
        first: tuple[float, tuple[int, int], str | None] | None = None
        times: list[float] = []
        keyframes, size_bytes = 0, 0
        for packet in container.demux(video):
            if packet.size == 0:
                continue
            if time.monotonic() - began > open_timeout_s + watch_s + 30:
                break
            t, keyframe = seconds(packet), begins_group(packet)
            if t is not None:
                times.append(t)
                sampler.see(t, keyframe=keyframe)
                clock.observe(t, now(), stream_clock(packet))
            keyframes += keyframe
            size_bytes += packet.size
            if first is None and keyframe:
                decoder.start(packet)
                picture = decoder.picture()
                if picture is not None:
                    grey = small_grey(BgrConverter(None).image(picture))
                    remark = without_street(grey) or ("too dark to see by" if is_dark(grey) else None)
                    first = (time.monotonic() - began, (picture.width, picture.height), remark)
            if first is not None and times:
                told = clock.offset_s is not None or not is_live(url)
                if max(times) - min(times) > watch_s or (keyframes > 3 and told):
                    break
        if first is None:
            raise SourceUnreadable(f"{shown(url)}: no picture could be decoded")
        span = max(times) - min(times) if times else 0.0
        return StreamReport(
            codec=video.codec_context.name,
            size=first[1],
            fps=(len(times) - 1) / span if span > 0 else None,
            gop_s=sampler.longest_gop_s,
            gop_at_least_s=sampler.since_keyframe_s,
            bit_rate=size_bytes * 8 / span if span > 0 else None,
            seconds_to_open=opened - began,
            seconds_to_first_frame=first[0],
            has_clock=clock.offset_s is not None,
            clock_offset_s=clock.offset_s,
            broken_packets=decoder.broken,
            remark=first[2],
        )
    except av.FFmpegError as error:
        raise translated(error, url, f"no data for {read_timeout_s:g} s") from error
    finally:
        container.close()
