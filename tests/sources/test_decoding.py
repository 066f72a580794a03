"""The decoder on damaged and on slightly illegal streams."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from detector.sources.decoding import REFUSALS_BEFORE_LENIENT, BgrConverter, GopDecoder
from tests.sources.clips import drawn


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return drawn(tmp_path / "clip.mp4", seconds=8, gop=25)


def test_a_picture_is_decoded_once_it_is_asked_for_and_only_then(clip: Path) -> None:
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        decoder = GopDecoder(video)
        assert decoder.picture() is None
        numbers = []
        for number, packet in enumerate(container.demux(video)):
            if packet.size == 0:
                break
            if packet.is_keyframe:
                decoder.start(packet)
            else:
                decoder.follow(packet, likely=True)
            if number in (0, 10, 24, 25, 60):
                picture = decoder.picture()
                assert picture is not None
                numbers.append(round(picture.time * 25))
        assert numbers == [0, 10, 24, 25, 60]


@pytest.mark.parametrize("likely", [True, False])
def test_what_is_held_of_a_group_is_bounded(clip: Path, monkeypatch: pytest.MonkeyPatch, likely: bool) -> None:
    """Wanted groups are decoded through then; of others nothing can be had until the next keyframe."""
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        packets = [packet for packet in container.demux(video) if packet.size]
        bound = packets[0].size + 3 * max(packet.size for packet in packets[1:10])
        monkeypatch.setattr("detector.sources.decoding.HELD_BYTES", bound)
        second = next(number for number, packet in enumerate(packets) if number and packet.is_keyframe)
        decoder = GopDecoder(video)
        decoder.start(packets[0])
        for packet in packets[1:second]:
            decoder.follow(packet, likely=likely)
            assert sum(held.size for held in decoder._held) <= bound
        end_of_first = decoder.picture()
        assert (end_of_first is not None) is likely
        if end_of_first is not None:
            assert end_of_first.pts == packets[second - 1].pts
        decoder.start(packets[second])
        assert decoder.picture() is not None


def test_a_damaged_packet_ends_its_group_and_the_next_keyframe_mends_all(clip: Path) -> None:
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        decoder = GopDecoder(video)
        outcome = []
        for number, packet in enumerate(container.demux(video)):
            if packet.size == 0:
                break
            if packet.is_keyframe:
                decoder.start(packet)
            else:
                if number == 10:
                    packet = av.Packet(b"\x00\x00\x00\x04\x41\xff\xff\xff")
                decoder.follow(packet, likely=True)
            if number in (5, 12, 20, 25, 30):
                outcome.append((number, decoder.picture() is not None))
        assert outcome == [(5, True), (12, False), (20, False), (25, True), (30, True)]
        assert decoder.broken == 1


def test_a_stream_that_no_strict_decoder_takes_is_decoded_leniently(clip: Path) -> None:
    """A scrap of a slice behind every keyframe: a camera with a faulty encoder, not a lossy line."""
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        decoder = GopDecoder(video)
        given = []
        for packet in container.demux(video):
            if packet.size == 0 or not packet.is_keyframe:
                continue
            spoilt = av.Packet(bytes(packet) + b"\x00\x00\x00\x05\x41\xff\xff\xff\xff")
            spoilt.pts, spoilt.dts, spoilt.time_base = packet.pts, packet.dts, packet.time_base
            spoilt.is_keyframe = True
            decoder.start(spoilt)
            given.append(decoder.picture() is not None)
        assert given == [False] * REFUSALS_BEFORE_LENIENT + [True] * (8 - REFUSALS_BEFORE_LENIENT)
        assert not decoder.is_strict


def test_a_forged_size_is_refused(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "huge.mkv", size=(8704, 8192), rate=1, seconds=1, gop=1)
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        decoder = GopDecoder(video)
        for packet in container.demux(video):
            if packet.size:
                decoder.start(packet)
                assert decoder.picture() is None


@pytest.mark.parametrize(("width", "size"), [(None, (640, 360)), (320, (320, 180)), (100, (100, 56))])
def test_pictures_are_scaled_down_in_one_step(clip: Path, width: int | None, size: tuple[int, int]) -> None:
    with av.open(str(clip)) as container:
        frame = next(container.decode(video=0))
        image = BgrConverter(width).image(frame)
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8
