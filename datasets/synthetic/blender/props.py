"""Every kind of object that a scene plan can name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from datasets.synthetic.blender import bins, ground, litter, people, street, trucks, vehicles, wares
from datasets.synthetic.blender.meshes import Object

Builder = Callable[[Random], list[Object]]

KINDS: dict[str, Builder] = {
    "heap": lambda rng: litter.heap(rng, rng.uniform(1.2, 2.6), rng.uniform(0.8, 1.4), rng.randint(5, 13)),
    "big_heap": lambda rng: litter.heap(rng, 2.6, 1.4, 16),
    "bag": lambda rng: litter.bag(rng, rng.uniform(0.25, 0.36)),
    "carton": lambda rng: litter.carton(rng, rng.uniform(0.4, 0.6)),
    "scraps": lambda rng: litter.scraps(rng, 6, 0.5, 0.3),
    "bin": lambda rng: bins.any_bin(rng, False),
    "bin_full": lambda rng: bins.any_bin(rng, True),
    "wheeled_bin": lambda rng: bins.wheeled(rng, False),
    "wheeled_bin_full": lambda rng: bins.wheeled(rng, True),
    "stall": wares.stall,
    "goods": wares.goods,
    "rubble": ground.rubble,
    "puddle": ground.puddle,
    "car": vehicles.car,
    "van": vehicles.van,
    "bus": vehicles.bus,
    **{f"truck_{load}": partial(trucks.truck, load=load) for load in trucks.LOADED},
    "car_lit": partial(vehicles.car, lit=True),
    "bus_lit": partial(vehicles.bus, lit=True),
    "person": lambda rng: people.person(rng, rng.uniform(0, 6.28)),
    "person_standing": lambda rng: people.person(rng, 1.0, 0.12),
    "tree": lambda rng: street.tree(rng, rng.uniform(4.6, 6.4)),
    "lamp": lambda rng: street.lamp_post(False),
    "lamp_lit": lambda rng: street.lamp_post(True, rng.random() < 0.7),
    **{
        f"manhole_{state}": partial(ground.manhole, state=state)
        for state in ("sound", "missing", "broken", "displaced", "sunken")
    },
}
