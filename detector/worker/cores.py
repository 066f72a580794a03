"""How the threads of one worker share the cores: seeing comes first, then deciding; reading takes the time left.

A batch that has been taken frees as many readers at once, and on equal terms those would take the core that the network
needs for the next one. What is decoded before it can be looked at only waits, or is dropped for something newer.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import suppress

import cv2

DECIDING, READING = 5, 15
"""Steps of niceness behind the thread that sees. On a core that the network wants too, deciding gets a quarter and a
reader 3 %; of any other core both get what nobody else takes."""


def share_cores() -> None:
    """Settings of the whole process, made once all that lives as long as it does is loaded."""
    # Each reader scales its own picture; a second thread for a millisecond's work costs more than it gains.
    cv2.setNumThreads(1)
    # The libraries alone hold 120,000 objects for good. To look through them for garbage stops every thread for 65 ms.
    gc.collect()
    gc.freeze()


def give_way(steps: int) -> None:
    """Let the calling thread stand back by steps of niceness. Cannot be taken back.

    On Linux only: elsewhere threads have no niceness of their own.
    """
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):  # a system that forbids it only costs speed
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + steps))
