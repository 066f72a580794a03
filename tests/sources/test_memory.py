"""The scripted source keeps the port's promises."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from detector.core.frame import Frame
from detector.errors import SourceUnreachable
from detector.ports import FrameSource
from detector.sources.memory import MemorySource
from tests.sources.clips import NOON

FRAME = Frame("gate", NOON, np.zeros((4, 4, 3), np.uint8))


def test_the_script_is_played_and_ends() -> None:
    source: FrameSource = MemorySource([FRAME, SourceUnreachable("gone"), FRAME])
    assert source.read() is FRAME
    with pytest.raises(SourceUnreachable, match="gone"):
        source.read()
    assert source.read() is FRAME
    assert source.read() is None


def test_a_blocking_source_times_out_or_ends_on_close() -> None:
    with pytest.raises(SourceUnreachable, match="no data"):
        MemorySource([], blocks=True, timeout_s=0.01).read()
    source = MemorySource([], blocks=True, timeout_s=60)
    outcome: list[Frame | None] = []
    thread = threading.Thread(target=lambda: outcome.append(source.read()))
    thread.start()
    source.close()
    source.close()
    thread.join(10)
    assert outcome == [None]
    assert source.closings == 2
    assert source.read() is None
