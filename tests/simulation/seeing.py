"""What one camera's look shows: the things, what passes in front of them, and what the model makes of it."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from math import exp
from zoneinfo import ZoneInfo

from detector.core.detection import BoundingBox, Detection
from detector.core.look import Look, LookStatus
from detector.core.matching import HIDDEN_SHARE
from tests.simulation import assumptions as a
from tests.simulation.city import GATE, HEIGHT, WIDTH, Thing, View, cell, spot_of_box

CITY_TIME = ZoneInfo("Asia/Shanghai")
MODEL = "simulated@000000000000"
SIZE = WIDTH, HEIGHT


@dataclass(frozen=True, slots=True)
class Shown:
    """A look, and which things were in plain view and found well enough for a first sighting."""

    look: Look
    clear: frozenset[int]  # ids of things that nothing hid
    found: frozenset[int]  # ids of those that the model reported at a score of MIN_SCORE or more


MIN_SCORE = 0.4


def status_of(view: View, at: datetime) -> LookStatus:
    """Why the camera cannot see at that time, or ok."""
    if view.dead or (view.fails is not None and view.fails[0] <= at < view.fails[1]):
        return LookStatus.UNREACHABLE
    hour = at.astimezone(CITY_TIME).hour
    return LookStatus.DARK if view.dark_at_night and (hour >= 19 or hour < 6) else LookStatus.OK


def box_in(spot: int, thing: Thing, at: datetime) -> BoundingBox:
    """The thing's box in a picture of that time that shows it at `spot`."""
    home, here = cell(spot_of_box(thing.box)), cell(spot)
    x, y = here.left - home.left, here.top - home.top
    if thing.ahead:
        x += thing.ahead * min(1.0, (at - thing.appears) / (thing.goes - thing.appears))
    return BoundingBox(thing.box.left + x, thing.box.top + y, thing.box.right + x, thing.box.bottom + y)


def look(view: View, at: datetime, there: list[tuple[int, Thing]], chance: random.Random) -> Shown:
    """`there`: spot and thing of all that is in the street now, false ones included."""
    status = status_of(view, at)
    if status is not LookStatus.OK:
        return Shown(Look(view.camera.id, at, status, reason="simulated"), frozenset(), frozenset())
    vehicles = _vehicles(at, chance)
    found = [
        Detection(label, box, chance.uniform(0.6, 0.95)) for label, box in vehicles if chance.random() < a.VEHICLE_SEEN
    ]
    found += [
        Detection("uncovered_load", box, chance.uniform(0.4, 0.9))
        for label, box in vehicles
        if label == "truck" and chance.random() < a.OPEN_PASSING
    ]
    found += _covered(view, at, chance)
    clear, sure = set(), set()
    for spot, thing in there:
        box = box_in(spot, thing, at)
        if thing.hidden is not None and thing.hidden[0] <= at < thing.hidden[1]:
            front = BoundingBox(box.left - 60, box.top - 200, box.right + 60, box.bottom + 20)
            found.append(Detection("truck", front, chance.uniform(0.7, 0.95)))
            continue
        if any(box.covered_by(vehicle) >= HIDDEN_SHARE for _, vehicle in vehicles):
            continue
        clear.add(thing.id)
        if thing.label == "uncovered_load" and chance.random() < a.VEHICLE_SEEN:
            found.append(Detection("truck", _breathing(box, chance), chance.uniform(0.6, 0.95)))  # whatever it carries
        if chance.random() >= thing.seen:
            continue
        score = min(0.99, max(0.1, chance.gauss(thing.score, 0.08)))
        if score >= MIN_SCORE:
            sure.add(thing.id)
        ground = view.ground(spot)
        for part in _parts(_breathing(box, chance), chance):
            found.append(Detection(thing.label, part, score, ground))
        if thing.second is not None and chance.random() < 0.6:
            found.append(
                Detection(thing.second, _breathing(box, chance), score * chance.uniform(0.6, 1.1) % 1.0, ground)
            )
    if chance.random() < a.FLICKER:
        found.append(_flicker(view, chance))
    return Shown(Look(view.camera.id, at, status, tuple(found), MODEL, SIZE), frozenset(clear), frozenset(sure))


def _covered(view: View, at: datetime, chance: random.Random) -> list[Detection]:
    """The truck that stands at the gate and is none of the things there."""
    newest = bisect_right(view.covered, at, key=lambda truck: truck.appears) - 1
    if newest < 0 or at >= view.covered[newest].goes or chance.random() >= a.VEHICLE_SEEN:
        return []
    box = box_in(GATE, view.covered[newest], at)
    return [Detection("truck", _breathing(box, chance), chance.uniform(0.6, 0.95))]


def _breathing(box: BoundingBox, chance: random.Random) -> BoundingBox:
    x, y = 0.05 * box.width, 0.05 * box.height
    return BoundingBox(
        box.left + chance.gauss(0, x),
        box.top + chance.gauss(0, y),
        box.right + chance.gauss(0, x),
        box.bottom + chance.gauss(0, y),
    )


def _parts(box: BoundingBox, chance: random.Random) -> list[BoundingBox]:
    if chance.random() >= a.PART:
        return [box]
    middle = box.left + box.width * chance.uniform(0.4, 0.6)
    return [
        BoundingBox(box.left, box.top, middle + 15, box.bottom),
        BoundingBox(middle - 15, box.top, box.right, box.bottom),
    ]


def _vehicles(at: datetime, chance: random.Random) -> list[tuple[str, BoundingBox]]:
    hour = at.astimezone(CITY_TIME).hour
    mean = a.VEHICLES["rush" if hour in (7, 8, 17, 18) else "day" if 6 <= hour < 22 else "night"]
    number, left = 0, chance.random()
    while left > exp(-mean):  # Poisson, after Knuth
        number += 1
        left *= chance.random()
    found = []
    for _ in range(number):
        width, height = chance.uniform(250, 650), chance.uniform(180, 420)
        x, bottom = chance.uniform(-100, WIDTH - 150), chance.uniform(600, HEIGHT)
        label = chance.choices(["car", "truck", "bus", "van", "motorcycle"], [6, 1, 1, 1, 1])[0]
        found.append((label, BoundingBox(max(0, x), bottom - height, min(WIDTH, x + width), bottom)))
    return found


def _flicker(view: View, chance: random.Random) -> Detection:
    kind = a.KINDS[chance.choice(list(a.KINDS))]
    spot = chance.randrange(10)
    room = cell(spot)
    left, bottom = chance.uniform(room.left, room.right - 150), chance.uniform(room.top + 150, room.bottom)
    box = BoundingBox(left, bottom - 140, left + 150, bottom)
    return Detection(kind.label, box, chance.uniform(0.25, 0.7), view.ground(spot))
