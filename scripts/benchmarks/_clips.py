"""Clips for benchmarks: a street as a 1080p camera would send it."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
TRAFFIC = Path(os.environ.get("STREET_SHARED", ROOT.parent / "shared")) / "clips" / "street" / "traffic-high.mp4"
DEMO = ROOT / "detector" / "demo" / "street.mp4"


def content() -> tuple[Path, str]:
    """The clip that is enlarged, and what it shows: real traffic where there is such a clip, else the calm demo."""
    return (TRAFFIC, "real traffic") if TRAFFIC.is_file() else (DEMO, "the demo's calm street")


def camera_clip(target: Path, codec: str, *, coded_s: int = 12, times: int = 5, rate: int = 25, gop: int = 50) -> Path:
    """1080p with sensor noise, a keyframe each `gop` frames, 4 Mbit/s; `codec` is libx264 or libx265.

    `coded_s` seconds are coded and repeated `times` times: opening a file must not weigh in what a stream costs.
    """
    source, _ = content()
    part = target.with_name(f"part-{target.name}")
    with av.open(str(source)) as street, av.open(str(part), "w") as output:
        stream = output.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        stream.bit_rate = 4_000_000
        stream.codec_context.gop_size = gop
        # As encoders in cameras work: no look-ahead, no B-frames, one slice.
        stream.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": "sliced-threads=0:scenecut=0"}
        if codec == "libx265":
            keys = f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:log-level=none"
            stream.options = {"preset": "ultrafast", "tune": "zerolatency", "x265-params": keys}
        rng = np.random.default_rng(1)
        noises = [rng.normal(0, 2, (1080 * 3 // 2, 1920)).astype(np.float32) for _ in range(7)]
        for number, frame in zip(range(coded_s * rate), street.decode(video=0), strict=False):
            large = frame.reformat(1920, 1080, "yuv420p").to_ndarray().astype(np.float32)
            noisy = np.clip(large + noises[number % len(noises)], 16, 240).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(noisy, format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, rate)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    repeat(part, target, times, coded_s)
    part.unlink()
    return target


def repeat(part: Path, target: Path, times: int, seconds: int) -> None:
    """`part` behind itself, its coded pictures as they are."""
    with av.open(str(target), "w") as output:
        stream = None
        for turn in range(times):
            with av.open(str(part)) as source:
                video = source.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    offset = round(turn * seconds / packet.time_base)
                    packet.dts, packet.pts = packet.dts + offset, packet.pts + offset
                    packet.stream = stream
                    output.mux(packet)
