"""Zones, permits and rules from files: what is read, and what is said of what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

import pytest
import yaml

from detector.config import (
    Settings,
    check_settings,
    examine_rulebook,
    load_categories,
    load_rules,
    load_settings,
    shipped,
)
from detector.config.rule_check import MOST_STRANGERS
from detector.core.calendar import TimeWindow, Validity
from detector.core.geo import GeoPoint
from detector.core.rules import Effect, Outcome, Permit, RuleBook, Spot
from detector.errors import ConfigError

SQUARE = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.5]]
NOON = datetime(2026, 5, 1, 12)  # noqa: DTZ001 - wall-clock time; a Friday
NEW, OLD = "GB/T 47678.5-2026", "GB/T 30428.2-2013"

Write = Callable[..., Settings]


@pytest.fixture
def town(tmp_path: Path) -> Write:
    """Write files of rules beside settings that name them, with cameras `cam` and `off`."""

    def write(**files: str | dict[str, object]) -> Settings:
        names: dict[str, object] = {}
        for key, content in files.items():
            suffix = "geojson" if key == "areas" else "yaml"
            text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
            (tmp_path / f"{key}.{suffix}").write_text(text, encoding="utf-8")
            if key in {"zones", "permits", "rules"}:
                names[key] = f"{key}.{suffix}"
        cameras = [
            {"id": "cam", "url": "rtsp://h/1", "latitude": 35.0, "longitude": 111.0},
            {"id": "off", "url": "rtsp://h/2", "enabled": False},
        ]
        (tmp_path / "fleet.yaml").write_text(yaml.safe_dump({"rules": names, "cameras": cameras}))
        return load_settings(tmp_path / "fleet.yaml")

    return write


def wrong(settings: Settings, folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_rules(settings)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def told(settings: Settings, today: date | None = None) -> list[str]:
    """What `detector check` says of the files of rules, and of needs; without lines."""
    files = {"zones.yaml", "permits.yaml", "rules.yaml", "areas.geojson"}
    findings = [f for f in check_settings(settings, None, today) if f.file.name in files or "no zone is" in f.message]
    return sorted(f"{f.key}: {f.message}" for f in findings)


def decided(book: RuleBook, category: str, x: float, y: float, at: datetime = NOON, camera: str = "cam") -> Outcome:
    return book.decide(load_categories(shipped("configs/categories.yaml"))[category], Spot(camera, (x, y)), at)


def test_corners_in_shares_and_pixels_holes_and_categories(town: Write) -> None:
    settings = town(
        zones={
            "zones": {
                "shares": {"kind": "vending_point", "camera": "cam", "corners": SQUARE, "categories": ["street_stall"]},
                "pixels": {
                    "kind": "works",
                    "camera": "cam",
                    "frame": [1000, 500],
                    "corners": [[600, 0], [1000, 0], [1000, 500], [600, 500]],
                    "holes": [[[700, 100], [900, 100], [900, 400], [700, 400]]],
                },
            }
        }
    )
    book = load_rules(settings)
    assert decided(book, "street_stall", 0.2, 0.2).rule == "rule:vending-outside-hours"
    assert decided(book, "road_damage", 0.65, 0.5) == Outcome(False, "rule:road-works")
    assert decided(book, "road_damage", 0.8, 0.5).case
    assert decided(book, "road_damage", 0.65, 0.5, camera="off").case


def test_everything_wrong_with_zones_at_once(town: Write, tmp_path: Path) -> None:
    settings = town(
        zones="""\
zones:
  a: {kind: Works, camera: cam, corners: [[0, 0], [1, 0], [1, 1]]}
  b: {kind: works, camera: cam, corners: [[0, 0], [1, 0]]}
  "c d": {kind: works, camera: cam, corners: [[0, 0], [1, 0], [1, 1]]}
  e: {kind: works, camera: cam, corners: [[0, 0], [1, 0], [1]]}
  f: {kind: works, camra: cam, corners: [[0, 0], [1, 0], [1, 1]]}
"""
    )
    lines = wrong(settings, tmp_path)
    starts = [
        "zones.yaml:2: zones.a.kind: must match",
        "zones.yaml:3: zones.b.corners: needs at least 3",
        "zones.yaml:4: zones.c d: must match",
        "zones.yaml:5: zones.e.corners[2][1]: is missing",
        'zones.yaml:6: zones.f.camra: unknown key; did you mean "camera"?',
    ]
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True)), lines


def test_zones_that_cannot_be_placed(town: Write, tmp_path: Path) -> None:
    settings = town(
        zones="""\
zones:
  pixels: {kind: works, camera: cam, corners: [[0, 0], [640, 0], [640, 480]]}
  frame: {kind: works, camera: cam, frame: [640, 480], corners: [[0, 0], [641, 0], [640, 480]]}
  both: {kind: works, camera: cam, corners: [[0, 0], [1, 0], [1, 1]], ground: [[0, 0], [1, 0], [1, 1]]}
  nowhere: {kind: works, corners: [[0, 0], [1, 0], [1, 1]]}
  swapped: {kind: works, ground: [[35.0, 111.0], [35.1, 111.0], [35.1, 111.1]]}
  nothing: {kind: works, camera: cam}
  unknown: {kind: works, camera: cam, corners: [[0, 0], [1, 0], [1, 1]], categories: [road_damge]}
"""
    )
    pixels = "for pixels, give `frame: [width, height]` of the picture"
    assert wrong(settings, tmp_path) == [
        f"zones.yaml:2: zones.pixels.corners[1]: lies outside the picture; {pixels}",
        "zones.yaml:3: zones.frame.corners[1]: lies outside the picture; check `frame`",
        "zones.yaml:4: zones.both: needs either corners (of a picture) or ground (of the map)",
        "zones.yaml:5: zones.nowhere: corners need the camera in whose picture they lie, and ground needs none",
        "zones.yaml:6: zones.swapped.ground[0]: is no position; longitude first, then latitude",
        "zones.yaml:7: zones.nothing: needs either corners (of a picture) or ground (of the map)",
        'zones.yaml:8: zones.unknown.categories[0]: there is no category "road_damge"; did you mean "road_damage"?',
    ]


def feature(name: object, outline: object, kind: object = "vending_point", **more: object) -> dict[str, object]:
    geometry = {"type": "Polygon", "coordinates": [outline]}
    return {"type": "Feature", "properties": {"id": name, "kind": kind, **more}, "geometry": geometry}


OUTLINE = [[111.0, 35.0], [111.01, 35.0], [111.01, 35.01], [111.0, 35.01], [111.0, 35.0]]


def collection(*features: dict[str, object], **more: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more})


def test_areas_of_the_map_from_geojson(town: Write) -> None:
    parts = feature("parts", None, categories="street_stall, shop_overflow")
    far = [[[x + 0.5, y] for x, y in OUTLINE]]
    parts["geometry"] = {"type": "MultiPolygon", "coordinates": [far, [[[x + 1, y] for x, y in OUTLINE]]]}
    settings = town(zones="geojson: [areas.geojson]", areas=collection(feature("东街夜市", OUTLINE), parts))
    book = load_rules(settings)
    assert book.zones["parts"].categories == {"street_stall", "shop_overflow"}
    assert len(book.zones["东街夜市"].rings[0]) == 8, "the corner that is written twice counts once"
    for place, name in ((GeoPoint(35.005, 111.005), "东街夜市"), (GeoPoint(35.005, 112.005), "parts")):
        found = book.zones_at(Spot("cam", (0.5, 0.5), place), "street_stall")
        assert [zone.id for zone in found] == [name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", None),
        ("EPSG:4326", None),
        ("urn:ogc:def:crs:EPSG::4490", "areas.geojson: crs: CGCS2000 is taken for WGS-84: they differ by decimetres"),
        ("GCJ-02", None),
        (
            "EPSG:3857",
            'areas.geojson: crs: the coordinate system "EPSG:3857" is not converted; export the file as WGS-84',
        ),
    ],
)
def test_coordinate_systems(town: Write, tmp_path: Path, name: str, message: str | None) -> None:
    crs = {"type": "name", "properties": {"name": name}}
    settings = town(zones="geojson: [areas.geojson]", areas=collection(feature("a", OUTLINE), crs=crs))
    examined = examine_rulebook(settings)
    said = [str(finding).replace(f"{tmp_path}/", "") for finding in examined.findings]
    assert said == [] if message is None else said[0].startswith(message)
    assert (examined.book is None) == (message is not None and "decimetres" not in message)


def test_chinese_coordinates_are_converted(town: Write) -> None:
    """A corner of the Forbidden City as maps in China write it (GCJ-02), about 560 m from where it is (WGS-84)."""
    gcj = [[116.39747, 39.90882], [116.40747, 39.90882], [116.40747, 39.91882]]
    named = collection(feature("named", gcj), crs={"type": "name", "properties": {"name": "GCJ02"}})
    inline = {"kind": "works", "ground": gcj}
    unnamed = town(
        zones={"coordinates": "gcj02", "geojson": ["areas.geojson"], "zones": {"inline": inline}}, areas=named
    )
    book = load_rules(unnamed)
    for zone in book.zones.values():
        longitude, latitude = next(iter(zone.corners()))
        assert longitude == pytest.approx(116.39123, abs=1e-4)
        assert latitude == pytest.approx(39.90742, abs=1e-4)
    assert list(book.zones["named"].corners()) == list(book.zones["inline"].corners())


@pytest.mark.parametrize(
    ("areas", "message"),
    [
        ("{", "areas.geojson:1: is not JSON"),
        ("[]", "areas.geojson: must be an object"),
        ("{}", "areas.geojson: must be a GeoJSON FeatureCollection"),
        (collection(feature(None, OUTLINE)), "areas.geojson: features[0].properties.id: must be an id"),
        (collection(feature("a", OUTLINE, kind="")), "areas.geojson: features[0].properties.kind: must be a kind"),
        (collection(feature("a", OUTLINE[:2])), "areas.geojson: features[0].geometry.coordinates: a ring needs"),
        (
            collection(feature("a", [[35.0, 111.0]] * 4)),
            "areas.geojson: features[0].geometry.coordinates: [35.0, 111.0] is no position; longitude first",
        ),
        (
            collection(feature("a", [[500000.0, 3900000.0]] * 4)),
            "areas.geojson: features[0].geometry.coordinates: [500000.0, 3900000.0] is no position; degrees are wanted",
        ),
        (
            collection({**feature("a", OUTLINE), "geometry": {"type": "Point", "coordinates": [1, 2]}}),
            "areas.geojson: features[0].geometry: must be a Polygon or MultiPolygon, not Point",
        ),
        (collection(feature("a", OUTLINE), feature("a", OUTLINE)), 'areas.geojson: features[1]: zone "a" is taken'),
        (collection(feature("a", OUTLINE, categories=[1])), "areas.geojson: features[0].properties.categories: must"),
        (
            collection(feature("a", OUTLINE, categories=["x"])),
            "areas.geojson: features[0].categories[0]: there is no",
        ),
    ],
)
def test_geojson_that_is_none(town: Write, tmp_path: Path, areas: str, message: str) -> None:
    (line,) = wrong(town(zones="geojson: [areas.geojson]", areas=areas), tmp_path)
    assert line.startswith(message)


def test_files_that_programs_write_may_be_json(town: Write, tmp_path: Path) -> None:
    settings = town(zones="zones: {}", permits="permits: {}")
    rules = settings.rules.model_copy(update={"zones": (tmp_path / "z.json",), "permits": (tmp_path / "p.json",)})
    settings = settings.model_copy(update={"rules": rules})
    (tmp_path / "z.json").write_text(json.dumps(ZONES))
    (tmp_path / "p.json").write_text('{"permits": {"a": {"categories": ["street_stall"], "zones": ["market"]}}}')
    assert decided(load_rules(settings), "street_stall", 0.2, 0.2) == Outcome(False, "permit:a")
    (tmp_path / "p.json").write_text(
        '{"permits": {"a": {"categories": ["street_stall"], "zones": ["x"], "holdr": ""}}}'
    )
    assert wrong(settings, tmp_path) == ['p.json: permits.a.holdr: unknown key; did you mean "holder"?']


ZONES = {
    "zones": {
        "market": {"kind": "vending_point", "camera": "cam", "corners": SQUARE},
        "bins": {"kind": "collection_point", "camera": "cam", "corners": [[x + 0.5, y] for x, y in SQUARE]},
    }
}


def test_permits_and_events(town: Write) -> None:
    settings = town(
        zones=ZONES,
        permits="""\
permits:
  夜市:
    holder: 东街
    categories: [street_stall]
    zones: [market]
    when:
      - {days: 周五、周六, hours: "18:00-02:00"}
      - {days: sun, hours: ["08:00-10:00", "18:00-20:00"]}
    first_day: 2026-05-01
    not_on: [2026-05-08]
    also_on: [2026-05-05]
events:
  race: {effect: ban, first_day: 2026-05-15, last_day: 2026-05-15}
""",
    )
    book = load_rules(settings)
    late = frozenset({4, 5})
    sunday = frozenset({6})
    assert book.permits["夜市"] == Permit(
        id="夜市",
        categories=frozenset({"street_stall"}),
        zones=frozenset({"market"}),
        windows=(
            TimeWindow(time(18), time(2), late),
            TimeWindow(time(8), time(10), sunday),
            TimeWindow(time(18), time(20), sunday),
        ),
        validity=Validity(date(2026, 5, 1), None, frozenset({date(2026, 5, 8)}), frozenset({date(2026, 5, 5)})),
        holder="东街",
    )
    assert book.permits["race"].effect is Effect.BAN
    assert book.permits["race"].rank > 0
    assert book.permits["race"].categories == set(load_categories(shipped("configs/categories.yaml")))
    evening = datetime(2026, 5, 1, 20)  # noqa: DTZ001
    assert decided(book, "street_stall", 0.2, 0.2, evening) == Outcome(False, "permit:夜市")
    assert decided(book, "street_stall", 0.2, 0.2, evening.replace(day=15)).rule == "rule:vending-outside-hours"


def test_permits_and_rules_follow_the_calendar_of_the_settings(town: Write, tmp_path: Path) -> None:
    write = {
        "zones": ZONES,
        "permits": """\
permits:
  evening:
    {categories: [street_stall], zones: [market], when: [{days: mon-fri, hours: "18:00-23:00"}], holidays: closed}
""",
        "rules": """\
extends: default
rules:
  free-day: {categories: [street_stall], then: no_case, when: [{days: sun}], holidays: like_sunday, rank: 9}
""",
    }
    book = load_rules(town(**write))

    def rule_on(moment: str) -> str:
        return decided(book, "street_stall", 0.2, 0.2, datetime.fromisoformat(moment)).rule

    assert rule_on("2026-09-30T20:00") == "permit:evening"
    assert rule_on("2026-10-01T20:00") == "rule:free-day"  # a Thursday, National Day
    assert rule_on("2026-10-10T20:00") == "permit:evening"  # a Saturday on which people work
    fleet = tmp_path / "fleet.yaml"
    written = yaml.safe_load(fleet.read_text())
    written["rules"]["calendar"] = {"days_off": [date(2026, 9, 30)]}
    fleet.write_text(yaml.safe_dump(written))
    book = load_rules(load_settings(fleet))
    assert rule_on("2026-09-30T20:00") == "rule:free-day"
    messages = [str(f) for f in check_settings(load_settings(fleet), None, date(2040, 1, 1))]
    assert any("rules.calendar: the make-up workdays of 2040 are not in the calendar" in line for line in messages)
    written["rules"]["calendar"] = {"country": "XX"}
    fleet.write_text(yaml.safe_dump(written))
    [told_once] = wrong(load_settings(fleet), tmp_path)
    assert "rules.calendar.country: no calendar for the country 'XX'" in told_once


def test_everything_wrong_with_permits_and_rules_at_once(town: Write, tmp_path: Path) -> None:
    settings = town(
        zones=ZONES,
        permits="""\
permits:
  a: {categories: [street_stal], zones: [markt]}
  b: {categories: [street_stall], zones: [market], first_day: 2026-05-02, last_day: 2026-05-01}
events:
  a: {effect: allow, first_day: 2026-05-01, last_day: 2026-05-01}
""",
        rules="""\
extends: default
rules:
  set-out-hours: {then: no_case, codes: {GB/T 47678.5-2026: "1"}}
  mine: {categories: [stret_stall], inside: x, outside: x, then: case, codes: {GB/T 47678: "1"}}
""",
    )
    assert wrong(settings, tmp_path) == [
        'permits.yaml:2: permits.a.categories[0]: there is no category "street_stal"; did you mean "street_stall"?',
        'permits.yaml:2: permits.a.zones[0]: there is no zone "markt"; did you mean "market"?',
        "permits.yaml:3: permits.b.last_day: is before the first day (2026-05-02)",
        f'permits.yaml:5: events.a: "a" is taken by {tmp_path}/permits.yaml:2; give each its own id'.replace(
            f"{tmp_path}/", ""
        ),
        "rules.yaml:3: rules.set-out-hours.codes: what is no case has no code",
        'rules.yaml:4: rules.mine.categories[0]: there is no category "stret_stall"; did you mean "street_stall"?',
        'rules.yaml:4: rules.mine.codes.GB/T 47678: is none of the standards; did you mean "GB/T 47678.5-2026"?',
        "rules.yaml:4: rules.mine.outside: nothing is inside and outside of x at once",
    ]


def test_wrong_values_of_permits(town: Write, tmp_path: Path) -> None:
    settings = town(
        zones=ZONES,
        permits="""\
permits:
  a:
    categories: []
    zones: everywhere
    when: [{days: fry, hours: "18:00"}]
    last_day: soon
events:
  b: {effect: forbid, first_day: 2026-05-01}
""",
    )
    lines = wrong(settings, tmp_path)
    for start in (
        "permits.yaml:3: permits.a.categories: needs at least 1",
        'permits.yaml:4: permits.a.zones: must be a list of ids, or "all"',
        'permits.yaml:5: permits.a.when[0].days: "fry" is no weekday; did you mean "fri',
        "permits.yaml:5: permits.a.when[0].hours: must be hours",
        'permits.yaml:6: permits.a.last_day: "soon" is no date',
        "permits.yaml:8: events.b.effect: must be one of allow, ban",
        "permits.yaml:8: events.b.last_day: is missing",
    ):
        assert any(line.startswith(start) for line in lines), (start, lines)


def test_the_rules_that_come_with_the_product(town: Write) -> None:
    book = load_rules(town(zones=ZONES))
    stall = decided(book, "street_stall", 0.2, 0.2)
    assert stall == Outcome(True, "rule:vending-outside-hours", {NEW: "09002", OLD: "0402"})
    assert decided(book, "street_stall", 0.9, 0.9).codes[NEW] == "09001"
    assert decided(book, "exposed_garbage", 0.7, 0.2).case
    evening = NOON.replace(hour=19)
    assert decided(book, "exposed_garbage", 0.7, 0.2, evening) == Outcome(False, "rule:set-out-hours")
    assert decided(book, "exposed_garbage", 0.2, 0.2, evening).case
    assert decided(book, "bin_overflow", 0.7, 0.2, evening).case


def test_a_city_lays_its_rules_over_those(town: Write) -> None:
    settings = town(
        zones=ZONES,
        rules="""\
extends: default
rules:
  set-out-hours: {when: [{hours: "12:00-13:00"}]}
  vending-outside-hours: {enabled: false}
""",
    )
    book = load_rules(settings)
    assert decided(book, "exposed_garbage", 0.7, 0.2) == Outcome(False, "rule:set-out-hours")
    assert decided(book, "exposed_garbage", 0.7, 0.2, NOON.replace(hour=19)).case
    assert decided(book, "street_stall", 0.2, 0.2).rule == "category:street_stall"


def test_a_city_with_categories_of_its_own_needs_no_rules_to_say_so(town: Write, tmp_path: Path) -> None:
    settings = town(zones="zones: {}")
    own = tmp_path / "own.yaml"
    own.write_text("categories: {litter: {names: {en: Litter}, labels: [garbage]}}")
    settings = settings.model_copy(update={"categories": own})
    assert load_rules(settings).rules == {}


def test_a_good_town_has_nothing_told_of_it(town: Write) -> None:
    kerb = {"kind": "no_parking", "camera": "cam", "corners": [[0.6, 0.6], [0.9, 0.6], [0.9, 0.9]]}
    bay = {"kind": "legal_bay", "camera": "cam", "corners": [[0.1, 0.6], [0.4, 0.6], [0.4, 0.9]]}
    settings = town(
        zones={"zones": {**ZONES["zones"], "kerb": kerb, "bay": bay}},
        permits="permits: {m: {categories: [street_stall], zones: [market], last_day: 2026-05-01}}",
    )
    assert told(settings, date(2026, 5, 1)) == []


def test_gaps_are_told(town: Write) -> None:
    square = {"corners": SQUARE}
    settings = town(
        zones={
            "zones": {
                "a-typo": {"kind": "vending_pont", "camera": "cam", **square},
                "b-lost": {"kind": "works", "camera": "cm", **square},
                "c-dark": {"kind": "vending_point", "camera": "off", **square, "categories": ["street_stall"]},
                "d-bow": {
                    "kind": "works",
                    "camera": "cam",
                    "corners": [[0.6, 0.6], [0.9, 0.9], [0.9, 0.6], [0.6, 0.9]],
                },
                "e-far": {"kind": "vending_point", "ground": [[112, 35], [112.001, 35], [112.001, 35.001]]},
                "f-near": {"kind": "vending_point", "ground": [[111.002, 35], [111.003, 35], [111.003, 35.001]]},
            }
        },
        permits="""\
permits:
  dark: {categories: [street_stall], zones: [c-dark]}
  far: {categories: [street_stall], zones: [e-far]}
  near: {categories: [street_stall], zones: [f-near]}
  mixed: {categories: [street_stall, shop_overflow], zones: [c-dark], when: [{days: fri}]}
  never: {categories: [street_stall], zones: all, when: [{days: sat}], first_day: 2026-05-01, last_day: 2026-05-01}
  over: {categories: [street_stall], zones: all, last_day: 2026-04-30}
""",
    )
    nowhere = "it is a case nowhere, unless a rule says so"
    assert told(settings, date(2026, 5, 1)) == [
        f"categories.motor_parking.needs: no zone is of kind no_parking: {nowhere}",
        f"categories.nonmotor_parking.needs: no zone is of kind legal_bay: {nowhere}",
        "permits.dark: no camera sees c-dark: it makes no difference",
        "permits.far: no camera sees e-far: it makes no difference",
        "permits.mixed: no camera sees c-dark: it makes no difference",
        "permits.mixed: none of its zones concerns shop_overflow: it does not count for that",
        "permits.never: can never hold: no day of its dates is one of its weekdays",
        "permits.over: is over since 2026-04-30",
        'zones.a-typo.kind: nothing is said about the kind "vending_pont"',
        'zones.b-lost.camera: there is no camera "cm"',
        "zones.d-bow: its outline crosses itself",
    ]


def test_overlaps_are_told(town: Write) -> None:
    right = [[x + 0.2, y] for x, y in SQUARE]
    inner = [[0.2, 0.2], [0.3, 0.2], [0.3, 0.3]]
    settings = town(
        zones={
            "zones": {
                "bay": {"kind": "parking_bay", "camera": "cam", "corners": right},
                "bikes": {"kind": "no_bicycles", "camera": "cam", "corners": SQUARE},
                "kerb": {"kind": "no_parking", "camera": "cam", "corners": SQUARE},
                "legal": {"kind": "legal_bay", "camera": "cam", "corners": [[x, y + 0.3] for x, y in SQUARE]},
                "other-kerb": {"kind": "no_parking", "camera": "off", "corners": SQUARE},
                "screen": {"kind": "ignore", "camera": "cam", "corners": SQUARE},
                "stand": {"kind": "vending_point", "camera": "cam", "corners": inner},
            }
        },
        permits="""\
permits:
  a: {holder: A, categories: [street_stall], zones: [stand], when: [{days: fri, hours: "18:00-02:00"}]}
  b: {holder: B, categories: [street_stall], zones: [stand], when: [{days: sat, hours: "01:00-05:00"}]}
  c: {holder: C, categories: [street_stall], zones: [stand], when: [{days: sat, hours: "05:00-18:00"}]}
  d: {holder: A, categories: [street_stall], zones: [stand]}
""",
    )
    gives = "gives street_stall in stand to"
    assert told(settings) == [
        f"permits.b: {gives} B while a gives it to A, e.g. on 2024-01-06 at 01:00",
        f"permits.d: {gives} A while b gives it to B, e.g. on 2024-01-06 at 01:00",
        f"permits.d: {gives} A while c gives it to C, e.g. on 2024-01-06 at 05:00",
        "zones.bay: overlaps kerb (no_parking), which says the opposite of motor_parking",
        "zones.bikes: lies inside screen, where everything is ignored",
        "zones.bikes: overlaps legal (legal_bay), which says the opposite of nonmotor_parking",
        "zones.kerb: lies inside screen, where everything is ignored",
        "zones.stand: lies inside screen, where everything is ignored",
    ]
    later = [line for line in told(settings, date(2026, 5, 4)) if gives in line]
    assert later == [
        f"permits.b: {gives} B while a gives it to A, e.g. on 2026-05-09 at 01:00",
        f"permits.d: {gives} A while b gives it to B, e.g. on 2026-05-09 at 01:00",
        f"permits.d: {gives} A while c gives it to C, e.g. on 2026-05-09 at 05:00",
    ], "a moment to come"


def test_an_event_that_takes_a_place_for_a_while_is_no_rival_of_who_has_it_otherwise(town: Write) -> None:
    settings = town(
        zones={"zones": {"stand": {"kind": "vending_point", "camera": "cam", "corners": SQUARE}}},
        permits="""\
permits:
  a: {holder: A, categories: [street_stall], zones: [stand]}
events:
  fair:
    {effect: allow, holder: B, categories: [street_stall], zones: [stand], first_day: 2026-05-01, last_day: 2026-05-03}
""",
    )
    assert [line for line in told(settings, date(2026, 5, 1)) if line.startswith(("permits.", "events."))] == []


@pytest.mark.parametrize("many", [MOST_STRANGERS, MOST_STRANGERS + 3])
def test_of_very_many_zones_of_unknown_cameras_the_first_are_told_and_how_many_there_are(
    town: Write, many: int
) -> None:
    lost = {f"z{n}": {"kind": "works", "camera": f"gone-{n}", "corners": SQUARE} for n in range(many)}
    found = [line for line in told(town(zones={"zones": lost})) if "camera" in line]
    rest = [line for line in found if "there is no camera" not in line]
    assert len(found) - len(rest) == MOST_STRANGERS
    in_all = [f": {many} zones in all lie in pictures of unknown cameras"]
    assert rest == (in_all if many > MOST_STRANGERS else [])


def test_a_place_whose_permits_are_all_over_is_told_and_old_rivals_are_not(town: Write) -> None:
    settings = town(
        zones={"zones": {"stand": {"kind": "vending_point", "camera": "cam", "corners": SQUARE}}},
        permits="""\
permits:
  a: {holder: A, categories: [street_stall], zones: [stand], last_day: 2026-04-30}
  b: {holder: B, categories: [street_stall], zones: [stand], last_day: 2026-04-30}
""",
    )

    def about_stand(today: date) -> list[str]:
        return [line for line in told(settings, today) if line.startswith(("zones.", "permits."))]

    assert about_stand(date(2026, 5, 1)) == [
        "permits.a: is over since 2026-04-30",
        "permits.b: is over since 2026-04-30",
        "zones.stand: every permit for it is over, or can never hold",
    ]
    assert about_stand(date(2026, 4, 30)) == [
        "permits.b: gives street_stall in stand to B while a gives it to A, e.g. on 2026-04-30 at 00:00"
    ]


def test_an_error_in_a_file_of_rules_is_an_error_of_check(town: Write) -> None:
    settings = town(permits="permits: {a: {categories: [street_stall], zones: [x]}}")
    (finding,) = [f for f in check_settings(settings) if f.file.name == "permits.yaml"]
    assert finding.severity == "error"
    assert finding.message == 'there is no zone "x"'
    assert finding.suggestion == "no file of zones is named under `rules`"
