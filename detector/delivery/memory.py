"""What a sink that must not repeat itself remembers of its events."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Protocol


class Memory(Protocol):
    """Receipts of one endpoint by event id; `detector.store.receipts.Receipts` keeps them in the database."""

    def get(self, event_id: str) -> dict[str, str]:
        """What is known of an event; empty when nothing is."""
        ...

    def keep(self, event_id: str, receipt: Mapping[str, str]) -> None:
        """Replace what is known of an event; safe from a crash when this returns."""
        ...

    def among(self, event_ids: Sequence[str]) -> list[dict[str, str]]:
        """The receipts of these events, oldest event first; events without one are left out."""
        ...


class ShortMemory:
    """The double for tests and previews: forgets everything with the process."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def get(self, event_id: str) -> dict[str, str]:
        """See Memory."""
        with self._lock:
            return dict(self.kept.get(event_id, {}))

    def keep(self, event_id: str, receipt: Mapping[str, str]) -> None:
        """See Memory."""
        with self._lock:
            self.kept[event_id] = dict(receipt)

    def among(self, event_ids: Sequence[str]) -> list[dict[str, str]]:
        """See Memory; in the order given."""
        with self._lock:
            return [dict(self.kept[one]) for one in event_ids if self.kept.get(one)]


ACCEPTED = "accepted_at"
"""In a receipt: when the endpoint took the event in; it is never sent to it again."""

POSTING = "posting_since"
"""In a receipt: when the newest POST began whose outcome is not known."""

ASKED = "asked_at"
"""In a receipt: when a person was asked about a lost answer; the next try is their answer."""
