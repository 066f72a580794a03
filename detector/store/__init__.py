"""All SQL lives here: problems, events and their deliveries, cameras; SQLite by default, PostgreSQL for many nodes."""

from detector.core.health import CameraState
from detector.store.deliveries import DeliveryRecord
from detector.store.endpoints import EndpointState
from detector.store.engine import file_of
from detector.store.outbox import Delivery, DeliveryState, OutboxEntry, Settlement
from detector.store.store import LookRecord, Store, open_store

__all__ = [
    "CameraState",
    "Delivery",
    "DeliveryRecord",
    "DeliveryState",
    "EndpointState",
    "LookRecord",
    "OutboxEntry",
    "Settlement",
    "Store",
    "file_of",
    "open_store",
]
