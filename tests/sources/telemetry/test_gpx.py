"""GPX files: track points by their clock, with what is missing or cut off told by line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from detector.errors import SourceUnreachable, SourceUnreadable
from detector.sources.telemetry.gpx import read_gpx
from detector.sources.telemetry.reading import Reading, Times

HEAD = '<?xml version="1.0"?>\n<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><metadata><time>x</time>'
HEAD += "</metadata><trk><trkseg>\n"


def point(second: int, latitude: float = 35.0, time: str | None = None) -> str:
    time = time or f"2026-05-01T10:00:{second:02d}Z"
    return f'<trkpt lat="{latitude}" lon="111.0"><ele>400</ele><time>{time}</time></trkpt>\n'


def read(tmp_path: Path, text: str) -> Reading:
    (tmp_path / "way.gpx").write_text(text)
    return read_gpx(tmp_path / "way.gpx")


def test_points_are_read_by_their_clock(tmp_path: Path) -> None:
    text = HEAD + point(1, 35.1) + point(0) + point(3, time="2026-05-01T18:00:03.5+08:00") + "</trkseg></trk></gpx>"
    reading = read(tmp_path, text)
    start = datetime(2026, 5, 1, 10, tzinfo=UTC).timestamp()
    assert reading.times is Times.CLOCK
    assert [fix.at - start for fix in reading.fixes] == [0, 1, 3.5]
    assert [fix.pose.position.latitude for fix in reading.fixes] == [35.0, 35.1, 35.0]
    assert {fix.pose.height_m for fix in reading.fixes} == {None}, "above the sea is not above the street"
    assert reading.broken == ()


def test_what_is_broken_is_told_by_line(tmp_path: Path) -> None:
    text = HEAD + point(0) + point(1, 135.0) + point(2, time="soon") + '<trkpt lat="35" lon="111"/>\n' + point(3)
    reading = read(tmp_path, text + '<trkpt lat="35.0" lon="11')
    assert len(reading.fixes) == 2
    assert [(one.line, one.why) for one in reading.broken] == [
        (4, "no position"),
        (5, "no time"),
        (6, "no time"),
        (8, "cut off or not well-formed"),
    ]


def test_what_is_no_gpx_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE gpx [<!ENTITY a "aaaa">]><gpx>&a;</gpx>'
    for text, why in ((bomb, "document type"), ("<kml></kml>", "is no GPX"), ("", "is no GPX")):
        with pytest.raises(SourceUnreadable, match=rf"way\.gpx: .*{why}"):
            read(tmp_path, text)
    with pytest.raises(SourceUnreachable, match="No such file"):
        read_gpx(tmp_path / "none.gpx")
