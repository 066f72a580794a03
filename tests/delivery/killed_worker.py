"""A small worker to be killed: records problems with their events and delivers them, as fast as it can.

Forks a fresh worker for each line on its standard input, because starting Python anew takes longer than a worker
lives here. Each worker writes `recorded <event id>` after each commit. `drain` instead of `work` records nothing and
ends by itself when nothing waits any more.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from datetime import UTC, datetime, timedelta

from detector.core.detection import BoundingBox
from detector.core.event import ProblemEvent
from detector.core.problem import EventKind, Place, Problem, ProblemStatus
from detector.delivery.breaker import BreakerPolicy
from detector.delivery.cloudevent import cloud_event
from detector.delivery.courier import Courier, Route
from detector.delivery.endpoint import Endpoint
from detector.delivery.webhook import Webhook
from detector.store import OutboxEntry, Store, open_store
from tests.delivery.receiver import SECRET

ENDPOINT = {
    "name": "desk",
    "secrets": (SECRET,),
    "schedule": (timedelta(0), *[timedelta(milliseconds=10)] * 10_000),
    "timeout_s": 0.25,
}
BREAKER = BreakerPolicy(failures=4, first_pause=timedelta(milliseconds=10), longest_pause=timedelta(milliseconds=40))


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def record(store: Store, name: str, kind: EventKind, status: ProblemStatus, revision: int) -> None:
    now = datetime.now(UTC)
    place = Place(BoundingBox(1, 2, 3, 4), (1920, 1080))
    problem = Problem(
        *(name, "exposed_garbage", "garbage", "north", place, status, now, now, now, 1, 1, 0.5), revision=revision
    )
    event = ProblemEvent(f"{name}.{revision}", kind, problem, now)
    entry = OutboxEntry(event.id, f"problem.{kind.value}", name, now, cloud_event(event), ("desk",))
    store.record(now, [problem], [entry])
    say(f"recorded {event.id}")


def work(database: str, url: str, generation: int) -> None:
    store = open_store(database)
    endpoint = Endpoint(url=url, **ENDPOINT)  # type: ignore[arg-type]
    courier = Courier(store, [Route(endpoint, Webhook(endpoint))], "w1", breaker=BREAKER, poll_s=0.005)
    courier.start()
    if generation < 0:
        while store.outbox_depth():
            time.sleep(0.01)
        courier.stop(5.0)
        store.close()
        say("drained")
        return
    number = 0
    while True:
        name = f"g{generation}n{number}"
        record(store, name, EventKind.OPENED, ProblemStatus.OPEN, 1)
        record(store, name, EventKind.CLEARED, ProblemStatus.CLEARED, 2)
        number += 1
        if store.outbox_depth() > 60:  # let the endpoint keep up, so that it is always in the middle of something
            time.sleep(0.002)


def main() -> None:
    database, url = sys.argv[1:]
    logging.disable()
    Webhook(Endpoint(url=url, **ENDPOINT)).close()  # type: ignore[arg-type]  # what takes long the first time
    for generation, line in enumerate(sys.stdin):
        pid = os.fork()
        if pid == 0:
            try:
                work(database, url, -1 if line.strip() == "drain" else generation)
            finally:
                os._exit(0)
        say(f"started {pid}")
        os.waitpid(pid, 0)
        say(f"ended {pid}")


if __name__ == "__main__":
    main()
