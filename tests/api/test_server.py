"""Serving from a thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from detector.api.server import serve_in_thread
from detector.errors import ConfigError, DetectorError


def application(log: list[str]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        log.append("started")
        yield
        log.append("stopped")

    app = FastAPI(lifespan=lifespan)

    @app.get("/sync")
    def in_a_worker_thread() -> str:
        return threading.current_thread().name

    @app.get("/endless")
    async def endless() -> str:
        await asyncio.sleep(3600)
        return "never"

    return app


def test_it_answers_on_a_free_port_and_stops_without_a_trace() -> None:
    before = set(threading.enumerate())
    log: list[str] = []
    server = serve_in_thread(application(log), "127.0.0.1", 0)
    assert server.port > 0
    assert httpx.get(f"{server.url}/sync").status_code == 200
    assert log == ["started"]
    server.stop()
    server.stop()
    assert log == ["started", "stopped"]
    assert not server.running
    left = set(threading.enumerate()) - before
    for thread in left:  # workers of the event loop are told to end and may need a moment
        thread.join(5)
    assert not [thread for thread in left if thread.is_alive()]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/sync")
    serve_in_thread(application(log), "127.0.0.1", server.port).stop()  # the port is free again


def test_two_servers_do_not_know_of_each_other() -> None:
    first = serve_in_thread(application([]), "127.0.0.1", 0)
    second = serve_in_thread(application([]), "127.0.0.1", 0)
    first.stop()
    assert httpx.get(f"{second.url}/sync").status_code == 200
    second.stop()


def test_a_request_that_never_ends_does_not_hold_the_stop() -> None:
    server = serve_in_thread(application([]), "127.0.0.1", 0, grace_s=1)
    with socket.create_connection((server.host, server.port)) as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        httpx.get(f"{server.url}/sync")  # the endless one is under way by now
        server.stop()
    assert not server.running


def test_an_idle_connection_does_not_hold_the_stop() -> None:
    server = serve_in_thread(application([]), "127.0.0.1", 0)
    with httpx.Client(base_url=server.url) as client:
        client.get("/sync")
        server.stop()
    assert not server.running


def test_a_taken_port_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
            serve_in_thread(application([]), "127.0.0.1", port)


def test_an_application_that_fails_to_start_is_told() -> None:
    @asynccontextmanager
    async def broken(_app: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no")
        yield

    with pytest.raises(DetectorError, match="did not start"):
        serve_in_thread(FastAPI(lifespan=broken), "127.0.0.1", 0)
