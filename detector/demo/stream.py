"""A camera for the demo: a clip, served in real time and for ever over RTSP on loopback.

The server is the package aio-rtsp-toolkit (extra `demo`): it pays out the clip's H.264 or H.265 as it is, over TCP,
with time stamps that go on over the clip's end and with RTCP sender reports. Each visitor sees the clip from its start.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from detector.errors import SourceUnreachable
from detector.logs import logger

log = logger(__name__)

HOST = "127.0.0.1"
SUFFIXES = (".mp4", ".mkv")


class _Quiet:
    """The server's logger; it would print a line to standard output for every step of every visitor."""

    def log(self, level: str, message: str, **_: object) -> None:
        if level.upper() == "ERROR":
            self.error(message)

    def debug(self, message: str, **_: object) -> None: ...

    info = warning = debug

    def error(self, message: str, **_: object) -> None:
        log.warning("demo stream", reason=message)


class DemoStream:
    """A running server, with one thread of its own; use as a context manager or call stop()."""

    def __init__(self, clip: Path, port: int) -> None:
        """See serve."""
        try:
            from aio_rtsp_toolkit import server as rtsp
        except ImportError as error:
            raise SourceUnreachable(
                "the demo's camera needs the package aio-rtsp-toolkit: pip install 'street-detector[demo]'"
            ) from error
        if clip.suffix.lower() not in SUFFIXES or not clip.is_file():
            raise SourceUnreachable(f"{clip}: no such clip ({', '.join(SUFFIXES)})")
        self.port = port or _free_port()
        # Loops for ever by a part of its path, not by a query, which would be hidden wherever the address is shown.
        self.url = f"rtsp://{HOST}:{self.port}/{quote(clip.name)}/play_count_0"
        self._server = rtsp.RtspServer(str(clip.parent.resolve()), host=HOST, port=self.port)
        self._server.logger = _Quiet()
        self._loop = asyncio.new_event_loop()
        self._begun = threading.Event()
        self._failures: list[OSError] = []
        self._thread = threading.Thread(target=self._run, name="demo-stream", daemon=True)
        self._thread.start()
        self._begun.wait()
        for failure in self._failures:
            self._thread.join()
            raise SourceUnreachable(f"port {self.port} on {HOST}: {failure.strerror}") from failure

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._server.start())
        except OSError as error:
            self._failures.append(error)
            self._begun.set()
            self._loop.close()
            return
        self._begun.set()
        self._loop.run_forever()
        # On Python 3.11 asyncio reports each cancelled connection as an unhandled error.
        self._loop.set_exception_handler(lambda *_: None)
        visitors = asyncio.all_tasks(self._loop)
        for visitor in visitors:
            visitor.cancel()
        self._loop.run_until_complete(asyncio.gather(*visitors, return_exceptions=True))
        self._loop.run_until_complete(asyncio.wait_for(self._server.close(), 5))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def stop(self) -> None:
        """Hang up on all visitors and end the thread; safe to call twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def __enter__(self) -> DemoStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def serve(clip: Path, port: int = 0) -> DemoStream:
    """Serve `clip` (mp4 or mkv with H.264 or H.265) at the address `url` of what is returned, until its stop().

    `port` 0 takes a free one. Raises SourceUnreachable if there is no such clip, the port is taken, or the server's
    package is not installed.
    """
    return DemoStream(clip, port)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
