"""Which settings are taken while the process runs, and which at its next start only."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from detector.config import Settings

log = logging.getLogger(__name__)

TAKEN_AT_ONCE = frozenset(
    {
        *("cameras", "cameras_file", "categories", "endpoints", "evidence", "log", "looks", "patrol", "rules"),
        *("sampling", "timezone"),
    }
)
"""Sections that SIGHUP takes whole; of `model` it takes the path."""

AT_THE_NEXT_START: Mapping[str, frozenset[str] | None] = {
    "api": None,
    "database": None,
    "desk": None,
    "intake": None,  # read by a process of its own
    "model": frozenset({"backend", "batch_size", "input_size", "max_wait_ms", "provider", "threads"}),
    "site": None,  # the source of all events: one that waits and one that follows should not differ
}
"""Sections of which some keys, or all (None), are read when the process starts only."""


def waits(before: Settings, fresh: Settings) -> Iterator[str]:
    """Keys of the settings that have changed and take effect at the next start only."""
    for section, keys in AT_THE_NEXT_START.items():
        old, new = getattr(before, section), getattr(fresh, section)
        if keys is None and old != new:
            yield section
        for key in sorted(keys or ()):
            if getattr(old, key) != getattr(new, key):
                yield f"{section}.{key}"


def tell_what_waits(before: Settings, fresh: Settings) -> None:
    """Log what of a reload is not taken, and what it leaves behind."""
    for key in waits(before, fresh):
        log.warning("a change of `%s` takes effect at the next start", key)
    for name, old, new in (
        ("pictures", before.evidence.directory, fresh.evidence.directory),
        ("looks", before.looks.directory, fresh.looks.directory),
    ):
        if old is not None and old != new:
            log.warning(
                "%s that are in %s stay there and are no longer deleted when their time is over: "
                "move them to %s, or delete them yourself",
                *(name, old, new or "a safe place"),
            )
