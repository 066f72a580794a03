"""Short ways to make what goes into a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from detector.core.detection import BoundingBox
from detector.core.problem import Place, Problem, ProblemStatus
from detector.ports import Attempt
from detector.store import Delivery, DeliveryState, OutboxEntry, Settlement, Store

NOON = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def a_problem(problem_id: str = "p1", **changes: object) -> Problem:
    fields: dict[str, object] = {
        "id": problem_id,
        "category": "exposed_garbage",
        "label": "garbage",
        "camera_id": "north",
        "place": Place(BoundingBox(10, 20, 30.5, 40), (1920, 1080)),
        "status": ProblemStatus.OPEN,
        "first_seen": NOON,
        "last_seen": NOON,
        "last_looked": NOON,
        "looks": 1,
        "sightings": 1,
        "best_score": 0.5,
    }
    return Problem(**(fields | changes))  # type: ignore[arg-type]


def an_entry(event_id: str = "e1", subject: str = "p1", *endpoints: str) -> OutboxEntry:
    body = f'{{"id": "{event_id}"}}'.encode()
    return OutboxEntry(event_id, "problem.opened", subject, NOON, body, endpoints or ("desk",))


def claim(store: Store, now: datetime = NOON, worker: str = "w1", limit: int = 100) -> list[Delivery]:
    return store.claim_due(now, limit, worker, LEASE)


def delivered(delivery: Delivery) -> Settlement:
    return Settlement(delivery, Attempt(True, 200), DeliveryState.DELIVERED)


def failed(delivery: Delivery, again_at: datetime) -> Settlement:
    attempt = Attempt(False, 503, "503 Service Unavailable")
    return Settlement(delivery, attempt, DeliveryState.PENDING, again_at)


def given_up(delivery: Delivery) -> Settlement:
    return Settlement(delivery, Attempt(False, 503, "503"), DeliveryState.DEAD)
