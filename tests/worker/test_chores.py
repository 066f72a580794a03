"""Chores: each in its time, a failing one costs no other, and the end waits for the one under way."""

from __future__ import annotations

import threading
from collections import Counter

from detector.errors import DetectorError
from detector.worker.chores import Chore, Chores
from tests.worker.doubles import until


def test_each_is_done_at_once_and_again_when_it_is_due_whatever_others_do() -> None:
    done = Counter[str]()

    def do(name: str, error: Exception | None = None) -> None:
        done[name] += 1
        if error is not None:
            raise error

    chores = Chores(
        [
            Chore("ill", 0.01, lambda: do("ill", DetectorError("no disk"))),
            Chore("broken", 0.01, lambda: do("broken", ZeroDivisionError())),
            Chore("often", 0.01, lambda: do("often")),
            Chore("daily", 86_400, lambda: do("daily")),
        ]
    )
    chores.start()
    assert until(lambda: min(done["ill"], done["broken"], done["often"]) >= 3)
    chores.stop()
    assert not chores.is_alive()
    assert done["daily"] == 1


def test_the_end_waits_for_the_chore_under_way_and_begins_no_other() -> None:
    begun, free, after = threading.Event(), threading.Event(), threading.Event()

    def long() -> None:
        begun.set()
        free.wait(60)

    chores = Chores([Chore("long", 1, long), Chore("next", 1, after.set)])
    chores.start()
    assert begun.wait(60)
    chores.stop(0)
    assert chores.is_alive()
    free.set()
    chores.stop(60)
    assert not chores.is_alive()
    assert not after.is_set()


def test_stopping_what_was_never_started_is_no_error() -> None:
    Chores([]).stop()
