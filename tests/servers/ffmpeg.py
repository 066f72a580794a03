"""The ffmpeg program as a server or sender of streams."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.process import ServerProcess
from tests.servers.rtsp import NO_SERVER


@contextmanager
def ffmpeg(folder: Path, *arguments: str | Path) -> Iterator[ServerProcess]:
    """ffmpeg with these arguments, killed in the end; what it prints goes to a file in `folder`.

    Skips the test where there is no ffmpeg. Nobody waits until it listens: asking it would take the place of its one
    visitor.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip(NO_SERVER)
    process = ServerProcess(folder / "ffmpeg.log")
    process.start([program, "-loglevel", "error", *arguments], ready=lambda: True)
    try:
        yield process
    finally:
        process.kill()
