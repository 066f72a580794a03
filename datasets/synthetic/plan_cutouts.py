"""Which single objects are rendered for pasting: shape, view and light of each, all from one seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import Any

ABNORMAL = ("missing", "missing", "broken", "displaced", "displaced", "sunken")
KINDS: dict[str, tuple[str, ...]] = {
    "street_stall": ("stall",),
    "shop_goods": ("goods",),
    "rubble_pile": ("rubble",),
    "manhole_abnormal": tuple(f"manhole_{state}" for state in ABNORMAL),
    "garbage": ("heap", "heap", "big_heap", "bag"),
    "bin_overflow": ("wheeled_bin_full", "wheeled_bin_full", "bin_full"),
    "bin": ("wheeled_bin", "wheeled_bin", "bin"),
    "uncovered_load": ("truck_heap",),
    "truck": ("truck_sheet", "truck_sheet", "truck_lid", "truck_empty", "truck_crates", "truck_box"),
}
FACING = ("street_stall", "shop_goods", "bin", "bin_overflow")  # they turn their front to the road
# degrees below the horizon from which each label is seen in streets
PITCHES = {
    "manhole_abnormal": (12.0, 62.0),
    "street_stall": (3.0, 34.0),
    "uncovered_load": (6.0, 42.0),
    "truck": (6.0, 42.0),
}
TRAFFIC = ("uncovered_load", "truck")  # half of them drive towards the camera or away from it, the rest all round


@dataclass(frozen=True, slots=True)
class Cutout:
    """One object on a transparent ground, seen by a camera that circles it.

    `pitch` and `turn` in degrees: how far the camera looks down, and the object's turn about the
    vertical. `reach` is the half width of the view at the object, in metres. `sun` is elevation,
    azimuth (degrees) and cloud (0..1).
    """

    name: str
    label: str
    kind: str
    split: str
    seed: int
    pitch: float
    turn: float
    reach: float
    sun: tuple[float, float, float]
    size: int
    samples: int

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form, read by `blender.cutouts`."""
        return asdict(self)


REACH = {
    "street_stall": 2.0,
    "shop_goods": 3.1,
    "rubble_pile": 1.8,
    "manhole_abnormal": 0.95,
    "garbage": 1.7,
    "bin_overflow": 1.0,
    "bin": 0.9,
    "uncovered_load": 5.0,
    "truck": 5.0,
}


def _turn(label: str, rng: Random) -> float:
    """Degrees about the vertical; 0 faces right, or for what has a front to the road (`FACING`) the camera."""
    if label in FACING:
        return rng.gauss(0, 30)
    turn = rng.uniform(0, 360)
    if label in TRAFFIC and rng.random() < 0.5:
        return rng.choice((-90, 90)) + rng.gauss(0, 28)
    return turn


def plan_cutouts(
    seed: int,
    per_label: int,
    *,
    size: int = 288,
    samples: int = 12,
    val_share: float = 0.2,
    labels: tuple[str, ...] = tuple(KINDS),
) -> list[Cutout]:
    """`per_label` cut-outs for each label; the last `val_share` of them are kept for val.

    Equal seeds give equal plans, and a longer plan begins with the shorter one's objects.
    """
    plans: list[list[Cutout]] = []
    for label in labels:
        row = []
        for index in range(per_label):
            rng = Random(f"{seed}/{label}/{index}")
            low, high = PITCHES.get(label, (5.0, 45.0))
            split = "val" if index % round(1 / val_share) == round(1 / val_share) - 1 else "train"
            facing = _turn(label, rng)
            cloud = rng.choice((0.05, 0.2, 0.6, 0.95))
            row.append(
                Cutout(
                    name=f"{label}-{index:04d}",
                    label=label,
                    kind=rng.choice(KINDS[label]),
                    split=split,
                    seed=rng.randrange(2**31),
                    pitch=round(rng.uniform(low, high), 2),
                    turn=round(facing, 2),
                    reach=REACH[label],
                    sun=(round(rng.uniform(22, 65), 1), round(rng.uniform(-75, 75), 1), cloud),
                    size=size,
                    samples=samples,
                )
            )
        plans.append(row)
    return [plan for group in zip(*plans, strict=True) for plan in group]
