"""Pictures of moving cameras get their pose: from a file beside the video, or from the stream itself, live too."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import PIL.Image
import pytest

from detector.core.frame import Frame
from detector.core.track import Mount
from detector.errors import SourceUnreachable, SourceUnreadable
from detector.sources.options import StreamOptions
from detector.sources.pictures import PictureFolder
from detector.sources.telemetry.whereabouts import Whereabouts, beside, read_track, whereabouts_of
from detector.sources.video import open_video
from tests.sources.clips import NOON, drawn, noon, now


def frames(address: str, telemetry: str = "auto", mount: Mount | None = None, *, live: bool = False) -> list[Frame]:
    whereabouts = whereabouts_of("drone", address, telemetry, mount or Mount(), live=live)
    source = open_video(address, "drone", StreamOptions(interval_s=1), now if live else noon, whereabouts)
    found: list[Frame] = []
    try:
        while (frame := source.read()) is not None:
            found.append(frame)
    except SourceUnreachable:
        assert live, "a stream that ends"
    finally:
        source.close()
    return found


def cues(*poses: tuple[float, float, float]) -> str:
    """One second each: latitude, height, yaw."""
    return "".join(
        f"{n}\n00:00:{n:02d},000 --> 00:00:{n + 1:02d},000\n[latitude: {latitude:.6f}] [longitude: 110.997700]"
        f" [rel_alt: {height:.3f} abs_alt: 400.000] [gb_yaw: {yaw:.1f} gb_pitch: -90.0 gb_roll: 0.0]\n\n"
        for n, (latitude, height, yaw) in enumerate(poses)
    )


def test_a_file_beside_the_video_places_each_picture(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "DJI_0001.MP4", seconds=6, gop=25)
    (tmp_path / "DJI_0001.SRT").write_text(cues(*((35 + 0.0001 * n, 40 + n, 10 * n) for n in range(5))))
    found = frames(str(clip), mount=Mount(field_of_view_deg=70))
    assert len(found) == 6
    for frame in found[:5]:
        second = (frame.captured_at - NOON) / timedelta(seconds=1)
        assert frame.pose is not None
        assert frame.pose.position.latitude == pytest.approx(35 + 0.0001 * second, abs=1e-6)
        assert frame.pose.height_m == pytest.approx(40 + second, abs=1e-3)
        assert frame.pose.heading_deg == pytest.approx(10 * second, abs=1e-2)
        assert frame.pose.field_of_view_deg == 70
    assert found[5].pose is None or (found[5].captured_at - NOON).total_seconds() <= 5


def test_no_telemetry_no_pose(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip = drawn(tmp_path / "clip.mp4", seconds=2, gop=25)
    assert {frame.pose for frame in frames(str(clip))} == {None}
    assert caplog.text.count("no position for its pictures") == 1
    (tmp_path / "clip.SRT").write_text(cues((35, 40, 0), (35, 40, 0)))
    assert {frame.pose for frame in frames(str(clip), "none")} == {None}
    assert None not in {frame.pose for frame in frames(str(clip))}


def test_what_of_a_file_cannot_be_read_is_told_by_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip = drawn(tmp_path / "clip.mp4", seconds=2, gop=25)
    (tmp_path / "way.srt").write_text(cues((35, 40, 0), (35, 40, 0)) + "3\n00:00:02,000 --> 00:00:03,000\n[latit")
    with caplog.at_level("INFO"):
        assert None not in {frame.pose for frame in frames(str(clip), str(tmp_path / "way.srt"))}
        assert "first in line 9" in str([record.__dict__ for record in caplog.records])
        assert {frame.pose for frame in frames(str(clip), str(tmp_path / "other.srt"))} == {None}
    assert "no positions can be read" in caplog.text


def test_the_stream_in_a_real_file_places_each_picture(shared: Path) -> None:
    found = frames(str(shared / "clips" / "telemetry" / "misb-st0601.ts"))
    assert len(found) >= 8
    for frame in found:
        assert frame.pose is not None
        assert frame.pose.position.latitude == pytest.approx(34.72, abs=0.01)
        assert frame.pose.field_of_view_deg == pytest.approx(13.0, abs=0.1)
        assert -55 < (frame.pose.pitch_deg or 0) < -40
    latitudes = [frame.pose.position.latitude for frame in found if frame.pose is not None]
    assert latitudes == sorted(latitudes, reverse=True), "it flies south"


@contextmanager
def sent_over_tcp(file: Path) -> Iterator[str]:
    """An address at which the bytes of a file can be had once, as a multiplexer sends them."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            connection, _ = server.accept()
            with connection, file.open("rb") as content:
                connection.sendfile(content)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        sender.join(10)


def test_a_live_stream_with_klv_places_its_pictures(shared: Path) -> None:
    with sent_over_tcp(shared / "clips" / "telemetry" / "misb-st0601.ts") as address:
        found = frames(address, live=True)
    assert len(found) >= 5
    assert all(frame.pose is not None and frame.pose.height_m for frame in found)


def test_an_action_camera_that_is_carried_is_placed_but_too_slow_for_a_course(shared: Path) -> None:
    mount = Mount(height_m=2.0, pitch_deg=-10, heading_deg=0, field_of_view_deg=90)
    found = frames(str(shared / "clips" / "telemetry" / "walk-gopro-gps5.mp4"), mount=mount)
    assert len(found) >= 10
    poses = [frame.pose for frame in found if frame.pose is not None]
    assert len(poses) == len(found), "the first picture too, though its positions come after it in the file"
    assert {(pose.height_m, pose.pitch_deg, pose.field_of_view_deg, pose.heading_deg) for pose in poses} == {
        (2.0, -10, 90, None)
    }
    latitudes = [pose.position.latitude for pose in poses]
    assert latitudes == sorted(latitudes, reverse=True), "he walks south"


def test_pictures_of_a_folder_are_placed_by_the_clock(tmp_path: Path) -> None:
    (tmp_path / "ride").mkdir()
    for number in range(3):
        exif = PIL.Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"2026:05:01 12:00:0{number}"
        image = PIL.Image.new("RGB", (64, 48), (40 * number, 80, 90))
        image.save(tmp_path / "ride" / f"{number}.jpg", exif=exif)
    points = "".join(
        f'<trkpt lat="{35 + n / 1000}" lon="111"><time>2026-05-01T12:00:0{n}Z</time></trkpt>' for n in range(2)
    )
    (tmp_path / "ride.gpx").write_text(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>")
    whereabouts = whereabouts_of("bike", str(tmp_path / "ride"), "auto", Mount(), live=False)
    folder = PictureFolder(tmp_path / "ride", "bike", whereabouts=whereabouts)
    poses = [frame.pose for frame in iter(folder.read, None)]
    assert [None if pose is None else pose.position.latitude for pose in poses] == [35.0, 35.001, 35.001]


def test_broken_packets_are_counted_and_told_once(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_data: bytes) -> None:
        raise ValueError("wrong checksum")

    monkeypatch.setattr("detector.sources.telemetry.whereabouts.pose_of", broken)
    whereabouts = Whereabouts("drone", Mount())
    clip = shared / "clips" / "telemetry" / "misb-st0601.ts"
    source = open_video(str(clip), "drone", StreamOptions(interval_s=1), noon, whereabouts)
    found = list(iter(source.read, None))
    source.close()
    assert {frame.pose for frame in found} == {None}
    assert whereabouts.broken == 277
    assert caplog.text.count("its positions are broken") == 1


def test_a_track_beside_is_found_whatever_its_case(tmp_path: Path, shared: Path) -> None:
    video = tmp_path / "DJI_0001.MP4"
    assert beside(video) is None
    shutil.copy(shared / "clips" / "telemetry" / "dji-srt" / "p4_rtk.SRT", tmp_path / "DJI_0001.srt")
    assert beside(video) == tmp_path / "DJI_0001.srt"
    assert len(read_track(tmp_path / "DJI_0001.srt").fixes) == 55
    with pytest.raises(SourceUnreadable, match=r"way\.txt: is no file of positions that is known \(.*\.srt"):
        read_track(tmp_path / "way.txt")
