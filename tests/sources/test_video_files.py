"""Video files as sources, on real clips."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import pytest

from detector.core.frame import Frame, Image
from detector.errors import SourceUnreachable, SourceUnreadable
from detector.sources.options import StreamOptions
from detector.sources.video import BROKEN_READS, VideoSource, open_video
from tests.sources.clips import NOON, drawn, noon, remux


def frames(path: Path, options: StreamOptions) -> list[Frame]:
    source = open_video(str(path), "gate", options, noon)
    try:
        return list(iter(source.read, None))
    finally:
        source.close()


def at_seconds(found: list[Frame]) -> list[float]:
    return [(frame.captured_at - NOON).total_seconds() for frame in found]


CLIPS = {
    "lifecycle/street-left-kerb.mp4": ((1280, 720), 120.0),
    "lifecycle/always-there-then-gone.mp4": ((1280, 720), 100.0),  # H.265
    "street/car-detection.mp4": ((768, 432), 30.2),
    "street/traffic-high.mp4": ((640, 360), 20.0),
    "street/motorway-mpeg4.avi": ((320, 240), 30.0),
    "street/road-msmpeg4.avi": ((640, 360), 12.5),
    "street/dashcam-solidWhiteRight.mp4": ((960, 540), 8.8),
    "telemetry/misb-st0601.ts": ((640, 480), 9.2),
}


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("interval_s", [1.0, 4.0])
def test_every_real_clip_is_sampled_at_the_wanted_interval(shared: Path, name: str, interval_s: float) -> None:
    size, length = CLIPS[name]
    found = frames(shared / "clips" / name, StreamOptions(interval_s=interval_s))
    assert {frame.size for frame in found} == {size}
    times = at_seconds(found)
    assert times[0] == 0
    assert len(found) == pytest.approx(length / interval_s, abs=1.5 if name.endswith("mp4") else 4)
    assert times == sorted(set(times))


def decoded_fully(path: Path) -> dict[float, Image]:
    with av.open(str(path)) as container:
        return {round(frame.time, 3): frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)}


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"bf": "0"}),
        ("libx264", {"bf": "3", "preset": "medium"}),
        ("libx265", {"x265-params": "log-level=none"}),
    ],
)
@pytest.mark.parametrize("interval_s", [0.3, 1.0, 2.0])
def test_what_is_decoded_late_is_what_full_decoding_gives(
    tmp_path: Path, codec: str, options: dict[str, str], interval_s: float
) -> None:
    clip = drawn(tmp_path / "clip.mp4", codec=codec, **options)
    truth = decoded_fully(clip)
    first = min(truth)
    found = frames(clip, StreamOptions(interval_s=interval_s))
    assert len(found) >= 5.5 / interval_s
    for frame, seconds in zip(found, at_seconds(found), strict=True):
        exact = truth[min(truth, key=lambda t: abs(t - first - seconds))]
        # scaling routines differ by rounding only; a wrong or damaged picture is off by far more
        assert np.abs(frame.image.astype(int) - exact).mean() < 1.0
    spacing = np.diff(at_seconds(found))
    assert spacing.mean() == pytest.approx(interval_s, rel=0.1)


@pytest.mark.parametrize(("interval_s", "looks"), [(3, 4), (1, 12)])  # a keyframe each second
def test_keyframes_alone_are_decoded_where_they_suffice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interval_s: float, looks: int
) -> None:
    counted = []

    def decode(self: object, packet: object) -> object:
        counted.append(packet)
        return original(self, packet)

    from detector.sources.decoding import GopDecoder

    original = GopDecoder._decode
    monkeypatch.setattr(GopDecoder, "_decode", decode)
    clip = drawn(tmp_path / "clip.mp4", seconds=12, gop=25)  # 12 keyframes
    source = open_video(str(clip), "gate", StreamOptions(interval_s=interval_s), noon)
    found = list(iter(source.read, None))
    assert len(found) == looks
    assert source.gop_s == 1.0
    assert not source.decodes_fully
    source.close()
    assert sum(packet is not None for packet in counted) == looks  # not even the other keyframes


def test_a_hastened_stream_gives_the_next_keyframe_and_keeps_its_interval(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "clip.mp4", seconds=17, gop=50)  # a keyframe each 2 s
    source = open_video(str(clip), "gate", StreamOptions(interval_s=6), noon)
    found = []
    while (frame := source.read()) is not None:
        found.append(frame)
        if len(found) in (1, 3):
            source.hasten()
    source.close()
    assert at_seconds(found) == [0, 2, 6, 8, 12]


def test_long_groups_of_pictures_are_decoded_fully_and_said_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = drawn(tmp_path / "clip.mp4", seconds=12, gop=125)
    source = open_video(str(clip), "gate", StreamOptions(interval_s=1), noon)
    with caplog.at_level("WARNING", logger="detector.sources.video"):
        found = list(iter(source.read, None))
    source.close()
    assert len(found) in (12, 13)
    assert source.decodes_fully
    assert source.gop_s == 5.0
    assert "keyframes come too seldom" in caplog.text


def test_size_changes_and_time_jumps_are_survived(shared: Path, tmp_path: Path) -> None:
    clips = shared / "clips" / "street"
    parts = [
        remux([clips / "car-detection.mp4"], tmp_path / "a.ts"),
        remux([clips / "traffic-high.mp4"], tmp_path / "b.ts"),
        remux([clips / "car-detection.mp4"], tmp_path / "c.ts"),
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))  # the counter starts anew with each
    found = frames(joined, StreamOptions(interval_s=2))
    assert [frame.size for frame in found].count((768, 432)) >= 20
    assert [frame.size for frame in found].count((640, 360)) >= 6
    times = at_seconds(found)
    assert times == sorted(set(times))
    assert 70 < times[-1] < 90


@pytest.mark.parametrize("kind", ["noise", "cut"])
def test_broken_packets_are_survived_and_no_broken_picture_is_given(shared: Path, tmp_path: Path, kind: str) -> None:
    clip = shared / "clips" / "lifecycle" / "street-left-kerb.mp4"
    rng = np.random.default_rng(3)

    def spoil(number: int, data: bytes) -> bytes:
        if number % 7 != 3 and number % 100 != 0:
            return data
        if kind == "cut":
            return data[: max(8, len(data) // 3)]
        noisy = bytearray(data)
        for place in rng.integers(len(data) // 2, len(data), 6):
            noisy[place] ^= 0xFF
        return bytes(noisy)

    broken = remux([clip], tmp_path / "broken.mkv", spoil=spoil)
    truth = {frame.captured_at: frame.image for frame in frames(clip, StreamOptions(interval_s=2))}
    found = frames(broken, StreamOptions(interval_s=2))
    assert 20 <= len(found) < len(truth)  # every other keyframe was spoilt
    for frame in found:
        near = min(truth, key=lambda moment: abs(moment - frame.captured_at))
        if abs((near - frame.captured_at).total_seconds()) < 0.02:
            difference = np.abs(frame.image.astype(int) - truth[near]).mean()
            assert difference < 2, f"a damaged picture was given at {frame.captured_at}"


class Stumbling:
    """A container whose reading fails `failures` times in a row after each ten packets."""

    def __init__(self, container: Any, failures: int) -> None:
        self._container = container
        self._failures = failures
        self._count = self._failed = 0
        self.tries = 0

    def demux(self, video: Any) -> Iterator[Any]:
        self.tries += 1
        if self._count % 10 == 9 and self._failed < self._failures:
            self._failed += 1
            raise av.error.InvalidDataError(1094995529, "Invalid data found when processing input")
        self._failed = 0
        for packet in self._container.demux(video):
            self._count += 1
            yield packet
            if self._count % 10 == 9 and self._failures:
                self._failed = 1
                raise av.error.InvalidDataError(1094995529, "Invalid data found when processing input")

    def close(self) -> None:
        self._container.close()


@pytest.mark.parametrize("failures", [1, BROKEN_READS])
def test_reading_goes_on_over_damage_in_the_container(tmp_path: Path, failures: int) -> None:
    clip = drawn(tmp_path / "clip.mp4", seconds=4, gop=25)
    whole = frames(clip, StreamOptions(interval_s=0.0))
    source = open_video(str(clip), "gate", StreamOptions(interval_s=0.0), noon)
    source._container = stumbling = Stumbling(source._container, failures)  # type: ignore[assignment]
    found = list(iter(source.read, None))
    source.close()
    assert stumbling.tries > 5
    assert at_seconds(found) == at_seconds(whole)


def test_a_container_in_which_nothing_can_be_read_any_more_is_told(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "clip.mp4", seconds=2, gop=25)
    source = open_video(str(clip), "gate", StreamOptions(interval_s=0.0), noon)
    source._container = Stumbling(source._container, BROKEN_READS + 1)  # type: ignore[assignment]
    with pytest.raises(SourceUnreadable, match="no video that can be read"):
        list(iter(source.read, None))
    source.close()


def test_rotated_and_scaled(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "clip.mp4", seconds=1)
    (frame, *_) = frames(clip, StreamOptions(interval_s=1, max_width=320))
    assert frame.size == (320, 180)
    assert frame.image.flags["C_CONTIGUOUS"]
    (frame, *_) = frames(clip, StreamOptions(interval_s=1, max_width=4000))
    assert frame.size == (640, 360)


def test_missing_foreign_and_empty_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="no such file"):
        open_video(str(tmp_path / "none.mp4"), "gate", StreamOptions(), noon)
    with pytest.raises(SourceUnreachable, match="is a folder"):
        open_video(str(tmp_path), "gate", StreamOptions(), noon)
    (tmp_path / "text.mp4").write_text("not a video " * 1000)
    with pytest.raises(SourceUnreadable, match=r"text\.mp4"):
        open_video(str(tmp_path / "text.mp4"), "gate", StreamOptions(), noon)
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises((SourceUnreadable, SourceUnreachable), match=r"empty\.mp4"):
        open_video(str(tmp_path / "empty.mp4"), "gate", StreamOptions(), noon)
    with pytest.raises(SourceUnreadable, match=r"concat:// are not read"):
        open_video("concat://a|b", "gate", StreamOptions(), noon)


def test_a_playlist_does_not_reach_beyond_files(tmp_path: Path) -> None:
    (tmp_path / "list.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises((SourceUnreadable, SourceUnreachable)):
        open_video(str(tmp_path / "list.m3u8"), "gate", StreamOptions(), noon).read()


def test_real_time_reading_ends_at_once_on_close(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "clip.mp4", seconds=4, rate=1, gop=1)
    source = open_video(str(clip), "gate", StreamOptions(interval_s=3, realtime=True), noon)
    assert source.read() is not None
    ended = threading.Event()

    def read_on(blocked: VideoSource) -> None:
        while blocked.read() is not None:
            pass
        ended.set()

    thread = threading.Thread(target=read_on, args=(source,))
    thread.start()
    source.close()
    source.close()
    thread.join(10)
    assert ended.is_set()
    assert source.read() is None


def test_options_that_make_no_sense_are_refused() -> None:
    for wrong in ({"interval_s": -1}, {"read_timeout_s": 0}, {"max_width": 1}):
        with pytest.raises(ValueError, match="must"):
            StreamOptions(**wrong)  # type: ignore[arg-type]
