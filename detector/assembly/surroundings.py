"""What the pure rooms are given of the world: the clock, ids, the name of this machine, the database."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from detector.config import load_settings
from detector.errors import ConfigError
from detector.store import Store, file_of, open_store


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def new_id() -> str:
    """A random id for a new suspicion."""
    return str(uuid4())


def default_worker_id() -> str:
    """The host's name: the same after a restart, so that a worker finds its own cameras and claims again."""
    return socket.gethostname() or f"worker-{os.getpid()}"


@contextmanager
def open_store_of(config: Path) -> Iterator[Store]:
    """The store that a settings file names, for as long as the block lasts. Raises ConfigError when it is not there."""
    url = load_settings(config).database
    file = file_of(url)
    if file is not None and not file.exists():
        raise ConfigError(f"there is no database {file} yet: `detector run` makes it; or are these other settings?")
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()
