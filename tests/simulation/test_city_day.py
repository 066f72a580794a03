"""A small city for a quarter of a day: what must hold whatever the street, the model and the people do."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detector.core.category import Light
from detector.core.problem import ProblemStatus
from detector.core.stages import Move, Stage
from detector.core.sun import is_day
from detector.desk.case import CaseStatus
from detector.desk.course import DESK, Step
from tests.simulation import assumptions, figures
from tests.simulation.city import TRUCKS
from tests.simulation.day import Day
from tests.simulation.figures import both_open, cases_of, rows, waited
from tests.simulation.replay import all_cases, replayed, same_cases

START = datetime(2026, 10, 14, 6, 0, tzinfo=UTC)  # 14:00 to 20:00 in China: rush hour, dusk, the market opens


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    with pytest.MonkeyPatch.context() as patch:
        for name, share in (("PAIRED", 0.5), ("GATES", 0.05), ("OPEN_LOADS", 0.2)):
            patch.setattr(assumptions, name, share)  # more than elsewhere, so that a few hours show enough of each
        found = Day(60, 6, 14, tmp_path_factory.mktemp("city") / "desk.db", start=START)
    found.run()
    return found


def test_nothing_is_lost_and_nothing_doubled(day: Day) -> None:
    total, *_ = rows(day)
    assert total.owed > 20  # otherwise the day proves nothing
    assert (total.lost, total.duplicates) == (0, 0)
    assert total.cases > total.automatic > 0


def test_two_cases_on_one_thing_are_doubled_while_both_are_open_only(day: Day) -> None:
    one, other = (case for case in cases_of(day)[:2])
    minutes = [day.start + timedelta(minutes=10 * number) for number in range(6)]

    def steps(*moves: tuple[Move, Stage, int]) -> list[Step]:
        return [Step(move, stage, minutes[at], "test", f"test-{at}", 1) for move, stage, at in moves]

    back = (Move.VANISHED, Stage.CLOSE, 1), (Move.RETURNED, Stage.FILE, 3), (Move.VANISHED, Stage.CLOSE, 5)
    assert waited(minutes[0], steps(*back)) == [(minutes[0], minutes[1]), (minutes[3], minutes[5])]
    assert waited(minutes[0], steps(*back[:2]))[-1][1] > minutes[5] + timedelta(days=365)
    for opened, ended, doubled in ((1, 3, False), (2, 4, True), (4, 5, True), (0, 1, True), (5, 5, False)):
        ways = {one.id: steps(*back), other.id: steps((Move.REFUSED, Stage.CLOSE, ended))}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(figures, "_steps", lambda _day, case, ways=ways: ways[case.id])
            both = replace(one, opened_at=minutes[0]), replace(other, opened_at=minutes[opened])
            assert both_open(day, *both) is doubled, (opened, ended)


def test_trucks_with_an_open_load_are_cases_at_gates_and_nowhere_else(day: Day) -> None:
    row = next(row for row in rows(day) if row.category == TRUCKS)
    assert row.owed > 3  # otherwise the day proves nothing
    assert (row.lost, row.silenced, row.duplicates, row.automatic) == (0, 0, 0, 0)
    gates = {view.camera.id for view in day.city.views if view.gate}
    told = [one for one in day.problems.values() if one.category == TRUCKS and one.revision]
    assert told
    assert {one.camera_id for one in told} <= gates


def test_what_is_told_by_day_only_is_not_judged_by_night(day: Day) -> None:
    by_day = {key for key, one in day.categories.items() if one.light is Light.DAY}
    place = {view.camera.id: view.camera.position for view in day.city.views}
    judged = [one for one in day.problems.values() if one.category in by_day]
    assert any(one.revision for one in judged)  # otherwise the day proves nothing
    for one in judged:
        position = place[one.camera_id]
        assert position is not None
        assert is_day(position, one.last_looked)
    others = (one.last_looked for one in day.problems.values() if one.category not in by_day)
    assert max(others) > START + timedelta(hours=5.9) > max(one.last_looked for one in judged) + timedelta(hours=1)


def test_a_truck_that_has_left_waits_for_a_person(day: Day) -> None:
    row = next(row for row in rows(day) if row.category == TRUCKS)
    assert row.drove_off > 3  # otherwise the day proves nothing
    assert row.left == 0
    assert row.drove_off_sent > 0


def test_every_problem_that_was_told_is_in_exactly_one_case(day: Day) -> None:
    cases = all_cases(day.ledger, START + timedelta(days=1))
    sources = [source.problem_id for case in cases for source in case.sources]
    assert sorted(sources) == sorted(one.id for one in day.problems.values() if one.revision)
    assert any(len({source.camera_id for source in case.sources}) == 2 for case in cases)


def test_no_case_is_gone_while_a_source_says_that_it_is_there(day: Day) -> None:
    for case in all_cases(day.ledger, START + timedelta(days=1)):
        found = day.ledger.case(case.id)
        assert found is not None
        waived = any(step.by == DESK and step.move.value in ("vanished", "seen_gone") for step in found.steps)
        if case.status is CaseStatus.CLEARED and not waived:
            assert not any(source.there for source in case.sources)
        if case.status is CaseStatus.OPEN:
            assert any(day.problems[s.problem_id].status is not ProblemStatus.DISMISSED for s in case.sources)


def test_all_events_in_any_order_twice_give_the_same_cases(day: Day, tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(2):
        mixed = [*day.told, *day.told]
        chance.shuffle(mixed)
        assert same_cases(day.told, mixed, day.plan, tmp_path)


def test_a_desk_that_dispatches_by_itself_has_the_same_cases_in_any_order(day: Day, tmp_path: Path) -> None:
    backwards = replayed([*reversed(day.told), *day.told], day.plan, tmp_path)
    forwards = replayed(day.told, day.plan, tmp_path)
    told = [[(case.id, case.status, case.sources) for case in found] for found in (forwards, backwards)]
    assert told[0] == told[1]


def test_equal_seeds_give_equal_days(tmp_path: Path) -> None:
    days = [Day(8, 2, 3, tmp_path / f"{number}.db", start=START) for number in range(2)]
    for one in days:
        one.run()
    assert [told.body for told in days[0].told] == [told.body for told in days[1].told]
