"""A real MQTT broker to test against: mosquitto on a free port of loopback, which can be killed, frozen and restarted.

A pytest plugin: gives the fixture `mosquitto`.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.servers.process import ServerProcess, free_port, listens

NO_BROKER = "no MQTT broker: run scripts/install-test-servers as root (Debian, Ubuntu)"
USER, PASSWORD = "street", "canary4711"


def broker_program() -> str | None:
    """Path of mosquitto; Debian puts it where only root looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """One broker process; the port stays the same over restarts."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._server = ServerProcess(folder / "mosquitto.log")
        self.log, self.kill = self._server.said, self._server.kill
        self.freeze, self.thaw = self._server.freeze, self._server.thaw
        self._lines: list[str] = []
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def url_with_login(self) -> str:
        return f"mqtt://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    def start(self, *, login: bool = False, acl: str | None = None, tls: tuple[Path, Path] | None = None) -> Mosquitto:
        """`login`: only for USER with PASSWORD. `acl`: the rules of mosquitto.conf(5). `tls`: certificate and key."""
        lines = [f"listener {self.port} 127.0.0.1", f"allow_anonymous {'false' if login else 'true'}"]
        lines += ["persistence false", "log_dest stderr", "log_type all"]
        if login:
            file = self._folder / "passwords"
            file.touch(0o600)
            subprocess.run(["mosquitto_passwd", "-b", file, USER, PASSWORD], check=True, capture_output=True)
            lines.append(f"password_file {file}")
        if acl is not None:
            (self._folder / "acl").write_text(acl)
            lines.append(f"acl_file {self._folder / 'acl'}")
        if tls is not None:
            lines += [f"certfile {tls[0]}", f"keyfile {tls[1]}"]
        self._lines = lines
        self._run()
        return self

    def _run(self) -> None:
        file = self._folder / "mosquitto.conf"
        # as root it would give its rights away and then could not read the test's files
        file.write_text("\n".join(["user root", *self._lines]) + "\n")
        self._server.start([self._program, "-c", str(file)], lambda: listens(self.port))

    def restart(self) -> None:
        self.kill()
        self._run()


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that a subscriber got."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    content_type: str | None


class Subscriber:
    """Listens to everything on a broker, with a client of its own."""

    def __init__(self, broker: Mosquitto, *, login: bool = False, ca: Path | None = None) -> None:
        self.heard: list[Heard] = []
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "listener", protocol=MQTTProtocolVersion.MQTTv5)
        if login:
            self._client.username_pw_set(USER, PASSWORD)
        if ca is not None:
            self._client.tls_set(str(ca))
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self._ready.wait(20)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        kind = getattr(message.properties, "ContentType", None)
        self.heard.append(Heard(message.topic, message.payload, message.qos, message.retain, kind))

    def wait_for(self, count: int) -> list[Heard]:
        """What was heard, once it is so much."""
        deadline = time.monotonic() + 20
        while len(self.heard) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.heard

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker, to be started as the test wants it."""
    program = broker_program()
    if program is None:
        pytest.skip(NO_BROKER)
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    broker = Mosquitto(program, folder)
    try:
        yield broker
    finally:
        broker.kill()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly how many tests saw no broker."""
    skipped = terminalreporter.stats.get("skipped", [])
    unseen = sum(NO_BROKER in str(report.longrepr) for report in skipped)
    if unseen:
        terminalreporter.write_line(
            f"{unseen} tests need an MQTT broker and were skipped: {NO_BROKER}", yellow=True, bold=True
        )
