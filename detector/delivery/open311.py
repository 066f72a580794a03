"""Makes service requests of problems at an Open311 GeoReport v2 server, each one once.

The standard knows no idempotency key. So what is sent is written down before it is sent, and what was answered before
anything else happens. An answer that got lost leaves a doubt, and a doubt is not settled by sending again blindly: the
server is asked for a request that bears the event's id in its description, and where it cannot be asked, a person is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote, urlencode

from detector.config.sinks import Open311Settings
from detector.core.event import event_id as event_id_of
from detector.core.secrets import without_secrets
from detector.delivery.endpoint import Endpoint
from detector.delivery.facts import Facts, facts_of
from detector.delivery.http import Caller, Reply, joined, now_utc, retry_after
from detector.delivery.memory import ACCEPTED, ASKED, POSTING, Memory
from detector.delivery.open311_form import MOST_LISTED, Row, listing_query, refusal, request_form, rows_of
from detector.delivery.preview import Preview
from detector.errors import DeliveryError, StoreError
from detector.ports import Attempt

REQUEST_ID, TOKEN, SKIPPED = "service_request_id", "token", "skipped"

SETTLE_S = 60.0
"""A lost POST is looked for only when so much time has passed since it began: a slow server may still be writing."""

AROUND = timedelta(hours=1)
"""The clock of the server may differ from ours by so much when a request is looked for by its time."""

_NOT_NOW = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT,
                      HTTPStatus.TOO_MANY_REQUESTS})  # fmt: skip
"""Refusals that say nothing about the event: a wrong key is put right, then the event is fine."""

_MOST_BYTES = 4_000_000  # a listing of a thousand requests has about 1 MB


class Open311:
    """An EventSink for one server. Thread-safe."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: Open311Settings,
        memory: Memory,
        clock: Callable[[], datetime] = now_utc,
        settle_s: float = SETTLE_S,
    ) -> None:
        """`memory` must outlive the process, or a restart may repeat requests."""
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._endpoint, self._settings, self._memory, self._clock = endpoint, settings, memory, clock
        self._settle = timedelta(seconds=settle_s)
        secrets = (key, endpoint.url)
        self._caller = Caller(endpoint.timeout_s, endpoint.at_once, secrets, most_bytes=_MOST_BYTES)

    def send(self, event_id: str, event_type: str, body: bytes) -> Attempt:
        """Make a request of a problem, or go on with one that was made before; see docs/sinks.md."""
        ends = time.monotonic() + self._endpoint.timeout_s
        try:
            known = self._memory.get(event_id)
            if ACCEPTED in known:
                return Attempt(True, receipt=known)
            if TOKEN in known:
                return self._redeem(event_id, known, ends)
            handling = self._settings.handling(event_type)
            if handling == "skip":
                return Attempt(True, receipt={SKIPPED: f"Open311 is not told of {event_type}"})
            form = self._form(event_type, body)
            if POSTING in known and ASKED not in known:
                settled = self._find(event_id, known, form, ends)
                if settled is not None:
                    return settled
            return self._post(event_id, form, ends)
        except DeliveryError as error:
            return Attempt(False, error=self._caller.clean(str(error)), final=True, blameless=True)
        except StoreError as error:
            return Attempt(False, error=f"not sent, as it could not be remembered: {error}", blameless=True)

    def preview(self, event_id: str, event_type: str, body: bytes) -> Preview:
        """What `send` would post. Raises DeliveryError when the configuration does not tell."""
        if self._settings.handling(event_type) == "skip":
            return Preview("", note=f"{event_type} is not sent")
        form = self._form(event_type, body)
        shown = {name: "***" if name == "api_key" else value for name, value in form.items()}
        return Preview(
            "POST " + without_secrets(self._address("/requests")),
            _FORM,
            "\n".join(f"{k} = {v}" for k, v in shown.items()),
        )

    def close(self) -> None:
        """Close the connections; a try that is under way fails at once."""
        self._caller.close()

    def _address(self, resource: str) -> str:
        return joined(self._endpoint.url, f"{resource}.{self._settings.format}")

    def _form(self, event_type: str, body: bytes) -> dict[str, str]:
        facts = facts_of(body, event_type, language=self._settings.language)
        note = self._settings.handling(event_type) == "note"
        return request_form(facts, self._settings, self._earlier(facts), note)

    def _earlier(self, facts: Facts) -> str | None:
        """The newest request made of this problem before."""
        before = [event_id_of(facts["problem_id"], revision) for revision in range(1, facts["revision"])]
        found = [receipt[REQUEST_ID] for receipt in self._memory.among(before[-200:]) if REQUEST_ID in receipt]
        return found[-1] if found else None

    def _post(self, event_id: str, form: dict[str, str], ends: float) -> Attempt:
        self._memory.keep(event_id, {POSTING: self._clock().isoformat()})
        reply = self._caller.call(
            "POST",
            self._address("/requests"),
            body=urlencode(form).encode(),
            headers=_FORM,
            within_s=ends - time.monotonic(),
        )
        if reply.ok:
            rows = rows_of(reply.body) or [Row()]
            if rows[0].service_request_id is None and rows[0].token is not None:
                known = {TOKEN: rows[0].token}
                self._memory.keep(event_id, known)
                return self._redeem(event_id, known, ends)
            # without id and token it is accepted all the same: some services never give one ("blackbox")
            return self._accepted(event_id, reply.status, rows[0].service_request_id)
        if reply.lost:
            return Attempt(False, reply.status, f"{self._told(reply)}; it may have been taken in", self._wish(reply))
        self._memory.keep(event_id, {})
        final = reply.status is not None and 400 <= reply.status < 500 and reply.status not in _NOT_NOW
        return self._failed(reply, final=final and reply.status != HTTPStatus.GONE)

    def _redeem(self, event_id: str, known: dict[str, str], ends: float) -> Attempt:
        """Ask what became of a token; the request itself has been accepted and is never made again."""
        query = {"jurisdiction_id": self._settings.jurisdiction_id} if self._settings.jurisdiction_id else None
        address = self._address(f"/tokens/{quote(known[TOKEN], safe='')}")
        reply = self._caller.call("GET", address, query=query, within_s=ends - time.monotonic())
        if not reply.ok:
            attempt = self._failed(reply, final=False)
            return Attempt(False, attempt.status, f"token: {attempt.error}", attempt.retry_after_s, receipt=known)
        rows = [row for row in rows_of(reply.body) or [] if row.service_request_id]
        if rows:
            return self._accepted(event_id, reply.status, rows[0].service_request_id)
        return Attempt(False, reply.status, "accepted; the token has no service request id yet", receipt=known)

    def _find(self, event_id: str, known: dict[str, str], form: dict[str, str], ends: float) -> Attempt | None:
        """Settle a doubt: what became of the POST whose answer got lost; None when it surely has to be made again."""
        now, since = self._clock(), datetime.fromisoformat(known[POSTING])
        early = (since + self._settle - now).total_seconds()
        if early > 0:
            return Attempt(False, error="waits before it looks for a lost request", retry_after_s=early, blameless=True)
        if not self._settings.look_up:
            return self._ask(known)
        query = listing_query(form, since - AROUND, now + AROUND)
        address = self._address("/requests")
        reply = self._caller.call("GET", address, query=query, within_s=ends - time.monotonic())
        if reply.status is None or reply.status >= 500 or reply.status in _NOT_NOW:
            attempt = self._failed(reply, final=False)
            return Attempt(False, attempt.status, f"looking for a lost request: {attempt.error}", attempt.retry_after_s)
        rows = rows_of(reply.body) if reply.ok else None
        for row in rows or []:
            if event_id in row.description and row.service_request_id:
                return self._accepted(event_id, reply.status, row.service_request_id)
        return self._ask(known) if rows is None or len(rows) >= MOST_LISTED else None

    def _ask(self, known: dict[str, str]) -> Attempt | None:
        """Leave a doubt to a person, as a dead letter; redelivering it is the answer "send it again"."""
        if self._settings.when_unsure == "again":
            return None
        text = "an answer got lost and the server cannot be asked: see whether it has the request, else redeliver"
        receipt = {**known, ASKED: self._clock().isoformat()}
        return Attempt(False, error=text, final=True, blameless=True, receipt=receipt)

    def _accepted(self, event_id: str, status: int | None, request_id: str | None) -> Attempt:
        receipt = {ACCEPTED: self._clock().isoformat()} | ({REQUEST_ID: request_id} if request_id else {})
        try:
            self._memory.keep(event_id, receipt)
        except StoreError:  # the courier writes it down too, and until then the doubt stands in its place
            return Attempt(True, status, receipt=receipt)
        return Attempt(True, status, receipt=receipt)

    def _failed(self, reply: Reply, *, final: bool) -> Attempt:
        wish = self._wish(reply)
        gone = reply.status == HTTPStatus.GONE
        return Attempt(False, reply.status, self._told(reply), wish, final=final, gone=gone)

    def _told(self, reply: Reply) -> str:
        said = None if reply.status is None else refusal(reply.body)
        return self._caller.told(reply) if said is None else self._caller.clean(f"{reply.status}: {said}")

    def _wish(self, reply: Reply) -> float | None:
        return retry_after(reply.headers.get("retry-after"), self._clock())


_FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
