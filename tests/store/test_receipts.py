from __future__ import annotations

from collections.abc import Callable

from detector.ports import Attempt
from detector.store import DeliveryState, Settlement, Store
from detector.store.receipts import Receipts
from tests.store.making import LEASE, NOON, an_entry, seconds


def test_a_receipt_is_kept_at_once_and_survives_what_the_courier_writes(opened: Callable[[], Store]) -> None:
    store = opened()
    store.record(NOON, [], [an_entry("e1", "p1", "city", "desk"), an_entry("e2", "p1", "city")])
    city, desk = Receipts(store, "city"), Receipts(store, "desk")
    assert city.get("e1") == {}
    city.keep("e1", {"token": "12345"})
    assert (city.get("e1"), desk.get("e1"), city.get("e2")) == ({"token": "12345"}, {}, {})

    [delivery] = store.claim_due(NOON, 10, "w1", LEASE, ["city"])
    store.settle(NOON, Settlement(delivery, Attempt(False, 503), DeliveryState.PENDING, NOON + seconds(5)))
    assert city.get("e1") == {"token": "12345"}  # a try that brought nothing new takes nothing away

    [delivery] = store.claim_due(NOON + seconds(5), 10, "w1", LEASE, ["city"])
    store.settle(NOON, Settlement(delivery, Attempt(True, 200, receipt={"id": "7"}), DeliveryState.DELIVERED))

    again = opened()
    city = Receipts(again, "city")
    assert city.get("e1") == {"id": "7"}
    assert again.redeliver(NOON, ["e1"], include_delivered=True) == 1
    assert city.get("e1") == {"id": "7"}  # what is sent again is not forgotten
    assert city.among(["e1", "e2", "e9"]) == [{"id": "7"}]
    city.keep("e1", {})
    assert city.get("e1") == {}
    city.keep("unknown", {"id": "8"})
    assert city.get("unknown") == {}
