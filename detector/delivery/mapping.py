"""From facts to the request that a mapping file describes, and from an answer to what it says."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from detector.config.mapping import FieldMapping, MappingFile, Message, ReplyTest, Scalar
from detector.core.coordinates import from_wgs84
from detector.delivery.facts import Facts, facts_of, point_of
from detector.errors import DeliveryError

_PART = re.compile(r"@?[^.\[\]]+|\[\d+\]")
_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_DECLARATION = re.compile(r"^<\?xml[^>]*\?>")
CONTENT_TYPES = {"json": "application/json", "xml": "application/xml", "form": "application/x-www-form-urlencoded"}


def facts_for(
    mapping: MappingFile, body: bytes, event_type: str, now: datetime, picture: Callable[[str], bytes | None]
) -> Facts:
    """All that fields may name: positions in the mapping's coordinates, the picture only when a field asks for it."""
    facts = facts_of(body, event_type, language=mapping.language, standard=mapping.standard)
    point = point_of(facts)
    if point is not None:
        there = from_wgs84(point, mapping.coordinates)
        facts |= {"latitude": there.latitude, "longitude": there.longitude}
    facts |= {"sent_at": now, "evidence_base64": None}
    link = facts["evidence_url"]
    message = message_for(mapping, event_type)
    if link and message and any(field.fact == "evidence_base64" for field in message.fields):
        content = picture(link)
        facts["evidence_base64"] = None if content is None else base64.b64encode(content).decode()
    return facts


def message_for(mapping: MappingFile, event_type: str) -> Message | None:
    """The request that is made for an event; None when the platform is not told of it."""
    return next((message for message in mapping.messages if message.wants(event_type)), None)


def body_of(mapping: MappingFile, message: Message, facts: Facts) -> bytes:
    """The body of a request. Raises DeliveryError naming the field that cannot be filled."""
    zone = ZoneInfo(mapping.timezone)
    filled: list[tuple[str, Scalar]] = []
    for field in message.fields:
        value = _value(field, facts, mapping, zone)
        if value is not None:
            filled.append((field.to, value))
    match mapping.format:
        case "json":
            text = json.dumps(_tree(filled), ensure_ascii=False)
        case "xml":
            return _xml(mapping.root, _tree(filled), mapping.encoding)
        case "form":
            return urlencode({to: _written(value) for to, value in filled}, encoding=mapping.encoding).encode()
    return text.encode(mapping.encoding)


def path_of(message: Message, facts: Facts) -> str:
    """The part of the address that follows the endpoint's URL. Raises DeliveryError for a fact that is not known."""

    def filled(match: re.Match[str]) -> str:
        value = facts[match[1]]
        if value is None or value == "":
            raise DeliveryError(f"path {message.path}: the event does not tell {match[1]}")
        return quote(_written(value), safe="")

    return _PLACEHOLDER.sub(filled, message.path)


def _value(field: FieldMapping, facts: Facts, mapping: MappingFile, zone: ZoneInfo) -> Scalar | None:
    if field.value is not None:
        return field.value
    if field.text is not None:
        raw: Any = _PLACEHOLDER.sub(lambda match: _shown(facts[match[1]], zone), field.text).strip()
    else:
        raw = facts[field.fact or ""]
    if raw is not None and field.table is not None:
        translated = mapping.tables[field.table].get(_written(raw), field.default)
        if translated is None and not field.optional:
            raise DeliveryError(
                f'field {field.to}: table {field.table} has no "{_written(raw)}"; add it, then redeliver'
            )
        return translated
    if raw is None:
        if field.default is None and not field.optional:
            raise DeliveryError(f"field {field.to}: the event does not tell {field.fact}; give it a default")
        return field.default
    return _typed(_formed(raw, field, zone), field.type)


def _formed(raw: Any, field: FieldMapping, zone: ZoneInfo) -> Scalar:
    if isinstance(raw, datetime):
        return _time(raw.astimezone(zone), field.time or "iso")
    if field.digits is not None and isinstance(raw, (int, float)):
        return round(float(raw), field.digits)
    if field.longest is not None and isinstance(raw, str):
        return raw[: field.longest]
    formed: Scalar = raw
    return formed


def _time(moment: datetime, form: str) -> Scalar:
    match form:
        case "iso":
            return moment.isoformat(timespec="seconds")
        case "epoch_s":
            return int(moment.timestamp())
        case "epoch_ms":
            return int(moment.timestamp() * 1000)
        case _:
            return moment.strftime(form)


def _typed(value: Scalar, kind: str | None) -> Scalar:
    match kind:
        case "text":
            return _written(value)
        case "number":
            try:
                return float(value) if "." in str(value) else int(value)
            except ValueError:
                raise DeliveryError(f'"{value}" is no number') from None
        case "boolean":
            return bool(value)
        case _:
            return value


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _shown(value: object, zone: ZoneInfo) -> str:
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    return _written(value)


def parts_of(path: str) -> list[str | int]:
    """`a.b[0].c` -> ["a", "b", 0, "c"]."""
    return [int(part[1:-1]) if part.startswith("[") else part for part in _PART.findall(path)]


def _tree(filled: list[tuple[str, Scalar]]) -> Any:
    """Nested objects and lists; a list that begins at a later place is filled up from its start."""
    root: dict[str | int, Any] = {}
    for path, value in filled:
        *way, last = parts_of(path)
        inner = root
        for part in way:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise DeliveryError(f"field {path} lies inside of a field that has a value")
        inner[last] = value
    return _listed(root)


def _listed(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    if part and all(isinstance(key, int) for key in part):
        return [_listed(part[key]) for key in sorted(part)]
    return {str(key): _listed(value) for key, value in part.items()}


def _xml(root: str, tree: Mapping[str, Any], encoding: str) -> bytes:
    element = ET.Element(root)
    _grow(element, tree)
    content: bytes = ET.tostring(element, encoding=encoding, xml_declaration=True)
    return content


def _grow(element: ET.Element, part: Any) -> None:
    if not isinstance(part, dict):
        element.text = _NOT_IN_XML.sub("", _written(part))
        return
    for name, value in part.items():
        if name.startswith("@"):
            element.set(name[1:], _NOT_IN_XML.sub("", _written(value)))
            continue
        for one in value if isinstance(value, list) else [value]:
            _grow(ET.SubElement(element, name), one)


# --- answers -----------------------------------------------------------------------------------------------------


def reply_of(body: bytes) -> Any:
    """An answer as nested objects, from JSON or (below the outermost element) XML; None when it is neither."""
    try:
        text = body.decode().strip()
    except UnicodeDecodeError:
        text = body.decode("gb18030", errors="replace").strip()
    if text.startswith("<") and "<!DOCTYPE" not in text and "<!ENTITY" not in text:
        text = _DECLARATION.sub("", text)  # the parser knows fewer encodings than we do
        try:
            return _branches(ET.fromstring(text))  # noqa: S314 - no DTD gets here, so no entity can expand
        except (ET.ParseError, LookupError, ValueError, RecursionError):
            return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _branches(element: ET.Element) -> Any:
    if not len(element):
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        found.setdefault(name, []).append(_branches(child))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def at(reply: Any, path: str) -> str | None:
    """The field of an answer as text; None when it is not there."""
    for part in parts_of(path):
        try:
            reply = reply[part]
        except (KeyError, IndexError, TypeError):
            return None
    return None if reply is None or isinstance(reply, (dict, list)) else _written(reply)


def passes(test: ReplyTest, status: int, reply: Any) -> bool:
    """Whether an answer is what a test looks for."""
    if not (status in test.status if test.status else 200 <= status < 300):
        return False
    if test.field is None:
        return True
    return at(reply, test.field) in {_written(value) for value in test.equals}
