"""The words of Open311 GeoReport v2 (wiki.open311.org/GeoReport_v2): what is asked, and what the answers mean. Pure."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from detector.config.sinks import Open311Settings
from detector.delivery.facts import Facts, point_of
from detector.errors import DeliveryError

LONGEST_DESCRIPTION = 4000
"""Characters; GeoReport v2, POST Service Request."""

MOST_LISTED = 1000
"""Requests that GET /requests lists at most; GeoReport v2, GET Service Requests."""


@dataclass(frozen=True, slots=True)
class Row:
    """One element of the list that every answer is."""

    service_request_id: str | None = None
    token: str | None = None
    description: str = ""


def request_form(facts: Facts, settings: Open311Settings, earlier: str | None, note: bool) -> dict[str, str]:
    """The fields of POST /requests.

    earlier: service_request_id of the problem's first request. Raises DeliveryError when the configuration does not
    tell the service code.
    """
    form = {"service_code": _service_code(facts, settings, note)}
    if settings.api_key is not None:
        form["api_key"] = settings.api_key.get_secret_value()
    if settings.jurisdiction_id is not None:
        form["jurisdiction_id"] = settings.jurisdiction_id
    point = point_of(facts)
    if point is not None:
        form |= {"lat": f"{point.latitude:.6f}", "long": f"{point.longitude:.6f}"}
    else:
        form["address_string"] = " ".join(part for part in (facts["district"], facts["camera_name"]) if part)
    form["description"] = description(facts, earlier)
    picture = facts["evidence_url"]
    if picture and picture.startswith(("http://", "https://")):
        form["media_url"] = picture
    return form | dict(settings.contact) | {f"attribute[{code}]": value for code, value in settings.attributes.items()}


def description(facts: Facts, earlier: str | None) -> str:
    """What a person reads; its last line holds the event's id, by which the request is found again."""
    what = f"{facts['category_name']} ({facts['label']} {facts['score']:.2f}), {facts['event_type']}"
    seen = f"{facts['first_seen'].isoformat()} - {facts['last_seen'].isoformat()}"
    lines = [what, seen, f"{facts['camera_name']} ({facts['camera_id']})"]
    lines += [facts["note"]] if facts["note"] else []
    lines += [facts["rule"]] if facts["rule"] else []
    lines += [f"service_request_id: {earlier}"] if earlier else []
    last = f"\nref: {facts['event_id']}"
    return "\n".join(lines)[: LONGEST_DESCRIPTION - len(last)] + last


def _service_code(facts: Facts, settings: Open311Settings, note: bool) -> str:
    if note:
        if settings.note_service_code is None:
            raise DeliveryError("a note needs `open311.note_service_code`")
        return settings.note_service_code
    code = settings.service_codes.get(facts["category"], settings.default_service_code)
    if code is None:
        raise DeliveryError(
            f"no service code for category {facts['category']}: add it under `open311.service_codes`, then redeliver"
        )
    return code


def listing_query(form: Mapping[str, str], since: datetime, until: datetime) -> dict[str, str]:
    """The query of GET /requests that would list the request of a form, made between two moments.

    Without the key, which the standard does not ask for here and which would end up in the server's logs.
    """
    query = {name: form[name] for name in ("jurisdiction_id", "service_code") if name in form}
    return query | {"start_date": _w3(since), "end_date": _w3(until)}


def _w3(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def rows_of(body: bytes) -> list[Row] | None:
    """The rows of an answer; None when it is none. Ids come as numbers from some servers and as texts from others."""
    rows = _array(body)
    if rows is None:
        return None
    return [
        Row(_id(row.get("service_request_id")), _id(row.get("token")), str(row.get("description") or ""))
        for row in rows
    ]


def refusal(body: bytes) -> str | None:
    """The descriptions of an error answer, `[{"code": ..., "description": ...}]`; None when it has none."""
    told = [str(row["description"]) for row in _array(body) or [] if row.get("description")]
    return "; ".join(told) or None


def _array(body: bytes) -> list[Mapping[str, Any]] | None:
    if body.lstrip(_SPACE).startswith(b"<"):
        return _from_xml(body)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):  # also what is no UTF-8
        return None
    rows = content if isinstance(content, list) else [content]
    return [row for row in rows if isinstance(row, dict)]


_SPACE = b"\xef\xbb\xbf \t\r\n"
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def _from_xml(body: bytes) -> list[Mapping[str, Any]] | None:
    """The rows of `<service_requests>` or `<errors>`, with or without a namespace; UTF-8, as the standard asks for."""
    text = body.lstrip(_SPACE).decode(errors="replace")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ET.fromstring(_DECLARATION.sub("", text))  # noqa: S314 - no DTD gets here, so no entity can expand
    except (ET.ParseError, ValueError, RecursionError):
        return None
    if _local(root) not in ("service_requests", "errors"):
        return None
    return [{_local(field): (field.text or "").strip() for field in row} for row in root]


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _id(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip() or None
