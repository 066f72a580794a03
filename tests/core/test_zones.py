"""Where a point lies, and which areas share ground."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.core.zones import MOST_CELLS, Point, Zone, ZoneIndex, crosses_itself, overlap, ring, within


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def zone(name: str, *outlines: list[Point], camera: str | None = "cam") -> Zone:
    return Zone(name, "works", tuple(ring(outline) for outline in outlines), camera)


def test_holes_and_parts() -> None:
    square = zone("ring-road", box(0.1, 0.1, 0.9, 0.9), box(0.3, 0.3, 0.7, 0.7))
    assert square.contains(0.2, 0.2)
    assert not square.contains(0.5, 0.5)
    parts = zone("two-sides", box(0.0, 0.0, 0.2, 1.0), box(0.8, 0.0, 1.0, 1.0))
    assert parts.contains(0.1, 0.5)
    assert parts.contains(0.9, 0.5)
    assert not parts.contains(0.5, 0.5)
    assert parts.bounds() == (0.0, 0.0, 1.0, 1.0)


def test_a_point_on_a_shared_border_is_in_exactly_one_zone() -> None:
    left, right = zone("left", box(0.0, 0.0, 0.5, 1.0)), zone("right", box(0.5, 0.0, 1.0, 1.0))
    for y in (0.0, 0.25, 0.999):
        assert left.contains(0.5, y) + right.contains(0.5, y) == 1


def test_what_the_picture_cuts_off_stands_inside_the_zones_that_reach_its_edge() -> None:
    index = ZoneIndex({"all": zone("all", box(0.0, 0.0, 1.0, 1.0))})
    for corner in ((0.0, 1.0), (1.0, 1.0), (1.0, 0.5)):
        assert [found.id for found in index.in_picture("cam", *corner)] == ["all"]
    assert index.in_picture("other", 0.5, 0.5) == []


def test_a_zone_as_large_as_a_country_is_found_without_filling_the_index() -> None:
    country = zone("country", box(100.0, 20.0, 120.0, 40.0), camera=None)
    town = zone("town", box(110.0, 30.0, 110.1, 30.1), camera=None)
    index = ZoneIndex({"country": country, "town": town})
    assert {found.id for found in index.on_map(110.05, 30.05)} == {"country", "town"}
    assert {found.id for found in index.on_map(101.0, 21.0)} == {"country"}
    assert len(index._of_cell) < MOST_CELLS


def test_overlaps() -> None:
    base = zone("base", box(0.2, 0.2, 0.6, 0.6))
    assert overlap(base, zone("corner", box(0.5, 0.5, 0.9, 0.9)))
    assert overlap(base, zone("inside", box(0.3, 0.3, 0.4, 0.4)))
    assert overlap(zone("inside", box(0.3, 0.3, 0.4, 0.4)), base)
    assert overlap(base, zone("same", box(0.2, 0.2, 0.6, 0.6)))
    assert overlap(base, zone("shifted", box(0.4, 0.2, 0.8, 0.6)))
    assert overlap(base, zone("cross", box(0.0, 0.3, 1.0, 0.4)))
    assert not overlap(base, zone("beside", box(0.6, 0.2, 0.9, 0.6)))
    assert not overlap(base, zone("far", box(0.7, 0.7, 0.9, 0.9)))
    assert not overlap(
        zone("in-the-hole", box(0.4, 0.4, 0.6, 0.6)), zone("o", box(0, 0, 1, 1), box(0.3, 0.3, 0.7, 0.7))
    )
    assert within(zone("inside", box(0.3, 0.3, 0.4, 0.4)), base)
    assert within(base, base)
    assert not within(base, zone("corner", box(0.5, 0.5, 0.9, 0.9)))


@pytest.mark.parametrize(("corners", "crossed"), [(box(0, 0, 1, 1), False), ([(0, 0), (1, 1), (1, 0), (0, 1)], True)])
def test_an_outline_in_the_wrong_order_crosses_itself(corners: list[Point], crossed: bool) -> None:
    assert crosses_itself(zone("bow", corners)) == crossed


share = st.floats(0, 1).map(lambda value: round(value, 3))
triangles = st.lists(st.tuples(share, share), min_size=3, max_size=3)


@settings(max_examples=100, deadline=None)
@given(st.lists(triangles, min_size=1, max_size=5), st.tuples(share, share))
def test_the_index_finds_what_a_look_at_every_zone_finds(shapes: list[list[Point]], point: Point) -> None:
    on_map = {
        f"m{n}": zone(f"m{n}", [(120 + x, 30 + y) for x, y in shape], camera=None) for n, shape in enumerate(shapes)
    }
    index = ZoneIndex(on_map)
    x, y = 120 + point[0], 30 + point[1]
    assert {z.id for z in index.on_map(x, y)} == {z.id for z in on_map.values() if z.contains(x, y)}
