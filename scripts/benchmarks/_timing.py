"""How benchmarks compare ways to do one thing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

WARM_UP = 3


def in_turns(jobs: Mapping[str, Callable[[int], Any]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each job over `rounds` calls, after WARM_UP that do not count.

    Jobs take turns, so that what else the machine does hits all alike; each is given the number of the round.
    """
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(WARM_UP + rounds):
        for name, job in jobs.items():
            started = time.perf_counter()
            job(number)
            if number >= WARM_UP:
                taken[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}
