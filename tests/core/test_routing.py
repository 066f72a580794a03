"""Routes: the most specific decides, and its id is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.geo import GeoPoint
from detector.core.routing import Cell, Department, Route, Spot, Street, credit_code_fault, rivals, routing_of
from detector.core.zones import Zone, ring

CELL = "610104001002003"
DEPARTMENTS = [Department(name, name.title()) for name in ("sanitation", "chengguan", "roads", "station", "office")]
STREETS = [
    Street("renmin", "人民路", "莲湖区", "city", CELL, frozenset({"cam-1", "cam-2"})),
    Street("back", "背街", "莲湖区", "district", None, frozenset({"cam-3"})),
]
ROUTES = [
    Route("garbage", "sanitation", frozenset({"exposed_garbage", "bin_overflow"})),
    Route("stalls", "chengguan", frozenset({"street_stall"})),
    Route("city-roads", "roads", frozenset({"road_damage"}), owners=frozenset({"city"})),
    Route("district-roads", "office", frozenset({"road_damage"}), districts=frozenset({"莲湖区"})),
    Route("station-square", "station", cells=(CELL,)),
    Route("station-quarter", "office", cells=(CELL[:9],)),
]
SQUARE = Zone(CELL, "cell", (ring([(108.90, 34.20), (108.92, 34.20), (108.92, 34.22), (108.90, 34.22)]),))
ROUTING = routing_of(DEPARTMENTS, ROUTES, STREETS, [(Cell(CELL, "莲湖区", "renmin", "city"), SQUARE)])


@pytest.mark.parametrize(
    ("spot", "department", "route"),
    [
        (Spot("exposed_garbage", "x"), "sanitation", "garbage"),
        (Spot("exposed_garbage", "x", district="雁塔区"), "sanitation", "garbage"),
        (Spot("road_damage", "x", owner="city", district="莲湖区"), "roads", "city-roads"),
        (Spot("road_damage", "x", owner="district", district="莲湖区"), "office", "district-roads"),
        (Spot("exposed_garbage", "x", cell=CELL), "station", "station-square"),  # the place outranks the category
        (Spot("street_stall", "x", cell=f"{CELL[:9]}999999"), "office", "station-quarter"),
    ],
)
def test_the_most_specific_route_decides(spot: Spot, department: str, route: str) -> None:
    found = ROUTING.route(spot)
    assert found is not None
    assert (found.department.id, found.route) == (department, route)


def test_without_a_route_there_is_a_reason() -> None:
    spot = ROUTING.spot("road_damage", "unknown", "雁塔区")
    assert ROUTING.route(spot) is None
    assert str(spot) == "road_damage in district 雁塔区"
    assert str(Spot("road_damage", "x")) == "road_damage at a place that is not known"


def test_a_place_is_found_on_the_grid_then_by_the_street_of_its_camera() -> None:
    inside, outside = GeoPoint(34.21, 108.91), GeoPoint(30.0, 100.0)
    assert ROUTING.spot("x", "cam-9", None, inside) == Spot("x", "cam-9", CELL, "renmin", "city", "莲湖区")
    assert ROUTING.spot("x", "cam-1", None, outside) == Spot("x", "cam-1", CELL, "renmin", "city", "莲湖区")
    assert ROUTING.spot("x", "cam-3", "elsewhere") == Spot("x", "cam-3", None, "back", "district", "莲湖区")
    assert ROUTING.spot("x", "cam-9", "elsewhere") == Spot("x", "cam-9", district="elsewhere")


def test_what_cannot_be_put_together_is_told() -> None:
    with pytest.raises(ValueError, match="no department"):
        routing_of([], ROUTES)
    twice = Street("other", "x", cameras=frozenset({"cam-1"}))
    with pytest.raises(ValueError, match="'cam-1' looks at 'renmin' and at 'other'"):
        routing_of(DEPARTMENTS, [], [*STREETS, twice])


def test_rivals_are_equally_specific_and_can_meet() -> None:
    one = Route("a", "sanitation", frozenset({"x", "y"}))
    assert list(rivals([one, Route("b", "roads", frozenset({"y", "z"}))]))
    for other in (
        Route("b", "sanitation", frozenset({"y"})),
        Route("b", "roads", frozenset({"z"})),
        Route("b", "roads", frozenset({"y"}), districts=frozenset({"d"})),
    ):
        assert list(rivals([one, other])) == []


def test_of_two_that_are_equally_specific_the_one_written_first_decides() -> None:
    here, there = Route("here", "sanitation", frozenset({"x"})), Route("there", "roads", frozenset({"x", "y"}))
    for routes in ([here, there], [there, here]):
        found = routing_of(DEPARTMENTS, routes).route(Spot("x", "cam"))
        assert found is not None
        assert found.route == routes[0].id


@given(
    spot=st.builds(
        Spot,
        st.sampled_from(["exposed_garbage", "street_stall", "road_damage", "other"]),
        st.just("x"),
        cell=st.sampled_from([None, CELL, f"{CELL[:9]}111111", "1" * 15]),
        owner=st.sampled_from([None, "city", "district"]),
        district=st.sampled_from([None, "莲湖区", "雁塔区"]),
    ),
    order=st.permutations(ROUTES),
)
def test_the_order_of_routes_that_are_no_rivals_does_not_matter(spot: Spot, order: list[Route]) -> None:
    assert list(rivals(ROUTES)) == []
    mixed = routing_of(DEPARTMENTS, order, STREETS)
    assert mixed.route(spot) == ROUTING.route(spot)


@pytest.mark.parametrize("code", ["914403001922038216", "9144030071526726XG"])  # two well-known companies
def test_credit_codes_check_themselves(code: str) -> None:
    assert credit_code_fault(code) is None
    assert "check character" in str(credit_code_fault(code[:-1] + "0"))
    assert "characters" in str(credit_code_fault(code[:-1]))
    assert "holds I" in str(credit_code_fault("I" + code[1:]))
