"""Cameras to test against: GStreamer's RTSP server on loopback, which can be killed, frozen and restarted.

A pytest plugin: gives the fixtures `rtsp_server` and `silent_server`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.process import ServerProcess, free_port

SCRIPT = Path(__file__).with_name("gst_rtsp.py")
NO_SERVER = "no RTSP server: run scripts/install-test-servers as root (Debian, Ubuntu)"
_CHECK = 'import gi; gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")'


@dataclass(frozen=True, slots=True)
class Mount:
    """What one address of the server shows."""

    clip: Path  # mp4 with H.264 or H.265
    live: bool = (
        False  # one running pipeline for all visitors, as with a camera, instead of one from the start for each
    )
    ahead_s: float = 0.0  # the camera's own clock, as its sender reports tell it, minus that of this machine


class RtspServer:
    """One server process; the port stays the same over restarts."""

    def __init__(self, python: str, folder: Path) -> None:
        self._python = python
        self._folder = folder
        self._server = ServerProcess(folder / "server.log")
        self.kill, self.freeze, self.thaw = self._server.kill, self._server.freeze, self._server.thaw
        self._mounts: dict[str, Mount] = {}
        self._login: tuple[str, str] | None = None
        self.port = free_port()

    def start(self, mounts: Mapping[str, Mount | Path], *, login: tuple[str, str] | None = None) -> RtspServer:
        """Serve `mounts` by path, e.g. {"gate": clip}; with `login` (user, password) only to who knows it."""
        self._mounts = {path: mount if isinstance(mount, Mount) else Mount(mount) for path, mount in mounts.items()}
        self._login = login
        user, password = login or (None, None)
        plan = {
            "port": self.port,
            "user": user,
            "password": password,
            "mounts": {
                f"/{path}": {"clip": str(mount.clip), "live": mount.live, "ahead_s": mount.ahead_s}
                for path, mount in self._mounts.items()
            },
        }
        (self._folder / "plan.json").write_text(json.dumps(plan))
        port_file = self._folder / "port"
        port_file.unlink(missing_ok=True)
        command = [self._python, str(SCRIPT), str(port_file), str(self._folder / "plan.json")]
        self._server.start(command, port_file.exists)
        self.port = int(port_file.read_text())
        return self

    def url(self, path: str, *, login: tuple[str, str] | None = None) -> str:
        """Address of a path, by default with the server's own login."""
        login = login or self._login
        who = f"{login[0]}:{login[1]}@" if login else ""
        return f"rtsp://{who}127.0.0.1:{self.port}/{path}"

    def restart(self, mounts: Mapping[str, Mount | Path] | None = None) -> None:
        """Kill and start again on the same port, with other mounts if given."""
        self.kill()
        self.start(self._mounts if mounts is None else mounts, login=self._login)


def server_python() -> str | None:
    """A Python that can run the server script; None if this machine has none."""
    candidates = [os.environ.get("GST_PYTHON"), "/usr/bin/python3", shutil.which("python3")]
    for candidate in candidates:
        if candidate and Path(candidate).exists():
            # Our venv must not shine through to the system's Python.
            clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
            found = subprocess.run([candidate, "-c", _CHECK], capture_output=True, env=clean, check=False)
            if found.returncode == 0:
                return candidate
    return None


@pytest.fixture
def rtsp_server(tmp_path: Path) -> Iterator[RtspServer]:
    """An RTSP server, to be started with the clips of the test's choice."""
    python = server_python()
    if python is None:
        pytest.skip(NO_SERVER)
    folder = tmp_path / "rtsp"
    folder.mkdir()
    server = RtspServer(python, folder)
    try:
        yield server
    finally:
        server.kill()


class SilentServer:
    """Accepts every connection and never says a word."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="silent-server")
        self._thread.start()

    def _accept(self) -> None:
        with ExitStack() as connections:
            while not self._stop.is_set():
                try:
                    connection, _ = self._socket.accept()
                except TimeoutError:
                    continue
                connections.enter_context(connection)

    def close(self) -> None:
        """Hang up."""
        self._stop.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def silent_server() -> Iterator[SilentServer]:
    """A server that accepts and stays silent."""
    server = SilentServer()
    try:
        yield server
    finally:
        server.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly how many tests saw no server."""
    skipped = terminalreporter.stats.get("skipped", [])
    unseen = sum(NO_SERVER in str(report.longrepr) for report in skipped)
    if unseen:
        terminalreporter.write_line(
            f"{unseen} tests need a streaming server and were skipped: {NO_SERVER}", yellow=True, bold=True
        )
