"""Names of hosts whose name server does not answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from detector.errors import SourceError, SourceUnreachable
from detector.sources import names
from detector.sources.interrupt import Interrupt
from detector.sources.names import look_up
from detector.sources.options import StreamOptions
from detector.sources.video import open_video
from tests.servers.rtsp import SilentServer
from tests.sources.clips import now
from tests.worker.doubles import until

PASSWORD = "c4n4ry"
LONG_S = 600.0


class Resolver:
    """In place of the system's: never answers for `mute.*` until it is told to, knows no `none.*`."""

    def __init__(self) -> None:
        self.speaks = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, *rest: Any, **more: Any) -> object:
        self.asked.append(host)
        if host.startswith("mute."):
            self.speaks.wait(60)
        if host.startswith("none."):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host.startswith("ill."):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return []


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    made = Resolver()
    monkeypatch.setattr(names, "getaddrinfo", made)
    yield made
    made.speaks.set()
    assert until(lambda: not looking_up())


def looking_up() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "look-up"]


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "rtmp", "http", "https"])
def test_a_name_server_that_is_silent_costs_the_timeout_and_no_more(resolver: Resolver, scheme: str) -> None:
    with pytest.raises(SourceUnreachable, match=r"no answer from the name server within 0\.2 s") as caught:
        open_video(f"{scheme}://u:{PASSWORD}@mute.example/x", "gate", StreamOptions(open_timeout_s=0.2), now)
    assert PASSWORD not in str(caught.value)
    assert resolver.asked == ["mute.example"]


def test_many_who_give_up_leave_one_thread_per_name(resolver: Resolver) -> None:
    for _ in range(5):
        for name in ("mute.one", "mute.two"):
            with pytest.raises(SourceUnreachable):
                look_up(f"rtsp://{name}/x", 0.01)
    assert sorted(resolver.asked) == ["mute.one", "mute.two"]
    assert len(looking_up()) == 2
    resolver.speaks.set()
    assert until(lambda: not looking_up())
    look_up("rtsp://mute.one/x", LONG_S)  # asked anew, and answered


def test_who_waits_for_a_name_is_called_off(resolver: Resolver) -> None:
    failed: list[SourceError] = []
    interrupt = Interrupt()

    def wait() -> None:
        with interrupt.inside():
            try:
                open_video("rtsp://mute.example/x", "gate", StreamOptions(open_timeout_s=LONG_S), now)
            except SourceError as error:
                failed.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert until(lambda: resolver.asked != [])
    interrupt.fire()
    thread.join(20)
    assert not thread.is_alive()
    assert len(failed) == 1


@pytest.mark.parametrize(("host", "told"), [("none.example", "no host of this name"), ("ill.example", "cannot tell")])
def test_what_the_name_server_says_is_told(resolver: Resolver, host: str, told: str) -> None:
    with pytest.raises(SourceUnreachable, match=told) as caught:
        look_up(f"rtsp://u:{PASSWORD}@{host}/x", LONG_S)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[fe80::1%25eth0]"])
def test_numbers_are_not_looked_up(resolver: Resolver, host: str) -> None:
    look_up(f"rtsp://u:p@{host}:554/x", LONG_S)
    assert resolver.asked == []


def test_a_proxy_looks_names_up_itself(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    look_up("https://none.example/x.flv", LONG_S)
    with pytest.raises(SourceUnreachable):
        look_up("rtsp://none.example/x", LONG_S)


def test_the_name_and_the_server_share_one_timeout(
    silent_server: SilentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[float] = []

    def spend(_address: str, timeout_s: float) -> None:
        threading.Event().wait(0.3)

    def opening(*_: object, timeout: tuple[float, float], **__: object) -> object:
        left.append(timeout[0])
        raise SourceUnreachable("not opened")

    monkeypatch.setattr("detector.sources.container.look_up", spend)
    monkeypatch.setattr("detector.sources.container.av.open", opening)
    with pytest.raises(SourceUnreachable):
        open_video(f"rtsp://localhost:{silent_server.port}/x", "gate", StreamOptions(open_timeout_s=1), now)
    assert left[0] <= 0.7


def test_a_known_name_is_opened(silent_server: SilentServer) -> None:
    """With the system's own resolver; the connection is made, so the name was passed on as it is."""
    with pytest.raises(SourceUnreachable, match="no answer within 3 s"):
        open_video(f"rtsp://localhost:{silent_server.port}/x", "gate", StreamOptions(open_timeout_s=3), now)
