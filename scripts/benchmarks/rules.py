"""Look-ups of rules per second and bytes per zone and permit, for a large city, against a scan of everything."""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from datetime import datetime, timedelta
from datetime import time as hour
from typing import Any

from detector.core.calendar import TimeWindow, Validity, holds
from detector.core.category import Category
from detector.core.geo import GeoPoint
from detector.core.rules import Effect, Outcome, Permit, Rule, RuleBook, Spot
from detector.core.zones import IGNORE, WATCH, Zone, ring

CAMERAS = 280_000
PERMITS = 5_000
PLACES = 4_000  # zones of the map: markets, bays, works
LOOKUPS = 100_000
SCANS = 30
WEST, SOUTH, SIDE_DEG = 120.0, 30.0, 0.6  # a city of about 60 km
KINDS = ("vending_point", "collection_point", "no_parking", "legal_bay", "works")
STALL = Category("street_stall", {}, frozenset({"street_stall"}), codes={"2026": "09001"})
GARBAGE = Category("exposed_garbage", {}, frozenset({"garbage"}), codes={"2026": "06010"})
PARKING = Category("motor_parking", {}, frozenset({"car"}), codes={"2026": "09009"}, needs="zone:no_parking")
CATEGORIES = (STALL, GARBAGE, PARKING)
RULES = (
    Rule("outside-hours", frozenset({STALL.id}), inside="vending_point", codes={"2026": "09002"}),
    Rule("set-out", frozenset({GARBAGE.id}), "collection_point", windows=(TimeWindow(hour(18), hour(22)),), case=False),
)


def measure() -> dict[str, Any]:
    """One row for building and memory, one for each way of looking up."""
    chance = random.Random(7)
    tracemalloc.start()
    zones = _picture_zones(chance) + _map_zones(chance)
    after_zones = tracemalloc.get_traced_memory()[0]
    permits = _permits(chance, [zone.id for zone in zones if zone.camera_id is None])
    after_permits = tracemalloc.get_traced_memory()[0]
    bare = RuleBook(zones, (), RULES)
    after_bare = tracemalloc.get_traced_memory()[0]
    book = RuleBook(zones, permits, RULES)
    after_book = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    zone_bytes = after_bare - (after_permits - after_zones)
    permit_bytes = (after_permits - after_zones) + (after_book - after_bare) - (after_bare - after_permits)
    del bare
    sightings = [_sighting(chance, zones) for _ in range(LOOKUPS)]
    indexed = _rate(lambda each: book.decide(*each), sightings)
    few = sightings[:SCANS]
    same = sum(_scan(zones, permits, *each) == book.decide(*each) for each in few)
    scanned = _rate(lambda each: _scan(zones, permits, *each), few)
    cases = sum(book.decide(*each).case for each in sightings)
    return {
        "title": "Rules of a large city",
        "about": f"{CAMERAS:,} cameras with a zone each in their pictures, {PLACES:,} zones of the map, {PERMITS:,} "
        f"permits with weekday hours in one book; {LOOKUPS:,} sightings of three categories with a known position, all "
        "over the city and the week, on one thread. The scan compares each sighting with every zone and permit; it "
        f"decides the same ({same} of {len(few)} compared).",
        "columns": ["what", "look-ups/s", "microseconds each", "bytes each"],
        "rows": [
            ["decide, indexed", round(indexed), 1e6 / indexed, None],
            ["decide by a scan of everything", scanned, 1e6 / scanned, None],
            ["a zone (and its share of the index)", None, None, round(zone_bytes / len(zones))],
            ["a permit (and its share of the index)", None, None, round(permit_bytes / PERMITS)],
        ],
        "ratios": [
            {
                "name": "look-ups/s indexed over scanned",
                "ratio": indexed / scanned,
                "target": "at least 500",
                "holds": indexed >= 500 * scanned and same == len(few),
            },
            {
                "name": "kilobytes per camera with one zone",
                "ratio": zone_bytes / len(zones) / 1000,
                "target": "at most 1",
                "holds": zone_bytes <= 1000 * len(zones),
            },
        ],
        "notes": [f"{cases / LOOKUPS:.0%} of the sightings were cases."],
    }


def _picture_zones(chance: random.Random) -> list[Zone]:
    zones = []
    for number in range(CAMERAS):
        x, y = chance.uniform(0, 0.4), chance.uniform(0.3, 0.5)
        corners = ring([(x, y), (x + 0.5, y), (x + 0.5, y + 0.4), (x, y + 0.4)])
        zones.append(Zone(f"z{number:06}", KINDS[number % len(KINDS)], (corners,), f"3402000000132{number:07}"))
    return zones


def _map_zones(chance: random.Random) -> list[Zone]:
    zones = []
    for number in range(PLACES):
        x, y = WEST + chance.uniform(0, SIDE_DEG), SOUTH + chance.uniform(0, SIDE_DEG)
        w, h = chance.uniform(0.0005, 0.01), chance.uniform(0.0005, 0.01)
        corners = ring([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
        zones.append(Zone(f"m{number:04}", KINDS[number % len(KINDS)], (corners,)))
    return zones


def _permits(chance: random.Random, places: list[str]) -> list[Permit]:
    permits = []
    for number in range(PERMITS):
        begin = hour(chance.randrange(24))
        days = frozenset(chance.sample(range(7), chance.randint(1, 7)))
        permits.append(
            Permit(
                id=f"p{number:05}",
                categories=frozenset({chance.choice(CATEGORIES).id}),
                zones=frozenset({chance.choice(places)}),
                windows=(TimeWindow(begin, hour((begin.hour + chance.randint(2, 10)) % 24), days),),
                validity=Validity(datetime(2026, 1, 1).date(), datetime(2026, 12, 31).date()),  # noqa: DTZ001
                holder=f"holder {number % 900}",
            )
        )
    return permits


def _sighting(chance: random.Random, zones: list[Zone]) -> tuple[Category, Spot, datetime]:
    camera = zones[chance.randrange(CAMERAS)].camera_id or ""
    ground = GeoPoint(SOUTH + chance.uniform(0, SIDE_DEG), WEST + chance.uniform(0, SIDE_DEG))
    local = datetime(2026, 5, 4) + timedelta(minutes=chance.randrange(7 * 24 * 60))  # noqa: DTZ001 - wall-clock time
    return chance.choice(CATEGORIES), Spot(camera, (chance.random(), chance.random()), ground), local


def _scan(zones: list[Zone], permits: list[Permit], category: Category, spot: Spot, local: datetime) -> Outcome:
    """The same decision without an index, for books without bans and areas to watch."""
    x, y = spot.foot
    here = []
    for zone in zones:
        if zone.camera_id is None:
            if spot.ground is not None and zone.contains(spot.ground.longitude, spot.ground.latitude):
                here.append(zone)
        elif zone.camera_id == spot.camera_id and zone.contains(x, y):
            here.append(zone)
    if any(zone.kind in {IGNORE, WATCH} for zone in here):
        raise RuntimeError("the scan knows neither")
    ids, kinds = {zone.id for zone in here}, {zone.kind for zone in here}
    allowing = [
        permit.id
        for permit in permits
        if permit.effect is Effect.ALLOW
        and category.id in permit.categories
        and permit.zones & ids
        and holds(permit.windows, permit.validity, local)
    ]
    if allowing:
        return Outcome(False, f"permit:{min(allowing)}")
    for rule in sorted(RULES, key=lambda rule: rule.id):
        if category.id in rule.categories and rule.inside in kinds and holds(rule.windows, rule.validity, local):
            return Outcome(rule.case, f"rule:{rule.id}", {**category.codes, **rule.codes} if rule.case else {})
    if category.needs is not None and category.needs.partition(":")[2] not in kinds:
        return Outcome(False, f"needs:{category.needs}")
    return Outcome(True, f"category:{category.id}", category.codes)


def _rate(work: Any, items: list[Any]) -> float:
    """Items per second, best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for item in items:
            work(item)
        best = min(best, time.perf_counter() - started)
    return len(items) / best


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
