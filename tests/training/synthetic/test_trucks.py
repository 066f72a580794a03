from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from datasets.synthetic import cutouts, trucks
from datasets.synthetic.labels import INDEX
from datasets.synthetic.layout import Labelled, SetWriter
from datasets.synthetic.paste import among_traffic
from datasets.synthetic.perspective import Box
from datasets.synthetic.plan_cutouts import TRAFFIC, plan_cutouts
from tests.training.synthetic.drawn import background, cutout

CARS = (("car", Box(0.15, 0.33, 0.3, 0.42)), ("car", Box(0.7, 0.38, 0.85, 0.5)))  # shares of the picture


def boxes_of(file: Path) -> list[tuple[int, str]]:
    """(class, place) of each line."""
    return [(int(line.split()[0]), line.split(maxsplit=1)[1]) for line in file.read_text().splitlines()]


def test_an_open_load_stands_on_a_truck_and_nothing_else_gains_a_box() -> None:
    car = Labelled("car", Box(0, 0, 9, 9), False)
    open_load, closed = (
        Labelled("uncovered_load", Box(20, 5, 60, 30), True),
        Labelled("truck", Box(70, 5, 90, 20), True),
    )
    assert trucks.boxed([car, open_load, closed]) == [
        car, open_load, closed, Labelled("truck", Box(20, 5, 60, 30), True),
    ]  # fmt: skip


def test_trucks_are_rendered_with_and_without_an_open_load_seen_from_poles_all_round() -> None:
    plans = plan_cutouts(1, 40, labels=TRAFFIC)
    loads = {label: {p.kind for p in plans if p.label == label} for label in TRAFFIC}
    assert loads["uncovered_load"] == {"truck_heap"}
    assert loads["truck"] == {"truck_sheet", "truck_lid", "truck_empty", "truck_crates", "truck_box"}
    assert min(p.pitch for p in plans) >= 6
    assert max(p.pitch for p in plans) <= 42
    assert {int(p.turn % 360 // 90) for p in plans} == {0, 1, 2, 3}


@pytest.fixture
def found(tmp_path: Path) -> list[cutouts.Rendered]:
    for label in TRAFFIC:
        for split in ("train", "val"):
            for number in range(3):
                cutout(tmp_path / "cutouts", label, f"{label}-{split}-{number}", split, 5.0)
    return cutouts.find(tmp_path / "cutouts")


def test_a_set_holds_both_kinds_with_the_boxes_that_they_mean(tmp_path: Path, found: list[cutouts.Rendered]) -> None:
    grounds = [
        background(tmp_path / "grounds", f"s{n}", "val" if n % 4 == 3 else "train", TRAFFIC, CARS) for n in range(12)
    ]
    writer = SetWriter(tmp_path / "set", ("uncovered_load",), "drawn")
    trucks.fill(writer, grounds, found, {"train": 14, "val": 3}, seed=1)
    counts = writer.finish()
    assert len(list((tmp_path / "set/images/train").iterdir())) == 14
    assert len(list((tmp_path / "set/images/val").iterdir())) == 3
    assert 4 <= counts["train"]["uncovered_load"] < counts["train"]["truck"]
    for file in (tmp_path / "set/labels").rglob("*.txt"):
        lines = boxes_of(file)
        loads = [place for label, place in lines if label == INDEX["uncovered_load"]]
        places = [place for label, place in lines if label == INDEX["truck"]]
        assert places
        assert set(loads) <= set(places)
        assert len(places) == len(set(places))

    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "set/images").rglob("*.webp")}
    trucks.fill(writer, grounds, found, {"train": 14, "val": 3}, seed=1)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "set/images").rglob("*.webp")} == before


def test_each_split_gets_its_own_trucks(tmp_path: Path, found: list[cutouts.Rendered]) -> None:
    ground = background(tmp_path / "grounds", "street", "val", TRAFFIC, CARS)
    only_train = [c for c in found if c.split == "train"]
    _, objects = trucks.draw(ground, only_train, Random(1))
    assert not [one for one in objects if one.synthetic]
    assert any(one.synthetic for n in range(4) for one in trucks.draw(ground, found, Random(n))[1])


def test_without_traffic_there_is_no_road_to_stand_on(tmp_path: Path, found: list[cutouts.Rendered]) -> None:
    ground = background(tmp_path / "grounds", "square", "train", TRAFFIC)
    assert not any(trucks.draw(ground, found, Random(n))[1] for n in range(4))


def test_a_foot_stands_among_those_of_the_traffic() -> None:
    traffic = [Box(100, 100, 140, 130), Box(300, 150, 360, 190)]
    assert among_traffic(Box(180, 90, 280, 160), traffic)
    assert not among_traffic(Box(180, 20, 280, 90), traffic), "higher than where anything drives"
    assert not among_traffic(Box(180, 120, 280, 220), traffic), "lower"
    assert not among_traffic(Box(440, 90, 540, 160), traffic), "aside"


def test_at_eye_level_the_traffic_tells_the_scale(tmp_path: Path) -> None:
    plain = background(tmp_path, "street", boxes=(("car", Box(0.4, 0.3, 0.7, 0.6)), ("person", Box(0, 0, 1, 1))))
    assert trucks.fitted(plain) is plain
    source = next(view for view in trucks.views() if view.name == "two-wheelers-in")
    view = trucks.fitted(replace(plain, source=source)).source.view
    assert view.pixels_per_metre(0.6 * 1000, 1000) == pytest.approx(0.3 * 1000 / 1.5)


def test_the_views_take_trucks_and_vouch_for_open_loads_alone() -> None:
    views = trucks.views()
    assert [view.name for view in views] == ["cctv-vn", "two-wheelers-in"]
    assert all(view.pasted == ("uncovered_load", "truck") and view.sure == ("uncovered_load",) for view in views)
