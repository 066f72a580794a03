"""Whole rendered streets: what stands where, seen from where, in which light; all from one seed.

Pure data for `blender.scenes`. Metres, degrees; x along the road, y across it towards the far shop fronts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

KERB = 0.14


@dataclass(frozen=True, slots=True)
class Item:
    """One object: `label` of the product or "" for what carries none (tree, lamp, sound manhole cover)."""

    kind: str
    label: str
    seed: int
    x: float
    y: float
    z: float = 0.0
    turn: float = 0.0


@dataclass(frozen=True, slots=True)
class Light:
    """Sun and weather: `cloud` 0..1, `wet` 0..1; at night only lamps and windows shine."""

    night: bool
    elevation: float
    azimuth: float
    cloud: float
    wet: float
    exposure: float


@dataclass(slots=True)
class Scene:
    """One picture to render. `street_seed` draws houses, road and paving."""

    name: str
    split: str
    street_seed: int
    half_road: float
    pavement: float
    light: Light
    at: tuple[float, float, float]
    look_at: tuple[float, float, float]
    view_angle: float
    size: tuple[int, int]
    samples: int
    items: list[Item] = field(default_factory=list)

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


class Lane:
    """A strip along x in which things stand without touching: remembers the stretches that are taken."""

    def __init__(self, start: float, end: float) -> None:
        self._start, self._end = start, end
        self._taken: list[tuple[float, float]] = []

    def take(self, rng: Random, length: float, tries: int = 20) -> float | None:
        """The middle of a free stretch of `length` metres, or None."""
        for _ in range(tries):
            x = rng.uniform(self._start + length / 2, self._end - length / 2)
            if all(x + length / 2 < a or x - length / 2 > b for a, b in self._taken):
                self._taken.append((x - length / 2, x + length / 2))
                return x
        return None


# kind, label, length of lane it takes, lane
PROBLEMS: tuple[tuple[str, str, float, str], ...] = (
    ("heap", "garbage", 3.0, "kerb"),
    ("heap", "garbage", 3.0, "kerb"),
    ("bag", "garbage", 0.9, "kerb"),
    ("wheeled_bin_full", "bin_overflow", 0.9, "kerb"),
    ("bin_full", "bin_overflow", 1.6, "kerb"),
    ("bin", "bin", 1.5, "kerb"),
    ("wheeled_bin", "bin", 0.9, "kerb"),
    ("wheeled_bin", "bin", 0.9, "kerb"),
    ("stall", "street_stall", 3.4, "middle"),
    ("stall", "street_stall", 3.4, "middle"),
    ("goods", "shop_goods", 6.2, "front"),
    ("rubble", "rubble_pile", 3.4, "gutter"),
    ("rubble", "rubble_pile", 3.4, "near"),
    ("puddle", "ponding", 4.5, "gutter"),
    ("puddle", "ponding", 4.5, "near"),
    ("manhole_missing", "manhole_abnormal", 2.0, "road"),
    ("manhole_broken", "manhole_abnormal", 2.0, "road"),
    ("manhole_displaced", "manhole_abnormal", 2.0, "road"),
)


def _light(rng: Random) -> Light:
    draw = rng.random()
    if draw < 0.2:
        return Light(True, 0.0, 0.0, 0.0, rng.choice((0.0, 0.0, 0.8)), 1.0)
    cloud = rng.choice((0.05, 0.12, 0.25, 0.6, 0.95))
    wet = rng.choice((0.0, 0.0, 0.0, 0.8)) if cloud > 0.5 else 0.0
    return Light(False, rng.uniform(18, 65), rng.uniform(-80, 80), cloud, wet, rng.uniform(-0.25, 0.5))


def _camera(
    rng: Random, half_road: float, front: float
) -> tuple[tuple[float, float, float], tuple[float, float, float], float]:
    """A pole camera, or now and then the roof of a passing vehicle."""
    if rng.random() < 0.3:
        at = (rng.uniform(-9, -5), rng.uniform(-0.8, -0.2) * half_road, rng.uniform(1.7, 2.6))
        aim = (at[0] + rng.uniform(8, 13), rng.uniform(0.3, 0.9) * front, rng.uniform(0.2, 1.0))
        return at, aim, rng.uniform(58, 78)
    at = (rng.uniform(-11, -5), -half_road - rng.uniform(-0.5, 3.0), rng.uniform(3.4, 7.5))
    return at, (at[0] + rng.uniform(7, 13), rng.uniform(0.35, 0.75) * front, rng.uniform(0.0, 0.8)), rng.uniform(48, 74)


def plan_scene(
    seed: int, index: int, size: tuple[int, int] = (640, 360), samples: int = 12, val_every: int = 6
) -> Scene:
    """Scene `index` of the plan `seed`; every `val_every`-th belongs to val."""
    rng = Random(f"{seed}/scene/{index}")
    half_road, pavement = rng.uniform(3.4, 5.2), rng.uniform(3.2, 4.8)
    front = half_road + pavement
    at, look_at, angle = _camera(rng, half_road, front)
    light = _light(rng)
    scene = Scene(
        f"street-{index:04d}",
        "val" if index % val_every == val_every - 1 else "train",
        rng.randrange(2**31),
        half_road,
        pavement,
        light,
        at,
        look_at,
        angle,
        size,
        samples,
    )
    reach = (at[0] + 2.0, at[0] + 17.0)
    lanes = {name: Lane(*reach) for name in ("kerb", "middle", "front", "gutter", "near", "road")}
    across = {
        "kerb": half_road + 0.85,
        "middle": half_road + 1.55,
        "front": front - 0.85,
        "gutter": half_road - 1.2,
        "near": -half_road + 1.2,
        "road": 0.0,
    }

    def add(kind: str, label: str, length: float, lane: str, turn: float = 0.0) -> None:
        x = lanes[lane].take(rng, length)
        if x is None:
            return
        y = across[lane] + rng.gauss(0, 0.12)
        if lane == "road":
            y = rng.uniform(-0.6, 0.6) * half_road
        z = KERB if lane in ("kerb", "middle", "front") else 0.0
        scene.items.append(Item(kind, label, rng.randrange(2**31), round(x, 3), round(y, 3), z, turn))

    for offset in (2.0, 9.0, 16.0, 24.0):
        x = at[0] + offset + rng.uniform(-1.5, 1.5)
        if rng.random() < 0.75:
            scene.items.append(Item("tree", "", rng.randrange(2**31), x, half_road + 0.9, KERB))
        if rng.random() < (0.9 if light.night else 0.35):
            lamp = "lamp_lit" if light.night else "lamp"
            scene.items.append(Item(lamp, "", rng.randrange(2**31), x + 3.5, half_road + 0.5, KERB))
    for kind, label, length, lane in rng.sample(PROBLEMS, rng.choice((0, 2, 3, 3, 4, 5, 6))):
        if lane == "middle":
            lanes["kerb"].take(rng, 0.1)
        add(kind, label, length, lane, rng.gauss(0, 8) if kind != "puddle" else 0.0)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        add("manhole_sound", "", 2.0, "road")
    parked = rng.choice(("car", "car", "van"))
    if rng.random() < 0.45:
        add(parked, parked, 5.5, "gutter", rng.choice((0.0, 180.0)))
    if rng.random() < 0.45:
        kind = rng.choice(("car", "car", "van", "bus"))
        shown = f"{kind}_lit" if light.night and kind in ("car", "bus") else kind
        x = at[0] + rng.uniform(9, 24)
        scene.items.append(Item(shown, kind, rng.randrange(2**31), x, 0.28 * half_road, 0.0, 180.0))
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        x, y = at[0] + rng.uniform(4, 18), front - rng.uniform(1.0, 2.2)
        scene.items.append(Item("person", "person", rng.randrange(2**31), x, y, KERB, rng.choice((0.0, 180.0))))
    return scene


def hole_of(item: Item) -> tuple[float, float, float] | None:
    """(x, y, radius) that the road must leave open for an item, if it needs one."""
    if item.kind.startswith("manhole") and item.kind != "manhole_sound":
        return item.x, item.y, 0.36
    return None
