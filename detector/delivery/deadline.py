"""An HTTP transport in which one time limit holds for the whole try.

httpx limits each single read; an endpoint that sends one byte now and then could hold a delivery for hours. Here every
read, write and handshake gets what is left of the try's time. `close` ends tries that are under way.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import httpcore
import httpx


class DeadlineTransport(httpx.HTTPTransport):
    """Keeps connections alive between tries; safe to use from several threads."""

    def __init__(self, connections: int) -> None:
        super().__init__(verify=_trusted())
        self._backend = _Backend()
        # the public transport does not take a backend; test_webhook.py would notice if this were without effect
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusted(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
            network_backend=self._backend,
        )

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """All that this thread does within the block ends after so many seconds, with a timeout error."""
        self._backend.ends.at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._backend.ends.at = None

    def close(self) -> None:
        """Close all connections, also those on which another thread waits: its try then fails at once."""
        for stream in self._backend.end():
            connection = stream.get_extra_info("socket")
            if isinstance(connection, socket.socket):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        super().close()


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The authorities that certifi lists, or those in SSL_CERT_FILE; reading them takes 50 ms, so once for all."""
    return httpx.create_ssl_context()


class _Ends(threading.local):
    at: float | None = None  # monotonic seconds

    def left(self, timeout: float | None) -> float | None:
        if self.at is None:
            return timeout
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the whole request is over")
        return left if timeout is None else min(timeout, left)


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self.ends = _Ends()
        self._streams: WeakSet[_Stream] = WeakSet()
        self._lock = threading.Lock()  # guards the streams and whether there may be more
        self._ended = False
        self._inner = httpcore.SyncBackend()

    def end(self) -> list[_Stream]:
        """Make no more streams; returns those that there are."""
        with self._lock:
            self._ended = True
            return list(self._streams)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        limit = self.ends.left(timeout)
        return self._kept(self._inner.connect_tcp(host, port, limit, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)

    def _kept(self, inner: httpcore.NetworkStream) -> httpcore.NetworkStream:
        stream = _Stream(inner, self)
        with self._lock:
            ended = self._ended
            self._streams.add(stream)
        if ended:  # closed while it was being connected: nobody else would end what waits on it
            stream.close()
            raise httpcore.ConnectError("closed")
        return stream


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, backend: _Backend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._backend.ends.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._backend.ends.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = self._backend.ends.left(timeout)
        return self._backend._kept(self._inner.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
