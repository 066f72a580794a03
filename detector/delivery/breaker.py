"""A circuit breaker: an endpoint that is down is asked now and then, not with every event. Pure.

closed --(failures in a row, or the endpoint asks for a pause)--> open --(pause over)--> half_open --(success)--> closed
                                                                   ^-----------------------(failure)------'
While it is open no tries of any delivery are used up; the retry schedule counts real tries only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from detector.ports import Attempt

LONGEST_WISH = timedelta(hours=1)
"""An endpoint that asks for a longer pause is asked again after this all the same."""


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When an endpoint counts as down, and how often it is then asked."""

    failures: int = 5  # in a row
    first_pause: timedelta = timedelta(seconds=5)  # doubled with each failed probe ...
    longest_pause: timedelta = timedelta(minutes=5)  # ... up to this


USUAL = BreakerPolicy()


class BreakerState(StrEnum):
    """What may pass."""

    CLOSED = "closed"  # everything
    OPEN = "open"  # nothing
    HALF_OPEN = "half_open"  # nothing but the probe that is on its way


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of one endpoint; a new value for each change."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0  # in a row
    retry_at: datetime | None = None  # when a probe may pass, aware UTC; set unless closed

    def permits(self, now: datetime, wanted: int) -> int:
        """How many deliveries may be tried now: `wanted`, one as a probe, or none."""
        match self.state:
            case BreakerState.CLOSED:
                return wanted
            case BreakerState.OPEN | BreakerState.HALF_OPEN:
                return min(wanted, 1) if self.retry_at is None or now >= self.retry_at else 0

    def probing(self, now: datetime, policy: BreakerPolicy) -> Breaker:
        """A probe is on its way; nothing else may pass until it has ended, or got lost."""
        if self.state is BreakerState.CLOSED:
            return self
        return replace(self, state=BreakerState.HALF_OPEN, retry_at=now + policy.longest_pause)

    def after(self, attempt: Attempt, now: datetime, policy: BreakerPolicy) -> Breaker:
        """The breaker after a try has ended."""
        if attempt.blameless and attempt.status is None:  # it tells nothing of the endpoint: let another one probe
            closed = self.state is BreakerState.CLOSED
            return self if closed else replace(self, state=BreakerState.OPEN, retry_at=now)
        if not is_down(attempt):
            return Breaker()
        failures = self.failures + 1
        if attempt.retry_after_s is not None:
            wish = min(timedelta(seconds=attempt.retry_after_s), LONGEST_WISH)
            return Breaker(BreakerState.OPEN, failures, now + wish)
        if failures < policy.failures and self.state is BreakerState.CLOSED:
            return Breaker(failures=failures)
        doublings = min(max(0, failures - policy.failures), 16)  # 2**16 pauses are far beyond the longest
        pause = min(policy.first_pause * 2**doublings, policy.longest_pause)
        return Breaker(BreakerState.OPEN, failures, now + pause)


def is_down(attempt: Attempt) -> bool:
    """Whether a try shows that the endpoint as a whole does not work, rather than that it refuses one event."""
    if attempt.accepted or attempt.blameless:
        return False
    return attempt.status is None or attempt.status >= 500 or attempt.status in (408, 429)
