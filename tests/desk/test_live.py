"""The desk behind a real server: many senders at once, and senders that misbehave."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from detector.api.server import ServerHandle, serve_in_thread
from detector.desk import DeskOptions, create_desk, inbox
from detector.desk.tables import open_engine


@pytest.fixture
def server(make: Any, tmp_path: Path) -> Iterator[ServerHandle]:
    """A desk on a real port."""
    options = DeskOptions(f"sqlite:///{tmp_path}/desk.db", [make.secret], max_body_bytes=4000)
    handle = serve_in_thread(create_desk(options), "127.0.0.1", 0)
    yield handle
    handle.stop()


def test_many_senders_mixed_up_and_repeating_themselves(server: ServerHandle, make: Any) -> None:
    kinds = ("opened", "updated", "cleared", "reopened", "cleared")
    events = [
        make.problem(kind, problem=f"p{problem}", revision=revision, minute=revision)
        for problem in range(12)
        for revision, kind in enumerate(kinds, start=1)
    ]
    queue = events * 2
    random.Random(7).shuffle(queue)
    with httpx.Client(base_url=server.url, timeout=60) as client:

        def send(event: Any) -> str:
            body = json.dumps(event).encode()
            answer = client.post("/events", content=body, headers=make.signed(body, event["id"]))
            assert answer.status_code == 200, answer.text
            return str(answer.json()["outcome"])

        with ThreadPoolExecutor(8) as senders:
            outcomes = list(senders.map(send, queue))
        assert outcomes.count("accepted") == outcomes.count("duplicate") == len(events)
        listed = client.get("/cases.json").json()
        assert listed["total"] == 12
        for case in listed["cases"]:
            assert (case["status"], case["revision"], case["reopened"]) == ("cleared", 5, 1)
            history = client.get(f"/cases/{case['id']}.json").json()["history"]
            assert [entry["revision"] for entry in history] == [1, 2, 3, 4, 5]


def chunked(server: ServerHandle) -> socket.socket:
    client = socket.create_connection((server.host, server.port), timeout=20)
    client.sendall(
        b"POST /events HTTP/1.1\r\nHost: desk\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/cloudevents+json\r\n\r\n"
    )
    return client


def test_an_endless_body_is_cut_off_while_it_is_still_coming(server: ServerHandle) -> None:
    with chunked(server) as client:
        for _ in range(5):
            client.sendall(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        assert client.recv(1000).split(b"\r\n")[0].split()[1] == b"413"  # and no last chunk was sent


def test_a_body_that_never_ends_gives_the_connection_back(
    server: ServerHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "BODY_TIMEOUT_S", 0.2)
    with chunked(server) as client:
        client.sendall(b"1\r\n{\r\n")
        assert client.recv(1000).split(b"\r\n")[0].split()[1] == b"408"


def test_what_is_accepted_is_on_disk(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/new/folder/desk.db")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    engine.dispose()
