"""Zones, permits and rules as rows of a table and as JSON values."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import date, time
from typing import Any

from detector.core.calendar import ALL_WEEK, HolidayPlan, TimeWindow, Validity
from detector.core.rules import Permit, Rule
from detector.core.zones import Zone

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Row = tuple[object, ...]


def zone_row(zone: Zone) -> Row:
    """Id, kind, camera or map, categories."""
    return zone.id, zone.kind, zone.camera_id or "map", _listed(zone.categories, "all")


def permit_row(permit: Permit) -> Row:
    """Id, effect, rank, categories, zones, hours, dates, holder."""
    places = _listed(permit.zones, "everywhere")
    what = permit.id, permit.effect, permit.rank, _listed(permit.categories, "-"), places
    return (*what, windows(permit.windows), dates(permit.validity), permit.holder)


def rule_row(rule: Rule) -> Row:
    """Id, rank, categories, inside, outside, hours, dates, outcome."""
    then = f"case, {_listed(set(rule.codes.values()), 'usual code')}" if rule.case else "no case"
    where = rule.inside or "", rule.outside or ""
    return (
        rule.id,
        rule.rank,
        _listed(rule.categories, "-"),
        *where,
        windows(rule.windows),
        dates(rule.validity),
        then,
    )


def windows(given: Iterable[TimeWindow]) -> str:
    """As they are written in a file: `fri sat 18:00-02:00; sun 08:00-12:00`."""
    return "; ".join(_window(window) for window in given) or "any"


def _window(window: TimeWindow) -> str:
    end = "24:00" if window.end == time(0, 0) else f"{window.end:%H:%M}"
    hours = f"{window.start:%H:%M}-{end}"
    if window.weekdays == ALL_WEEK:
        return hours
    return f"{' '.join(_DAYS[day] for day in sorted(window.weekdays))} {hours}"


def dates(validity: Validity) -> str:
    """First and last day, the days taken out and put in, then what holds on public holidays."""
    span = f"{validity.first or ''}..{validity.last or ''}" if validity.first or validity.last else ""
    out = [f"-{day}" for day in sorted(validity.never)]
    extra = [f"+{day}" for day in sorted(validity.extra)]
    plan = [] if validity.holidays is None else [f"holidays: {validity.holidays.policy}"]
    return " ".join([part for part in (span, *out, *extra, *plan) if part])


def written(value: Any) -> Any:
    """As JSON values: corners as pairs, sets in order, times and dates as text."""
    match value:
        case Zone():
            rings = [list(zip(line[::2], line[1::2], strict=True)) for line in value.rings]
            return {
                "id": value.id,
                "kind": value.kind,
                "camera_id": value.camera_id,
                "rings": rings,
                "categories": sorted(value.categories),
            }
        case Permit() | Rule() | TimeWindow() | Validity():
            return {field.name: written(getattr(value, field.name)) for field in fields(value)}
        case HolidayPlan():
            return value.policy.value
        case frozenset():
            return sorted(written(item) for item in value)
        case list() | tuple():
            return [written(item) for item in value]
        case date() | time():
            return value.isoformat()
        case _:
            return value


def _listed(names: Collection[str], none: str) -> str:
    return ", ".join(sorted(names)) or none
