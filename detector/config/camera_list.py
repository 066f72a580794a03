"""Cameras from a CSV file: one per row, the header names the keys of a camera.

Spreadsheets in Chinese offices save GB 18030 rather than UTF-8, so both are read.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from detector.config.cameras import CameraSettings
from detector.config.finding import Finding, did_you_mean
from detector.config.marked_yaml import Document, Mark
from detector.config.strict import Strict

if TYPE_CHECKING:
    from _csv import Reader


class CameraList(Strict):
    """The cameras of one list file."""

    cameras: tuple[CameraSettings, ...]


def read_camera_list(file: Path) -> Document:
    """A document with the one key `cameras`, as if the rows had been written in YAML; nothing is raised."""
    document = Document(file, {"cameras": []})
    try:
        raw = file.read_bytes()
    except OSError as error:
        document.findings.append(Finding(file, None, "", f"cannot be read: {error.strerror}"))
        return document
    text = _decode(raw)
    if text is None:
        document.findings.append(Finding(file, None, "", "is neither UTF-8 nor GB 18030", "save it as UTF-8"))
        return document
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        _read_rows(rows, document)
    except csv.Error as error:
        document.findings.append(Finding(file, rows.line_num, "", f"is not CSV: {error}"))
    return document


def _decode(raw: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _read_rows(rows: Reader, document: Document) -> None:
    header = [name.strip() for name in next(rows, [])]
    known = list(CameraSettings.model_fields)
    for name in header:
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
            document.findings.append(Finding(document.file, 1, name or "(empty)", "unknown column", hint))
    missing = [name for name in ("id", "url") if name not in header]
    if missing:
        document.findings.append(Finding(document.file, 1, "", f"lacks the column {', '.join(missing)}"))
    if document.findings:
        return
    line = rows.line_num + 1
    for row in rows:
        _read_row(header, row, line, document)
        line = rows.line_num + 1


def _read_row(header: list[str], row: list[str], line: int, document: Document) -> None:
    if not any(cell.strip() for cell in row):
        return
    if len(row) > len(header):
        document.findings.append(
            Finding(
                document.file,
                line,
                "",
                f"has {len(row)} cells, the header {len(header)}",
                "put cells that hold a comma in double quotes",
            )
        )
        return
    cameras = document.data["cameras"]
    index = len(cameras)
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=False) if cell.strip()}
    document.marks["cameras", index] = Mark(document.file, line)
    cameras.append(cells)
