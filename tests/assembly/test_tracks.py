"""`detector check` reads the files of positions and says what they lack."""

from __future__ import annotations

import shutil
from pathlib import Path

from typer.testing import CliRunner

from detector.assembly.tracks import check_tracks
from detector.cli.main import app
from detector.config import load_settings


def told(tmp_path: Path, camera: str) -> list[str]:
    file = tmp_path / "fleet.yaml"
    file.write_text(f"cameras:\n  - {{id: a, url: clip.MP4, moving: true{camera}}}\n")
    (tmp_path / "clip.MP4").touch()
    return [str(one).removeprefix(f"{file}:2: cameras[0].") for one in check_tracks(load_settings(file))]


def test_a_whole_file_that_tells_all_but_the_lens(shared: Path, tmp_path: Path) -> None:
    shutil.copy(shared / "clips" / "telemetry" / "dji-srt" / "p4_rtk.SRT", tmp_path / "clip.SRT")
    (finding,) = told(tmp_path, "")
    assert finding.startswith("field_of_view: no field of view is known: what it sees is placed around the camera")
    assert told(tmp_path, ", field_of_view: 70") == []
    assert told(tmp_path, ", telemetry: none") == []


def test_what_is_broken_and_missing(shared: Path, tmp_path: Path) -> None:
    shutil.copy(shared / "clips" / "telemetry" / "dji-srt" / "broken_incomplete.SRT", tmp_path / "way.srt")
    broken, *missing = told(tmp_path, ", telemetry: way.srt")
    assert broken.startswith("telemetry: ")
    assert "19 positions over 18 s; 1 x no position, or cut off (first in line 115)" in broken
    assert [one.partition(":")[0] for one in missing] == ["mount_pitch", "mount_heading", "field_of_view"]
    shutil.copy(shared / "clips" / "telemetry" / "dji-srt" / "mavic_air.SRT", tmp_path / "way.srt")
    (nothing,) = told(tmp_path, ", telemetry: way.srt")
    assert "0 positions; 2 x no position" in nothing


def test_a_track_by_the_clock_needs_to_know_when_the_video_began(tmp_path: Path) -> None:
    point = '<trkpt lat="35" lon="111"><time>2026-05-01T10:00:00Z</time></trkpt>'
    (tmp_path / "clip.gpx").write_text(f"<gpx><trk><trkseg>{point}</trkseg></trk></gpx>")
    mount = ", field_of_view: 70, mount_height: 2, mount_pitch: -8, mount_heading: 0"
    (finding,) = told(tmp_path, mount)
    assert finding.startswith("started_at: ")
    assert told(tmp_path, f"{mount}, started_at: 2026-05-01T10:00") == []


def test_the_command_tells_it(tmp_path: Path) -> None:
    (tmp_path / "clip.SRT").write_text("nothing")
    told(tmp_path, "")
    result = CliRunner().invoke(app, ["check", "-c", str(tmp_path / "fleet.yaml")])
    assert result.exit_code == 1
    assert "clip.SRT: 0 positions; 1 x no time (first in line 1)" in result.output
