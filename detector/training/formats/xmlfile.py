"""XML annotations, read with the standard parser but without document types (entity bombs, external entities)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from detector.errors import DatasetError


def read_xml(path: Path) -> ET.Element:
    """The root element; raises DatasetError for unreadable files, broken XML and any DOCTYPE."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise DatasetError(f"{path}: holds a document type or entity; annotations need none, remove it")
    try:
        return ET.fromstring(content)  # noqa: S314 - no DTD gets here, so no entity can expand
    except ET.ParseError as error:
        raise DatasetError(f"{path}:{error.position[0]}: not well-formed XML ({error.msg})") from error


def number(element: ET.Element, name: str, where: str) -> float:
    """A child's text or an attribute as a finite number; raises DatasetError."""
    text = element.get(name) or element.findtext(name)
    try:
        value = float(text or "")
    except ValueError as error:
        raise DatasetError(f"{where}: {element.tag}.{name} is {text!r}, not a number") from error
    if value != value or abs(value) == float("inf"):
        raise DatasetError(f"{where}: {element.tag}.{name} is not finite")
    return value
