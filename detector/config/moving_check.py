"""What `detector check` tells about moving cameras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detector.config.cameras import CameraSettings
from detector.config.finding import Finding, Severity, written_key
from detector.config.marked_yaml import Document
from detector.config.settings import Settings
from detector.config.values import scheme_of

ONLY_MOVING = ("telemetry", "field_of_view", "mount_height", "mount_pitch", "mount_heading")
"""Keys of a camera that say something of a moving one only."""


def check_moving(settings: Settings, document: Document) -> Iterator[Finding]:
    """Moving cameras of which nothing can be placed, and fixed ones that are described like moving ones."""
    for index, camera in enumerate(settings.cameras):
        for key, message, suggestion, severity in _remarks(camera, settings.plan(camera).mode):
            mark = document.mark(("cameras", index, key))
            yield Finding(mark.file, mark.line, written_key(("cameras", index, key)), message, suggestion, severity)


def _remarks(camera: CameraSettings, mode: str) -> Iterator[tuple[str, str, str | None, Severity]]:
    live = scheme_of(camera.url.get_secret_value()) is not None
    if not camera.moving:
        for key in ONLY_MOVING:
            if key in camera.model_fields_set:
                yield key, "has no effect on a camera that does not move", "set moving: true", "warning"
        return
    if camera.telemetry == "none":
        message = "without positions nothing that it sees has a place: no problem ever comes of it"
        yield "telemetry", message, None, "warning"
    elif isinstance(camera.telemetry, Path):
        if live:
            yield "telemetry", "a file of positions does not fit a live stream", "use auto", "error"
        elif not camera.telemetry.is_file():
            yield "telemetry", f"there is no file {camera.telemetry}", None, "error"
    if mode == "patrol":
        message = "a visit is too short to hear where a moving camera is: no problem ever comes of it"
        yield "mode", message, "use mode: stream", "warning"
    if camera.ground:
        yield "ground", "marks hold for a view that stays: they have no effect", "remove them, or moving", "warning"
