"""kill -9 at 200 random points of a run that delivers to an endpoint that fails, hangs and resets."""

from __future__ import annotations

import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest

from detector.core.problem import ProblemStatus
from detector.store import DeliveryState, Store, open_store
from tests.delivery.receiver import UNRELIABLE, Answer, Receiver, receiver

KILLS = 200
PATIENCE_S = 60.0  # for one step; only so that a hang ends


class Forker:
    """Talks to tests.delivery.killed_worker."""

    def __init__(self, root: Path, database: Path, url: str) -> None:
        command = [sys.executable, "-m", "tests.delivery.killed_worker", str(database), url]
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self.recorded: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())
        self._lines.put("end of output")

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")

    def wait_for(self, word: str) -> str:
        """The rest of the next line that begins with `word`; events recorded meanwhile are noted."""
        while True:
            kind, _, rest = self._lines.get(timeout=PATIENCE_S).partition(" ")
            if kind == "recorded":
                self.recorded.append(rest)
            if kind == word:
                return rest
            assert kind != "end", "the worker's parent has died"

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()


def unreliable(luck: random.Random) -> Answer:
    return luck.choices(
        UNRELIABLE,
        [70, 10, 2, 2, 8, 8],
    )[0]


def kill_again_and_again(forker: Forker, luck: random.Random) -> None:
    for number in range(KILLS):
        forker.tell("work")
        pid = int(forker.wait_for("started"))
        if number % 4:  # after some events; the others die while they start
            for _ in range(luck.randint(1, 6)):
                forker.wait_for("recorded")
        time.sleep(luck.uniform(0, 0.03))
        os.kill(pid, signal.SIGKILL)
        forker.wait_for("ended")


@pytest.mark.slow
def test_nothing_is_lost_and_repetitions_have_the_same_id(root: Path, tmp_path: Path) -> None:
    luck = random.Random(20260701)
    healthy = threading.Event()
    lock = threading.Lock()

    def reply(*_: object) -> Answer:
        with lock:
            return Answer() if healthy.is_set() else unreliable(luck)

    database = tmp_path / "street.db"
    with receiver(reply) as state:
        forker = Forker(root, database, state.url)
        try:
            kill_again_and_again(forker, random.Random(4711))
            healthy.set()
            forker.tell("drain")
            forker.wait_for("drained")
        finally:
            forker.close()
    store = open_store(str(database))
    try:
        check(store, state, forker.recorded)
    finally:
        store.close()


def check(store: Store, state: Receiver, recorded: list[str]) -> None:
    deliveries = store.deliveries(limit=10**6)
    known = {one.event_id for one in deliveries}
    assert state.unverified == []
    assert set(recorded) <= known  # what a commit promised is there
    assert set(state.ids) == known  # 0 lost, nothing made up
    assert {one.state for one in deliveries} == {DeliveryState.DELIVERED}

    bodies: dict[str, set[bytes]] = defaultdict(set)
    for event_id, body in state.accepted:
        bodies[event_id].add(body)
    assert {len(versions) for versions in bodies.values()} == {1}  # a repetition is the same event, byte for byte

    first = {event_id: position for position, event_id in reversed(list(enumerate(state.ids)))}
    for problem in store.problems(limit=10**6):
        opened, cleared = f"{problem.id}.1", f"{problem.id}.2"
        assert (cleared in known) is (problem.status is ProblemStatus.CLEARED)  # problem and event, both or neither
        assert opened in known
        if cleared in known:
            assert first[opened] < first[cleared]

    # the run was as rough as it claims to be
    assert len(recorded) >= KILLS
    assert len(state.requests) > len(state.accepted) > len(known)
