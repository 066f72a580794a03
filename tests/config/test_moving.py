"""Cameras on drones and vehicles: what may be said of them, and what makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.assembly import cameras_of
from detector.config import check_settings, load_settings
from detector.core.track import Mount
from detector.errors import ConfigError


def told(tmp_path: Path, camera: str) -> list[str]:
    file = tmp_path / "fleet.yaml"
    file.write_text(f"cameras:\n  - {{id: a, {camera}}}\n")
    findings = check_settings(load_settings(file))
    return [str(one).removeprefix(f"{file}:2: cameras[0].") for one in findings if "cameras[0]" in str(one)]


def test_what_is_said_of_a_moving_camera_reaches_it(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(
        "id,url,moving,telemetry,field_of_view,mount_height,mount_pitch,mount_heading\n"
        "car,udp://127.0.0.1:5000,true,auto,75.5,2.2,-8,0\n"
        "drone,flight/DJI_0001.MP4,true,tracks/one.srt,,,,\n"
        "pole,udp://127.0.0.1:5001,,,,,,\n"
    )
    file = tmp_path / "fleet.yaml"
    file.write_text("cameras_file: list.csv\n")
    cameras = cameras_of(load_settings(file))
    assert (cameras["car"].moving, cameras["car"].telemetry) == (True, "auto")
    assert cameras["car"].mount == Mount(2.2, -8, 0, 75.5)
    assert cameras["drone"].telemetry == str(tmp_path / "tracks" / "one.srt")
    assert not cameras["pole"].moving


@pytest.mark.parametrize(
    ("camera", "finding"),
    [
        ("url: 'udp://h:1', mount_height: 2", "mount_height: has no effect on a camera that does not move"),
        ("url: 'udp://h:1', moving: true, telemetry: none", "telemetry: without positions nothing"),
        ("url: 'udp://h:1', moving: true, telemetry: way.srt", "telemetry: a file of positions does not fit a live"),
        ("url: clip.mp4, moving: true, telemetry: way.srt", "telemetry: there is no file "),
        ("url: 'udp://h:1', moving: true, mode: patrol", "mode: a visit is too short"),
        (
            "url: 'udp://h:1', moving: true, ground: [[0, 0, 1, 1], [1, 0, 1, 2], [0, 1, 2, 1], [1, 1, 2, 2]]",
            "ground: marks hold for a view that stays",
        ),
    ],
)
def test_check_finds_what_places_nothing(tmp_path: Path, camera: str, finding: str) -> None:
    assert any(line.startswith(finding) for line in told(tmp_path, camera))


def test_a_moving_camera_with_all_it_needs_is_no_remark(tmp_path: Path) -> None:
    assert told(tmp_path, "url: 'udp://h:1', moving: true, field_of_view: 70, mount_pitch: -90") == []


def test_values_that_no_camera_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"field_of_view: must be less than 170"):
        told(tmp_path, "url: 'udp://h:1', moving: true, field_of_view: 200")
