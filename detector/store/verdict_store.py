"""The part of the store that is about what people decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from detector.core.verdict import Verdict
from detector.store import verdicts
from detector.store.engine import Database


class VerdictStore:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_verdicts(self, at: datetime, given: Iterable[Verdict], read: tuple[str, int] | None = None) -> None:
        """Take in what people decided; a verdict whose id is known changes nothing.

        read: name of the feed they came from, and how far it has been read with them; remembered in one transaction.
        """
        with self._database.writing() as connection:
            verdicts.add(connection, at, given)
            if read is not None:
                verdicts.advance(connection, *read)

    def feed_cursor(self, name: str) -> int:
        """How far a feed has been read; 0 for one that was never read."""
        with self._database.reading() as connection:
            return verdicts.cursor(connection, name)

    def pending_verdicts(self, cameras: Collection[str], limit: int = 100) -> list[Verdict]:
        """Verdicts about problems of these cameras that no worker has acted on yet, oldest first."""
        with self._database.reading() as connection:
            return verdicts.pending(connection, cameras, limit)

    def verdicts_about(self, problem_id: str) -> list[Verdict]:
        """All verdicts about a problem, oldest first."""
        with self._database.reading() as connection:
            return verdicts.about(connection, problem_id)
