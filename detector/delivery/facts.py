"""An event taken apart into plain facts by name, for sinks that speak another language than CloudEvents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from detector.core.geo import GeoPoint

Facts = dict[str, Any]
"""Name (a key of detector.config.mapping.FACTS) to a text, number, truth value, datetime, or None: not known."""

_TIMES = ("first_seen", "last_seen", "opened_at", "cleared_at", "dispatched_at", "due_at", "escalated_at")
_PLAIN = (
    *("problem_id", "revision", "status", "category", "rule", "label", "camera_id", "reopened", "score"),
    *("looks", "sightings", "count", "model_version", "review", "note", "previous", "reason"),
    *("cleared_reason", "cleared_rule"),
    *("case_id", "stage", "department", "department_code", "escalated", "escalated_to", "street"),
)


def facts_of(body: bytes, event_type: str, *, language: str = "zh", standard: str | None = None) -> Facts:
    """The facts of a CloudEvents document made by `cloud_event`; what its type does not tell is None.

    language: of category names. standard: whose code is `code`; the first one when not given.
    `latitude` and `longitude` are those of the problem on the ground, else of its camera, WGS-84.
    """
    event = json.loads(body)
    data: Mapping[str, Any] = event["data"]
    camera = data.get("camera") or {}
    place = data.get("place") or {}
    evidence = data.get("evidence") or {}
    ground, where = place.get("ground"), "ground"
    if ground is None:
        ground, where = camera.get("position"), "camera"
    box, size = place.get("box") or {}, place.get("frame_size") or {}
    facts: Facts = {name: data.get(name) for name in _PLAIN}
    facts |= {name: _moment(data.get(name)) for name in _TIMES}
    facts |= {
        "event_id": event["id"],
        "event_type": event_type,
        "source": event["source"],
        "subject": event["subject"],
        "occurred_at": _moment(event["time"]),
        "category_name": _name(data.get("category_names") or {}, language) or data.get("category"),
        "code": _code(data.get("codes") or {}, standard),
        "camera_name": camera.get("name") or data["camera_id"],
        "district": data.get("district") or camera.get("district"),
        "latitude": None if ground is None else ground["latitude"],
        "longitude": None if ground is None else ground["longitude"],
        "position_of": None if ground is None else where,
        "evidence_url": evidence.get("url"),
        "evidence_reason": evidence.get("reason"),
        **{f"box_{side}": box.get(side) for side in ("left", "top", "right", "bottom")},
        "frame_width": size.get("width"),
        "frame_height": size.get("height"),
    }
    return facts


def point_of(facts: Mapping[str, Any]) -> GeoPoint | None:
    """Where it is, WGS-84; None when nobody knows."""
    latitude, longitude = facts["latitude"], facts["longitude"]
    return None if latitude is None or longitude is None else GeoPoint(latitude, longitude)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _name(names: Mapping[str, str], language: str) -> str | None:
    short = language.partition("-")[0]
    near = [name for tag, name in sorted(names.items()) if tag.partition("-")[0] == short]
    return names.get(language) or (near[0] if near else names.get("en"))


def _code(codes: Mapping[str, str], standard: str | None) -> str | None:
    if standard is not None:
        return codes.get(standard)
    return next(iter(codes.values()), None)
