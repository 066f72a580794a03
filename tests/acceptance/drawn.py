"""What the acceptance runs need when there is no real data: a tiny network and clips that are drawn."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from detector.inference.bundle import LabelEntry
from detector.inference.seal import seal
from tests.inference.conftest import colour_model


def colour_bundle(folder: Path, labels: tuple[str, str, str] = ("garbage", "bin", "cone")) -> Path:
    """A bundle whose three labels score the mean red, green and blue of the picture, the box in the middle."""
    pytest.importorskip("onnx")
    exported = folder.with_suffix(".onnx")
    exported.write_bytes(colour_model())
    seal(
        exported,
        folder,
        name="colours",
        version="1",
        created=datetime(2026, 1, 2, tzinfo=UTC),
        licence="CC0-1.0",
        labels=[LabelEntry(name=label, threshold=0.55) for label in labels],
        nominal_size=(64, 64),
    )
    return folder


def write_clip(path: Path, seconds: int, red: range, *, fps: int = 5, size: tuple[int, int] = (320, 240)) -> Path:
    """A still street of noise that turns red during the seconds of `red`: garbage, to the colour network.

    H.264, a keyframe each second.
    """
    rng = np.random.default_rng(1)
    width, height = size
    street = rng.integers(20, 120, (height // 8, width // 8, 3)).repeat(8, 0).repeat(8, 1)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"bf": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = width, height, "yuv420p", fps
        stream.time_base = Fraction(1, fps)
        for number in range(seconds * fps):
            picture = street + rng.integers(-4, 5, street.shape)
            if number // fps in red:
                picture = picture + np.array([0, 0, 130])
            frame = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), "bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def looped(clip: Path, path: Path, size: tuple[int, int], seconds: int) -> Path:
    """A clip in another size, again and again for so many seconds; H.264 with a keyframe each second."""
    with av.open(clip) as source:
        rate = round(source.streams.video[0].average_rate or 25)
        pictures = [frame.reformat(*size, format="yuv420p") for frame in source.decode(video=0)]
    with av.open(path, "w") as target:
        stream = target.add_stream("libx264", rate=rate, options={"bf": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, "yuv420p", rate
        for number in range(seconds * rate):
            picture = pictures[number % len(pictures)]
            picture.pts, picture.time_base = number, Fraction(1, rate)
            target.mux(stream.encode(picture))
        target.mux(stream.encode())
    return path
