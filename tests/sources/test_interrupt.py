"""Whoever waits for a silent camera can be called off: servers that hang, with timeouts that are out of reach."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.core.camera import Camera, SamplingMode
from detector.core.frame import Frame
from detector.core.look import Condition, LookStatus
from detector.sources.interrupt import Interrupt
from detector.sources.options import StreamOptions, VisitOptions
from detector.sources.video import VideoSource, open_video
from detector.sources.visit import visit
from detector.worker.gate import OpenGate
from detector.worker.mailbox import Mailbox
from detector.worker.patrol import Patrol
from detector.worker.reader import StreamReader
from tests.servers.ffmpeg import ffmpeg
from tests.servers.hanging import STAGES, hanging_site
from tests.servers.process import free_port
from tests.servers.rtsp import Mount, RtspServer, SilentServer
from tests.sources.clips import drawn, now, remux
from tests.worker.doubles import until

PATIENT = StreamOptions(interval_s=0, open_timeout_s=600, read_timeout_s=600, no_picture_s=600)
"""Whoever ends under these was interrupted."""

HANGS_AFTER_S = 0.5
"""Long enough to run into the silence."""

ENDS_S = 60.0
"""Against hanging only."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn(tmp_path_factory.mktemp("clip") / "street.mp4", seconds=8, gop=25)


@pytest.fixture
def site(clip: Path, tmp_path: Path) -> Iterator[str]:
    remux([clip], tmp_path / "live.flv")
    for number in range(2):
        remux([clip], tmp_path / f"{number}.ts", seconds=4)
    with hanging_site(tmp_path) as address:
        yield address


class Reading:
    """A reader of one camera, and whether it has got a picture."""

    def __init__(self, url: str) -> None:
        self.got = threading.Event()
        camera = Camera("gate", url, realtime=True)
        self.reader = StreamReader(
            *(camera, lambda one: open_video(one.url, one.id, PATIENT, now), self._judged),
            *(Mailbox(), OpenGate(1000), now),
        )
        self.reader.start()

    def _judged(self, _frame: Frame) -> Condition:
        self.got.set()
        return Condition(LookStatus.OK)

    def stop_while_it_hangs(self) -> None:
        time.sleep(HANGS_AFTER_S)
        assert self.reader.is_alive()
        self.reader.stop()
        self.reader.join(ENDS_S)
        assert not self.reader.is_alive(), "it was called off"


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "rtmp", "http", "https", "hls"])
def test_an_opening_without_an_answer_is_ended(silent_server: SilentServer, scheme: str) -> None:
    prefix, suffix = ("http", ".m3u8") if scheme == "hls" else (scheme, ".flv")
    Reading(f"{prefix}://127.0.0.1:{silent_server.port}/live/gate{suffix}").stop_while_it_hangs()


@pytest.mark.parametrize("stage", STAGES)
def test_hls_is_ended_at_whatever_stage_it_hangs(site: str, stage: str) -> None:
    reading = Reading(f"{site}/hls/{stage}/live.m3u8")
    if stage in ("tail", "reload"):
        assert reading.got.wait(ENDS_S)
    reading.stop_while_it_hangs()


def test_http_flv_that_stops_in_the_middle_is_ended(site: str) -> None:
    reading = Reading(f"{site}/half/live.flv")
    assert reading.got.wait(ENDS_S)
    reading.stop_while_it_hangs()


@pytest.mark.server
@pytest.mark.parametrize("scheme", ["rtmp", "http"])
def test_a_frozen_sender_of_flv_is_left(clip: Path, tmp_path: Path, scheme: str) -> None:
    """The ffmpeg program as the server; its first visitor is its only one, so the reader tries until it is there."""
    url = f"{scheme}://127.0.0.1:{free_port()}/live/gate.flv"
    clips = ("-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-f", "flv")
    with ffmpeg(tmp_path, *clips, "-listen", "1", url) as sender:
        reading = Reading(url)
        assert reading.got.wait(ENDS_S)
        sender.freeze()
        reading.stop_while_it_hangs()


@pytest.mark.server
def test_a_frozen_rtsp_server_is_left(rtsp_server: RtspServer, clip: Path) -> None:
    rtsp_server.start({"gate": Mount(clip, live=True)})
    reading = Reading(rtsp_server.url("gate"))
    assert reading.got.wait(ENDS_S)
    rtsp_server.freeze()
    reading.stop_while_it_hangs()


def test_visits_are_ended_too(site: str, silent_server: SilentServer) -> None:
    urls = [f"{site}/hls/segment/live.m3u8", f"rtsp://127.0.0.1:{silent_server.port}/gate"]
    patient = VisitOptions(open_timeout_s=600, read_timeout_s=600, good_picture_s=600)
    patrol = Patrol(
        *(lambda camera: visit(camera.url, camera.id, patient, now), Mailbox(), OpenGate(1000), now),
        concurrent=len(urls),
    )
    patrol.start()
    for url in urls:
        camera = Camera(url, url, mode=SamplingMode.PATROL, interval_s=0.1)
        patrol.put(camera, lambda _: Condition(LookStatus.OK))
    assert until(lambda: patrol.visiting == len(urls))
    time.sleep(HANGS_AFTER_S)
    assert patrol.visiting == len(urls)
    patrol.stop(ENDS_S)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("patrol-")] == []


def test_ending_one_touches_no_other(site: str, clip: Path) -> None:
    """Two sources in two threads and one in this: only the one that is told to stops, and time goes on as before."""
    from av.container import core

    hanging = Reading(f"{site}/half/live.flv")
    assert hanging.got.wait(ENDS_S)
    other = Reading(f"{site}/half/live.flv")
    assert other.got.wait(ENDS_S)
    hanging.stop_while_it_hangs()
    assert core.time.monotonic is time.monotonic, "nobody is to stop any more"  # type: ignore[attr-defined]
    assert until(lambda: other.reader.connected)
    source = open_video(str(clip), "file", PATIENT, now)
    assert source.read() is not None
    source.close()
    other.stop_while_it_hangs()


def test_what_was_called_off_before_it_began_ends_at_once(silent_server: SilentServer) -> None:
    interrupt = Interrupt()
    interrupt.fire()
    with interrupt.inside(), pytest.raises(Exception, match="127"):
        VideoSource(f"rtmp://127.0.0.1:{silent_server.port}/live/x", "x", PATIENT, now)
