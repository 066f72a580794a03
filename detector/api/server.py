"""Serve an application from a thread of its own, and stop it without leaving anything behind."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from detector.errors import ConfigError, DetectorError

START_TIMEOUT_S = 20.0


class ServerHandle:
    """A running server."""

    def __init__(self, server: uvicorn.Server, thread: threading.Thread, host: str, port: int) -> None:
        self._server = server
        self._thread = thread
        self.host = host  # as bound
        self.port = port  # the real one, also when 0 was asked for

    @property
    def url(self) -> str:
        """`http://HOST:PORT` by which this machine reaches the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Let requests under way finish, cut what is left after `timeout_s`, and join the thread.

        Safe to call twice. Raises DetectorError when the thread does not end.
        """
        self._server.should_exit = True
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise DetectorError(f"the server on port {self.port} does not stop")


def serve_in_thread(app: ASGIApp, host: str, port: int, *, grace_s: float = 3.0, name: str = "http") -> ServerHandle:
    """Serve `app` on `host`:`port` (0 = any free port) and return once it answers.

    `grace_s` is how long open connections may finish when it stops. Requests are not logged here: their
    addresses may carry tokens. Raises ConfigError when the address cannot be bound, DetectorError when the
    application does not start.
    """
    listener = _bind(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=max(1, round(grace_s)),
    )
    server = uvicorn.Server(config)

    def serve() -> None:
        with listener, suppress(SystemExit):  # what uvicorn raises when the application does not start
            server.run(sockets=[listener])

    address = listener.getsockname()
    thread = threading.Thread(target=serve, name=f"{name}-server", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_TIMEOUT_S
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    handle = ServerHandle(server, thread, host, address[1])
    if not server.started:
        handle.stop()
        raise DetectorError(f"the server on {host}:{port} did not start; the log says why")
    return handle


def _bind(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(socket.SOMAXCONN)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another address or port"
        ) from error
    return listener
