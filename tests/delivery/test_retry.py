from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from detector.config.endpoints import STANDARD_SCHEDULE
from detector.delivery.breaker import LONGEST_WISH as LONGEST_PAUSE_WISH
from detector.delivery.breaker import Breaker, BreakerPolicy, BreakerState
from detector.delivery.retry import JITTER, LONGEST_WISH, Decision, decide
from detector.ports import Attempt
from detector.store import DeliveryState

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
POLICY = BreakerPolicy()
chances = st.floats(0, 1, exclude_max=True)
waits = st.timedeltas(timedelta(0), timedelta(days=2))
schedules = st.lists(waits, min_size=1, max_size=12).map(tuple)
failures = st.builds(
    Attempt,
    accepted=st.just(False),
    status=st.none() | st.integers(300, 599),
    retry_after_s=st.none() | st.floats(0, 1e9),
)


def test_the_standard_schedule_is_the_one_of_standard_webhooks() -> None:
    seconds = [int(wait.total_seconds()) for wait in STANDARD_SCHEDULE]
    assert seconds == [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


@given(st.lists(chances, min_size=10, max_size=10))
def test_delays_grow_and_end(draws: list[float]) -> None:
    delays, made = [], 1
    while (decision := decide(Attempt(False, 500), made, NOON, STANDARD_SCHEDULE, draws[made - 1])).next_attempt_at:
        delays.append(decision.next_attempt_at - NOON)
        made += 1
    assert decision == Decision(DeliveryState.DEAD)
    assert made == len(STANDARD_SCHEDULE)
    assert all(earlier < later for earlier, later in pairwise(delays))
    for delay, wait in zip(delays, STANDARD_SCHEDULE[1:], strict=True):
        assert wait <= delay <= wait * (1 + JITTER)


@given(failures, schedules, st.integers(1, 40), chances)
def test_any_schedule_ends_and_is_kept(
    attempt: Attempt, schedule: tuple[timedelta, ...], made: int, chance: float
) -> None:
    decision = decide(attempt, made, NOON, schedule, chance)
    if made >= len(schedule):
        assert decision == Decision(DeliveryState.DEAD)
        return
    assert decision.state is DeliveryState.PENDING
    assert decision.next_attempt_at is not None
    delay = decision.next_attempt_at - NOON
    assert delay >= schedule[made]
    if attempt.retry_after_s is not None:
        assert delay >= min(timedelta(seconds=attempt.retry_after_s), LONGEST_WISH)
    assert delay <= max(schedule[made] * (1 + JITTER), LONGEST_WISH)


@given(schedules, st.integers(1, 40), chances)
def test_accepted_is_delivered_and_gone_keeps_waiting(
    schedule: tuple[timedelta, ...], made: int, chance: float
) -> None:
    assert decide(Attempt(True, 200), made, NOON, schedule, chance) == Decision(DeliveryState.DELIVERED)
    gone = decide(Attempt(False, 410, gone=True), made, NOON, schedule, chance)
    assert gone.state is DeliveryState.PENDING


DOWN = Attempt(False, None, "no answer")


def down_for(failures: int, now: datetime = NOON) -> Breaker:
    breaker = Breaker()
    for _ in range(failures):
        breaker = breaker.after(DOWN, now, POLICY)
    return breaker


def test_the_breaker_opens_after_failures_in_a_row_only() -> None:
    assert down_for(POLICY.failures - 1).permits(NOON, 16) == 16
    assert down_for(POLICY.failures).permits(NOON, 16) == 0
    forgiven = down_for(POLICY.failures - 1).after(Attempt(True, 200), NOON, POLICY)
    assert forgiven == Breaker()


def test_refusing_one_event_is_not_being_down() -> None:
    breaker = Breaker()
    for status in (400, 401, 404, 409, 413, 302) * 3:
        breaker = breaker.after(Attempt(False, status), NOON, POLICY)
    assert breaker == Breaker()
    for status in (500, 502, 503, 408, 429):
        assert Breaker().after(Attempt(False, status), NOON, POLICY).failures == 1


def test_a_probe_decides() -> None:
    breaker = down_for(POLICY.failures)
    later = NOON + POLICY.first_pause
    assert breaker.permits(later - timedelta(microseconds=1), 16) == 0
    assert breaker.permits(later, 16) == 1
    probing = breaker.probing(later, POLICY)
    assert (probing.state, probing.permits(later, 16)) == (BreakerState.HALF_OPEN, 0)
    assert probing.after(Attempt(True, 200), later, POLICY) == Breaker()
    again = probing.after(DOWN, later, POLICY)
    assert (again.state, again.retry_at) == (BreakerState.OPEN, later + 2 * POLICY.first_pause)
    assert probing.permits(later + POLICY.longest_pause, 16) == 1  # a probe that never ended


@given(st.integers(POLICY.failures, 200))
def test_pauses_grow_up_to_the_longest(number: int) -> None:
    shorter, longer = down_for(number).retry_at, down_for(number + 1).retry_at
    assert shorter is not None
    assert longer is not None
    assert shorter <= longer <= NOON + POLICY.longest_pause


@given(failures)
def test_a_wished_pause_is_given(attempt: Attempt) -> None:
    assume(attempt.retry_after_s is not None and (attempt.status is None or attempt.status >= 500))
    breaker = Breaker().after(attempt, NOON, POLICY)
    wish = min(timedelta(seconds=attempt.retry_after_s or 0), LONGEST_PAUSE_WISH)
    assert breaker.retry_at == NOON + wish
    assert breaker.permits(NOON + wish, 16) == 1


def test_what_is_refused_for_good_is_given_up_at_once() -> None:
    refused = Attempt(False, 404, "404 no such service", final=True)
    assert decide(refused, 1, NOON, STANDARD_SCHEDULE, 0.0) == Decision(DeliveryState.DEAD)


def test_a_failure_that_is_not_the_endpoints_says_nothing_of_it() -> None:
    ours = Attempt(False, error="waits", blameless=True)
    assert Breaker(failures=3).after(ours, NOON, POLICY) == Breaker(failures=3)
    probing = Breaker(BreakerState.HALF_OPEN, 7, NOON + timedelta(minutes=5))
    again = probing.after(ours, NOON, POLICY)
    assert again == Breaker(BreakerState.OPEN, 7, NOON)
    assert again.permits(NOON, 16) == 1
    assert Breaker(failures=3).after(Attempt(False, 404, final=True), NOON, POLICY) == Breaker()
