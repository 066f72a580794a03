"""Durable events per second: what a commit, an event and a delivery cost, against the bare disk in the same run."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from detector.core.detection import BoundingBox
from detector.core.event import ProblemEvent
from detector.core.problem import EventKind, Place, Problem, ProblemStatus
from detector.delivery.cloudevent import cloud_event
from detector.delivery.courier import Courier, Route
from detector.delivery.endpoint import Endpoint
from detector.delivery.recording import RecordingSink
from detector.delivery.signature import new_secret
from detector.store import LookRecord, OutboxEntry, Store, open_store

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
EVENTS = 2000
SYNCS = 300
BACKLOG = 20_000
GROUPS = (1, 10, 100)


def measure() -> dict[str, Any]:
    """One row for each way of writing, one for delivering, one for claiming beside a long line that waits."""
    rows: list[list[Any]] = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("STREET_BENCH_DIR")) as name:
        folder = Path(name)
        syncs = SYNCS / _wall(partial(_bare_syncs, folder / "bare"))
        rows.append(["4 KiB append + fdatasync, no database", round(syncs), None])
        rates = {}
        for group in GROUPS:
            store = open_store(str(folder / f"group{group}.db"))
            records = _records(f"g{group}")
            used = time.process_time()
            rates[group] = EVENTS / _wall(partial(_write, store, records, group))
            used = time.process_time() - used
            rows.append([f"record, {group} looks per transaction", round(rates[group]), used / EVENTS * 1e6])
            if group != GROUPS[-1]:
                store.close()
        used = time.process_time()
        delivered = EVENTS / _wall(partial(_deliver, store))
        used = time.process_time() - used
        rows.append(["claim, hand to a sink that accepts, settle", round(delivered), used / EVENTS * 1e6])
        store.close()
        alone, beside = _claims(folder)
    return {
        "title": "Durable events",
        "about": f"{EVENTS} looks, each with a problem, an event of about 1.2 KB and a delivery, into SQLite with "
        "synchronous=FULL: on disk when the call returns. One thread writes; two deliver.",
        "columns": ["what", "events/s", "CPU, microseconds per event"],
        "rows": rows,
        "ratios": [
            {
                "name": "events/s with 100 looks per transaction over one look per transaction",
                "ratio": rates[100] / rates[1],
                "target": "at least 5",
                "holds": rates[100] >= 5 * rates[1],
            },
            {
                "name": f"time to claim 16 deliveries beside {BACKLOG} that wait in one line, over without them",
                "ratio": beside / alone,
                "target": "at most 2",
                "holds": beside <= 2 * alone,
            },
        ],
    }


def _records(prefix: str, endpoint: str = "desk") -> list[LookRecord]:
    made = []
    for number in range(EVENTS):
        place = Place(BoundingBox(1, 2, 3, 4), (1920, 1080))
        problem = Problem(
            *(f"{prefix}-{number}", "exposed_garbage", "garbage", f"camera-{number % 200}", place, ProblemStatus.OPEN),
            *(NOW, NOW, NOW, 20, 18, 0.87),
        )
        event = ProblemEvent(f"{prefix}-{number}", EventKind.OPENED, problem, NOW)
        entry = OutboxEntry(event.id, "problem.opened", problem.id, NOW, cloud_event(event), (endpoint,))
        made.append(LookRecord([problem], [entry]))
    return made


def _write(store: Store, records: list[LookRecord], group: int) -> None:
    for first in range(0, len(records), group):
        store.record_many(NOW, records[first : first + group])


def _deliver(store: Store) -> None:
    endpoint = Endpoint("desk", "http://127.0.0.1/", (new_secret(),))
    sink = RecordingSink()
    courier = Courier(store, [Route(endpoint, sink)], "bench")
    courier.start()
    courier.stop(600.0)
    if len(sink.sent) != EVENTS:
        raise RuntimeError(f"{len(sink.sent)} of {EVENTS} events delivered")


def _claims(folder: Path) -> tuple[float, float]:
    """Best seconds to claim 16 due deliveries: without and with a long line behind a head that is not due."""
    store = open_store(str(folder / "claims.db"))
    _write(store, _records("due"), 100)

    def claim() -> float:
        started = time.perf_counter()
        taken = store.claim_due(NOW, 16, "bench", timedelta(minutes=1), ["desk"])
        spent = time.perf_counter() - started
        if len(taken) != 16:
            raise RuntimeError(f"{len(taken)} of 16 claimed")
        store.unclaim("bench")
        return spent

    alone = min(claim() for _ in range(20))
    later = NOW + timedelta(hours=1)
    waiting = [OutboxEntry(f"w{n}", "problem.updated", "one", NOW, b"{}", ("desk",)) for n in range(BACKLOG)]
    store.record(later, (), waiting)
    beside = min(claim() for _ in range(20))
    store.close()
    return alone, beside


def _bare_syncs(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            os.fdatasync(file.fileno())


def _wall(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
