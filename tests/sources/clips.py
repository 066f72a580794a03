"""Clips for tests: cut, joined and damaged from real ones, or drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from detector.ports import FrameSource

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def noon() -> datetime:
    """A clock that stands still."""
    return NOON


def now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def read_until_it_fails(source: FrameSource) -> None:
    """Read on, for ever if need be."""
    while source.read() is not None:
        pass


def remux(
    sources: Sequence[Path],
    target: Path,
    *,
    seconds: float = 1e9,
    spoil: Callable[[int, bytes], bytes] | None = None,
    shift: Sequence[float] | None = None,
    **options: str,
) -> Path:
    """Copy the coded video of `sources`, one behind the other, into `target`; the file name tells the format.

    At most `seconds` of each. `spoil` gets the number and data of each packet and returns what is written. `shift`
    gives for each source where its time stamps begin, in seconds; by default each goes on where the last one ended.
    """
    number, begin = 0, 0.0
    with av.open(str(target), "w", options=options) as output:
        stream = None
        for index, source in enumerate(sources):
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                if stream is None:
                    stream = output.add_stream_from_template(video)
                if shift is not None:
                    begin = shift[index]
                end = begin
                for packet in container.demux(video):
                    if packet.dts is None or float(packet.dts * packet.time_base) > seconds:
                        continue
                    data = bytes(packet)
                    copy = av.Packet(data if spoil is None else spoil(number, data))
                    offset = round(begin / packet.time_base)
                    copy.time_base = packet.time_base
                    copy.dts = packet.dts + offset
                    copy.pts = None if packet.pts is None else packet.pts + offset
                    copy.is_keyframe = packet.is_keyframe
                    copy.stream = stream
                    output.mux(copy)
                    end = max(end, float((copy.dts + (packet.duration or 0)) * packet.time_base))
                    number += 1
                begin = end
    return target


def drawn(
    target: Path,
    *,
    size: tuple[int, int] = (640, 360),
    rate: int = 25,
    seconds: float = 6,
    gop: int = 50,
    codec: str = "libx264",
    picture: Callable[[int], NDArray[np.uint8]] | None = None,
    **options: str,
) -> Path:
    """Code a clip of noise with a moving square, or of `picture(number)` as (H, W, 3) uint8 BGR."""
    width, height = size
    rng = np.random.default_rng(1)
    ground = rng.integers(60, 200, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)

    def square(number: int) -> NDArray[np.uint8]:
        image = np.zeros((height, width, 3), np.uint8)
        image[: ground.shape[0], : ground.shape[1]] = ground
        left = (number * 4) % (width - 40)
        image[40:80, left : left + 40] = 255
        return image

    with av.open(str(target), "w") as output:
        stream = output.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = gop
        stream.options = {"sc_threshold": "0", "preset": "ultrafast", **options}
        for number in range(round(rate * seconds)):
            image = (picture or square)(number)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                output.mux(packet)
        for packet in stream.encode(None):
            output.mux(packet)
    return target
