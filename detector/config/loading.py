"""Reading an installation's settings: the YAML file, the camera list it names, and the rules that span several keys."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from detector.config.camera_list import CameraList, read_camera_list
from detector.config.finding import Finding
from detector.config.marked_yaml import Document, read_yaml
from detector.config.settings import Settings
from detector.config.validating import validate
from detector.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of reading a settings file."""

    settings: Settings | None  # None when there is an error among the findings
    findings: tuple[Finding, ...]


def load_settings(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read a settings file.

    `environment`: what `${NAME}` may refer to; the process environment when not given.
    Raises ConfigError with one line per error: file, line, key, what is wrong and a suggestion.
    """
    examined = examine_settings(path, environment)
    if examined.settings is None:
        raise ConfigError("\n".join(str(finding) for finding in examined.findings))
    return examined.settings


def examine_settings(path: Path, environment: Mapping[str, str] | None = None) -> Examined:
    """Read a settings file and return all that is wrong with it instead of raising."""
    variables = os.environ if environment is None else environment
    document = read_yaml(path)
    broken = bool(document.findings) and not document.data
    settings = None if broken else validate(document, Settings, variables)
    if settings is not None and settings.cameras_file is not None:
        settings = _with_camera_list(settings, settings.cameras_file, document, variables)
    if settings is not None:
        settings._document = document
        _check_unique(document, "cameras", "id", (camera.id for camera in settings.cameras))
        _check_unique(document, "endpoints", "name", (point.name for point in settings.endpoints))
        _check_positions(document, settings)
    return Examined(None if document.findings else settings, document.in_order())


def _with_camera_list(settings: Settings, file: Path, document: Document, variables: Mapping[str, str]) -> Settings:
    """The settings with the cameras of `file` after their own; its findings go to `document`."""
    rows = read_camera_list(file)
    listed = None if rows.findings else validate(rows, CameraList, variables)
    document.findings += rows.findings
    if listed is None:
        return settings
    written = len(settings.cameras)
    for path, mark in rows.marks.items():
        match path:
            case ("cameras", int(index), *_):
                document.marks["cameras", written + index] = mark
    return settings.model_copy(update={"cameras": (*settings.cameras, *listed.cameras)})


def _check_unique(document: Document, section: str, key: str, values: Iterable[str]) -> None:
    seen: dict[str, int] = {}
    for index, value in enumerate(values):
        if value in seen:
            first = document.mark((section, seen[value]))
            document.find(
                (section, index, key),
                f'"{value}" is taken by {first.file}:{first.line}',
                "give each its own",
            )
        seen.setdefault(value, index)


def _check_positions(document: Document, settings: Settings) -> None:
    for index, camera in enumerate(settings.cameras):
        if (camera.latitude is None) != (camera.longitude is None):
            given = "longitude" if camera.latitude is None else "latitude"
            document.find(("cameras", index, given), "needs latitude and longitude, or neither")
