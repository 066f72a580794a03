"""What every sink owes to the courier and to whoever receives; run against all of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from detector.config.endpoints import EndpointSettings
from detector.core.event import event_id
from detector.delivery.courier import Courier, Route
from detector.delivery.endpoint import endpoint_of
from detector.delivery.samples import samples
from detector.delivery.sinks import SINKS, Sink, Tools, open_sink
from detector.ports import Attempt
from detector.store import DeliveryState, OutboxEntry, Store, open_store
from detector.store.receipts import Receipts
from tests.contracts.stands import STANDS, Stand
from tests.delivery.test_courier import eventually

pytestmark = pytest.mark.server
OPENED = samples()["problem.opened"]
FIRST = str(json.loads(OPENED)["id"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "street.db"))
    yield opened
    opened.close()


@pytest.fixture(params=list(STANDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stand(kind: str, tmp_path: Path) -> Iterator[Stand]:
    with STANDS[kind](tmp_path) as made:
        yield made


@pytest.fixture
def opened(kind: str, stand: Stand, store: Store) -> Iterator[list[Sink]]:
    sinks: list[Sink] = []
    yield sinks
    for sink in sinks:
        sink.close()


def settings_of(kind: str, stand: Stand, timeout: str = "10 s", **changes: Any) -> EndpointSettings:
    given = {"name": "there", "kind": kind, "timeout": timeout, "events": ["problem.*"]} | stand.settings | changes
    return EndpointSettings.model_validate(given)


def reach(kind: str, stand: Stand, store: Store, opened: list[Sink], timeout: str = "10 s", **changes: Any) -> Sink:
    tools = Tools(memory=lambda name: Receipts(store, name))
    opened.append(open_sink(settings_of(kind, stand, timeout, **changes), tools))
    return opened[-1]


def record(store: Store, *ids: str) -> None:
    now = datetime.now(UTC)
    store.record(now, [], [OutboxEntry(one, "problem.opened", one, now, body_of(one), ("there",)) for one in ids])


def body_of(one: str) -> bytes:
    return json.dumps(json.loads(OPENED) | {"id": one}, ensure_ascii=False).encode()


def send(sink: Sink, one: str = FIRST) -> Attempt:
    return sink.send(one, "problem.opened", body_of(one))


def test_every_sink_is_under_this_contract() -> None:
    assert set(STANDS) == set(SINKS)


def test_it_accepts_once(kind: str, stand: Stand, store: Store, opened: list[Sink]) -> None:
    sink = reach(kind, stand, store, opened)
    record(store, FIRST)
    attempt = send(sink)
    assert (attempt.accepted, attempt.error) == (True, None)
    stand.wait(1)
    assert stand.cases() == [FIRST]


def test_the_same_event_twice_is_not_a_second_case(kind: str, stand: Stand, store: Store, opened: list[Sink]) -> None:
    record(store, FIRST, "e2")
    for _ in range(2):  # the second time as after a restart
        sink = reach(kind, stand, store, opened)
        assert send(sink).accepted
        assert send(sink).accepted
    assert send(sink, "e2").accepted
    stand.wait(5)
    assert stand.cases() == [FIRST, "e2"]


def test_a_refusal_is_a_failed_attempt(kind: str, stand: Stand, store: Store, opened: list[Sink]) -> None:
    sink = reach(kind, stand, store, opened)
    stand.mood[0] = "refuse"
    attempt = send(sink)
    assert not attempt.accepted
    assert attempt.error
    assert "\n" not in attempt.error
    assert stand.cases() == []


def test_nobody_there_is_a_failed_attempt(kind: str, stand: Stand, store: Store, opened: list[Sink]) -> None:
    dead = stand.settings["url"].rpartition(":")[0] + ":1"
    attempt = send(reach(kind, stand, store, opened, url=dead))
    assert (attempt.accepted, attempt.status, attempt.final, attempt.blameless) == (False, None, False, False)
    assert attempt.error


def test_silence_ends_with_the_timeout(kind: str, stand: Stand, store: Store, opened: list[Sink]) -> None:
    sink = reach(kind, stand, store, opened, "400 ms")
    record(store, FIRST)
    stand.mood[0] = "hang"
    attempt = send(sink)
    assert (attempt.accepted, attempt.status, attempt.final) == (False, None, False)


def test_closing_ends_a_try_that_is_under_way(kind: str, stand: Stand, store: Store, opened: list[Sink]) -> None:
    sink = reach(kind, stand, store, opened, "60 s")
    stand.mood[0] = "hang"
    attempts: list[Attempt] = []
    thread = threading.Thread(target=lambda: attempts.append(send(sink)))
    thread.start()
    thread.join(0.5)
    sink.close()
    thread.join(30)
    assert not thread.is_alive()
    assert [one.accepted for one in attempts] == [False]


def test_closing_twice_does_no_harm(kind: str, stand: Stand, store: Store, opened: list[Sink]) -> None:
    sink = reach(kind, stand, store, opened)
    sink.close()
    assert send(sink).accepted is False
    sink.close()
    used = reach(kind, stand, store, opened)
    assert send(used).accepted
    used.close()
    used.close()


def test_every_type_of_event_is_taken_or_left_out_on_purpose(
    kind: str, stand: Stand, store: Store, opened: list[Sink]
) -> None:
    sink = reach(kind, stand, store, opened)
    for event_type, body in samples().items():
        attempt = sink.send(json.loads(body)["id"], event_type, body)
        assert attempt.accepted, (event_type, attempt)


def test_receipts_are_kept_and_what_was_accepted_is_written_down(
    kind: str, stand: Stand, store: Store, opened: list[Sink]
) -> None:
    sink = reach(kind, stand, store, opened)
    courier = Courier(store, [Route(endpoint_of(settings_of(kind, stand)), sink)], "w1")
    courier.start()
    record(store, FIRST)
    assert eventually(lambda: store.deliveries(DeliveryState.DELIVERED))
    courier.stop(10.0)
    [delivered] = store.deliveries()
    again = reach(kind, stand, store, opened)
    assert dict(delivered.receipt or {}) == dict(send(again).receipt)
    stand.wait(1)
    assert stand.cases() == [FIRST]


def test_no_secret_in_errors_logs_or_rows(
    kind: str, stand: Stand, store: Store, opened: list[Sink], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="detector")
    sink = reach(kind, stand, store, opened)
    record(store, FIRST, "e2")
    courier = Courier(store, [Route(endpoint_of(settings_of(kind, stand)), sink)], "w1")
    assert stand.secret in str(stand.settings) or kind == "mapped"  # there it stands in the file
    shown = [str(sink.preview(FIRST, "problem.opened", OPENED)), repr(settings_of(kind, stand))]
    courier.start()
    assert eventually(lambda: store.deliveries(DeliveryState.DELIVERED))
    stand.mood[0] = "refuse"
    shown += [str(send(sink, "e2")), str(send(sink, "e3"))]
    courier.stop(10.0)
    impatient = reach(kind, stand, store, opened, "400 ms")
    stand.mood[0] = "hang"
    shown += [str(send(impatient, "e4"))]
    stand.gone()
    shown += [str(store.deliveries()), caplog.text]
    assert stand.secret not in " ".join(shown)


def test_ids_of_events_are_what_makes_a_case(kind: str, stand: Stand, store: Store, opened: list[Sink]) -> None:
    sink = reach(kind, stand, store, opened)
    ids = [event_id("contract", number) for number in range(5)]
    record(store, *ids)
    assert all(send(sink, one).accepted for one in ids)
    stand.wait(5)
    assert sorted(stand.cases()) == sorted(ids)
