"""After a try: delivered, again later, or given up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.ports import Attempt
from detector.store import DeliveryState

JITTER = 0.1
"""Share of a wait by which chance may lengthen it, so that what failed together does not come back together. With at
most 0.2 each wait of the standard schedule is still longer than the one before (20 h to 24 h is the smallest step)."""

LONGEST_WISH = timedelta(hours=24)
"""An endpoint may ask for more patience than the schedule has, but not for more than this."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a delivery."""

    state: DeliveryState
    next_attempt_at: datetime | None = None  # aware UTC, set when pending


def decide(attempt: Attempt, made: int, now: datetime, schedule: Sequence[timedelta], chance: float) -> Decision:
    """Decide by the outcome of the newest of `made` tries (counting it).

    schedule: the wait before the first and each further try; its length is the number of tries.
    chance: from [0, 1).
    An endpoint that is gone keeps the delivery waiting; the caller disables the endpoint.
    """
    if attempt.accepted:
        return Decision(DeliveryState.DELIVERED)
    if attempt.gone:
        return Decision(DeliveryState.PENDING, now)
    if attempt.final or made >= len(schedule):
        return Decision(DeliveryState.DEAD)
    wait = schedule[made] * (1 + JITTER * chance)
    if attempt.retry_after_s is not None:
        wait = max(wait, min(timedelta(seconds=attempt.retry_after_s), LONGEST_WISH))
    return Decision(DeliveryState.PENDING, now + wait)
