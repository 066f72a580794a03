"""How commands that stay are told to end."""

from __future__ import annotations

import signal
import threading


def told_to_end() -> threading.Event:
    """Set from now on by SIGTERM and Ctrl-C, which end nothing else. To be called in the main thread."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    return ending
