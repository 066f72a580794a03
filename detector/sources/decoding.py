"""From coded packets to pictures: decodes as late and as little as it can."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

import av
import numpy as np
from av.codec import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from detector.core.frame import Image

HELD_BYTES = 4_000_000
"""Coded packets held undecoded, per stream: about 8 s of a 4 Mbit/s camera."""

MAX_PIXELS = 64_000_000
"""Larger pictures are refused by the decoder: 8K has 33 million pixels, a forged header may claim anything."""

STRICT_CODECS = frozenset({"h264", "hevc"})
"""Decoders that patch over damage unless told to fail. H.264 then still marks the picture, HEVC does not."""

REFUSALS_BEFORE_LENIENT = 3
"""Some cameras write slightly illegal streams; a strict decoder that refuses this many keyframes is replaced."""


class _DamagedError(Exception):
    """The group of pictures cannot be decoded any further."""


class GopDecoder:
    """Holds the packets of the running group of pictures and decodes them only when a picture is asked for.

    A keyframe that nobody asks for costs nothing, and so does everything behind the last picture asked for.
    One thread: each stream has its own decoder, and a second thread per decoder costs more memory than it gains.
    """

    def __init__(self, stream: VideoStream) -> None:
        """`stream`: the opened video stream whose packets will be given."""
        self._stream = stream
        self._name = stream.codec_context.name
        self._strict = self._name in STRICT_CODECS
        self._refused = 0
        self._codec = self._prepared(stream.codec_context)
        self._held: list[Packet[VideoStream]] = []
        self._held_bytes = 0
        self._whole = False  # whether the group can be decoded up to here
        self._primed = False  # whether the decoder has decoded all of the group that is no longer held
        self.broken = 0  # packets that could not be decoded

    def _prepared(self, codec: VideoCodecContext) -> VideoCodecContext:
        codec.thread_count = 1
        codec.options = {"max_pixels": str(MAX_PIXELS)}
        if self._strict:
            codec.options["err_detect"] = "explode"
        return codec

    @property
    def is_strict(self) -> bool:
        """Whether pictures with any damage are refused by the decoder itself."""
        return self._strict

    def start(self, keyframe: Packet[VideoStream]) -> None:
        """A new group of pictures begins; what was held of the last one is forgotten."""
        self._held = [keyframe]
        self._held_bytes = keyframe.size
        self._whole, self._primed = not keyframe.is_corrupt, False

    def follow(self, packet: Packet[VideoStream], *, likely: bool) -> None:
        """The next packet of the group; `likely` tells whether a picture of this group will be asked for."""
        if not self._whole:
            return
        if packet.is_corrupt:
            self._forget()
            return
        self._held.append(packet)
        self._held_bytes += packet.size
        if self._held_bytes > HELD_BYTES:
            if likely:
                with suppress(_DamagedError):
                    self._through()
            else:
                self._forget()

    def picture(self) -> VideoFrame | None:
        """Decode what is held and return the newest picture; None if it is damaged or there is none."""
        if not self._whole or not self._held:
            return None
        fresh, held = not self._primed, self._held
        try:
            picture = self._through()
            if picture is None and fresh:
                # The decoder waits for pictures to put in order. Drain it; the group must then be begun again.
                picture = self._decode(None)
                self._held, self._held_bytes = held, sum(packet.size for packet in held)
                self._primed = False
        except _DamagedError:
            picture = None
        if fresh:
            self._judge_strictness(refused=picture is None)
        if picture is None or picture.is_corrupt:
            return None
        return picture

    def _through(self) -> VideoFrame | None:
        """Decode all that is held; the newest picture that comes out. Raises _DamagedError."""
        if not self._primed:
            if self._codec.is_open:
                self._codec.flush_buffers()
            self._primed = True
        held, self._held, self._held_bytes = self._held, [], 0
        newest: VideoFrame | None = None
        for packet in held:
            newest = self._decode(packet) or newest
        return newest

    def _decode(self, packet: Packet[VideoStream] | None) -> VideoFrame | None:
        try:
            pictures = self._codec.decode(packet)
        except av.FFmpegError as error:
            self.broken += 1
            self._forget()
            raise _DamagedError from error
        return pictures[-1] if pictures else None

    def _forget(self) -> None:
        self._held, self._held_bytes = [], 0
        self._whole = self._primed = False

    def _judge_strictness(self, *, refused: bool) -> None:
        self._refused = self._refused + 1 if refused else 0
        if self._strict and self._refused >= REFUSALS_BEFORE_LENIENT:
            self._strict = False
            lenient = cast(VideoCodecContext, CodecContext.create(self._name, "r"))
            lenient.extradata = self._stream.codec_context.extradata
            self._codec = self._prepared(lenient)
            self._forget()


class BgrConverter:
    """Scales and converts decoded pictures; keeps its tables from one picture to the next."""

    def __init__(self, max_width: int | None) -> None:
        """`max_width`: pictures that are wider are scaled down to it, pixels."""
        self._max_width = max_width
        self._reformatter = VideoReformatter()

    def image(self, picture: VideoFrame) -> Image:
        """The picture as (H, W, 3) uint8 BGR, upright."""
        width, height = picture.width, picture.height
        if self._max_width is not None and width > self._max_width:
            height = max(2, round(height * self._max_width / width / 2) * 2)
            width = self._max_width
        converted = self._reformatter.reformat(
            picture, width, height, "bgr24", interpolation=Interpolation.AREA, threads=1
        )
        image = cast(Image, converted.to_ndarray())
        turns = round(picture.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
