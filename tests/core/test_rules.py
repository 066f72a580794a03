"""Zones, permits and rules: total, deterministic, whatever the order they were written in."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.core.calendar import TimeWindow, Validity, holds
from detector.core.category import Category
from detector.core.detection import BoundingBox
from detector.core.explaining import explain
from detector.core.geo import GeoPoint
from detector.core.problem import Place
from detector.core.rules import Effect, Outcome, Permit, Rule, RuleBook, Spot, spot_of
from detector.core.zones import Zone, ring

STALL = Category("street_stall", {"en": "Stall"}, frozenset({"street_stall"}), codes={"2026": "09001"})
PARKING = Category("motor_parking", {}, frozenset({"car"}), codes={"2026": "09009"}, needs="zone:no_parking")
BIKES = Category("nonmotor_parking", {}, frozenset({"bicycle"}), needs="outside:legal_bay")
LEFT = (ring([(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]),)
MARKET = Zone("market", "vending_point", LEFT, "cam")
NIGHT = Permit("night-market", frozenset({"street_stall"}), frozenset({"market"}), (TimeWindow(time(18), time(2)),))
OUTSIDE_HOURS = Rule(
    "vending-outside-hours", frozenset({"street_stall"}), inside="vending_point", codes={"2026": "09002"}
)
IN_MARKET, ELSEWHERE = Spot("cam", (0.25, 0.5)), Spot("cam", (0.75, 0.5))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "spot", "outcome"),
    [
        ("2026-05-01T17:59", IN_MARKET, Outcome(True, "rule:vending-outside-hours", {"2026": "09002"})),
        ("2026-05-01T18:00", IN_MARKET, Outcome(False, "permit:night-market")),
        ("2026-05-01T23:59", IN_MARKET, Outcome(False, "permit:night-market")),
        ("2026-05-02T01:59", IN_MARKET, Outcome(False, "permit:night-market")),
        ("2026-05-02T02:00", IN_MARKET, Outcome(True, "rule:vending-outside-hours", {"2026": "09002"})),
        ("2026-05-01T20:00", ELSEWHERE, Outcome(True, "category:street_stall", {"2026": "09001"})),
    ],
)
def test_the_same_stall_is_three_different_things(moment: str, spot: Spot, outcome: Outcome) -> None:
    book = RuleBook([MARKET], [NIGHT], [OUTSIDE_HOURS])
    assert book.decide(STALL, spot, at(moment)) == outcome


def test_an_overnight_window_belongs_to_the_day_it_starts() -> None:
    friday = (TimeWindow(time(20), time(2), frozenset({4})),)
    assert holds(friday, Validity(), at("2026-05-01T20:00"))  # a Friday
    assert holds(friday, Validity(), at("2026-05-02T01:00"))
    assert not holds(friday, Validity(), at("2026-05-01T01:00"))
    assert not holds(friday, Validity(), at("2026-05-02T20:00"))


def test_days_are_taken_out_and_put_in() -> None:
    friday = (TimeWindow(time(8), time(12), frozenset({4})),)
    validity = Validity(
        date(2026, 5, 1), date(2026, 5, 31), frozenset({date(2026, 5, 8)}), frozenset({date(2026, 5, 3)})
    )
    assert holds(friday, validity, at("2026-05-01T09:00"))
    assert not holds(friday, validity, at("2026-05-08T09:00"))
    assert holds(friday, validity, at("2026-05-03T09:00"))
    assert not holds(friday, validity, at("2026-05-03T13:00"))
    assert not holds(friday, validity, at("2026-06-05T09:00"))


def test_an_event_suspends_a_standing_permit() -> None:
    marathon = Permit(
        "marathon",
        frozenset({"street_stall"}),
        frozenset(),
        validity=Validity(date(2026, 5, 1), date(2026, 5, 1)),
        effect=Effect.BAN,
        rank=10,
    )
    book = RuleBook([MARKET], [NIGHT, marathon], [])
    assert book.decide(STALL, IN_MARKET, at("2026-05-01T20:00")).case
    assert not book.decide(STALL, IN_MARKET, at("2026-05-02T20:00")).case


def test_ranks_of_permits_and_bans() -> None:
    noon = at("2026-05-01T12:00")

    def permit(name: str, effect: Effect, rank: int) -> Permit:
        return Permit(name, frozenset({"street_stall"}), frozenset(), effect=effect, rank=rank)

    allow, ban = permit("a", Effect.ALLOW, 1), permit("b", Effect.BAN, 1)
    assert RuleBook((), [allow, ban]).decide(STALL, ELSEWHERE, noon).case
    higher = permit("z", Effect.ALLOW, 2)
    assert RuleBook((), [allow, ban, higher]).decide(STALL, ELSEWHERE, noon) == Outcome(False, "permit:z")
    assert RuleBook((), [allow, permit("b", Effect.BAN, 0)]).decide(STALL, ELSEWHERE, noon) == Outcome(
        False, "permit:a"
    )
    two = [permit("y", Effect.ALLOW, 0), permit("x", Effect.ALLOW, 0)]
    assert RuleBook((), two).decide(STALL, ELSEWHERE, noon) == Outcome(False, "permit:x")


def test_the_way_to_an_outcome_is_told_in_order() -> None:
    closed = Permit("easter", frozenset({"street_stall"}), frozenset(), validity=Validity(last=date(2026, 4, 1)))
    ban = Permit("race", frozenset({"street_stall"}), frozenset({"market"}), effect=Effect.BAN, rank=9)
    watch = Zone("pavement", "watch", LEFT, "cam")
    book = RuleBook([MARKET, watch], [NIGHT, closed], [OUTSIDE_HOURS])
    told = explain(book, STALL, IN_MARKET, at("2026-05-01T12:00"))
    assert told.zones == ("market", "pavement")
    assert [(reason.subject, reason.decided, reason.why) for reason in told.reasons] == [
        ("watch:cam", False, "stands in an area to watch"),
        ("permit:easter", False, "over since 2026-04-01"),
        ("permit:night-market", False, "outside its hours"),
        ("rule:vending-outside-hours", True, "a case by this rule"),
    ]
    told = explain(RuleBook([MARKET], [NIGHT, ban]), STALL, IN_MARKET, at("2026-05-01T20:00"))
    assert [reason.subject for reason in told.reasons] == ["permit:race", "category:street_stall"]
    told = explain(RuleBook([MARKET]), PARKING, IN_MARKET, at("2026-05-01T20:00"))
    assert [reason.subject for reason in told.reasons] == ["needs:zone:no_parking"]


def test_needs_of_a_category() -> None:
    kerb = Zone("kerb", "no_parking", LEFT, "cam")
    bay = Zone("bay", "legal_bay", LEFT, "cam")
    book = RuleBook([kerb, bay])
    noon = at("2026-05-01T12:00")
    assert book.decide(PARKING, IN_MARKET, noon).case
    assert book.decide(PARKING, ELSEWHERE, noon) == Outcome(False, "needs:zone:no_parking")
    assert book.decide(BIKES, IN_MARKET, noon) == Outcome(False, "needs:outside:legal_bay")
    assert book.decide(BIKES, ELSEWHERE, noon).case


def test_outside_means_nothing_where_no_inside_is_known() -> None:
    noon = at("2026-05-01T12:00")
    corners = (ring([(120.01, 30.01), (120.02, 30.01), (120.02, 30.02), (120.01, 30.02)]),)
    unmet = Outcome(False, "needs:outside:legal_bay")
    assert RuleBook().decide(BIKES, ELSEWHERE, noon) == unmet
    assert RuleBook([Zone("bay", "legal_bay", LEFT, "other")]).decide(BIKES, ELSEWHERE, noon) == unmet
    mapped = RuleBook([Zone("bay", "legal_bay", corners)])
    assert mapped.decide(BIKES, ELSEWHERE, noon) == unmet
    assert mapped.decide(BIKES, Spot("cam", (0.5, 0.5), GeoPoint(30.5, 120.5)), noon).case
    assert mapped.decide(BIKES, Spot("cam", (0.5, 0.5), GeoPoint(30.015, 120.015)), noon) == unmet


def test_ignored_and_watched_areas() -> None:
    noon = at("2026-05-01T12:00")
    ignore = Zone("screen", "ignore", LEFT, "cam")
    assert RuleBook([ignore]).decide(STALL, IN_MARKET, noon) == Outcome(False, "zone:screen")
    watch = Zone("pavement", "watch", LEFT, "cam", frozenset({"street_stall"}))
    assert RuleBook([watch]).decide(STALL, IN_MARKET, noon).case
    assert RuleBook([watch]).decide(STALL, ELSEWHERE, noon) == Outcome(False, "watch:cam")
    assert RuleBook([watch]).decide(STALL, Spot("other", (0.75, 0.5)), noon).case


def test_zones_on_the_map_hold_for_every_camera_that_sees_them() -> None:
    outline = ring([(120.0, 30.0), (120.03, 30.0), (120.03, 30.02), (120.0, 30.02)])
    square = Zone("square", "vending_point", (outline,))
    permit = Permit("fair", frozenset({"street_stall"}), frozenset({"square"}))
    book = RuleBook([square], [permit])
    noon = at("2026-05-01T12:00")
    inside, outside = GeoPoint(30.015, 120.025), GeoPoint(30.03, 120.025)
    assert not book.decide(STALL, Spot("any", (0.5, 0.5), inside), noon).case
    assert book.decide(STALL, Spot("any", (0.5, 0.5), outside), noon).case
    assert book.decide(STALL, Spot("any", (0.5, 0.5)), noon).case


def test_the_foot_of_the_box_is_what_stands_somewhere() -> None:
    place = Place(BoundingBox(100, 0, 300, 360), (1280, 720))
    assert spot_of("cam", place) == Spot("cam", (200 / 1280, 0.5))


@pytest.mark.parametrize(
    ("zones", "permits", "message"),
    [
        ([MARKET, MARKET], [], "'market' is given twice"),
        ([Zone("line", "watch", (ring([(0.0, 0.0), (0.5, 0.0)]),), "cam")], [], "has 2 corners"),
        ([], [NIGHT], "names zone 'market'"),
    ],
)
def test_a_book_that_contradicts_itself_is_refused(zones: list[Zone], permits: list[Permit], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RuleBook(zones, permits)


hour = st.integers(0, 23).map(time)
days = st.frozensets(st.integers(0, 6), min_size=1)
windows = st.lists(st.builds(TimeWindow, hour, hour, days), max_size=3).map(tuple)
days_of_2026 = st.integers(0, 420).map(lambda n: date(2026, 1, 1) + timedelta(days=n))
validities = st.builds(
    Validity,
    st.none() | days_of_2026,
    st.none() | days_of_2026,
    st.frozensets(days_of_2026),
    st.frozensets(days_of_2026),
)
zone_ids = ["z0", "z1", "z2"]
zones = st.tuples(
    *(
        st.builds(
            Zone,
            st.just(zone_id),
            st.sampled_from(["ignore", "watch", "vending_point", "no_parking", "works"]),
            st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=6).map(
                lambda corners: (ring(corners),)
            ),
            st.sampled_from(["cam", "other", None]),  # None: of the map, at 0 to 1 degree
            st.sampled_from([frozenset(), frozenset({"street_stall"}), frozenset({"motor_parking"})]),
        )
        for zone_id in zone_ids
    )
)
permits = st.lists(
    st.builds(
        Permit,
        st.uuids().map(str),
        st.sets(st.sampled_from(["street_stall", "motor_parking"]), min_size=1).map(frozenset),
        st.frozensets(st.sampled_from(zone_ids)),
        windows,
        validities,
        st.sampled_from(Effect),
        rank=st.integers(0, 2),
    ),
    max_size=6,
    unique_by=lambda p: p.id,
)
kinds = st.one_of(st.none(), st.sampled_from(["vending_point", "no_parking", "works"]))
rules = st.lists(
    st.builds(
        Rule,
        st.uuids().map(str),
        st.sets(st.sampled_from(["street_stall", "motor_parking"]), min_size=1).map(frozenset),
        kinds,
        kinds,
        windows,
        case=st.booleans(),
        rank=st.integers(0, 2),
    ),
    max_size=6,
    unique_by=lambda r: r.id,
)


@settings(max_examples=150, deadline=None)
@given(
    zones,
    permits,
    rules,
    st.sampled_from([STALL, PARKING, BIKES]),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.one_of(st.none(), st.builds(GeoPoint, st.floats(0, 1), st.floats(0, 1))),
    st.integers(0, 60 * 24 * 400),
    st.randoms(use_true_random=False),
)
def test_total_deterministic_and_independent_of_order(
    some_zones: tuple[Zone, ...],
    some_permits: list[Permit],
    some_rules: list[Rule],
    category: Category,
    foot: tuple[float, float],
    ground: GeoPoint | None,
    minute: int,
    rnd: random.Random,
) -> None:
    local = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    spot = Spot("cam", foot, ground)
    outcome = RuleBook(some_zones, some_permits, some_rules).decide(category, spot, local)
    assert outcome.rule
    assert bool(outcome.codes) <= outcome.case
    told = explain(RuleBook(some_zones, some_permits, some_rules), category, spot, local)
    assert told.outcome == outcome
    assert told.reasons[-1].subject == outcome.rule
    assert [reason.decided for reason in told.reasons] == [False] * (len(told.reasons) - 1) + [True]
    shuffled = [list(some_zones), list(some_permits), list(some_rules)]
    for part in shuffled:
        rnd.shuffle(part)
    assert RuleBook(*shuffled).decide(category, spot, local) == outcome
