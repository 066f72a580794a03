from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from detector.core.look import LookStatus
from detector.errors import StoreError
from detector.store import CameraState, Store
from tests.store.making import LEASE, NOON, a_problem, an_entry, seconds

STATE = CameraState("north", LookStatus.OK, NOON, NOON, NOON)


def test_the_newest_state_is_kept(opened: Callable[[], Store]) -> None:
    store = opened()
    frozen = replace(STATE, status=LookStatus.FROZEN, last_look=NOON + seconds(9), reason="画面静止")
    store.record(NOON, camera=STATE)
    store.set_camera_state(frozen)
    store.set_camera_state(replace(STATE, camera_id="south", last_ok=None))
    states = opened().camera_states()
    assert list(states) == ["north", "south"]
    assert states["north"] == frozen


def test_any_text_may_be_a_reason(store: Store) -> None:
    store.record(NOON, camera=replace(STATE, reason="bad\x00 \udcff rtsp://admin:canary4711@cam/1\n" + "x" * 999))
    reason = store.camera_states()["north"].reason
    assert reason is not None
    assert reason.startswith("bad? ? rtsp://***@cam/1 xxx")
    assert len(reason) == 500


def test_a_camera_has_one_owner_until_the_lease_ends(store: Store) -> None:
    assert store.claim_cameras("a", ["1", "2"], NOON, LEASE) == {"1", "2"}
    assert store.claim_cameras("b", ["1", "2", "3"], NOON, LEASE) == {"3"}
    assert store.renew("a", NOON + seconds(30), LEASE) == {"1", "2"}
    assert store.claim_cameras("b", ["1", "2", "3"], NOON + LEASE, LEASE) == {"3"}
    assert store.claim_cameras("b", ["1"], NOON + seconds(90), LEASE) == {"1"}
    assert store.renew("a", NOON + seconds(91), LEASE) == {"2"}  # 1 was taken over


def test_released_cameras_are_free_at_once(store: Store) -> None:
    store.claim_cameras("a", ["1", "2", "3"], NOON, LEASE)
    store.release("b")
    store.release("a", ["1"])
    assert store.claim_cameras("b", ["1", "2"], NOON, LEASE) == {"1"}
    store.release("a")
    assert store.claim_cameras("b", ["1", "2", "3"], NOON, LEASE) == {"1", "2", "3"}


def test_a_limit_keeps_the_own_ones_first(store: Store) -> None:
    assert store.claim_cameras("a", ["3", "4"], NOON, LEASE) == {"3", "4"}
    assert store.claim_cameras("a", ["1", "2", "3", "4"], NOON, LEASE, limit=3) == {"1", "3", "4"}
    others = store.claim_cameras("b", ["1", "2", "3", "4"], NOON, LEASE, limit=1)
    assert others == {"2"}, "what another has takes no place"


def test_two_workers_never_get_the_same_camera(opened: Callable[[], Store]) -> None:
    wanted = [str(number) for number in range(60)]
    stores = [opened() for _ in range(4)]

    def take(number: int) -> frozenset[str]:
        return stores[number].claim_cameras(f"w{number}", wanted, NOON, LEASE, limit=20)

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(take, range(4)))
    assert sum(map(len, shares)) == len(frozenset().union(*shares))
    rest = stores[0].claim_cameras("late", wanted, NOON + LEASE, LEASE)
    assert len(rest) == 60


def test_a_worker_that_lost_its_camera_records_nothing(store: Store) -> None:
    store.claim_cameras("a", ["north"], NOON, LEASE)
    store.record(NOON, [a_problem()], camera=STATE, owner="a")
    store.claim_cameras("b", ["north"], NOON + LEASE, LEASE)
    with pytest.raises(StoreError, match="no longer owns north"):
        store.record(NOON, [a_problem(looks=9)], [an_entry("e1")], owner="a")
    found = store.problem("p1")
    assert found is not None
    assert found.looks == 1
    assert store.outbox_depth() == 0
