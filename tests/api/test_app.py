"""What a worker tells over HTTP, in front of the real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from detector.api.app import create_api
from detector.api.metrics import Gauges, Metrics
from detector.api.server import serve_in_thread
from detector.api.state import ApiState
from detector.core.detection import BoundingBox
from detector.core.health import CameraState
from detector.core.look import LookStatus
from detector.core.problem import Place, Problem, ProblemStatus
from detector.errors import StoreError
from detector.store import OutboxEntry, Store, open_store

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CANARY = "canary-9f2"
CAMERA_URL = f"rtsp://admin:{CANARY}@10.0.0.5:554/stream?token={CANARY}"


def problem(number: int, status: ProblemStatus = ProblemStatus.OPEN, **changed: Any) -> Problem:
    at = NOW + timedelta(minutes=number)
    facts: dict[str, Any] = {
        "id": f"problem-{number:03}",
        "category": "exposed_garbage",
        "label": "garbage",
        "camera_id": f"cam-{number % 3}",
        "place": Place(BoundingBox(1, 2, 30, 40), (1920, 1080)),
        "status": status,
        "first_seen": at,
        "last_seen": at,
        "last_looked": at,
        "looks": 4,
        "sightings": 4,
        "best_score": 0.8,
        "opened_at": at,
    }
    return Problem(**(facts | changed))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store in a file."""
    opened = open_store(f"sqlite:///{tmp_path}/street.db")
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store) -> TestClient:
    return TestClient(create_api(ApiState(store, Metrics())))


def outbox_entry(number: int, endpoints: tuple[str, ...] = ("desk",)) -> OutboxEntry:
    return OutboxEntry(
        event_id=f"event-{number}",
        type="problem.opened",
        subject=f"problem-{number:03}",
        occurred_at=NOW,
        body=b"{}",
        endpoints=endpoints,
    )


def test_problems_are_listed_and_paged(store: Store, client: TestClient) -> None:
    store.record(NOW, [problem(n) for n in range(5)] + [problem(7, ProblemStatus.SUSPECTED, category="street_stall")])
    everything = client.get("/problems.json").json()
    assert len(everything["problems"]) == 6
    assert everything["next"] is None
    seen: list[str] = []
    after: str | None = None
    while True:
        params = {"limit": 2} | ({"after": after} if after else {})
        page = client.get("/problems.json", params=params).json()
        seen += [one["id"] for one in page["problems"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [one["id"] for one in everything["problems"]]
    one = client.get("/problems.json?status=suspected").json()["problems"]
    assert [(p["id"], p["category"]) for p in one] == [("problem-007", "street_stall")]
    assert len(client.get("/problems.json?camera=cam-1&status=open").json()["problems"]) == 2
    assert client.get("/problems.json?category=none").json()["problems"] == []
    assert everything["problems"][0]["place"]["box"] == {"left": 1, "top": 2, "right": 30, "bottom": 40}


@pytest.mark.parametrize("query", ["status=lost", "limit=0", "limit=1001"])
def test_senseless_queries_are_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/problems.json?{query}").status_code == 422


def test_cameras_are_listed_and_paged(store: Store, client: TestClient) -> None:
    for number in range(5):
        store.set_camera_state(CameraState(f"cam-{number}", LookStatus.OK, NOW, NOW, NOW))
    first = client.get("/cameras.json?limit=3").json()
    assert [camera["camera_id"] for camera in first["cameras"]] == ["cam-0", "cam-1", "cam-2"]
    second = client.get(f"/cameras.json?limit=3&after={first['next']}").json()
    assert [camera["camera_id"] for camera in second["cameras"]] == ["cam-3", "cam-4"]
    assert second["next"] is None


@dataclass
class Rounds:
    """A patrol as far as it is shown."""

    patrolled: int

    def coverage(self) -> float:
        return 0.972


def test_how_many_patrolled_cameras_were_looked_at_in_time_is_told_where_there_are_any(store: Store) -> None:
    rounds = Rounds(143)
    client = TestClient(create_api(ApiState(store, Metrics(), patrol=rounds)))
    assert client.get("/cameras.json").json()["patrol"] == {"cameras": 143, "coverage": 0.972}
    rounds.patrolled = 0
    assert "patrol" not in client.get("/cameras.json").json()


def test_deliveries_are_listed(store: Store, client: TestClient) -> None:
    store.record(NOW, outbox=[outbox_entry(1), outbox_entry(2, ("desk", "city"))])
    assert len(client.get("/deliveries.json").json()["deliveries"]) == 3
    only = client.get("/deliveries.json?endpoint=city&state=pending").json()["deliveries"]
    assert [(one["event_id"], one["endpoint"], one["state"]) for one in only] == [("event-2", "city", "pending")]
    page = client.get("/deliveries.json?limit=2").json()
    assert len(client.get(f"/deliveries.json?limit=2&after={page['next']}").json()["deliveries"]) == 1


def test_ready_only_when_everything_is_there(store: Store) -> None:
    missing: dict[str, str | None] = {"model": "not loaded yet", "started": "still starting"}
    checks = {name: (lambda name=name: missing[name]) for name in missing}
    client = TestClient(create_api(ApiState(store, Metrics(), checks)))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "missing": missing}
    missing["model"] = None
    assert client.get("/readyz").json()["missing"] == {"started": "still starting"}
    missing["started"] = None
    assert (client.get("/readyz").status_code, client.get("/readyz").json()["status"]) == (200, "ready")
    assert client.get("/healthz").json() == {"status": "ok"}


class Broken:
    """A store whose database is gone."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> Any:
            raise StoreError(f"postgresql://street:{CANARY}@db/street does not answer")

        return refuse


def test_a_dead_database_makes_it_unready_not_dead() -> None:
    client = TestClient(create_api(ApiState(Broken(), Metrics())))
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["missing"]["database"]
    for path in ("/problems.json", "/cameras.json", "/deliveries.json"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "does not answer" in answer.json()["detail"]


def test_a_check_that_breaks_is_not_passed(store: Store) -> None:
    def broken() -> str | None:
        raise ValueError

    client = TestClient(create_api(ApiState(store, Metrics(), {"model": broken})))
    assert client.get("/readyz").json()["missing"] == {"model": "ValueError"}


def secrets_everywhere(store: Store, metrics: Metrics) -> ApiState:
    """A worker in which the password of a camera stands wherever a text can."""
    store.record(
        NOW,
        [problem(1, camera_id=CAMERA_URL, label=CAMERA_URL, model_version=CAMERA_URL)],
        [outbox_entry(1, (CAMERA_URL,))],
        CameraState(CAMERA_URL, LookStatus.UNREACHABLE, NOW, NOW, None, f"cannot open {CAMERA_URL}: refused"),
    )
    metrics.look(CAMERA_URL, LookStatus.OK, 1.0)
    metrics.dropped(CAMERA_URL)

    def broken() -> str | None:
        raise OSError(f"no answer from {CAMERA_URL}")

    metrics.watch(
        Gauges(
            open_problems=lambda: {CAMERA_URL: 1},
            outbox_depth=store.outbox_depths,
            breakers=lambda: {CAMERA_URL: "open"},
            coverage=lambda: float(broken() or 0),
        )
    )
    return ApiState(store, metrics, {"model": broken, "camera": lambda: f"waiting for {CAMERA_URL}"})


PATHS = (
    *("/healthz", "/readyz", "/metrics", "/problems.json", "/cameras.json", "/deliveries.json", "/openapi.json"),
    *("/problems.json?status=x", "/none", "/problems.json?after=none"),
)


@pytest.mark.parametrize("path", PATHS)
def test_a_password_in_a_camera_address_is_shown_nowhere(
    store: Store, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    state = secrets_everywhere(store, Metrics())
    answer = TestClient(create_api(state), raise_server_exceptions=False).get(path)
    assert CANARY not in answer.text
    assert CANARY not in caplog.text
    if path in ("/readyz", "/metrics", "/problems.json", "/cameras.json", "/deliveries.json"):
        assert "10.0.0.5" in answer.text  # the address itself was there to be shown


def test_over_a_real_connection(store: Store) -> None:
    metrics = Metrics()
    metrics.batch(4, 0.01)
    server = serve_in_thread(create_api(ApiState(store, metrics)), "127.0.0.1", 0)
    answer = httpx.get(f"{server.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "detector_batch_size_count 1.0" in answer.text
    assert httpx.get(f"{server.url}/readyz").status_code == 200
    server.stop()
