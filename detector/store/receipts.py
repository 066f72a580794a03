"""What an endpoint answered about an event, kept the moment it is known, beside the delivery it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update

from detector.store.schema import delivery, event
from detector.store.store import Store


class Receipts:
    """The receipts of one endpoint. Every method is one transaction and raises StoreError when the database refuses.

    A courier writes receipts too, when it settles a delivery, but only after a while; a sink that must never repeat
    itself cannot wait for that.
    """

    def __init__(self, store: Store, endpoint: str) -> None:
        self._database = store._database
        self._endpoint = endpoint

    def get(self, event_id: str) -> dict[str, str]:
        """What is known of an event; empty when nothing is."""
        query = select(delivery.c.receipt).join_from(delivery, event)
        query = query.where(event.c.id == event_id, delivery.c.endpoint == self._endpoint)
        with self._database.reading() as connection:
            return dict(connection.scalar(query) or {})

    def keep(self, event_id: str, receipt: Mapping[str, str]) -> None:
        """Replace what is known of an event; on disk when this returns."""
        sequence = select(event.c.sequence).where(event.c.id == event_id).scalar_subquery()
        statement = update(delivery).where(delivery.c.event_sequence == sequence, delivery.c.endpoint == self._endpoint)
        with self._database.writing() as connection:
            connection.execute(statement.values(receipt=dict(receipt) or None))

    def among(self, event_ids: Sequence[str]) -> list[dict[str, str]]:
        """The receipts of these events, oldest event first; events without one are left out."""
        query = select(delivery.c.receipt).join_from(delivery, event).order_by(delivery.c.event_sequence)
        query = query.where(event.c.id.in_(event_ids), delivery.c.endpoint == self._endpoint)
        with self._database.reading() as connection:
            return [dict(receipt) for receipt in connection.scalars(query) if receipt]
