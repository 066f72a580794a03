from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.delivery.breaker import BreakerPolicy, BreakerState
from detector.delivery.courier import Courier, Route
from detector.delivery.endpoint import Endpoint
from detector.delivery.lane import Lane
from detector.delivery.recording import RecordingSink, Sent
from detector.errors import StoreError
from detector.ports import Attempt, EventSink
from detector.store import Delivery, DeliveryState, EndpointState, Settlement, Store, open_store
from tests.delivery.receiver import SECRET
from tests.store.making import LEASE, NOON, an_entry, seconds

SCHEDULE = (timedelta(0), seconds(5), seconds(300))
DOWN = Attempt(False, None, "no answer")
WELL = Attempt(True, 204)


class Clock:
    """A wall clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "street.db"))
    yield opened
    opened.close()


@pytest.fixture
def run(store: Store, clock: Clock) -> Iterator[Callable[..., Courier]]:
    """Starts a courier; all are stopped in the end."""
    couriers: list[Courier] = []

    def start(sinks: dict[str, EventSink], **options: object) -> Courier:
        routes = [
            Route(Endpoint(name, "http://127.0.0.1/", (SECRET,), schedule=SCHEDULE), sink)
            for name, sink in sinks.items()
        ]
        settings: dict[str, object] = {"clock": clock, "chance": lambda: 0.0, "poll_s": 60.0}
        couriers.append(Courier(store, routes, "w1", **(settings | options)))  # type: ignore[arg-type]
        couriers[-1].start()
        return couriers[-1]

    yield start
    for courier in couriers:
        courier.stop(10.0)


def eventually(condition: Callable[[], object]) -> bool:
    """Whether it becomes true; long enough for a machine that is busy with other things."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return False


def ids(sink: RecordingSink) -> list[str]:
    return [one.event_id for one in sink.sent]


def states(store: Store) -> dict[str, DeliveryState]:
    return {one.event_id: one.state for one in store.deliveries()}


def test_new_events_go_out_at_once_and_in_order(store: Store, run: Callable[..., Courier]) -> None:
    sink = RecordingSink()
    run({"desk": sink})  # it would look by itself only once a minute
    for number in range(20):
        store.record(NOON, [], [an_entry(f"e{number:02}")])
    assert eventually(lambda: not store.outbox_depth())
    assert ids(sink) == [f"e{number:02}" for number in range(20)]
    assert set(states(store).values()) == {DeliveryState.DELIVERED}
    assert sink.sent[0] == Sent("e00", "problem.opened", b'{"id": "e00"}')


def test_what_waited_goes_out_at_the_start(store: Store, run: Callable[..., Courier]) -> None:
    store.record(NOON, [], [an_entry("e1"), an_entry("e2", "p2", "unknown")])
    store.claim_due(NOON, 10, "courier:w1", LEASE)  # claimed by this worker before it crashed
    sink = RecordingSink()
    run({"desk": sink})
    assert eventually(lambda: store.outbox_depths() == {"unknown": 1})
    assert ids(sink) == ["e1"]


def test_the_claim_of_another_courier_is_left_alone(store: Store, run: Callable[..., Courier], clock: Clock) -> None:
    store.record(NOON, [], [an_entry("e1"), an_entry("e2", "p2")])
    [theirs] = store.claim_due(NOON, 1, "courier:w2", LEASE)
    sink = RecordingSink()
    courier = run({"desk": sink})
    assert eventually(lambda: states(store)["e2"] is DeliveryState.DELIVERED)
    assert ids(sink) == ["e2"]
    clock.move(LEASE)
    courier.wake()
    assert eventually(lambda: ids(sink) == ["e2", theirs.event_id])


def test_failures_are_retried_on_schedule_and_end_as_dead_letters(
    store: Store, run: Callable[..., Courier], clock: Clock
) -> None:
    sink = RecordingSink(lambda _: Attempt(False, 400, "400 Bad Request"))
    courier = run({"desk": sink})
    store.record(NOON, [], [an_entry("e1"), an_entry("e2")])
    for tries, wait in enumerate(SCHEDULE[1:], start=1):
        assert eventually(lambda tries=tries: store.deliveries()[-1].attempts == tries)  # type: ignore[misc]
        assert store.deliveries()[-1].next_attempt_at == clock.now + wait
        clock.move(wait)
        courier.wake()
    assert eventually(lambda: states(store)["e1"] is DeliveryState.DEAD)
    assert eventually(lambda: ids(sink) == ["e1", "e1", "e1", "e2"])  # the next in line goes when it has ended
    [dead] = store.dead_letters()
    assert (dead.attempts, dead.last_status, dead.last_error) == (3, 400, "400 Bad Request")


def test_redelivery_is_heard_at_once(store: Store, run: Callable[..., Courier]) -> None:
    sink = RecordingSink(lambda _: Attempt(True, 200) if len(sink.sent) > 1 else Attempt(False, 400))
    run({"desk": sink})
    store.record(NOON, [], [an_entry("e1")])
    assert eventually(lambda: store.deliveries()[0].attempts == 1)
    store.bury(NOON, "desk", "test")
    assert store.redeliver(NOON) == 1
    assert eventually(lambda: states(store)["e1"] is DeliveryState.DELIVERED)
    assert ids(sink) == ["e1", "e1"]


def test_retry_after_is_honoured(store: Store, run: Callable[..., Courier], clock: Clock) -> None:
    sink = RecordingSink(lambda _: Attempt(False, 429, "429", retry_after_s=1000.0))
    run({"desk": sink})
    store.record(NOON, [], [an_entry("e1"), an_entry("e2", "p2")])
    assert eventually(lambda: store.endpoints())
    assert eventually(lambda: [one.attempts for one in store.deliveries()] == [0, 1])
    assert store.deliveries()[-1].next_attempt_at == clock.now + seconds(1000)
    assert store.endpoints()["desk"].retry_at == clock.now + seconds(1000)
    assert ids(sink) == ["e1"]  # the wish holds for the endpoint, so e2 was not even tried


def test_gone_disables_the_endpoint_and_keeps_its_events(store: Store, run: Callable[..., Courier]) -> None:
    alive = threading.Event()
    sink = RecordingSink(lambda _: WELL if alive.is_set() else Attempt(False, 410, "410 Gone", gone=True))
    run({"desk": sink})
    store.record(NOON, [], [an_entry("e1")])
    assert eventually(lambda: store.endpoints())
    state = store.endpoints()["desk"]
    assert (state.disabled_at, state.reason) == (NOON, "410 Gone")
    store.record(NOON, [], [an_entry("e2", "p2")])
    assert store.outbox_depth() == 2
    alive.set()
    assert store.enable_endpoint("desk")
    assert eventually(lambda: not store.outbox_depth())
    assert sorted(ids(sink)) == ["e1", "e1", "e2"]


def test_an_endpoint_that_is_down_is_asked_now_and_then_and_uses_up_no_tries(
    store: Store, run: Callable[..., Courier], clock: Clock
) -> None:
    policy = BreakerPolicy(failures=3, first_pause=seconds(60), longest_pause=seconds(60))
    alive = threading.Event()
    sink = RecordingSink(lambda _: WELL if alive.is_set() else DOWN)
    courier = run({"desk": sink}, breaker=policy)
    store.record(NOON, [], [an_entry(f"e{number:02}", f"p{number}") for number in range(30)])
    assert eventually(lambda: store.endpoints() and store.endpoints()["desk"].breaker == "open")
    assert eventually(lambda: sum(one.attempts for one in store.deliveries()) == len(sink.sent))
    tried = len(sink.sent)
    assert 3 <= tried <= 4  # the second thread may have one on its way, now or later
    clock.move(seconds(59))
    courier.wake()
    store.record(NOON, [], [an_entry("late", "p99")])
    clock.move(seconds(1))
    courier.wake()
    assert eventually(lambda: len(sink.sent) > tried)  # one probe
    assert eventually(lambda: sum(one.attempts for one in store.deliveries()) == len(sink.sent))
    assert len(sink.sent) <= 5
    alive.set()
    clock.move(seconds(60))
    courier.wake()
    assert eventually(lambda: not store.outbox_depth())  # nothing waits for its own schedule after that
    assert store.endpoints()["desk"].breaker == "closed"
    assert not store.dead_letters()


def test_a_probe_for_which_nothing_is_due_forgets_nothing(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one thread looks for something to probe with, a try that the other had under way succeeds."""
    policy = BreakerPolicy(failures=1)
    lane = Lane(store, route("desk", RecordingSink()), "w1", clock, lambda: 0.0, policy, 60.0)
    lane._count(DOWN)
    clock.move(policy.longest_pause)

    def works_again(*_: Any) -> list[Delivery]:
        lane._count(WELL)
        return []

    monkeypatch.setattr(store, "claim_due", works_again)
    assert not lane._send_what_is_due()
    assert lane._breaker.state is BreakerState.CLOSED


def test_a_breaker_stays_open_over_a_restart(store: Store, run: Callable[..., Courier], clock: Clock) -> None:
    store.set_breaker("desk", "open", 9, NOON + seconds(60))
    store.record(NOON, [], [an_entry("e1")])
    sink = RecordingSink()
    courier = run({"desk": sink})
    courier.wake()
    assert courier.stop(10.0)
    assert sink.sent == []
    clock.move(seconds(60))
    again = RecordingSink()
    run({"desk": again})
    assert eventually(lambda: ids(again) == ["e1"])


def test_a_slow_endpoint_does_not_hold_another_up(store: Store, run: Callable[..., Courier]) -> None:
    release = threading.Event()

    def wait(_: Sent) -> Attempt:
        release.wait(60)
        return WELL

    slow, quick = RecordingSink(wait), RecordingSink()
    run({"slow": slow, "quick": quick})
    store.record(NOON, [], [an_entry(f"e{number}", f"p{number}", "slow", "quick") for number in range(50)])
    assert eventually(lambda: store.outbox_depths() == {"slow": 50})
    assert eventually(lambda: len(slow.sent) == 2)  # as many as may be on their way at once
    release.set()
    assert eventually(lambda: not store.outbox_depth())


def test_stopping_sends_what_is_due(store: Store, run: Callable[..., Courier]) -> None:
    sink = RecordingSink()
    courier = run({"desk": sink})
    store.record(NOON, [], [an_entry(f"e{number:02}", f"p{number}") for number in range(40)])
    assert courier.stop(30.0)
    assert not courier.alive
    assert store.outbox_depth() == 0
    assert sink.closed
    store.record(NOON, [], [an_entry("after")])  # nobody listens any more
    assert "after" not in ids(sink)


def test_stopping_breaks_a_hanging_try_off_and_leaves_it_to_the_next(store: Store, run: Callable[..., Courier]) -> None:
    class Hanging(RecordingSink):
        def __init__(self) -> None:
            self.gate = threading.Event()
            super().__init__(lambda _: Attempt(False, error="closed") if self.gate.wait(60) else DOWN)

        def close(self) -> None:
            self.gate.set()

    sink = Hanging()
    courier = run({"desk": sink})
    store.record(NOON, [], [an_entry("e1")])
    assert eventually(lambda: sink.sent)
    assert not courier.stop(0.1)
    assert eventually(lambda: not courier.alive)
    [left] = store.deliveries()
    assert (left.state, left.attempts) == (DeliveryState.PENDING, 0)  # that try does not count
    well = RecordingSink()
    run({"desk": well})
    assert eventually(lambda: ids(well) == ["e1"])


def test_a_sink_that_fails_in_itself_is_a_failed_try(store: Store, run: Callable[..., Courier]) -> None:
    def broken(_: Sent) -> Attempt:
        raise RuntimeError("canary4711")

    courier = run({"desk": RecordingSink(broken)})
    store.record(NOON, [], [an_entry("e1")])
    assert eventually(lambda: store.deliveries()[0].attempts == 1)
    assert store.deliveries()[0].last_error == "RuntimeError in the sink"
    assert courier.alive


def test_a_database_that_refuses_for_a_while_loses_nothing(
    store: Store, run: Callable[..., Courier], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, refusals = store.settle, iter([True, True])

    def sometimes(at: datetime, *settlements: object) -> None:
        if next(refusals, False):
            raise StoreError("database is locked")
        settle(at, *settlements)  # type: ignore[arg-type]

    monkeypatch.setattr("detector.delivery.lane.STORE_RETRY_S", 0.01)
    monkeypatch.setattr(store, "settle", sometimes)
    sink = RecordingSink()
    run({"desk": sink})
    store.record(NOON, [], [an_entry("e1")])
    assert eventually(lambda: not store.outbox_depth())
    assert ids(sink) == ["e1"]


def route(name: str, sink: EventSink) -> Route:
    return Route(Endpoint(name, "http://127.0.0.1/", (SECRET,), schedule=SCHEDULE), sink)


def test_a_failure_written_down_after_the_endpoint_was_changed_holds_nothing_up(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = RecordingSink(lambda _: DOWN), RecordingSink()
    courier = Courier(store, [route("desk", old)], "w1", clock=clock, chance=lambda: 0.0, poll_s=0.02)
    settle, changes = store.settle, iter([[route("desk", new)]])

    def changed_just_before(at: datetime, *settlements: object) -> None:
        for routes in changes:
            courier.change(routes)
        settle(at, *settlements)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "settle", changed_just_before)
    courier.start()
    try:
        store.record(NOON, [], [an_entry("e1", "p1", "desk")])
        assert eventually(lambda: not store.outbox_depth())
        assert ids(old) == ids(new) == ["e1"]
    finally:
        assert courier.stop(10.0)


def test_what_an_endpoint_said_before_it_was_changed_is_not_written_down_of_it(
    store: Store, run: Callable[..., Courier], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = RecordingSink(lambda _: Attempt(False, 410, "410 Gone", gone=True)), RecordingSink()
    courier = run({"desk": old}, poll_s=0.02)
    settled, changes = Lane._settlement, iter([[route("desk", new)]])

    def changed_just_after(lane: Lane, delivery: Delivery, attempt: Attempt) -> Settlement:
        settlement = settled(lane, delivery, attempt)
        for routes in changes:
            courier.change(routes)
        return settlement

    monkeypatch.setattr(Lane, "_settlement", changed_just_after)
    store.record(NOON, [], [an_entry("e1")])
    assert eventually(lambda: not store.outbox_depth())
    assert ids(old) == ids(new) == ["e1"]
    assert store.endpoints()["desk"].disabled_at is None


def test_what_is_recorded_while_endpoints_change_is_heard(
    store: Store, run: Callable[..., Courier], monkeypatch: pytest.MonkeyPatch
) -> None:
    courier, sink, looks = run({}), RecordingSink(), list[int]()
    claim, start = store.claim_due, Lane.start

    def looked(*asked: Any) -> list[Delivery]:
        found = claim(*asked)
        looks.append(len(found))
        return found

    def recorded_just_after(lane: Lane, known: EndpointState | None) -> None:
        start(lane, known)
        assert eventually(lambda: looks == [0, 0])  # both threads; they look by themselves only once a minute
        store.record(NOON, [], [an_entry("e1")])

    monkeypatch.setattr(store, "claim_due", looked)
    monkeypatch.setattr(Lane, "start", recorded_just_after)
    courier.change([route("desk", sink)])
    assert eventually(lambda: ids(sink) == ["e1"])


def test_endpoints_come_change_and_go_while_it_runs(store: Store, clock: Clock) -> None:
    stays, old, new, late = RecordingSink(), RecordingSink(lambda _: DOWN), RecordingSink(), RecordingSink()
    first = [route("stays", stays), route("changes", old)]
    courier = Courier(store, first, "w1", clock=clock, chance=lambda: 0.0, poll_s=0.02)
    courier.start()
    try:
        store.record(NOON, [], [an_entry("e1", "p1", "stays", "changes", "late")])
        assert eventually(lambda: ids(stays) == ["e1"] and len(old.sent) == 1)
        assert eventually(lambda: courier.alive)
        # its next try would be 5 s on by a clock that stands still: what was changed is tried at once
        courier.change([first[0], route("changes", new), route("late", late)])
        assert eventually(lambda: not store.outbox_depth())
        assert ids(new) == ids(late) == ["e1"]
        assert eventually(lambda: old.closed)
        assert not stays.closed
        assert courier.alive
        courier.change([first[0]])
        store.record(NOON, [], [an_entry("e2", "p1", "stays", "changes", "late")])
        assert eventually(lambda: ids(stays) == ["e1", "e2"])
        assert eventually(lambda: new.closed and late.closed)
        # a sink has sent before its courier has written that down
        assert eventually(lambda: store.outbox_depths() == {"changes": 1, "late": 1}), "kept for endpoints of that name"
        assert ids(new) == ["e1"]
        again = RecordingSink()
        courier.change([first[0], route("changes", again)])
        assert eventually(lambda: ids(again) == ["e2"])
    finally:
        assert courier.stop(10.0)


def test_a_try_under_way_at_an_endpoint_that_goes_ends_by_itself(store: Store, run: Callable[..., Courier]) -> None:
    release = threading.Event()

    def slowly(_: Sent) -> Attempt:
        release.wait(60)
        return WELL

    slow = RecordingSink(slowly)
    courier = run({"desk": slow})
    store.record(NOON, [], [an_entry(f"e{number}", f"p{number}") for number in range(40)])
    assert eventually(lambda: len(slow.sent) == 2)  # as many as may be on their way at once
    courier.change([])
    assert not slow.closed
    release.set()
    assert eventually(lambda: slow.closed)
    assert len(slow.sent) == 2
    assert sorted(states(store).values()) == [DeliveryState.DELIVERED] * 2 + [DeliveryState.PENDING] * 38


def test_a_failure_of_what_an_endpoint_was_before_is_not_counted(store: Store, run: Callable[..., Courier]) -> None:
    release = threading.Event()

    def slowly(_: Sent) -> Attempt:
        release.wait(60)
        return Attempt(False, 410, "gone", gone=True)

    old, new = RecordingSink(slowly), RecordingSink()
    courier = run({"desk": old})
    store.record(NOON, [], [an_entry("e1")])
    assert eventually(lambda: len(old.sent) == 1)
    courier.change([route("desk", new)])
    release.set()
    assert eventually(lambda: (courier.wake(), old.closed)[1])
    assert eventually(lambda: (courier.wake(), not store.outbox_depth())[1])
    assert ids(new) == ["e1"]
    assert store.deliveries()[0].attempts == 1
    assert store.endpoints()["desk"].disabled_at is None
