"""A desk's settings and routes: read whole, or each fault with its file, line and key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from detector.config import shipped
from detector.config.desk_loading import examine_desk, load_desk
from detector.config.workdays import calendar_fault
from detector.core.geo import GeoPoint
from detector.demo import play
from detector.desk.plan import Plan
from detector.desk.planning import plan_of
from detector.errors import ConfigError

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ENVIRONMENT = {"DETECTOR_DESK_SECRET": SECRET}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_files(desk: str, routing: str = "{}") -> Path:
        (tmp_path / "routing.yaml").write_text(routing, encoding="utf-8")
        file = tmp_path / "desk.yaml"
        file.write_text(desk, encoding="utf-8")
        return file

    return write_files


def told(file: Path) -> list[str]:
    examined = examine_desk(file, ENVIRONMENT)
    return [str(finding).replace(f"{file.parent}/", "") for finding in examined.findings]


def test_the_example_makes_a_plan() -> None:
    examined = load_desk(shipped("configs/desk.example.yaml"), ENVIRONMENT)
    assert not [finding for finding in examined.findings if finding.severity != "note"]
    plan = plan_of(examined)
    assert plan.automatic
    assert (plan.default_threshold("exposed_garbage"), plan.default_threshold("manhole_abnormal")) == (0.8, None)
    assert plan.default_threshold("rubble_pile") is None  # the category is to be reviewed
    at = plan.routing.spot("exposed_garbage", "unknown", None, GeoPoint(34.279, 108.959))
    assert (at.cell, at.street) == ("610104001002003", "station-square")
    routed = plan.routing.route(at)
    assert routed is not None
    assert (routed.department.id, routed.route) == ("station", "station-quarter")
    by_camera = plan.routing.route(plan.routing.spot("road_damage", "east-gate"))
    assert by_camera is not None
    assert (by_camera.department.code, by_camera.route) == ("12610100MB2A000332", "city-roads")


def test_the_demos_desk_is_right() -> None:
    examined = load_desk(play.DESK)
    assert [f for f in examined.findings if f.severity != "note"] == []
    plan = plan_of(examined)
    assert plan.automatic
    assert plan.routing.route(plan.routing.spot("bin_overflow", "demo-street")) is not None


def test_how_long_what_has_left_waits_is_as_written(write: Write) -> None:
    assert plan_of(load_desk(write("dispatch: {kept_for: 36 h}"), ENVIRONMENT)).kept_for == timedelta(hours=36)
    assert plan_of(load_desk(None)).kept_for == Plan().kept_for == timedelta(days=7)


def test_without_a_file_nothing_goes_out_alone_and_deadlines_are_those_of_the_product() -> None:
    plan = plan_of(load_desk(None))
    assert not plan.automatic
    assert plan.deadlines["street_stall"].limit.total_seconds() == 7200


@pytest.mark.parametrize(
    ("desk", "expected"),
    [
        ("titel: x", 'desk.yaml:1: titel: unknown key; did you mean "title"?'),
        ("\ntimezone: Asia/Shangai", "desk.yaml:2: timezone:"),
        ("deadlines:\n  street_stal: {limit: 2 h}", 'desk.yaml:2: deadlines.street_stal: there is no category "street'),
        ("dispatch:\n  threshold: true", "desk.yaml:2: dispatch.threshold: is a score or false"),
        ("dispatch:\n  threshold: 1.2", "desk.yaml:2: dispatch.threshold:"),
        ("dispatch:\n  target_precision: 1", "desk.yaml:2: dispatch.target_precision:"),
        ("office:\n  hours: ['14:00-18:00', '08:00-12:00']", "desk.yaml:2: office.hours: must follow each other"),
        ("office:\n  hours: '20:00-04:00'", "desk.yaml:2: office.hours: must follow each other"),
        ("office:\n  days_on: [2027-01-02]\n  days_off: [2027-01-02]", "desk.yaml:2: office.days_on: 2027-01-02 is"),
        (
            "escalation:\n  - {after: 1 h, to: a}\n  - {after: 1 h, to: b}",
            "desk.yaml:1: escalation: each step must come later",
        ),
        ("dispatch: {automatic: true}", "desk.yaml:1: dispatch.automatic: has no effect without routes"),
        ("secrets: [whsec_x]", "desk.yaml:1: secrets[0]:"),
    ],
)
def test_faults_are_told_with_their_line(write: Write, desk: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in told(write(desk))), told(write(desk))


DEPARTMENTS = "departments:\n  a: {name: A}\n  b: {name: B}\n"


@pytest.mark.parametrize(
    ("routing", "expected"),
    [
        ("departments:\n  a: {name: A, code: 914403001922038217}", "routing.yaml:2: departments.a.code: "),
        ("departments:\n  a: {name: A, code: '914403001922038217'}", "ends in 7 where its check character would be 6"),
        (DEPARTMENTS + "routes:\n  - {id: x, to: c}", 'routing.yaml:5: routes[0].to: there is no department "c"'),
        (DEPARTMENTS + "routes:\n  - {id: x, to: a}\n  - {id: x, to: b}", 'routing.yaml:6: routes[1].id: "x" is taken'),
        (DEPARTMENTS + "routes:\n  - {id: x, to: a, streets: [s]}", 'routes[0].streets[0]: there is no street "s"'),
        (DEPARTMENTS + "routes:\n  - {id: x, to: a, owners: [s]}", "no street and no cell has the owner"),
        (DEPARTMENTS + "routes:\n  - {id: x, to: a, cells: [abc]}", "routing.yaml:5: routes[0].cells[0]:"),
        (
            DEPARTMENTS + "routes:\n  - {id: x, to: a, categories: [street_stal]}",
            'there is no category "street_stal"; did you mean "street_stall"?',
        ),
        (
            DEPARTMENTS + "routes:\n  - {id: x, to: a, categories: [road_damage]}\n"
            "  - {id: y, to: b, categories: [road_damage]}",
            "routing.yaml:6: routes[1]: can fit where x fits and is no more specific: x decides there",
        ),
        (
            DEPARTMENTS + "streets:\n  s: {name: S, cameras: [c]}\n  t: {name: T, cameras: [c]}",
            'routing.yaml:6: streets.t.cameras[0]: camera "c" is at street s already',
        ),
        (DEPARTMENTS + "grid: none.geojson", "none.geojson: cannot be read"),
    ],
)
def test_faults_of_routes_are_told(write: Write, routing: str, expected: str) -> None:
    lines = told(write("routing: routing.yaml", routing))
    assert any(expected in line for line in lines), lines


def test_cells_of_a_grid_are_checked(write: Write, tmp_path: Path) -> None:
    (tmp_path / "grid.geojson").write_text(
        '{"type": "FeatureCollection", "features": ['
        '{"type": "Feature", "properties": {"id": "6101"}, "geometry": {"type": "Polygon",'
        ' "coordinates": [[[0,0],[1,0],[1,1],[0,0]]]}},'
        '{"type": "Feature", "properties": {"id": "610104001002003", "street": "s"}, "geometry": {"type": "Polygon",'
        ' "coordinates": [[[0,0],[1,0],[1,1],[0,0]]]}}]}'
    )
    lines = told(write("routing: routing.yaml", "grid: grid.geojson"))
    assert lines[0].startswith('grid.geojson: features[0].properties.id: "6101" is no unit cell')
    assert 'features[1].properties.street: there is no street "s"' in lines[1]


def test_an_unusable_file_is_raised_with_all_its_faults(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load_desk(write("port: x\ntitel: y"), ENVIRONMENT)
    assert len(str(caught.value).splitlines()) == 2


def test_secrets_stay_hidden(write: Write) -> None:
    examined = load_desk(write("secrets: ['${DETECTOR_DESK_SECRET}']"), ENVIRONMENT)
    assert SECRET not in repr(examined)


def test_a_country_without_a_calendar_is_told(write: Write) -> None:
    with pytest.raises(ConfigError, match="no calendar for the country 'XX'"):
        plan_of(load_desk(write("office: {country: XX}")))


def test_the_calendar_says_what_it_cannot_know(write: Write) -> None:
    office = load_desk(None).settings
    assert office is not None
    assert calendar_fault(office.office, date(2026, 6, 1), "office") is None
    assert "make-up workdays of 2040" in str(calendar_fault(office.office, date(2040, 6, 1), "office"))
    named = load_desk(write("office: {days_on: [2040-02-04]}")).settings
    assert named is not None
    assert calendar_fault(named.office, date(2040, 6, 1), "office") is None
    germany = load_desk(write("office: {country: DE}")).settings
    assert germany is not None
    assert calendar_fault(germany.office, date(2040, 6, 1), "office") is None
