"""A server that is not ours, as a process that can be killed, frozen and restarted."""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

READY_S = 30.0
"""Against hanging only."""


def free_port() -> int:
    """A port of loopback for a program that must be told one, and for a server that comes back on the same.

    It lies below the ports that the kernel gives to connections and to servers that ask for any, so that nobody is
    given it in between; and it is drawn, so that tests running beside these hardly draw the same.
    """
    for port in secrets.SystemRandom().sample(range(10_000, _first_given_by_the_kernel()), 1000):
        if port not in _DRAWN and _is_free(port):
            _DRAWN.add(port)
            return port
    raise RuntimeError("no port of loopback is free")


_DRAWN: set[int] = set()


def _first_given_by_the_kernel() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32_768  # what Linux has by default; others begin at 49152


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)), socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            datagrams.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def listens(port: int) -> bool:
    """Whether somebody takes connections on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class ServerProcess:
    """One process at a time; what it prints is kept in a file and is what a failed start is explained with."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        command: Sequence[str | Path],
        ready: Callable[[], bool],
        *,
        user: Mapping[str, Any] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Run `command` and wait until `ready`; `user`: the keywords of Popen that choose one."""
        assert self._process is None, "stop it first"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd, **(user or {})
            )
        deadline = time.monotonic() + READY_S
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server did not start:\n{self.said()}")
            time.sleep(0.02)

    def said(self) -> str:
        """All it has printed."""
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """kill -9: connections are reset, its port is free. Nothing happens when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def end(self) -> None:
        """Ask it to end (SIGTERM), kill it when it does not."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self.kill()

    def freeze(self) -> None:
        """Stop the process: its connections stay open, new ones are accepted by the kernel, nothing is ever sent."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after freeze()."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
