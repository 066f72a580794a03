"""A desk in a temporary folder and a sender that signs with the official library."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx
import pytest
from fastapi.testclient import TestClient
from standardwebhooks import Webhook

from detector.desk import DeskOptions, create_desk

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER_SECRET = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

Event = dict[str, Any]


def problem_event(
    kind: str = "opened", problem: str = "problem-1", revision: int = 1, minute: float = 0, **data: Any
) -> Event:
    """One problem.* event; `minute` after START, `data` overrides fields."""
    at = START + timedelta(minutes=minute)
    return {
        "specversion": "1.0",
        "id": str(uuid5(NAMESPACE_OID, f"{problem}/{revision}/{kind}")),  # says nothing about the order
        "source": "/workers/test",
        "type": f"org.street-detector.problem.{kind}.v1",
        "subject": problem,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "problem_id": problem,
            "revision": revision,
            "category": "exposed_garbage",
            "category_names": {"en": "Exposed garbage", "zh-CN": "暴露垃圾"},
            "codes": {"GB/T 47678.5-2026": "06010"},
            "label": "garbage",
            "camera_id": "cam-1",
            "place": {"box": [10, 20, 110, 220], "frame_size": [1920, 1080], "ground": None},
            "first_seen": START.isoformat(),
            "last_seen": at.isoformat(),
            "score": 0.8,
            "looks": 5,
            "model_version": "street@0123456789ab",
            "evidence": {"url": None, "reason": "none in this test"},
            "review": False,
            **data,
        },
    }


def camera_event(camera: str, status: str, minute: float = 0, reason: str | None = None) -> Event:
    """One camera.health event."""
    return {
        "specversion": "1.0",
        "id": f"{camera}/{status}/{minute}",
        "source": "/workers/test",
        "type": "org.street-detector.camera.health.v1",
        "time": (START + timedelta(minutes=minute)).isoformat(),
        "data": {"camera_id": camera, "status": status, "previous": None, "reason": reason},
    }


def signed(body: bytes, webhook_id: str, secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    """Headers of a delivery, signed by the official library."""
    at = at or datetime.now(UTC)
    return {
        "content-type": "application/cloudevents+json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body.decode()),
    }


@dataclass
class Sender:
    """Hands events to a desk."""

    client: httpx.Client

    def __call__(self, event: Event, **how: Any) -> httpx.Response:
        body = json.dumps(event, ensure_ascii=False).encode()
        headers = signed(body, how.pop("webhook_id", event.get("id", "none")), **how)
        return self.client.post("/events", content=body, headers=headers)


@dataclass
class Desk:
    """A desk under test."""

    client: TestClient
    send: Sender


MakeDesk = Callable[..., Desk]


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[MakeDesk]:
    """Build desks that share one ledger file unless told otherwise."""
    clients: list[TestClient] = []

    def make(**options: Any) -> Desk:
        options = {
            "database_url": f"sqlite:///{tmp_path}/desk.db",
            "secrets": [SECRET],
            **options,
        }
        client = TestClient(create_desk(DeskOptions(**options)))
        clients.append(client.__enter__())
        return Desk(client, Sender(client))

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    """One desk."""
    return make_desk()


@pytest.fixture(scope="session")
def sender_of() -> type[Sender]:
    """Make a sender for any HTTP client."""
    return Sender


@pytest.fixture(scope="session")
def make() -> Any:
    """The builders of this module, for tests (which cannot import it)."""

    class Makers:
        problem = staticmethod(problem_event)
        camera = staticmethod(camera_event)
        signed = staticmethod(signed)
        secret, other_secret, start = SECRET, OTHER_SECRET, START

    return Makers
