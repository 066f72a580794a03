from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.detection import BoundingBox
from detector.core.geo import GeoPoint
from detector.core.look import LookStatus
from detector.core.problem import Place, Problem, ProblemStatus
from detector.errors import StoreError
from detector.store import CameraState, LookRecord, Store
from detector.store.rows import problem_of, problem_row
from detector.store.schema import problem as problem_table
from tests.store.making import NOON, a_problem

times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
numbers = st.floats(0, 1e4)
problems = st.builds(
    Problem,
    id=st.text(min_size=1),
    category=st.text(),
    label=st.text(),
    camera_id=st.text(),
    place=st.builds(
        Place,
        box=st.builds(BoundingBox, numbers, numbers, numbers, numbers),
        frame_size=st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
        ground=st.none() | st.builds(GeoPoint, st.floats(-90, 90), st.floats(-180, 180), st.none() | st.floats(0, 50)),
        width_m=st.none() | st.floats(0, 100),
    ),
    status=st.sampled_from(ProblemStatus),
    first_seen=times,
    last_seen=times,
    last_looked=times,
    looks=st.integers(0, 10**6),
    sightings=st.integers(0, 10**6),
    best_score=st.floats(0, 1),
    recent=st.lists(st.booleans(), max_size=20).map(tuple),
    missing_since=st.none() | times,
    missed=st.integers(0, 10**6),
    opened_at=st.none() | times,
    cleared_at=st.none() | times,
    reopened=st.integers(0, 99),
    revision=st.integers(0, 10**6),
    announced_at=st.none() | times,
    announced_score=st.floats(0, 1),
    model_version=st.none() | st.text(),
    rule=st.text(),
    codes=st.dictionaries(st.text(), st.text(), max_size=3),
    silent_until=st.none() | times,
    allowed_by=st.none() | st.text(),
    count=st.integers(1, 10**6),
    also=st.dictionaries(st.text(), st.integers(1, 10**6), max_size=3),
)


@given(problems)
def test_a_row_holds_all_of_a_problem(problem: Problem) -> None:
    row = problem_row(problem)
    assert set(row) == {column.name for column in problem_table.columns}
    assert problem_of(row) == problem


def test_comes_back_equal_after_a_restart(opened: Callable[[], Store]) -> None:
    problem = a_problem(
        "路口-1",
        place=Place(BoundingBox(0.1, 1 / 3, 99.9, 1e-9), (3840, 2160), GeoPoint(34.27, 108.95, 6.5), 1.75),
        first_seen=NOON - timedelta(microseconds=1),
        last_seen=datetime(2026, 7, 1, 20, 0, 0, 1, tzinfo=timezone(timedelta(hours=8))),
        recent=(True, False, True),
        missing_since=NOON,
        model_version="street@0123456789ab",
    )
    opened().record(NOON, [problem])
    [found] = opened().tracked("north")
    assert found == problem
    assert found.last_seen.utcoffset() == timedelta(0)


def test_overwrites_by_id(store: Store) -> None:
    store.record(NOON, [a_problem(looks=1)])
    store.record(NOON, [a_problem(looks=2, status=ProblemStatus.CLEARED, cleared_at=NOON)])
    found = store.problem("p1")
    assert found is not None
    assert (found.looks, found.status) == (2, ProblemStatus.CLEARED)
    assert store.problem("p2") is None


def test_many_looks_in_one_transaction_the_later_counts(store: Store) -> None:
    store.record_many(NOON, [LookRecord([a_problem(looks=number)]) for number in range(3)])
    found = store.problem("p1")
    assert found is not None
    assert found.looks == 2


def test_tracked_are_those_a_look_can_move(store: Store) -> None:
    day = timedelta(days=1)
    cleared = a_problem("lately", status=ProblemStatus.CLEARED, cleared_at=NOON - day)
    store.record(
        NOON,
        [
            a_problem("suspected", status=ProblemStatus.SUSPECTED),
            a_problem("open", first_seen=NOON - day),
            cleared,
            replace(cleared, id="long ago", cleared_at=NOON - 30 * day),
            a_problem("dismissed", status=ProblemStatus.DISMISSED),
            a_problem("silenced", status=ProblemStatus.DISMISSED, silent_until=NOON + day),
            a_problem("silenced once", status=ProblemStatus.DISMISSED, silent_until=NOON - 30 * day),
            a_problem("elsewhere", camera_id="south"),
        ],
    )
    assert [one.id for one in store.tracked("north")] == ["open", "lately", "silenced", "suspected"]
    assert [one.id for one in store.tracked("north", NOON)] == ["open", "silenced", "suspected"]
    assert len(store.tracked("north", NOON - 60 * day)) == 6
    assert store.tracked("nowhere") == []
    store.set_camera_state(CameraState("north", LookStatus.OK, NOON, NOON + 90 * day, NOON))
    assert [one.id for one in store.tracked("north")] == ["open", "suspected"]  # much later by the camera's clock


def test_pages(store: Store) -> None:
    made = [a_problem(f"p{n:02}", first_seen=NOON + timedelta(seconds=n // 3)) for n in range(20)]
    store.record(NOON, made)
    pages, after = [], None
    while page := store.problems(limit=7, after=after):
        pages.append([one.id for one in page])
        after = page[-1].id
    assert [one for page in pages for one in page] == [one.id for one in reversed(made)]
    with pytest.raises(StoreError, match="no problem 'p99'"):
        store.problems(after="p99")


def test_filters_and_counts(store: Store) -> None:
    store.record(
        NOON,
        [
            a_problem("a"),
            a_problem("b", status=ProblemStatus.CLEARED, cleared_at=NOON),
            a_problem("c", camera_id="south", category="ponding"),
        ],
    )
    ids = lambda page: sorted(one.id for one in page)  # noqa: E731
    assert ids(store.problems(ProblemStatus.OPEN)) == ["a", "c"]
    assert ids(store.problems([ProblemStatus.OPEN, ProblemStatus.CLEARED])) == ["a", "b", "c"]
    assert ids(store.problems(camera="south")) == ["c"]
    assert ids(store.problems(category="exposed_garbage")) == ["a", "b"]
    assert store.problem_counts() == {
        ProblemStatus.SUSPECTED: 0,
        ProblemStatus.OPEN: 2,
        ProblemStatus.CLEARED: 1,
        ProblemStatus.DISMISSED: 0,
    }


def test_a_time_without_zone_is_refused_and_nothing_is_written(store: Store) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(StoreError, match="aware datetimes"):
        store.record(NOON, [a_problem("good"), a_problem("bad", last_seen=naive)])
    assert store.problems() == []
