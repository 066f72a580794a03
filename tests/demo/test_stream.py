"""The demo's camera: a real RTSP stream that never ends, for several visitors."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from detector.demo.stream import serve
from detector.errors import SourceUnreachable
from detector.sources.options import StreamOptions, VisitOptions
from detector.sources.video import open_video
from detector.sources.visit import visit
from tests.sources.clips import drawn, now, read_until_it_fails

pytest.importorskip("aio_rtsp_toolkit")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return drawn(tmp_path / "street 1.mp4", seconds=3, gop=25)


def test_the_clip_is_served_in_a_loop_with_time_stamps_that_go_on(clip: Path) -> None:
    with serve(clip) as camera:
        source = open_video(camera.url, "demo", StreamOptions(interval_s=1), now)
        found = [source.read() for _ in range(6)]  # twice the clip's length
        source.close()
    times = [frame.captured_at for frame in found if frame is not None]
    assert len(times) == 6
    assert times == sorted(times)
    span = (times[-1] - times[0]).total_seconds()
    assert 4 < span < 7, "real time, in stream time"
    assert source.has_clock


def test_several_visitors_at_once(clip: Path) -> None:
    with serve(clip) as camera:
        sources = [open_video(camera.url, str(n), StreamOptions(interval_s=1), now) for n in range(3)]
        for source in sources:
            assert source.read() is not None
        assert visit(camera.url, "demo", VisitOptions(), now).size == (640, 360)
        for source in sources:
            source.close()


def test_stopping_hangs_up_and_leaves_no_thread(clip: Path) -> None:
    before = set(threading.enumerate())
    camera = serve(clip)
    source = open_video(camera.url, "demo", StreamOptions(interval_s=1), now)
    assert source.read() is not None
    camera.stop()
    camera.stop()
    with pytest.raises(SourceUnreachable):
        read_until_it_fails(source)
    source.close()
    assert set(threading.enumerate()) <= before


def test_no_clip_and_no_port_are_told(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="no such clip"):
        serve(tmp_path / "none.mp4")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SourceUnreachable, match="port"):
        serve(clip, taken.getsockname()[1])
