"""kill -9 of a whole `detector run` at random points: of what its cameras saw, nothing is lost and nothing made up.

tests/delivery/test_kill.py does the same to recorder, store and courier alone, far more often; here all of it dies
together, from the reading of the settings to the picture of an event on disk.
"""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from detector.core.problem import ProblemStatus
from detector.store import DeliveryState, Store, open_store
from tests.acceptance.drawn import colour_bundle
from tests.acceptance.test_whole_line import Running, write_settings
from tests.delivery.receiver import SECRET, UNRELIABLE, Answer, Receiver, receiver

LEAST_KILLS, MOST_KILLS = 12, 200
KILLING_S = 75.0
"""Runs are killed for so long: how often that is depends on the machine, and is printed."""
PATIENCE_S = 120.0  # for one step; only so that a hang ends
STARTING_S = 0.8  # in which some are killed; an idle machine takes about as long until the first look

ROUND_S, DIRTY = 10, range(3, 7)
"""Each camera sees garbage in these seconds of each ten: confirmed by the second look, gone by the second without."""
AGAIN_S = 5
"""Pictures of so many seconds before its newest event are still in the folder when a run begins."""
AHEAD_S = 30
CATEGORIES = {
    "extends": "default",
    "categories": {
        "exposed_garbage": {
            "confirm": {"looks": 2, "of": 2, "dwell": "1 s"},
            "clear": {"looks": 2, "after": "1 s", "reopen_within": "2 s"},
        }
    },
}


class Album:
    """A camera whose pictures come into a folder, one a second; the time of a file is that of its capture."""

    def __init__(self, folder: Path, began: datetime, phase: int) -> None:
        folder.mkdir()
        self.folder, self.name = folder, folder.name
        self._began, self._phase = began, phase
        rng = np.random.default_rng(phase)
        street = rng.integers(10, 80, (30, 40, 3)).repeat(8, 0).repeat(8, 1)
        self._pictures = [self._picture(street, rng, second) for second in range(ROUND_S)]
        self.end = 0  # the first second that no run has been shown

    def dirty(self, second: int) -> bool:
        """Whether there is garbage in that second."""
        return (second + self._phase) % ROUND_S in DIRTY

    def _picture(self, street: Any, rng: np.random.Generator, second: int) -> bytes:
        picture = street + rng.integers(-4, 5, street.shape) + np.array([0, 0, 150 if self.dirty(second) else 0])
        return cv2.imencode(".jpg", picture.clip(0, 255).astype(np.uint8))[1].tobytes()

    def moment(self, second: int) -> datetime:
        return self._began + timedelta(seconds=second)

    def show(self, newest: datetime | None, seconds: int) -> None:
        """Keep what is not older than AGAIN_S before `newest`, and have pictures of so many `seconds` from there on."""
        start = 0 if newest is None else max(0, round((newest - self._began).total_seconds()) - AGAIN_S)
        for path in self.folder.iterdir():
            if int(path.stem) < start:
                path.unlink()
        rounds = -(-(start + seconds + self._phase) // ROUND_S)
        self.end = max(self.end, rounds * ROUND_S - self._phase)
        for second in range(start, self.end):
            path = self.folder / f"{second:06}.jpg"
            if not path.exists():
                path.write_bytes(self._pictures[second % ROUND_S])
                taken = self.moment(second).timestamp()
                os.utime(path, (taken, taken))

    def moments(self) -> list[datetime]:
        """When its pictures were taken, of all that was shown. The network has something to say about each of them."""
        return [self.moment(second) for second in range(self.end)]

    def blocks(self) -> int:
        """How many times garbage was put there and taken away."""
        return sum(self.dirty(second) and not self.dirty(second + 1) for second in range(self.end))


class Runs:
    """Talks to tests.acceptance.killed_run."""

    def __init__(self, root: Path, settings: Path, worse: str) -> None:
        command = [sys.executable, "-m", "tests.acceptance.killed_run", str(settings), worse]
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._log = settings.parent / "run.log"
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())
        self._lines.put("gone")

    def start(self) -> int:
        """Start a run; its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write("run\n")
        return int(self.wait_for("started"))

    def wait_for(self, word: str) -> str:
        kind, _, rest = self._lines.get(timeout=PATIENCE_S).partition(" ")
        assert kind == word, self.log()
        return rest

    @property
    def alive(self) -> bool:
        return self._lines.empty()

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()


class Unreliable:
    """Fails, hangs and resets, but never so often in a row that the worker stops asking."""

    IN_A_ROW = 3

    def __init__(self) -> None:
        self._luck = random.Random(20260702)
        self._lock = threading.Lock()
        self._bad = 0
        self.healthy = False

    def __call__(self, *_: object) -> Answer:
        with self._lock:
            if self.healthy or self._bad >= self.IN_A_ROW:
                self._bad = 0
                return Answer()
            answer = self._luck.choices(UNRELIABLE, [60, 16, 3, 3, 9, 9])[0]
            self._bad = 0 if answer == Answer() else self._bad + 1
            return answer


class Installation:
    """Two cameras, a worker that is killed and started again, an endpoint nobody can rely on."""

    def __init__(self, folder: Path, bureau: Receiver) -> None:
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
        self.albums = [Album(folder / "gate", began, 0), Album(folder / "yard", began, 5)]
        cameras: list[dict[str, object]] = [{"id": one.name, "url": str(one.folder)} for one in self.albums]
        self.settings = write_settings(folder, cameras, bureau.url, colour_bundle(folder / "colours"))
        (folder / "categories.yaml").write_text(yaml.safe_dump(CATEGORIES))
        written = yaml.safe_load(self.settings.read_text())
        written["endpoints"] = [
            {
                "name": "bureau",
                "url": bureau.url,
                "secrets": [SECRET],
                "events": ["problem.*", "camera.health", "detection.observed"],
                "timeout": 0.3,
                "retry_schedule": [0, *[0.02] * 500],
            }
        ]
        written["model"] |= {"threads": 1, "max_wait_ms": 1}
        written["evidence"]["public_url"] = "http://pictures.example/"
        written["log"]["level"] = "info"
        self.settings.write_text(yaml.safe_dump(written))
        self.evidence = folder / "evidence"
        self.database = f"sqlite:///{folder / 'street.db'}"
        self._file = folder / "street.db"

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = open_store(self.database)
        try:
            yield store
        finally:
            store.close()

    def show(self, seconds: int = AHEAD_S) -> None:
        """Have the cameras go on from the newest event of each."""
        newest: dict[str, datetime] = {}
        if self._file.exists():
            with self.store() as store:
                for album in self.albums:
                    for one in store.deliveries(subject=album.name, limit=1):
                        newest[album.name] = one.occurred_at
        for album in self.albums:
            album.show(newest.get(album.name), seconds)


def kill_again_and_again(here: Installation, runs: Runs, bureau: Receiver, least: int, most: int) -> int:
    """How many runs were killed."""
    luck = random.Random(815)
    until = time.monotonic() + KILLING_S
    for number in range(most):
        if number >= least and time.monotonic() > until:
            return number
        here.show()
        moved, asked = runs.log().count('"problem.'), len(bureau.requests)
        pid = runs.start()
        more = luck.randint(1, 6)
        deadline = time.monotonic() + PATIENCE_S
        match number % 4:
            case 0:  # while it starts
                time.sleep(luck.uniform(0, STARTING_S))
            case 1:  # while it delivers, perhaps what earlier runs left behind
                while runs.alive and len(bureau.requests) < asked + more:
                    assert time.monotonic() < deadline, runs.log()
                    time.sleep(0.002)
            case _:  # while problems begin and end
                while runs.alive and runs.log().count('"problem.') < moved + more:
                    assert time.monotonic() < deadline, runs.log()
                    time.sleep(0.002)
        time.sleep(luck.uniform(0, 0.05))
        with suppress(ProcessLookupError):  # the worse product kills itself
            os.kill(pid, signal.SIGKILL)
        assert runs.wait_for("ended") == f"by {signal.SIGKILL:d}", runs.log()
    return most


def let_it_drain(here: Installation) -> None:
    """A run of its own that nobody kills, until all has been looked at and delivered."""
    here.show()
    running = Running(here.settings)
    try:
        for album in here.albums:
            running.wait_for(f'"source has ended", "camera_id": "{album.name}"', PATIENCE_S)
        with here.store() as store:
            deadline = time.monotonic() + PATIENCE_S
            while store.outbox_depth():
                assert time.monotonic() < deadline, running.log.read_text()
                time.sleep(0.05)
    finally:
        code = running.end()
    assert code == 0


def lived_through(root: Path, folder: Path, least: int, most: int, worse: str = "") -> None:
    """Kill runs, let the last one drain, and check; raises AssertionError for what is lost or made up."""
    answers = Unreliable()
    with receiver(answers) as bureau:
        here = Installation(folder, bureau)
        here.show()
        runs = Runs(root, here.settings, worse)
        try:
            killed = kill_again_and_again(here, runs, bureau, least, most)
        finally:
            runs.close()
        answers.healthy = True
        let_it_drain(here)
        with here.store() as store:
            check(store, bureau, here)
            told, lived = len(set(bureau.ids)), len(store.problems(limit=10**6))
    print(f"{killed} runs killed, {told} events of {lived} problems, {len(bureau.accepted)} taken in")


def check(store: Store, bureau: Receiver, here: Installation) -> None:
    deliveries = store.deliveries(limit=10**6)
    known = {one.event_id for one in deliveries}
    assert bureau.unverified == []
    assert len(known) == len(deliveries)
    assert {one.state for one in deliveries} == {DeliveryState.DELIVERED}
    assert set(bureau.ids) == known, "0 lost, nothing made up"

    bodies: dict[str, set[bytes]] = defaultdict(set)
    for event_id, body in bureau.accepted:
        bodies[event_id].add(body)
    assert {len(versions) for versions in bodies.values()} == {1}, "a repetition is the same event, byte for byte"
    assert all(json.loads(body)["id"] == event_id for event_id, body in bureau.accepted)

    # what there is to tell is known from the pictures alone
    first = {event_id: position for position, event_id in reversed(list(enumerate(bureau.ids)))}
    problems = store.problems(limit=10**6)
    for album in here.albums:
        observed = [one.occurred_at for one in deliveries if one.subject == album.name]
        assert sorted(observed) == album.moments(), "each look is told of, under one id"
        mine = [one for one in problems if one.camera_id == album.name]
        assert {one.status for one in mine} == {ProblemStatus.CLEARED}
        assert len(mine) == album.blocks()
        for one in mine:
            told = sorted((d for d in deliveries if d.subject == one.id), key=lambda d: d.occurred_at)
            assert [d.type for d in told] == ["problem.opened", "problem.cleared"]
            assert first[told[0].event_id] < first[told[1].event_id]
            assert not album.dirty(round((told[1].occurred_at - album.moment(0)).total_seconds()))
    assert Counter(one.type for one in deliveries).keys() == {"detection.observed", "problem.opened", "problem.cleared"}

    # the picture was on disk, and whole, before its event was
    for versions in bodies.values():
        told = json.loads(min(versions))
        if "problem." in told["type"]:
            link = told["data"]["evidence"]["url"]
            picture = cv2.imread(str(here.evidence / link.removeprefix("http://pictures.example/")))
            assert picture is not None, link

    # the run was as rough as it claims to be
    assert len(bureau.requests) > len(bureau.accepted) > len(known)


@pytest.mark.slow
@pytest.mark.timeout(900)  # only so that a hang ends: a busy machine takes five minutes for the least
def test_nothing_is_lost_and_nothing_is_opened_twice(root: Path, tmp_path: Path) -> None:
    lived_through(root, tmp_path, LEAST_KILLS, MOST_KILLS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("worse", "noticed"), [("answers", "0 lost, nothing made up"), ("transactions", "problem.opened")]
)
def test_a_lost_event_would_be_noticed(root: Path, tmp_path: Path, worse: str, noticed: str) -> None:
    with pytest.raises(AssertionError, match=noticed):
        lived_through(root, tmp_path, 4, 4, worse)
