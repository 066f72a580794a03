"""Streams from a real RTSP server: sampling, failures, secrets, threads."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from detector.errors import SourceError, SourceUnreachable
from detector.sources.options import StreamOptions, VisitOptions
from detector.sources.picture import fingerprint, small_grey
from detector.sources.probe import probe
from detector.sources.timing import AHEAD_S
from detector.sources.video import VideoSource, open_video
from detector.sources.visit import visit
from tests.servers.rtsp import Mount, RtspServer, SilentServer
from tests.sources.clips import drawn, now, read_until_it_fails

pytestmark = pytest.mark.server

QUICK = StreamOptions(interval_s=2, open_timeout_s=3, read_timeout_s=2)
PATIENT = StreamOptions(interval_s=2, open_timeout_s=30, read_timeout_s=30)
CANARY = "c4n4ry-s3cret"


@pytest.fixture
def kerb(shared: Path) -> Path:
    return shared / "clips" / "lifecycle" / "street-left-kerb.mp4"


@pytest.fixture
def hevc(shared: Path) -> Path:
    return shared / "clips" / "lifecycle" / "always-there-then-gone.mp4"


def test_pictures_come_at_the_interval_with_the_servers_clock(rtsp_server: RtspServer, kerb: Path) -> None:
    rtsp_server.start({"gate": kerb})
    source = open_video(rtsp_server.url("gate"), "gate", PATIENT, now)
    found = [source.read() for _ in range(4)]
    source.close()
    times = [frame.captured_at for frame in found if frame is not None]
    assert len(times) == 4
    assert all(frame is not None and frame.size == (1280, 720) for frame in found)
    steps = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert all(1.5 < step < 4.5 for step in steps), steps
    assert source.gop_s == 2.0
    assert source.has_clock
    assert source.clock_offset_s is not None
    assert abs(source.clock_offset_s) < 2  # the server runs on this machine's clock
    assert source.read() is None


@pytest.mark.parametrize("ahead_s", [-20.0, -100.0, 20.0])
def test_a_camera_with_a_wrong_clock_is_timed_by_arrival_from_beginning_to_end(
    rtsp_server: RtspServer,
    kerb: Path,
    ahead_s: float,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("detector.sources.video.CLOCK_KNOWN_S", 1.0)
    rtsp_server.start({"gate": Mount(kerb, ahead_s=ahead_s)})
    source = open_video(rtsp_server.url("gate"), "gate", PATIENT, now)
    found: list[datetime] = []
    leads: list[float] = []
    while "clock is wrong" not in caplog.text or len(found) < 6:  # its clock comes after the first pictures
        assert len(found) < 20
        frame = source.read()
        assert frame is not None
        found.append(frame.captured_at)
        leads.append((frame.captured_at - now()).total_seconds())
    source.close()
    assert caplog.text.count("clock is wrong") == 1
    assert not source.has_clock
    assert source.clock_offset_s == pytest.approx(ahead_s, abs=2)
    steps = [(b - a).total_seconds() for a, b in pairwise(found)]
    assert all(1.5 < step < 4.5 for step in steps), steps
    assert max(leads) <= AHEAD_S, leads


def test_joining_a_running_stream_waits_for_its_next_keyframe(rtsp_server: RtspServer, kerb: Path) -> None:
    rtsp_server.start({"live": Mount(kerb, live=True)})
    first = open_video(rtsp_server.url("live"), "a", PATIENT, now)
    assert first.read() is not None
    second = open_video(rtsp_server.url("live"), "b", PATIENT, now)
    frame = second.read()
    assert frame is not None
    assert frame.image.std() > 20
    first.close()
    second.close()


def test_h265_and_scaling(rtsp_server: RtspServer, hevc: Path) -> None:
    rtsp_server.start({"east": hevc})
    source = open_video(rtsp_server.url("east"), "east", StreamOptions(interval_s=0.5, max_width=640), now)
    found = [source.read() for _ in range(4)]
    source.close()
    assert all(frame is not None and frame.size == (640, 360) for frame in found)


def test_a_killed_server_is_unreachable_and_then_back_with_another_resolution(
    rtsp_server: RtspServer, kerb: Path, shared: Path
) -> None:
    rtsp_server.start({"gate": kerb})
    source = open_video(rtsp_server.url("gate"), "gate", PATIENT, now)
    assert source.read() is not None
    rtsp_server.kill()
    with pytest.raises(SourceUnreachable):
        read_until_it_fails(source)
    source.close()
    with pytest.raises(SourceUnreachable, match=r"rtsp://127\.0\.0\.1:\d+/gate: .*refused"):
        open_video(rtsp_server.url("gate"), "gate", PATIENT, now)
    rtsp_server.start({"gate": shared / "clips" / "street" / "traffic-high.mp4"})
    source = open_video(rtsp_server.url("gate"), "gate", PATIENT, now)
    frame = source.read()
    source.close()
    assert frame is not None
    assert frame.size == (640, 360)


def test_a_frozen_server_ends_in_a_timeout_and_serves_on_when_it_wakes(rtsp_server: RtspServer, kerb: Path) -> None:
    rtsp_server.start({"gate": kerb})
    source = open_video(rtsp_server.url("gate"), "gate", replace(QUICK, open_timeout_s=30), now)
    assert source.read() is not None
    rtsp_server.freeze()
    with pytest.raises(SourceUnreachable, match="no data for 2 s"):
        read_until_it_fails(source)
    source.close()
    with pytest.raises(SourceUnreachable, match="no answer within 3 s"):
        open_video(rtsp_server.url("gate"), "gate", QUICK, now)
    rtsp_server.thaw()
    source = open_video(rtsp_server.url("gate"), "gate", PATIENT, now)
    assert source.read() is not None
    source.close()


def test_a_silent_server_ends_in_a_timeout(silent_server: SilentServer) -> None:
    for scheme in ("rtsp", "rtmp", "http", "rtsps"):
        url = f"{scheme}://127.0.0.1:{silent_server.port}/live/gate.flv"
        with pytest.raises(SourceUnreachable):
            open_video(url, "gate", StreamOptions(open_timeout_s=1), now)


def test_closing_from_another_thread_ends_a_blocked_read(rtsp_server: RtspServer, kerb: Path) -> None:
    rtsp_server.start({"gate": kerb})
    source = open_video(rtsp_server.url("gate"), "gate", PATIENT, now)
    assert source.read() is not None
    rtsp_server.freeze()
    outcome: list[object] = []

    def read_on(blocked: VideoSource) -> None:
        frame = blocked.read()
        while frame is not None:
            frame = blocked.read()
        outcome.append(frame)

    thread = threading.Thread(target=read_on, args=(source,))
    thread.start()
    source.close()
    thread.join(30)
    assert outcome == [None]  # ended, and no error: it was asked to


def test_no_thread_is_left_behind(rtsp_server: RtspServer, kerb: Path, hevc: Path) -> None:
    rtsp_server.start({"gate": kerb, "east": hevc})

    def threads() -> set[str]:
        return {one.name for one in Path("/proc/self/task").iterdir()}

    visit(rtsp_server.url("gate"), "gate", VisitOptions(), now)  # lazy loading of libraries has its own
    before = threads()
    for path in ("gate", "east") * 3:
        source = open_video(rtsp_server.url(path), path, PATIENT, now)
        source.read()
        assert threads() <= before, "decoding has no threads of its own"
        source.close()
        visit(rtsp_server.url(path), path, VisitOptions(), now)
    assert threads() <= before  # those of other tests may end meanwhile


def everything_said(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__cause__)


def test_a_password_is_in_no_error_log_or_output(
    rtsp_server: RtspServer,
    silent_server: SilentServer,
    kerb: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    rtsp_server.start({"gate": kerb}, login=("viewer", "right"))
    caplog.set_level(logging.DEBUG)
    tries = {
        rtsp_server.url("gate", login=("viewer", CANARY)): "user name or password",
        rtsp_server.url("no-such-path", login=("viewer", CANARY)): ".",
        f"rtsp://u:{CANARY}@127.0.0.1:{silent_server.port}/x": "no answer",
        f"rtsp://u:{CANARY}@127.0.0.1:1/x": "refused",
        f"http://u:{CANARY}@127.0.0.1:1/x.flv?secret={CANARY}": "refused",
        f"rtmp://u:{CANARY}@127.0.0.1:1/live/x?secret={CANARY}": "refused",
        f"rtsp://u:{CANARY}@no-such-host.invalid/x": ".",
        f"srt://u:{CANARY}@127.0.0.1:1/x": "not read",
        f"rtsp://u:{CANARY}/with@slash@127.0.0.1:1/x": ".",
    }
    for url, told in tries.items():
        limit_s = 20 if f":{rtsp_server.port}/" in url or ":1/" in url else 1  # these answer, or refuse
        with pytest.raises(SourceError, match=told) as caught:
            open_video(url, "gate", StreamOptions(open_timeout_s=limit_s), now)
        assert CANARY not in everything_said(caught.value)
        with pytest.raises(SourceError) as caught:
            visit(url, "gate", VisitOptions(open_timeout_s=limit_s), now)
        assert CANARY not in everything_said(caught.value)
        with pytest.raises(SourceError) as caught:
            probe(url, open_timeout_s=limit_s)
        assert CANARY not in everything_said(caught.value)
    source = open_video(rtsp_server.url("gate"), "gate", PATIENT, now)
    assert source.read() is not None
    assert "right" not in repr(source)
    rtsp_server.kill()
    with pytest.raises(SourceUnreachable) as caught:
        read_until_it_fails(source)
    assert "right@" not in everything_said(caught.value)
    source.close()
    assert CANARY not in caplog.text
    assert CANARY not in "".join(capfd.readouterr())


@pytest.mark.parametrize("clip", ["kerb", "hevc"])
def test_a_visit_takes_one_good_picture_and_leaves(
    rtsp_server: RtspServer, clip: str, request: pytest.FixtureRequest
) -> None:
    rtsp_server.start({"gate": Mount(request.getfixturevalue(clip), live=True)})
    frame = visit(rtsp_server.url("gate"), "gate", VisitOptions(max_width=960), now)
    assert frame.camera_id == "gate"
    assert frame.size == (960, 540)
    assert frame.image.std() > 20


def test_a_visit_to_nothing_or_silence_fails_clearly(
    rtsp_server: RtspServer, silent_server: SilentServer, kerb: Path
) -> None:
    rtsp_server.start({"gate": kerb})
    with pytest.raises(SourceUnreachable, match="404"):
        visit(rtsp_server.url("none"), "none", VisitOptions(), now)
    with pytest.raises(SourceUnreachable, match="no answer within 1 s"):
        visit(f"rtsp://127.0.0.1:{silent_server.port}/x", "x", VisitOptions(open_timeout_s=1), now)


@pytest.mark.skipif(sys.platform != "linux", reason="connections are counted in /proc")
def test_however_a_visit_ends_its_connection_is_released(
    rtsp_server: RtspServer, kerb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connections() -> set[str]:
        """Those of other tests may end meanwhile; none may come."""
        found = set()
        for descriptor in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # closed since
                found.add(str(descriptor.readlink()))
        return {name for name in found if name.startswith("socket:")}

    rtsp_server.start({"gate": kerb})
    open_then: list[set[str]] = []

    def broken(*_: object) -> None:
        open_then.append(connections())
        raise ZeroDivisionError

    before = connections()
    patient, quick = VisitOptions(), VisitOptions(open_timeout_s=2, read_timeout_s=1)
    visit(rtsp_server.url("gate"), "gate", patient, now)
    assert connections() <= before
    with pytest.raises(SourceUnreachable):
        visit(rtsp_server.url("none"), "none", patient, now)
    assert connections() <= before
    with monkeypatch.context() as decoder:
        decoder.setattr("detector.sources.decoding.BgrConverter.image", broken)
        with pytest.raises(ZeroDivisionError):
            visit(rtsp_server.url("gate"), "gate", patient, now)
    assert [len(there - before) for there in open_then] == [1]
    assert connections() <= before
    rtsp_server.freeze()
    with pytest.raises(SourceUnreachable):
        visit(rtsp_server.url("gate"), "gate", quick, now)
    assert connections() <= before
    rtsp_server.thaw()


def test_a_visit_passes_over_plain_pictures(rtsp_server: RtspServer, tmp_path: Path) -> None:
    import numpy as np

    street = np.random.default_rng(0).integers(0, 255, (45, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    grey = np.full_like(street, 130)
    clip = drawn(tmp_path / "late.mp4", gop=25, seconds=5, picture=lambda number: grey if number < 30 else street)
    rtsp_server.start({"gate": clip})
    frame = visit(rtsp_server.url("gate"), "gate", VisitOptions(), now)
    assert frame.image.std() > 20
    dull = drawn(tmp_path / "dull.mp4", gop=25, seconds=6, picture=lambda _: grey)
    rtsp_server.restart({"gate": dull})
    frame = visit(rtsp_server.url("gate"), "gate", VisitOptions(), now)
    assert frame.image.std() < 5  # told by the camera's condition, not as a failure


def test_a_visit_passes_over_the_gateways_logo(rtsp_server: RtspServer, tmp_path: Path) -> None:
    import numpy as np

    logo, street = (
        np.random.default_rng(seed).integers(0, 255, (45, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1) for seed in (1, 2)
    )
    clip = drawn(tmp_path / "late.mp4", gop=25, seconds=5, picture=lambda number: logo if number < 30 else street)
    rtsp_server.start({"gate": clip})
    mark, wanted = (fingerprint(small_grey(image)) for image in (logo, street))
    assert (mark ^ wanted).bit_count() > 12
    for known, shown in ((frozenset[int](), mark), (frozenset({mark}), wanted)):
        frame = visit(rtsp_server.url("gate"), "gate", VisitOptions(logos=known), now)
        assert (fingerprint(small_grey(frame.image)) ^ shown).bit_count() <= 6


def test_probing_tells_what_the_camera_sends(rtsp_server: RtspServer, kerb: Path, hevc: Path) -> None:
    rtsp_server.start({"gate": kerb, "east": hevc})
    report = probe(rtsp_server.url("gate"))
    assert (report.codec, report.size) == ("h264", (1280, 720))
    assert report.fps == pytest.approx(25, abs=1)
    assert report.gop_s == pytest.approx(2.0, abs=0.1)
    assert report.seconds_to_first_frame > 0
    assert probe(rtsp_server.url("east"), watch_s=1.0).codec == "hevc"
