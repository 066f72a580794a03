"""HTTP servers of the tests' own on loopback: what all of them do, whatever they answer."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class RoughHandler(BaseHTTPRequestHandler):
    """Writes no log, minds no visitor who leaves, and can leave without a word itself."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or keep-alive answers wait 40 ms for each other

    def body(self) -> bytes:
        """What was sent; shorter than announced when the sender died in the middle."""
        return self.rfile.read(int(self.headers["content-length"]))

    def low_headers(self) -> dict[str, str]:
        """The headers with their names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def cut(self) -> None:
        """Reset the connection: with nothing to linger for, closing sends RST."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with suppress(OSError):  # the other side has gone, as it should in some tests
            super().handle()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler], closing: threading.Event | None = None) -> Iterator[str]:
    """Serve until the block ends; yields `http://127.0.0.1:PORT`. `closing` is set before, for handlers that hang."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        if closing is not None:
            closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
