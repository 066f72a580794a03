"""DJI's subtitle files as a dozen models write them, whole and cut off."""

from __future__ import annotations

from datetime import timedelta
from math import atan, degrees
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.geo import GeoPoint, distance_m
from detector.core.track import pose_at
from detector.errors import SourceUnreachable, SourceUnreadable
from detector.sources.telemetry.dji import read_srt
from detector.sources.telemetry.reading import Reading, Times

# positions read, entries told as broken with their first line, place of the first, height of the first
SAMPLES: dict[str, tuple[int, tuple[int, int] | None, tuple[float, float] | None, float | None]] = {
    "MAVIC3.srt": (83, (1, 499), (3.41531, -3.37440), -2.4),
    "air2s.srt": (17, None, (41.424724, 2.234156), None),
    "broken_empty.SRT": (0, None, None, None),
    "broken_empty2.SRT": (0, (1, 1), None, None),
    "broken_incomplete.SRT": (19, (1, 115), (-34.7383, -58.4563), 20.1),
    "broken_incomplete2.SRT": (4, (2, 13), (-34.869950, -57.823395), None),
    "m2zoom.SRT": (81, (1, 487), (31.452012, 74.398751), None),
    "matrice_300.srt": (236, (1, 1181), (36.6146, -6.1120), 0.3),
    "mavic_2_style.SRT": (182, (1, 729), (-20.2533, 149.0251), None),
    "mavic_2pro_new.SRT": (87, (1, 523), (-35.080155, -60.286702), None),
    "mavic_air.SRT": (0, (2, 1), None, None),
    "mavic_air2.srt": (25, None, (41.420684, 2.162162), None),
    "mavic_mini.SRT": (117, None, (48.0771, -121.7458), 200.7),
    "mavic_pro.SRT": (158, (1, 949), (-20.2533, 149.0251), 1.9),
    "mavic_pro_buggy.SRT": (146, (17, 85), (42.4668, -1.2218), 0.0),
    "mix_p4rtk_mavic2pro.srt": (12, None, (-34.650200, -59.409424), 17.39),
    "old_format.SRT": (163, (1, 979), (-20.2533, 149.0251), 1.9),
    "p4_rtk.SRT": (55, None, (-34.237922, -58.851745), 85.8),
    "p4p_sample.SRT": (5, None, (47.4692, 8.2090), 45.6),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_can_be_read_of_a_real_file_is_read_and_the_rest_is_told(shared: Path, name: str) -> None:
    count, broken, place, height = SAMPLES[name]
    reading = read_srt(shared / "clips" / "telemetry" / "dji-srt" / name)
    assert len(reading.fixes) == count
    assert [fix.at for fix in reading.fixes] == sorted({fix.at for fix in reading.fixes})
    assert (len(reading.broken), reading.broken[0].line) == broken if broken else not reading.broken
    assert reading.times is Times.PICTURES
    if place is not None:
        first, last = reading.fixes[0].pose, reading.fixes[-1].pose
        assert (first.position.latitude, first.position.longitude) == place
        assert first.height_m == height
        assert distance_m(first.position, last.position) < 1000  # no pair is swapped half-way
    told = str(reading)
    assert name in told
    if broken:
        assert f"line {broken[1]}" in told


def test_every_sample_is_expected(shared: Path) -> None:
    assert {file.name for file in (shared / "clips" / "telemetry" / "dji-srt").iterdir()} == SAMPLES.keys()


def test_where_the_gimbal_is_told_it_is_the_camera(shared: Path) -> None:
    reading = read_srt(shared / "clips" / "telemetry" / "dji-srt" / "p4_rtk.SRT")
    pose = pose_at(reading.fixes, 0.5)
    assert pose is not None
    assert pose.heading_deg == pytest.approx(110.45)
    assert pose.pitch_deg == pytest.approx(-24.4)
    assert pose.roll_deg == pytest.approx(0)
    assert pose.height_m == pytest.approx(85.815)


def written(tmp_path: Path, text: str) -> Reading:
    file = tmp_path / "clip.SRT"
    file.write_text(text, encoding="utf-8")
    return read_srt(file)


NEWEST = """\ufeff1
00:00:01,500 --> 00:00:01,533
<font size="28">FrameCnt: 1, DiffTime: 33ms
2026-05-01 12:00:00.123
[iso: 100] [focal_len: 240] [dzoom_ratio: 20000, delta:0],[latitude: 35.022800] [longitude: 110.997700] \
[rel_alt: 55.200 abs_alt: 283.900] [gb_yaw: -90.5 gb_pitch: -60.0 gb_roll: 0.5] </font>
"""


def test_the_newest_dialect(tmp_path: Path) -> None:
    (fix,) = written(tmp_path, NEWEST).fixes
    assert fix.at == 1.5
    assert (fix.pose.position.latitude, fix.pose.position.longitude) == (35.0228, 110.9977)
    assert fix.pose.position.error_m == pytest.approx(5, abs=0.01)
    assert fix.pose.height_m == 55.2
    assert (fix.pose.heading_deg, fix.pose.pitch_deg, fix.pose.roll_deg) == (269.5, -60.0, 0.5)
    assert fix.pose.field_of_view_deg == pytest.approx(degrees(2 * atan(36 / 2 / 48)))  # 24 mm, zoomed twice


def cue(second: int, text: str) -> str:
    return f"{second}\n00:00:{second:02d},000 --> 00:00:{second + 1:02d},000\n{text}\n\n"


@pytest.mark.parametrize(
    ("pairs", "latitude"),
    [
        (["GPS(110.9977,35.0228,17)"], 35.0228),
        (["GPS(35.0228,110.9977,17)"], 35.0228),
        (["GPS (35.0228, 11.9977, 17)"], 11.9977),  # longitude first where nothing tells
        (["GPS(35.0228,11.9977,1.5M)"], 35.0228),
        (["GPS(35.0228,11.9977,17)", "GPS(35.0228,111.0001,17)"], 35.0228),  # one entry tells it of all
    ],
)
def test_which_of_two_numbers_is_the_latitude(tmp_path: Path, pairs: list[str], latitude: float) -> None:
    reading = written(tmp_path, "".join(cue(n, pair) for n, pair in enumerate(pairs)))
    assert reading.fixes[0].pose.position.latitude == latitude
    error = reading.fixes[0].pose.position.error_m
    assert error is not None
    assert 9 < error < 10, "four digits are eleven metres"


def test_the_operator_is_not_told(tmp_path: Path) -> None:
    reading = written(
        tmp_path,
        cue(0, "HOME(8.5001,47.4001) GPS(8.2090,47.4692,18) H 45.60m, ")
        + cue(1, "HOME(8.5001,47.4001) no more")
        + "2\n00:00:02,000 --> 00:00:03,000\nHOME(8.5001,47.40",
    )
    assert [fix.pose.position.latitude for fix in reading.fixes] == [47.4692]
    assert len(reading.broken) == 2
    assert "8.5" not in repr(reading)


def test_positions_without_satellites_are_none(tmp_path: Path) -> None:
    zeros = "[latitude: 0.000000] [longitude: 0.000000]"
    beyond = "[latitude: 135.000000] [longitude: 11.000000]"
    reading = written(tmp_path, cue(0, zeros) + cue(1, beyond) + cue(2, "GPS(N/A,N/A,3) BAROMETER:0.0"))
    assert reading.fixes == ()
    assert [one.why for one in reading.broken] == ["no satellites yet"] * 3


@given(st.integers(0, 400))
def test_wherever_a_file_is_cut_no_number_is_made_up(tmp_path_factory: pytest.TempPathFactory, end: int) -> None:
    text = cue(0, "HOME(8.2001,47.4001) 2026.05.01 10:00:00\nGPS(8.2090,47.4692,18) BAROMETER:118.4\nISO:100")
    text += cue(1, "[latitude: 47.469200] [longitude: 8.209000] [rel_alt: 118.4 abs_alt: 500.0]")
    for fix in written(tmp_path_factory.mktemp("cut"), text[:end]).fixes:
        assert distance_m(fix.pose.position, GeoPoint(47.4692, 8.2090)) < 0.1
        assert fix.pose.height_m in (118.4, None)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match=r"none\.SRT: No such file"):
        read_srt(tmp_path / "none.SRT")
    (tmp_path / "film.SRT").write_bytes(b"\0\0\0\x18ftypmp42" * 9)
    with pytest.raises(SourceUnreadable, match=r"film\.SRT: is no subtitle file"):
        read_srt(tmp_path / "film.SRT")


def test_one_dialect_has_clock_times_only(tmp_path: Path) -> None:
    lines = ["1\n2017.08.05 14:11:51,393,525\n[latitude : 20.25] [longtitude : 149.02]\n\n"]
    lines += ["2\n2017.08.05 14:11:53,893,525\n[latitude : 20.25] [longtitude : 149.02]\n\n", "3\n2017.19.05 1:2:03\n"]
    reading = written(tmp_path, "".join(lines))
    assert [fix.at for fix in reading.fixes] == [0, timedelta(seconds=2.5).total_seconds()]
    assert [(one.line, one.why) for one in reading.broken] == [(9, "no time")]
