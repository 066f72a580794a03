from __future__ import annotations

import json
from itertools import pairwise
from random import Random

from datasets.synthetic.backgrounds import SOURCES, split_of
from datasets.synthetic.labels import INDEX, LABELS
from datasets.synthetic.plan_cutouts import KINDS, plan_cutouts
from datasets.synthetic.plan_demo import CAMERA, PROBLEMS, SECONDS, SIZE, TRACKS
from datasets.synthetic.plan_scenes import Lane, plan_scene


def test_equal_seeds_give_equal_plans_and_a_longer_plan_keeps_the_shorter_one() -> None:
    short, long = plan_cutouts(5, 10), plan_cutouts(5, 20)
    assert short == long[: len(short)]
    assert short != plan_cutouts(6, 10)
    assert plan_scene(5, 3) == plan_scene(5, 3)
    assert plan_scene(5, 3) != plan_scene(5, 4)


def test_each_label_has_train_and_val_objects_of_different_shapes() -> None:
    plans = plan_cutouts(1, 20)
    for label in KINDS:
        seeds = {split: {p.seed for p in plans if p.label == label and p.split == split} for split in ("train", "val")}
        assert len(seeds["train"]) == 16
        assert len(seeds["val"]) == 4
        assert not seeds["train"] & seeds["val"]


def test_plans_are_plain_json() -> None:
    assert json.loads(json.dumps(plan_cutouts(1, 5)[0].as_record()))["label"] == "street_stall"
    record = json.loads(json.dumps(plan_scene(1, 0).as_record()))
    assert record["size"] == [640, 360]


def test_scenes_hold_every_label_that_they_are_meant_for() -> None:
    scenes = [plan_scene(1, index) for index in range(60)]
    seen = {item.label for scene in scenes for item in scene.items} - {""}
    assert {
        "garbage",
        "bin",
        "bin_overflow",
        "street_stall",
        "shop_goods",
        "rubble_pile",
        "ponding",
        "manhole_abnormal",
        "car",
        "person",
    } <= seen
    assert seen <= set(LABELS)
    assert any(scene.light.night for scene in scenes)
    assert any(not [i for i in scene.items if i.label] or len(scene.items) < 8 for scene in scenes)


def test_nothing_in_a_lane_overlaps() -> None:
    lane, rng = Lane(0, 20), Random(3)
    spots = [x for x in (lane.take(rng, 3.0) for _ in range(30)) if x is not None]
    assert 3 <= len(spots) <= 6
    ordered = sorted(spots)
    assert all(b - a >= 3.0 for a, b in pairwise(ordered))


def test_the_demo_gives_every_problem_time_and_a_calm_start_and_end() -> None:
    for problem in PROBLEMS:
        assert problem.cleared_s - problem.appears_s >= 25
        assert problem.appears_s >= 6
        assert SECONDS - problem.cleared_s >= 10
        column, row = CAMERA.project(problem.spot.x, problem.spot.y, problem.spot.z, SIZE)
        assert 0 < column < SIZE[0]
        assert 0 < row < SIZE[1]


def test_the_bus_of_the_demo_hides_the_heap_while_it_lies_there() -> None:
    heap = next(p for p in PROBLEMS if p.label == "garbage")
    bus = next(t for t in TRACKS if t.kind == "bus")
    heap_column, _ = CAMERA.project(heap.spot.x, heap.spot.y, heap.spot.z, SIZE)
    hidden = [
        s
        for s in range(bus.steps)
        if bus.x(s) + 5 > -7 and abs(CAMERA.project(bus.x(s), bus.y, 1.5, SIZE)[0] - heap_column) < 100
    ]
    assert hidden, "the bus passes in front of the heap"
    seconds = [bus.starts_s[0] + s / 12.5 for s in hidden]
    assert all(heap.appears_s < second < heap.cleared_s for second in seconds)


def test_backgrounds_name_only_labels_of_the_product_and_split_by_group() -> None:
    for source in SOURCES:
        assert set(source.pasted) <= set(LABELS)
        assert set(source.sure) <= set(source.pasted)
        assert set(source.carried.values()) <= set(INDEX)
    draws = [split_of(f"set/{n}") for n in range(2000)]
    assert 0.12 < draws.count("val") / 2000 < 0.18
    assert draws == [split_of(f"set/{n}") for n in range(2000)]
