from __future__ import annotations

from dataclasses import replace

import pytest

from detector.core.geo import GeoPoint
from detector.core.problem import Problem, ProblemStatus
from detector.store import Store
from detector.store.nearby import open_near, silenced_near
from tests.store.making import NOON, a_problem, seconds

HERE = GeoPoint(35.0, 110.0)


def at(problem_id: str, latitude: float, longitude: float, **changes: object) -> Problem:
    problem = a_problem(problem_id, **changes)
    return replace(problem, place=replace(problem.place, ground=GeoPoint(latitude, longitude)))


def found(store: Store, point: GeoPoint, radius_m: float, *categories: str) -> list[str]:
    return [one.id for _, one in open_near(store, point, radius_m, categories or ("exposed_garbage",))]


def test_open_problems_in_a_circle_nearest_first(store: Store) -> None:
    metre = 1 / 111_195
    store.record(
        NOON,
        [
            at("north-20", 35 + 20 * metre, 110),
            at("south-10", 35 - 10 * metre, 110),
            at("east-15", 35, 110 + 15 * metre / 0.81915),
            at("corner", 35 + 29 * metre, 110 + 29 * metre / 0.81915),  # in the box, 41 m away
            at("far", 35 + 31 * metre, 110),
            at("other", 35, 110, category="street_stall"),
            at("gone", 35, 110, status=ProblemStatus.CLEARED),
            at("unsure", 35, 110, status=ProblemStatus.SUSPECTED),
            a_problem("nowhere"),
        ],
    )
    assert found(store, HERE, 30) == ["south-10", "east-15", "north-20"]
    assert found(store, HERE, 30, "street_stall", "exposed_garbage") == ["other", "south-10", "east-15", "north-20"]
    assert found(store, HERE, 0, "street_stall") == ["other"]
    assert found(store, GeoPoint(0, 0), 1000) == []
    [(distance, _), *_] = open_near(store, HERE, 30, ["exposed_garbage"])
    assert distance == pytest.approx(10, abs=0.01)


def test_what_was_rejected_and_is_still_silent(store: Store) -> None:
    rejected = {"status": ProblemStatus.DISMISSED}
    until = NOON + seconds(60)
    store.record(NOON, [at("silent", 35, 110, silent_until=until, **rejected), at("faded", 35, 110, **rejected)])
    silenced = [one.id for _, one in silenced_near(store, HERE, 30, ["exposed_garbage"], NOON)]
    assert silenced == ["silent"]
    assert silenced_near(store, HERE, 30, ["exposed_garbage"], NOON + seconds(61)) == []
    assert found(store, HERE, 30) == []


@pytest.mark.parametrize("latitude", [-90.0, -89.9, 0.0, 89.9999, 90.0])
def test_everywhere_on_earth(store: Store, latitude: float) -> None:
    store.record(NOON, [at("p", latitude, 179.0)])
    assert found(store, GeoPoint(latitude, 179.0), 30) == ["p"]
