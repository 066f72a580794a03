"""What `detector check` tells of the files of positions that moving cameras have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detector.config import CameraSettings, Settings
from detector.config.finding import Finding, Severity, written_key
from detector.config.marked_yaml import Document
from detector.config.values import scheme_of
from detector.core.geo import Pose
from detector.core.track import Mount
from detector.errors import SourceError
from detector.sources.telemetry.reading import Times
from detector.sources.telemetry.whereabouts import beside, read_track

Remark = tuple[str, str, str | None, Severity]


def check_tracks(settings: Settings) -> Iterator[Finding]:
    """Reads each file and tells what of it is broken, and what is missing to place what is seen."""
    document = settings.document or Document(Path("settings"))
    for index, camera in enumerate(settings.cameras):
        if camera.enabled and camera.moving:
            for key, message, suggestion, severity in _remarks(camera):
                path = ("cameras", index, key)
                mark = document.mark(path)
                yield Finding(mark.file, mark.line, written_key(path), message, suggestion, severity)


def _remarks(camera: CameraSettings) -> Iterator[Remark]:
    address = camera.url.get_secret_value()
    if camera.telemetry == "none" or scheme_of(address) is not None:
        return
    file = camera.telemetry if isinstance(camera.telemetry, Path) else beside(Path(address))
    if file is None or not file.is_file():
        return  # the data stream of the video is looked for, or check_moving has told
    try:
        reading = read_track(file)
    except SourceError as error:
        yield "telemetry", str(error), None, "error"
        return
    if not reading.fixes:
        yield "telemetry", str(reading), None, "error"
        return
    if reading.broken:
        yield "telemetry", str(reading), None, "warning"
    if reading.times is Times.CLOCK and camera.started_at is None and not Path(address).is_dir():
        yield "started_at", f"{file} goes by the clock, and when the video began is not known", None, "warning"
    yield from _missing([fix.pose for fix in reading.fixes], camera.mount)


def _missing(poses: list[Pose], mount: Mount) -> Iterator[Remark]:
    """What keeps a thing from being placed better than somewhere around the camera."""
    around = "what it sees is placed around the camera, within tens of metres, and never seen to be gone"
    for told, said, what, key in (
        (any(pose.height_m is not None for pose in poses), mount.height_m, "height above the street", "mount_height"),
        (any(pose.pitch_deg is not None for pose in poses), mount.pitch_deg, "pitch", "mount_pitch"),
        (any(pose.heading_deg is not None for pose in poses), mount.heading_deg, "heading", "mount_heading"),
        (
            any(pose.field_of_view_deg is not None for pose in poses),
            mount.field_of_view_deg,
            "field of view",
            "field_of_view",
        ),
    ):
        if not told and said is None:
            yield key, f"no {what} is known: {around}", f"set {key} if it does not change", "warning"
