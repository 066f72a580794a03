from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

import pytest

from detector.errors import StoreError
from detector.ports import Attempt
from detector.store import DeliveryState, EndpointState, LookRecord, OutboxEntry, Settlement, Store
from tests.store.making import (
    LEASE,
    NOON,
    a_problem,
    an_entry,
    claim,
    delivered,
    failed,
    given_up,
    seconds,
)


def test_one_delivery_for_each_endpoint_that_wants_it(store: Store) -> None:
    store.record(NOON, [a_problem()], [an_entry("e1", "p1", "desk", "map"), an_entry("e2", "p2")])
    assert store.outbox_depths() == {"desk": 2, "map": 1}
    taken = claim(store)
    assert sorted((one.event_id, one.endpoint) for one in taken) == [
        ("e1", "desk"),
        ("e1", "map"),
        ("e2", "desk"),
    ]
    assert (taken[0].body, taken[0].attempts, taken[0].occurred_at) == (b'{"id": "e1"}', 0, NOON)
    assert claim(store, worker="w2") == []  # claimed


def test_an_event_id_counts_once(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1"), an_entry("e1")])
    store.record(NOON + seconds(1), [], [an_entry("e1"), an_entry("e2")])
    assert [(one.event_id, one.recorded_at) for one in store.deliveries()] == [
        ("e2", NOON + seconds(1)),
        ("e1", NOON),
    ]


def test_problem_and_event_are_written_together_or_not_at_all(store: Store) -> None:
    broken = OutboxEntry("e1", "problem.opened", None, NOON, b"{}", ("desk",))  # type: ignore[arg-type]
    with pytest.raises((StoreError, TypeError)):
        store.record(NOON, [a_problem()], [broken])
    assert store.problem("p1") is None
    assert store.outbox_depth() == 0


def test_a_subject_keeps_its_order_at_each_endpoint(store: Store) -> None:
    for number in range(3):
        store.record(NOON, [], [an_entry(f"e{number}", "p1", "desk", "map")])
    first = claim(store)
    assert sorted((one.event_id, one.endpoint) for one in first) == [("e0", "desk"), ("e0", "map")]
    to_desk, to_map = sorted(first, key=lambda one: one.endpoint)
    store.settle(NOON, delivered(to_desk), failed(to_map, NOON + seconds(5)))
    assert [(one.event_id, one.endpoint) for one in claim(store)] == [("e1", "desk")]
    later = claim(store, NOON + seconds(5))
    assert [(one.event_id, one.endpoint, one.attempts) for one in later] == [("e0", "map", 1)]
    store.settle(NOON, given_up(later[0]))
    assert [(one.event_id, one.endpoint) for one in claim(store, NOON + seconds(5))] == [("e1", "map")]


def test_one_subject_does_not_hold_another_up(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1", "p1"), an_entry("e2", "p1"), an_entry("e3", "p2")])
    assert [one.event_id for one in claim(store)] == ["e1", "e3"]


def test_the_limit_takes_the_oldest_due(store: Store) -> None:
    for number in (3, 1, 2):
        store.record(NOON + seconds(number), [], [an_entry(f"e{number}", f"p{number}")])
    assert [one.event_id for one in claim(store, NOON + seconds(2), limit=10)] == ["e1", "e2"]
    assert claim(store, NOON + seconds(2)) == []
    assert [one.event_id for one in claim(store, NOON + seconds(3), limit=1)] == ["e3"]


def test_only_the_wanted_endpoints(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1", "p1", "desk", "map")])
    assert [one.endpoint for one in store.claim_due(NOON, 9, "w", LEASE, ["map", "x"])] == ["map"]
    assert store.claim_due(NOON, 9, "w", LEASE, []) == []


def test_a_claim_ends_with_its_lease_or_when_given_back(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1"), an_entry("e2", "p2")])
    first, second = claim(store)
    store.unclaim("other", [first.id])
    assert claim(store, worker="w2") == []
    store.unclaim("w1", [second.id])
    assert [one.event_id for one in claim(store, worker="w2")] == ["e2"]
    assert [one.event_id for one in claim(store, NOON + LEASE, "w3")] == ["e1", "e2"]
    store.unclaim("w3")
    assert len(claim(store, NOON + LEASE, "w3")) == 2


def test_a_failure_told_after_the_lease_changes_nothing(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1")])
    [late] = claim(store)
    [now] = claim(store, NOON + LEASE, "w2")
    store.settle(NOON, failed(late, NOON + seconds(999)))
    [row] = store.deliveries()
    assert (row.attempts, row.next_attempt_at) == (0, NOON)
    store.settle(NOON, delivered(now))
    store.settle(NOON, given_up(late))
    [row] = store.deliveries()
    assert (row.state, row.attempts) == (DeliveryState.DELIVERED, 1)


def test_a_success_counts_after_the_lease_too(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1"), an_entry("e2")])
    [late] = claim(store)
    [now] = claim(store, NOON + LEASE, "w2")
    store.settle(NOON, given_up(now))
    store.settle(NOON, delivered(late))
    assert store.dead_letters() == []
    assert [one.event_id for one in claim(store)] == ["e2"]


def test_what_an_attempt_brought_is_kept(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1")])
    [one] = claim(store)
    store.settle(NOON, failed(one, NOON + seconds(5)))
    [row] = store.deliveries()
    assert (row.state, row.attempts, row.last_status) == (DeliveryState.PENDING, 1, 503)
    assert (row.last_error, row.next_attempt_at) == ("503 Service Unavailable", NOON + seconds(5))
    assert (row.receipt, row.settled_at) == (None, None)
    [one] = claim(store, NOON + seconds(5))
    accepted = Attempt(True, 201, receipt={"service_request_id": "7"})
    store.settle(NOON + seconds(6), Settlement(one, accepted, DeliveryState.DELIVERED))
    [row] = store.deliveries(endpoint="desk", subject="p1")
    assert (row.state, row.attempts, row.last_status, row.last_error) == (
        DeliveryState.DELIVERED,
        2,
        201,
        None,
    )
    assert (row.receipt, row.settled_at) == ({"service_request_id": "7"}, NOON + seconds(6))


def test_a_settlement_must_make_sense() -> None:
    with pytest.raises(ValueError, match="next attempt"):
        Settlement(None, Attempt(False), DeliveryState.PENDING)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="next attempt"):
        Settlement(None, Attempt(True), DeliveryState.DELIVERED, NOON)  # type: ignore[arg-type]


def test_dead_letters_go_out_again_once_for_each_asking(store: Store) -> None:
    store.record(NOON, [], [an_entry(f"e{number}", "p1", "desk", "map") for number in range(3)])
    while taken := claim(store):
        store.settle(NOON, *map(given_up, taken))
    assert [one.event_id for one in store.dead_letters("desk")] == ["e2", "e1", "e0"]
    later = NOON + timedelta(days=1)
    assert store.redeliver(later, ids=["e0", "e1", "e0", "unknown"], endpoint="desk") == 2
    assert store.redeliver(later, ids=["e0", "e1"], endpoint="desk") == 0
    assert [(one.event_id, one.attempts) for one in claim(store, later)] == [("e0", 0)]
    assert store.redeliver(later) == 4
    assert store.redeliver(later) == 0
    assert store.dead_letters() == []


def test_redelivery_by_time_of_the_event(store: Store) -> None:
    entries = [OutboxEntry(f"e{n}", "problem.opened", f"p{n}", NOON + seconds(n), b"{}", ("desk",)) for n in range(4)]
    store.record(NOON, [], entries)
    taken = claim(store)
    store.settle(NOON, *map(given_up, taken[:3]), delivered(taken[3]))
    assert store.redeliver(NOON, since=NOON + seconds(1), until=NOON + seconds(2)) == 1
    assert store.redeliver(NOON, since=NOON + seconds(2)) == 1
    assert store.redeliver(NOON, since=NOON + seconds(2), include_delivered=True) == 1
    assert [one.event_id for one in claim(store)] == ["e1", "e2", "e3"]


def test_redelivered_events_keep_their_order_with_new_ones(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1"), an_entry("e2")])
    for _ in range(2):
        store.settle(NOON, *map(given_up, claim(store)))
    store.record(NOON, [], [an_entry("e3")])
    assert store.redeliver(NOON) == 2
    sent = []
    while taken := claim(store):
        sent += [one.event_id for one in taken]
        store.settle(NOON, *map(delivered, taken))
    assert sent == ["e1", "e2", "e3"]


def test_a_disabled_endpoint_keeps_its_deliveries_waiting(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1", "p1", "desk", "map")])
    store.disable_endpoint("desk", NOON, "410 Gone")
    store.set_breaker("desk", "open", 5, NOON)  # leaves it disabled
    assert [one.endpoint for one in claim(store)] == ["map"]
    assert store.outbox_depths()["desk"] == 1
    assert store.enable_endpoint("desk")
    assert not store.enable_endpoint("desk")
    assert [one.endpoint for one in claim(store)] == ["desk"]


def test_endpoint_state_is_remembered(opened: Callable[[], Store]) -> None:
    opened().set_breaker("desk", "closed", 0, None)
    opened().set_breaker("desk", "open", 5, NOON)
    opened().disable_endpoint("map", NOON, "410 Gone")
    assert opened().endpoints() == {
        "desk": EndpointState("desk", "open", 5, NOON, None, None),
        "map": EndpointState("map", "closed", 0, None, NOON, "410 Gone"),
    }


def test_hastened_deliveries_are_due_at_once(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1"), an_entry("e2"), an_entry("e3", "p3", "map")])
    store.settle(NOON, *(failed(one, NOON + timedelta(hours=9)) for one in claim(store)))
    assert store.hasten(NOON + seconds(1), "desk") == 1
    assert [one.event_id for one in claim(store, NOON + seconds(1))] == ["e1"]


def test_buried_deliveries_are_dead_letters(store: Store) -> None:
    store.record(NOON, [], [an_entry("e1"), an_entry("e2"), an_entry("e3", "p3", "map")])
    assert store.bury(NOON, "desk", "no longer configured") == 2
    assert [one.last_error for one in store.dead_letters()] == ["no longer configured"] * 2
    assert store.outbox_depths() == {"map": 1}


def test_the_oldest_that_waits(store: Store) -> None:
    assert store.oldest_undelivered() is None
    store.record(NOON, [], [an_entry("e1")])
    store.record(NOON + seconds(9), [], [an_entry("e2", "p2", "desk", "map")])
    assert store.oldest_undelivered() == NOON
    store.settle(NOON, *map(delivered, claim(store)))
    assert store.oldest_undelivered() == NOON + seconds(9)


def test_pruning_keeps_what_somebody_waits_for(store: Store) -> None:
    store.record(NOON, [], [an_entry(f"e{n}", f"p{n}", "desk", "map") for n in range(3)])
    store.record(NOON, [], [OutboxEntry("nobody", "camera.health", "c", NOON, b"{}", ())])
    store.record(NOON + seconds(1), [], [an_entry("new", "p9")])
    for one in claim(store):
        if one.event_id == "e0" or one.endpoint == "desk":
            store.settle(NOON, delivered(one))
        elif one.event_id == "e1":
            store.settle(NOON, given_up(one))
    assert store.prune(NOON) == 0
    assert store.prune(NOON + seconds(1)) == 2  # e0 and nobody
    left = {one.event_id for one in store.deliveries()}
    assert left == {"e1", "e2", "new"}
    assert store.prune(NOON + seconds(1), include_dead=True) == 1  # e1
    store.record(NOON, [], [an_entry("e0")])  # a forgotten id is new again, with a number of its own
    assert store.prune(NOON + seconds(1)) == 0


def test_pages_of_deliveries(store: Store) -> None:
    store.record(NOON, [], [an_entry(f"e{n}", f"p{n}") for n in range(5)])
    page = store.deliveries(limit=3)
    assert [one.event_id for one in page] == ["e4", "e3", "e2"]
    assert [one.event_id for one in store.deliveries(limit=3, after=page[-1].id)] == ["e1", "e0"]


def test_listeners_hear_of_events_only_and_after_the_commit(store: Store) -> None:
    seen: list[int] = []
    end = store.on_recorded(lambda: seen.append(store.outbox_depth()))
    store.record(NOON, [a_problem()])
    assert seen == []
    store.record_many(NOON, [LookRecord(outbox=[an_entry("e1")]), LookRecord(outbox=[an_entry("e2")])])
    assert seen == [2]
    end()
    store.record(NOON, [], [an_entry("e3")])
    assert seen == [2]


def test_many_couriers_and_workers_at_once(opened: Callable[[], Store]) -> None:
    """Each event reaches its endpoint once and in the order of its subject, whoever records and whoever sends."""
    subjects, each, endpoints = 6, 8, ("desk", "map")
    sent: dict[tuple[str, str], list[str]] = defaultdict(list)
    lock, errors = threading.Lock(), list[BaseException]()
    recorders = [threading.Thread(target=lambda n=n: guarded(record, n)) for n in range(3)]
    couriers = [threading.Thread(target=lambda n=n: guarded(send, n)) for n in range(4)]

    def guarded(work: Callable[[int], None], number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - shown by the assert below
            errors.append(error)

    def record(number: int) -> None:
        store = opened()
        for turn in range(each):
            for subject in range(number, subjects, 3):
                event_id = f"p{subject}-{turn:03}"
                store.record(NOON, [a_problem(f"p{subject}")], [an_entry(event_id, f"p{subject}", *endpoints)])

    def send(number: int) -> None:
        store = opened()
        while not errors:
            taken = store.claim_due(NOON, 3, f"w{number}", LEASE)
            with lock:
                for one in taken:
                    sent[one.endpoint, one.subject].append(one.event_id)
            store.settle(NOON, *map(delivered, taken))
            if not taken and not any(one.is_alive() for one in recorders) and not store.outbox_depth():
                return

    for thread in recorders + couriers:
        thread.start()
    for thread in recorders + couriers:
        thread.join(60)
    assert errors == []
    assert len(sent) == subjects * len(endpoints)
    for (_, subject), events in sent.items():
        assert events == [f"{subject}-{turn:03}" for turn in range(each)]
