"""The city: cameras and what is drawn into their pictures, and the things and errors of one day."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from math import cos, radians

from detector.core.calendar import TimeWindow
from detector.core.camera import Camera, SamplingMode
from detector.core.detection import BoundingBox
from detector.core.geo import GeoPoint
from detector.core.joining import Overlap
from detector.core.rules import Permit
from detector.core.zones import WATCH, Zone, ring
from tests.simulation import assumptions as a

WIDTH, HEIGHT = 1920, 1080
COLUMNS, ROWS, TOP = 5, 2, 480
CELL_W, CELL_H = WIDTH / COLUMNS, (HEIGHT - TOP) / ROWS
LAST, FIRST = 9, 5
"""Spots that a camera and its neighbour share: the last of the lower row is the first of the other's."""
TRUCKS = "uncovered_muck_truck"
GATE = 3
"""The spot of a gate's camera at which trucks stand, one at a time."""
SPACING_M = 16.0
METRE = 1 / 111_195  # degrees of latitude


@dataclass(slots=True)
class Thing:
    """Something in the street, or (false) something that the model takes for a problem."""

    id: int
    category: str
    label: str
    box: BoundingBox
    appears: datetime
    goes: datetime
    seen: float
    score: float
    real: bool = True
    second: str | None = None  # a label of another category that the model gives it as well
    hidden: tuple[datetime, datetime] | None = None  # a lorry stands in front
    comes_again: bool = False
    ahead: float = 0.0  # pixels to the right that it creeps while it is there


@dataclass(slots=True)
class View:
    """One camera of the city."""

    camera: Camera
    dark_at_night: bool
    dead: bool
    fails: tuple[datetime, datetime] | None
    origin: GeoPoint | None  # where spot 0 lies; None: it knows no ground
    bias: tuple[float, float]  # of its ground positions, metres east and north
    twin: int | None = None  # number of the camera whose spot FIRST is this one's LAST
    gate: bool = False  # trucks stand at its spot GATE
    covered: list[Thing] = field(default_factory=list)  # trucks there that nobody takes for a problem, by time
    spots: dict[int, list[Thing]] = field(default_factory=dict)

    def ground(self, spot: int) -> GeoPoint | None:
        """Where the camera takes a spot to lie."""
        if self.origin is None:
            return None
        east = (spot % COLUMNS) * SPACING_M + self.bias[0]
        north = (spot // COLUMNS) * -SPACING_M + self.bias[1]
        latitude = self.origin.latitude + north * METRE
        return GeoPoint(latitude, self.origin.longitude + east * METRE / cos(radians(self.origin.latitude)))


@dataclass(slots=True)
class City:
    """All of it."""

    views: list[View]
    zones: list[Zone]
    permits: list[Permit]
    overlaps: list[Overlap]
    things: list[Thing]


def cell(spot: int) -> BoundingBox:
    """The part of a picture that belongs to a spot, pixels."""
    left, top = (spot % COLUMNS) * CELL_W, TOP + (spot // COLUMNS) * CELL_H
    return BoundingBox(left, top, left + CELL_W, top + CELL_H)


def spot_of_box(box: BoundingBox) -> int:
    """The spot in which the middle of a box lies."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    row = min(ROWS - 1, max(0, int((y - TOP) // CELL_H)))
    return row * COLUMNS + min(COLUMNS - 1, max(0, int(x // CELL_W)))


def built(cameras: int, start: datetime, hours: float, chance: random.Random) -> City:
    """A city; things appear from `start` on, during `hours`."""
    city = City([], [], [], [], [])
    for number in range(cameras):
        _add_camera(city, number, start, hours, chance)
    for number in range(0, int(cameras * a.PAIRED / 2) * 2, 2):
        _pair(city, number, ground=number % 4 == 0)
    alone = city.views[int(cameras * a.PAIRED / 2) * 2 :]
    for view in chance.sample(alone, max(1, round(cameras * a.GATES))):
        _open_gate(city, view, start, hours, chance)
    for number, view in enumerate(city.views):
        for thing in _things(city, view, start, hours, chance):
            second = number > 0 and city.views[number - 1].twin == number
            free = [s for s in range(COLUMNS * ROWS) if _is_free(view, s, thing) and not (second and s == FIRST)]
            if not free:
                continue
            shared = view.twin is not None and LAST in free and chance.random() < a.AT_SHARED
            spot = LAST if shared else chance.choice(free)
            if thing.real and thing.category == "motor_parking":
                spot = chance.choice([0, 1])
                if not _is_free(view, spot, thing):
                    continue
            _put(city, view, spot, thing, chance)
    return city


def _add_camera(city: City, number: int, start: datetime, hours: float, chance: random.Random) -> None:
    name = f"camera-{number:04d}"
    place = GeoPoint(34.2 + (number // 50) * 200 * METRE, 108.9 + (number % 50) * 250 * METRE)
    fails = None
    if chance.random() < a.FAILING_CAMERAS:
        begins = start + timedelta(hours=chance.uniform(0, hours))
        fails = begins, begins + timedelta(minutes=chance.uniform(*a.FAILS_M))
    city.views.append(
        View(
            Camera(
                *(name, "file:none", "", SamplingMode.PATROL, a.LOOK_EVERY_S),
                timezone="Asia/Shanghai",
                position=place,
                district=f"district-{number % 8}",
            ),
            dark_at_night=chance.random() < a.DARK_CAMERAS,
            dead=chance.random() < a.DEAD_CAMERAS,
            fails=fails,
            origin=place if chance.random() < a.GROUND_CAMERAS else None,
            bias=(chance.uniform(-a.GROUND_BIAS_M, a.GROUND_BIAS_M), chance.uniform(-a.GROUND_BIAS_M, a.GROUND_BIAS_M)),
        )
    )

    def draw(kind: str, spots: tuple[int, ...], categories: frozenset[str] = frozenset()) -> None:
        rings = tuple(_outline(spot) for spot in spots)
        city.zones.append(Zone(f"{name}-{kind}", kind, rings, name, categories))

    if chance.random() < 0.4:
        draw("no_parking", (0, 1))
    if chance.random() < 0.3:
        draw("legal_bay", (2,))
    if chance.random() < 0.1:
        draw("vending_point", (6, 7))
        if chance.random() < 0.8:
            market = TimeWindow(time(17), time(23))
            permit = Permit(
                f"market-{name}", frozenset({"street_stall"}), frozenset({f"{name}-vending_point"}), (market,)
            )
            city.permits.append(permit)
    if chance.random() < 0.2:
        draw("collection_point", (8,))
    if chance.random() < 0.03:
        draw("works", (3, 4))


def _outline(spot: int) -> array[float]:
    box = cell(spot)
    corners = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
    return ring((x / WIDTH, y / HEIGHT) for x, y in corners)


def _pair(city: City, number: int, *, ground: bool) -> None:
    one, other = city.views[number], city.views[number + 1]
    one.twin = number + 1
    one.origin, other.origin = None, None
    if ground:
        one.origin = GeoPoint(34.1 + number * 200 * METRE, 108.9)
        east = (LAST % COLUMNS) * SPACING_M * METRE / cos(radians(one.origin.latitude))
        other.origin = GeoPoint(one.origin.latitude, one.origin.longitude + east)
    else:
        pair = (one.camera.id, LAST), (other.camera.id, FIRST)
        areas = [Zone(f"{name}-overlap", WATCH, (_outline(spot),), name) for name, spot in pair]
        city.overlaps.append(Overlap(areas[0], areas[1]))


def _open_gate(city: City, view: View, start: datetime, hours: float, chance: random.Random) -> None:
    """A camera that looks often at the place where trucks come out one after the other, most of them covered."""
    name, kind = view.camera.id, a.KINDS[TRUCKS]
    view.gate = True
    view.camera = replace(view.camera, mode=SamplingMode.STREAM, interval_s=a.GATE_LOOKS_EVERY_S)
    city.zones.append(Zone(f"{name}-gate", WATCH, (_outline(GATE),), name, frozenset({TRUCKS})))
    at = start + timedelta(minutes=chance.expovariate(1 / a.TRUCK_GAP_M))
    while at < start + timedelta(hours=hours):
        stay = timedelta(minutes=max(a.TRUCK_STAYS_M, chance.expovariate(1 / kind.stays_h / 60)))
        load = chance.random()
        if load < a.OPEN_LOADS:
            truck = _thing(city, TRUCKS, kind.label, at, stay, kind.seen, kind.score, chance)
            truck.second = _other_name(TRUCKS, chance)
        elif load < a.OPEN_LOADS + a.TAKEN_FOR_OPEN:
            truck = _thing(city, TRUCKS, kind.label, at, stay, a.FALSE_SEEN, a.FALSE_SCORE, chance)
            truck.real = False
        else:
            truck = Thing(-1, "", "truck", BoundingBox(0, 0, 0, 0), at, at + stay, 1.0, 1.0, real=False)
        room, width, height = cell(GATE), chance.uniform(*a.TRUCK_WIDTH), chance.uniform(*a.TRUCK_HEIGHT)
        left = chance.uniform(room.left + 30, room.left + 60)
        bottom = chance.uniform(room.bottom - 60, room.bottom - 30)
        truck.box = BoundingBox(left, bottom - height, left + width, bottom)
        truck.ahead = chance.uniform(0, room.right - 30 - left - width)
        (view.covered if truck.id < 0 else view.spots.setdefault(GATE, [])).append(truck)
        at += stay + timedelta(minutes=chance.expovariate(1 / a.TRUCK_GAP_M))


def _other_name(category: str, chance: random.Random) -> str | None:
    """A label of another category that the model gives some things as well."""
    if chance.random() >= a.OTHER_OPINION:
        return None
    moving = ("car", "uncovered_load", "bicycle")
    return chance.choice([k.label for c, k in a.KINDS.items() if c != category and k.label not in moving])


def _things(city: City, view: View, start: datetime, hours: float, chance: random.Random) -> Iterator[Thing]:
    found: list[Thing] = []
    for category, kind in a.KINDS.items():
        for appears in _arrivals(kind.per_day / 24, start, hours, chance):
            stay = timedelta(hours=max(1 / 6, chance.expovariate(1 / kind.stays_h)))
            found.append(_thing(city, category, kind.label, appears, stay, kind.seen, kind.score, chance))
            found[-1].comes_again = chance.random() < kind.again
            found[-1].second = _other_name(category, chance)
    for appears in _arrivals(a.FALSE_PLACES_PER_CAMERA / 24, start, hours, chance):
        category = chance.choice([c for c in a.KINDS if c not in ("motor_parking", TRUCKS)])
        stay = timedelta(hours=chance.expovariate(1 / a.FALSE_STAYS_H))
        label = a.KINDS[category].label
        thing = _thing(city, category, label, appears, stay, a.FALSE_SEEN, a.FALSE_SCORE, chance)
        thing.real = False
        found.append(thing)
    yield from sorted(found, key=lambda thing: thing.appears)


def _arrivals(per_hour: float, start: datetime, hours: float, chance: random.Random) -> Iterator[datetime]:
    at = chance.expovariate(per_hour) if per_hour else hours
    while at < hours:
        yield start + timedelta(hours=at)
        at += chance.expovariate(per_hour)


def _thing(
    city: City,
    category: str,
    label: str,
    at: datetime,
    stay: timedelta,
    seen: float,
    score: float,
    chance: random.Random,
) -> Thing:
    none = BoundingBox(0, 0, 0, 0)
    seen = chance.betavariate(seen * a.SPREAD, (1 - seen) * a.SPREAD)
    score = chance.betavariate(score * a.SPREAD, (1 - score) * a.SPREAD)
    thing = Thing(len(city.things), category, label, none, at, at + stay, seen, score)
    if chance.random() < a.PARKED_BEFORE:
        begins = at + chance.random() * stay
        thing.hidden = begins, begins + timedelta(minutes=chance.uniform(*a.PARKED_M))
    city.things.append(thing)
    return thing


def _put(city: City, view: View, spot: int, thing: Thing, chance: random.Random) -> None:
    room, width, height = cell(spot), chance.uniform(130, 260), chance.uniform(110, 200)
    left = chance.uniform(room.left + 30, room.right - width - 30)
    bottom = chance.uniform(room.top + height + 30, room.bottom - 20)
    thing.box = BoundingBox(left, bottom - height, left + width, bottom)
    view.spots.setdefault(spot, []).append(thing)
    if spot == LAST and view.twin is not None and thing.real:
        city.views[view.twin].spots.setdefault(FIRST, []).append(thing)


def _is_free(view: View, spot: int, thing: Thing) -> bool:
    """Whether nothing was there lately, nor will be: what comes to a spot anew is then another thing for everybody."""
    apart = timedelta(days=2)
    if view.gate and spot == GATE:
        return False
    return all(thing.appears > other.goes + apart for other in view.spots.get(spot, ()))
