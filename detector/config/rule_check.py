"""What `detector check` tells about zones, permits and rules that can be read but would surprise their author."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import combinations, islice
from math import cos, radians
from pathlib import Path

from detector.config.categories import CategoriesFile
from detector.config.finding import Finding, did_you_mean
from detector.config.marked_yaml import Document
from detector.config.rulebook import ExaminedRules, asks_calendar
from detector.config.settings import Settings
from detector.config.workdays import calendar_fault
from detector.core.calendar import first_occurrence, first_overlap
from detector.core.rules import Effect, Permit, RuleBook
from detector.core.zones import IGNORE, WATCH, Zone, crosses_itself, overlap, within

SIGHT_M = 300.0
"""A street camera hardly tells a stall from a parked cart at a greater distance, metres."""

MOST_STRANGERS = 20
"""Zones of unknown cameras that are told one by one; a file of zones may serve several installations."""

_M_PER_DEG = 111_320.0  # of latitude


def check_rules(
    settings: Settings, examined: ExaminedRules, categories: CategoriesFile, today: date | None = None
) -> Iterator[Finding]:
    """Overlaps, gaps and what can never hold; nothing about files with errors, which are told by reading them.

    `today`: permits that ended before it are told; none are when it is not given.
    """
    book = examined.book
    if book is None:
        return
    look = _Check(settings, examined, book, categories)
    yield from look.zones()
    yield from look.contradictions()
    yield from look.permits(today)
    yield from look.rival_permits(today)
    yield from look.without_permits(today)
    if today is not None and asks_calendar(examined.permits, book.rules.values()):
        fault = calendar_fault(settings.rules.calendar, today, "rules.calendar")
        if fault is not None:
            document = settings.document or Document(Path("settings"))
            yield document.finding(("rules", "calendar"), fault)


class _Check:
    def __init__(self, settings: Settings, examined: ExaminedRules, book: RuleBook, categories: CategoriesFile) -> None:
        self._examined = examined
        self._book = book
        self._cameras = {camera.id: camera for camera in settings.cameras}
        self._categories = {key: given for key, given in categories.categories.items() if given.enabled}
        self._used = _kinds_used(book, [given.needs for given in self._categories.values()])
        self._in_permits = {zone for permit in book.permits.values() for zone in permit.zones}

    def zones(self) -> Iterator[Finding]:
        """Zones of unknown cameras, of kinds without a meaning, drawn across themselves."""
        strangers = 0
        for zone, document, path in self._examined.zones.found.values():
            if zone.camera_id is not None and zone.camera_id not in self._cameras:
                strangers += 1
                if strangers <= MOST_STRANGERS:
                    hint = did_you_mean(zone.camera_id, self._cameras)
                    yield document.finding((*path, "camera"), f'there is no camera "{zone.camera_id}"', hint)
            if zone.kind not in self._used and zone.id not in self._in_permits:
                hint = did_you_mean(zone.kind, self._used) or "name it in a rule or a permit"
                yield document.finding((*path, "kind"), f'nothing is said about the kind "{zone.kind}"', hint)
            if crosses_itself(zone):
                yield document.finding(path, "its outline crosses itself", "write the corners in order around it")
        if strangers > MOST_STRANGERS:
            document = self._examined.zones.documents[0]
            yield document.finding((), f"{strangers} zones in all lie in pictures of unknown cameras", None, "note")

    def contradictions(self) -> Iterator[Finding]:
        """Zones that share an area and say opposite things of a category."""
        for pair in self._neighbours():
            one, other = sorted(pair, key=lambda zone: zone.id)
            ignored = next((each for each in ((one, other), (other, one)) if each[1].kind == IGNORE), None)
            if ignored is not None:
                inner, outer = ignored
                if inner.kind != IGNORE and within(inner, outer):
                    yield self._about(inner, f"lies inside {outer.id}, where everything is ignored")
                continue
            for category in self._categories:
                told = [self._verdict(zone, category) for zone in (one, other)]
                if None not in told and told[0] != told[1] and overlap(one, other):
                    words = f"overlaps {other.id} ({other.kind}), which says the opposite of {category}"
                    yield self._about(one, words, "see `detector rules explain` for a point in both")
                    break

    def permits(self, today: date | None) -> Iterator[Finding]:
        """Permits that can never hold, are over, or lie where nobody looks."""
        for key, (_, document, path) in self._examined.permits.found.items():
            permit = self._book.permits[key]
            if first_occurrence(permit.windows, permit.validity) is None:
                yield document.finding(path, "can never hold: no day of its dates is one of its weekdays")
            elif today is not None and permit.validity.last is not None and permit.validity.last < today:
                yield document.finding(path, f"is over since {permit.validity.last}", severity="note")
            zones = [self._book.zones[zone] for zone in sorted(permit.zones)]
            if zones and not any(self._seen(zone) for zone in zones):
                where = ", ".join(zone.id for zone in zones)
                yield document.finding(path, f"no camera sees {where}: it makes no difference", severity="note")
            for category in sorted(permit.categories):
                if zones and not any(zone.concerns(category) for zone in zones):
                    yield document.finding(path, f"none of its zones concerns {category}: it does not count for that")

    def without_permits(self, today: date | None) -> Iterator[Finding]:
        """Zones that permits name, all of which are over or can never hold: what was allowed there is a case now."""
        lasting = {
            zone
            for permit in self._book.permits.values()
            if permit.effect is Effect.ALLOW and first_occurrence(permit.windows, permit.validity) is not None
            if today is None or permit.validity.last is None or permit.validity.last >= today
            for zone in permit.zones
        }
        allowed = {z for p in self._book.permits.values() if p.effect is Effect.ALLOW for z in p.zones}
        for zone in sorted(allowed - lasting):
            _, document, path = self._examined.zones.found[zone]
            yield document.finding(path, "every permit for it is over, or can never hold", severity="note")

    def rival_permits(self, today: date | None) -> Iterator[Finding]:
        """Permits of different holders for the same thing at the same place and time, from `today` on if given."""
        groups: dict[tuple[str, str], list[Permit]] = {}
        for permit in self._book.permits.values():
            if permit.effect is Effect.ALLOW and permit.holder:
                for zone in permit.zones:
                    for category in permit.categories:
                        groups.setdefault((zone, category), []).append(permit)
        told: set[tuple[str, str]] = set()
        for (zone, category), permits in sorted(groups.items()):
            for one, other in combinations(sorted(permits, key=lambda permit: permit.id), 2):
                if one.holder == other.holder or one.rank != other.rank or (one.id, other.id) in told:
                    continue
                at = first_overlap((one.windows, one.validity), (other.windows, other.validity), today)
                if at is not None:
                    told.add((one.id, other.id))
                    yield self._rivals(one, other, zone, category, at)

    def _rivals(self, one: Permit, other: Permit, zone: str, category: str, at: datetime) -> Finding:
        _, document, path = self._examined.permits.found[other.id]
        return document.finding(
            path,
            f"gives {category} in {zone} to {other.holder} while {one.id} gives it to {one.holder},"
            f" e.g. on {at:%Y-%m-%d at %H:%M}",
            "keep one, or part their hours",
        )

    def _about(self, zone: Zone, message: str, suggestion: str | None = None) -> Finding:
        _, document, path = self._examined.zones.found[zone.id]
        return document.finding(path, message, suggestion)

    def _neighbours(self) -> Iterator[tuple[Zone, Zone]]:
        """Pairs of zones in the same frame of reference whose bounding boxes share an area."""
        groups: dict[str | None, list[tuple[tuple[float, float, float, float], Zone]]] = {}
        for zone in self._book.zones.values():
            groups.setdefault(zone.camera_id, []).append((zone.bounds(), zone))
        for group in groups.values():
            group.sort(key=lambda entry: (entry[0], entry[1].id))
            for index, (box, one) in enumerate(group):
                for other_box, other in islice(group, index + 1, None):
                    if other_box[0] >= box[2]:
                        break  # sorted by their left ends: all further ones begin right of this one
                    if other_box[1] < box[3] and box[1] < other_box[3]:
                        yield one, other

    def _verdict(self, zone: Zone, category: str) -> bool | None:
        """Whether standing in a zone makes a case of a category (True) or none (False), at some hour; None: neither."""
        if not zone.concerns(category):
            return None
        rules = [r for r in self._book.rules.values() if category in r.categories and r.inside == zone.kind]
        if rules:
            return max(rules, key=lambda rule: rule.rank).case
        needs = self._categories[category].needs
        return {f"zone:{zone.kind}": True, f"outside:{zone.kind}": False}.get(needs or "")

    def _seen(self, zone: Zone) -> bool:
        """Whether a camera that is looked at shows the zone, or stands near it on the map."""
        if zone.camera_id is not None:
            camera = self._cameras.get(zone.camera_id)
            return camera is not None and camera.enabled
        west, south, east, north = zone.bounds()
        high = SIGHT_M / _M_PER_DEG
        wide = high / max(0.01, cos(radians((south + north) / 2)))
        return any(
            south - high <= camera.position.latitude <= north + high
            and west - wide <= camera.position.longitude <= east + wide
            for camera in self._cameras.values()
            if camera.enabled and camera.position is not None
        )


def _kinds_used(book: RuleBook, needs: list[str | None]) -> set[str]:
    """The kinds of zones that mean something."""
    named = {kind for rule in book.rules.values() for kind in (rule.inside, rule.outside) if kind is not None}
    return {IGNORE, WATCH} | named | {need.partition(":")[2] for need in needs if need is not None}
