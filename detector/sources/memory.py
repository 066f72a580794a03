"""The double beside the real sources: frames and failures by script."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from detector.core.frame import Frame
from detector.errors import SourceUnreachable


class MemorySource:
    """Gives what its script holds, in order; an error in the script is raised. Implements FrameSource.

    After the script the source ends, or, with `blocks`, stays silent like a camera that hangs: read() then waits for
    close() at most `timeout_s` and raises SourceUnreachable.
    """

    def __init__(
        self,
        script: Iterable[Frame | Exception],
        *,
        blocks: bool = False,
        timeout_s: float = 5.0,
    ) -> None:
        """`timeout_s`: seconds until a blocking source gives up."""
        self._script = iter(script)
        self._blocks = blocks
        self._timeout_s = timeout_s
        self._closed = threading.Event()
        self.closings = 0
        self.hastenings = 0

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._closed.is_set()

    def read(self) -> Frame | None:
        """See FrameSource."""
        if self.closed:
            return None
        step = next(self._script, None)
        if isinstance(step, Exception):
            raise step
        if step is None and self._blocks and not self._closed.wait(self._timeout_s):
            raise SourceUnreachable(f"no data for {self._timeout_s:g} s")
        return step

    def hasten(self) -> None:
        """See FrameSource: the script knows no time; only counted."""
        self.hastenings += 1

    def close(self) -> None:
        """See FrameSource."""
        self.closings += 1
        self._closed.set()
