"""Tells a platform that has an interface of its own, as a mapping file describes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from detector.config.mapping import MappingFile
from detector.config.sinks import MappedSettings
from detector.core.secrets import without_secrets
from detector.delivery.endpoint import Endpoint
from detector.delivery.http import Caller, Reply, joined, now_utc, retry_after
from detector.delivery.mapping import CONTENT_TYPES, at, body_of, facts_for, message_for, passes, path_of, reply_of
from detector.delivery.memory import ACCEPTED, ASKED, POSTING, Memory
from detector.delivery.preview import Preview
from detector.errors import DeliveryError, StoreError
from detector.ports import Attempt

_FINAL = frozenset({400, 413, 415, 422})
"""Statuses that concern the request itself: it will be no better the next time."""

_LONGEST_RECEIPT = 200  # characters of each thing that is remembered of an answer


class Mapped:
    """An EventSink for one platform. Thread-safe."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: MappedSettings,
        mapping: MappingFile,
        memory: Memory,
        picture: Callable[[str], bytes | None],
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        """`picture`: evidence link -> redacted JPEG, for mappings that put it into the request."""
        self._endpoint, self._settings, self._mapping = endpoint, settings, mapping
        self._memory, self._picture, self._clock = memory, picture, clock
        self._headers = {name: value.get_secret_value() for name, value in mapping.headers.items()}
        secrets = (endpoint.url, *self._headers.values())
        self._caller = Caller(endpoint.timeout_s, endpoint.at_once, secrets, most_bytes=65_536)

    def send(self, event_id: str, event_type: str, body: bytes) -> Attempt:
        """Make the request that the mapping gives for an event; an event that was accepted is not sent again."""
        try:
            known = self._memory.get(event_id)
            if ACCEPTED in known:
                return Attempt(True, receipt=known)
            if message_for(self._mapping, event_type) is None:
                return Attempt(True, receipt={"skipped": f"the mapping has no message for {event_type}"})
            if POSTING in known and ASKED not in known and self._settings.when_unsure == "ask":
                text = "an answer got lost: see whether the platform has it, else redeliver"
                asked = {**known, ASKED: self._clock().isoformat()}
                return Attempt(False, error=text, final=True, blameless=True, receipt=asked)
            method, address, content = self._request(event_type, body)
            if self._settings.when_unsure == "ask":
                self._memory.keep(event_id, {POSTING: self._clock().isoformat()})
            return self._judge(event_id, self._caller.call(method, address, body=content, headers=self._all_headers()))
        except DeliveryError as error:
            return Attempt(False, error=self._caller.clean(str(error)), final=True, blameless=True)
        except StoreError as error:
            return Attempt(False, error=f"not sent, as it could not be remembered: {error}", blameless=True)

    def preview(self, event_id: str, event_type: str, body: bytes) -> Preview:
        """What `send` would send, without the values of headers. Raises DeliveryError for fields without a value."""
        if message_for(self._mapping, event_type) is None:
            return Preview("", note=f"{event_type} is not sent: the mapping has no message for it")
        method, address, content = self._request(event_type, body)
        headers = self._all_headers() | dict.fromkeys(self._headers, "***")
        return Preview(f"{method} {without_secrets(address)}", headers, content.decode(self._mapping.encoding))

    def close(self) -> None:
        """Close the connections; a try that is under way fails at once."""
        self._caller.close()

    def _request(self, event_type: str, body: bytes) -> tuple[str, str, bytes]:
        message = message_for(self._mapping, event_type)
        if message is None:
            raise DeliveryError(f"the mapping has no message for {event_type}")
        facts = facts_for(self._mapping, body, event_type, self._clock(), self._picture)
        address = joined(self._endpoint.url, path_of(message, facts))
        return message.method, address, body_of(self._mapping, message, facts)

    def _all_headers(self) -> dict[str, str]:
        kind = CONTENT_TYPES[self._mapping.format]
        return {"content-type": f"{kind}; charset={self._mapping.encoding}", **self._headers}

    def _judge(self, event_id: str, reply: Reply) -> Attempt:
        status, content = reply.status, reply_of(reply.body)
        if status is not None and passes(self._mapping.success, status, content):
            receipt = {ACCEPTED: self._clock().isoformat()}
            for name, path in self._mapping.receipt.items():
                value = at(content, path)
                if value is not None:
                    receipt[name] = self._caller.clean(value)[:_LONGEST_RECEIPT]
            self._remember(event_id, receipt)
            return Attempt(True, status, receipt=receipt)
        refused = self._mapping.refused
        final = status is not None and (status in _FINAL or (refused is not None and passes(refused, status, content)))
        if not reply.lost and self._settings.when_unsure == "ask":
            self._remember(event_id, {})
        wish = retry_after(reply.headers.get("retry-after"), self._clock())
        return Attempt(False, status, self._caller.told(reply), wish, final=final, gone=status == 410)

    def _remember(self, event_id: str, receipt: dict[str, str]) -> None:
        try:
            self._memory.keep(event_id, receipt)
        except StoreError:
            return  # what was answered counts; the courier writes the receipt down too
