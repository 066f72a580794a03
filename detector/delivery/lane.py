"""The way to one endpoint: its threads, its breaker, one delivery after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.delivery.breaker import Breaker, BreakerPolicy, BreakerState
from detector.delivery.endpoint import Endpoint
from detector.delivery.retry import decide
from detector.errors import StoreError
from detector.ports import Attempt, EventSink
from detector.store import Delivery, DeliveryState, EndpointState, Settlement, Store

log = logging.getLogger(__name__)

BATCH = 16  # deliveries claimed at once
SETTLE_AFTER_S = 0.2  # what was delivered is written down at least this often; a crash repeats no more than that
STORE_RETRY_S = 1.0  # pause when the database refuses


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint and the sink that reaches it."""

    endpoint: Endpoint
    sink: EventSink


class Lane:
    """The way to one endpoint."""

    def __init__(
        self,
        store: Store,
        route: Route,
        worker_id: str,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        policy: BreakerPolicy,
        poll_s: float,
    ) -> None:
        self.name = route.endpoint.name
        self.route = route
        self._store, self._endpoint, self._sink = store, route.endpoint, route.sink
        self._worker_id, self._clock, self._chance, self._poll_s = worker_id, clock, chance, poll_s
        self._policy = policy
        self._lock = threading.Lock()  # guards the breaker and the number of threads
        self._breaker = Breaker()
        self._draining = threading.Event()
        self._broken_off = threading.Event()
        self._retired = threading.Event()
        self._word = threading.Lock()  # held while the state of the endpoint is written: nothing after retirement
        self._calls = [threading.Event() for _ in range(route.endpoint.at_once)]
        self._threads = [
            threading.Thread(target=self._run, args=(call,), name=f"courier-{self.name}-{number}", daemon=True)
            for number, call in enumerate(self._calls)
        ]
        self._at_work = len(self._threads)
        # long enough for one try after the claim; a batch that takes longer gives its rest back
        self._lease = timedelta(seconds=2 * route.endpoint.timeout_s + 30)

    def start(self, known: EndpointState | None) -> None:
        """Begin to send; `known`: what the store remembers of the endpoint."""
        if known is not None:
            state = BreakerState.OPEN if known.retry_at else BreakerState.CLOSED
            self._breaker = Breaker(state, known.failures, known.retry_at)
            if known.disabled_at is not None:
                log.error("endpoint is disabled: %s", known.reason, extra={"endpoint": self.name})
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look into the outbox now."""
        for call in self._calls:
            call.set()

    def drain(self) -> None:
        """Send what is due, then end; returns at once."""
        self._draining.set()
        self.wake()

    def retire(self) -> None:
        """Take nothing more, and write nothing more of how the endpoint is; waits for no try.

        A try under way ends by itself, the sink is closed with the last.
        """
        with self._word:
            self._retired.set()
        self.wake()

    def break_off(self) -> None:
        """End now: tries under way fail and are nobody's fault."""
        self._broken_off.set()
        self._sink.close()
        self.wake()

    def join(self, timeout_s: float) -> bool:
        """Wait for the threads to end; True when all have."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def alive(self) -> bool:
        """Whether every thread works."""
        return all(thread.is_alive() for thread in self._threads)

    @property
    def working(self) -> bool:
        """Whether any thread works."""
        return any(thread.is_alive() for thread in self._threads)

    def _run(self, call: threading.Event) -> None:
        self._carry(call)
        with self._lock:
            self._at_work -= 1
            last = not self._at_work
        if last and self._retired.is_set():
            self._sink.close()

    def _carry(self, call: threading.Event) -> None:
        while not self._broken_off.is_set() and not self._retired.is_set():
            call.clear()
            try:
                sent = self._send_what_is_due()
            except StoreError as error:
                log.error("the outbox cannot be read: %s", error, extra={"endpoint": self.name})
                sent = False
            if sent:
                continue
            if self._draining.is_set():
                return
            call.wait(self._poll_s)

    def _send_what_is_due(self) -> bool:
        """One round; False when there was nothing to send or nothing may be sent."""
        with self._lock:
            permits = self._breaker.permits(self._clock(), BATCH)
            before = probing = self._breaker
            if permits:
                self._breaker = probing = before.probing(self._clock(), self._policy)
        if not permits:
            return False
        taken: list[Delivery] = []
        try:
            taken = self._store.claim_due(self._clock(), permits, self._worker_id, self._lease, [self.name])
        finally:
            if not taken and before.state is not BreakerState.CLOSED:
                with self._lock:
                    if self._breaker is probing:  # else a try that was under way has ended, and tells more
                        self._breaker = before
        if taken:
            self._send(taken)
        return bool(taken)

    def _send(self, taken: Sequence[Delivery]) -> None:
        settled: list[Settlement] = []
        flushed = time.monotonic()
        rest = list(taken)
        while rest and not self._retired.is_set():
            delivery = rest[0]
            if delivery.claimed_until - self._clock() < timedelta(seconds=self._endpoint.timeout_s):
                break
            attempt = self._try(delivery)
            if (self._broken_off.is_set() or self._retired.is_set()) and not attempt.accepted:
                break  # it was we who ended this try, or it says nothing of what the endpoint is now
            rest.pop(0)
            settled.append(self._settlement(delivery, attempt))
            if not self._count(attempt):
                break
            if time.monotonic() - flushed > SETTLE_AFTER_S:
                self._write(settled)
                settled, flushed = [], time.monotonic()
        self._write(settled)
        if self._retired.is_set():  # a failure of what is no longer there must not make its successor wait
            self._written(lambda: self._store.hasten(self._clock(), self.name))
        if rest:
            self._give_back(rest)

    def _try(self, delivery: Delivery) -> Attempt:
        try:
            return self._sink.send(delivery.event_id, delivery.type, delivery.body)
        except Exception as error:
            log.exception("a sink failed in itself", extra={"endpoint": self.name, "event_id": delivery.event_id})
            return Attempt(False, error=f"{type(error).__name__} in the sink")

    def _settlement(self, delivery: Delivery, attempt: Attempt) -> Settlement:
        made = delivery.attempts + 1
        decision = decide(attempt, made, self._clock(), self._endpoint.schedule, self._chance())
        fields = {"endpoint": self.name, "event_id": delivery.event_id}
        if decision.state is DeliveryState.DEAD:
            log.error("given up after %d tries: %s", made, attempt.error, extra=fields)
        elif decision.state is DeliveryState.PENDING:
            log.warning("try %d failed: %s", made, attempt.error, extra=fields)
        return Settlement(delivery, attempt, decision.state, decision.next_attempt_at)

    def _count(self, attempt: Attempt) -> bool:
        """Let the breaker know how a try ended; False when nothing more may be sent now."""
        now = self._clock()
        with self._lock:
            before, self._breaker = self._breaker, self._breaker.after(attempt, now, self._policy)
            after = self._breaker
        fields = {"endpoint": self.name}
        if attempt.gone:
            log.error("the endpoint says that it is gone: disabled until it is enabled again", extra=fields)
            self._keep(lambda: self._store.disable_endpoint(self.name, now, attempt.error or "gone"))
            return False
        if after.state is not before.state:
            self._keep(lambda: self._store.set_breaker(self.name, after.state.value, after.failures, after.retry_at))
            if after.state is BreakerState.OPEN and before.state is BreakerState.CLOSED:
                log.warning("the endpoint is down, next try at %s", after.retry_at, extra=fields)
            if after.state is BreakerState.CLOSED:
                log.info("the endpoint works again", extra=fields)
                # what failed because it was down must not wait hours now that it is up
                self._keep(lambda: self._store.hasten(now, self.name))
        return after.state is BreakerState.CLOSED

    def _keep(self, write: Callable[[], object]) -> None:
        """Write down how the endpoint is, unless another lane has taken it over meanwhile."""
        with self._word:
            if not self._retired.is_set():
                self._written(write)

    def _written(self, write: Callable[[], object]) -> None:
        try:
            write()
        except StoreError as error:
            log.error("the state of the endpoint could not be written: %s", error, extra={"endpoint": self.name})

    def _write(self, settled: Sequence[Settlement]) -> None:
        """Write outcomes down, however long the database takes: what is forgotten is sent twice."""
        while settled:
            try:
                self._store.settle(self._clock(), *settled)
                return
            except StoreError as error:
                log.error("an outcome could not be written: %s", error, extra={"endpoint": self.name})
                if self._broken_off.wait(STORE_RETRY_S):
                    return

    def _give_back(self, rest: Sequence[Delivery]) -> None:
        try:
            self._store.unclaim(self._worker_id, [delivery.id for delivery in rest])
        except StoreError as error:  # the lease ends by itself
            log.error("claims could not be given back: %s", error, extra={"endpoint": self.name})
