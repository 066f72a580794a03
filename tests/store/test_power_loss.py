"""What was recorded is still there when the power fails: with synchronous=FULL, and only with it."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from detector.store import DeliveryState, Store, open_store
from detector.store.engine import Database, Synchronous, make_engine
from detector.store.migrate import migrate
from tests.store import apsw_driver
from tests.store.losing_disk import LosingDisk
from tests.store.making import NOON, a_problem, an_entry, claim, delivered

EVENTS = 120
CUTS = 40


@dataclass
class Promises:
    """What the store had confirmed, each with the number of disk operations made by then."""

    recorded: list[tuple[int, str]] = field(default_factory=list)
    settled: list[tuple[int, str]] = field(default_factory=list)


def work(path: Path, disk: LosingDisk, synchronous: Synchronous) -> Promises:
    """Record events and settle some of their deliveries on a disk that is watched."""
    promises = Promises()
    engine = make_engine(
        str(path),
        synchronous=synchronous,
        module=apsw_driver,
        creator=lambda: apsw_driver.connect(str(path), disk.name),
    )
    database = Database(engine)
    migrate(database)
    with database.writing() as connection:
        # checkpoints are part of the story, so let them come often
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint=20")
    store = Store(database)
    for number in range(EVENTS):
        event_id = f"e{number:03}"
        store.record(NOON, [a_problem(f"p{number % 7}", revision=number)], [an_entry(event_id, f"p{number % 7}")])
        promises.recorded.append((len(disk.log), event_id))
        if number % 3 == 0:
            taken = claim(store)
            store.settle(NOON, *map(delivered, taken))
            promises.settled += [(len(disk.log), one.event_id) for one in taken]
    store.close()
    return promises


def broken_promises(path: Path, promises: Promises, moment: int) -> int:
    """How much of what had been confirmed by `moment` the database at `path` does not know."""
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    check.close()
    store = open_store(str(path))
    try:
        found = {one.event_id: one for one in store.deliveries(limit=EVENTS)}
        for event_id, one in found.items():  # an event is never there without its problem
            problem = store.problem(one.subject)
            assert problem is not None
            assert problem.revision >= int(event_id[1:])
    finally:
        store.close()
    recorded = [event_id for when, event_id in promises.recorded if when <= moment]
    settled = [event_id for when, event_id in promises.settled if when <= moment]
    lost = sum(event_id not in found for event_id in recorded)
    return lost + sum(
        event_id in found and found[event_id].state is not DeliveryState.DELIVERED for event_id in settled
    )


@pytest.mark.parametrize(("synchronous", "keeps_its_word"), [("FULL", True), ("NORMAL", False), ("OFF", False)])
def test_power_cuts(tmp_path: Path, synchronous: Synchronous, keeps_its_word: bool) -> None:
    luck = random.Random(4711)
    with LosingDisk() as disk:
        (tmp_path / "live").mkdir()
        promises = work(tmp_path / "live" / "street.db", disk, synchronous)
    first = promises.recorded[0][0]  # the tables are made and one event is promised
    broken, refused = 0, 0
    for number in range(CUTS):
        folder = tmp_path / f"cut{number}"
        folder.mkdir()
        moment = luck.randint(first, promises.recorded[-1][0])
        disk.after_power_cut(moment, folder, luck if number % 2 else None)
        try:
            broken += broken_promises(folder / "street.db", promises, moment)
        except (sqlite3.DatabaseError, AssertionError):
            if keeps_its_word:
                raise
            refused += 1  # the file itself is damaged
    assert (broken + refused == 0) is keeps_its_word, f"{broken} events lost, {refused} databases damaged"
