"""Hands events to an HTTP endpoint: one signed POST per event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from detector.core.secrets import without_secrets
from detector.delivery.deadline import DeadlineTransport
from detector.delivery.endpoint import Endpoint
from detector.delivery.http import Caller, now_utc, retry_after
from detector.delivery.preview import Preview
from detector.delivery.signature import signed_headers
from detector.delivery.wire import CONTENT_TYPE
from detector.ports import Attempt


class Webhook:
    """An EventSink for one endpoint. Thread-safe; connections are kept alive between events."""

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Callable[[], datetime] = now_utc,
        transport: DeadlineTransport | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._keys = endpoint.keys()
        self._caller = Caller(
            endpoint.timeout_s, endpoint.at_once, (*endpoint.secrets, endpoint.url), transport or None
        )

    def send(self, event_id: str, event_type: str, body: bytes) -> Attempt:
        """POST one event; accepted means a 2xx answer within the endpoint's timeout."""
        signed = signed_headers(self._keys, event_id, self._clock(), body)
        headers = {"content-type": CONTENT_TYPE, **signed}
        reply = self._caller.call("POST", self._endpoint.url, body=body, headers=headers)
        if reply.ok:
            return Attempt(True, reply.status)
        return Attempt(
            False,
            reply.status,
            self._caller.told(reply),
            retry_after(reply.headers.get("retry-after"), self._clock()),
            gone=reply.status == HTTPStatus.GONE,
        )

    def preview(self, event_id: str, event_type: str, body: bytes) -> Preview:
        """What `send` would send."""
        signed = signed_headers(self._keys, event_id, self._clock(), body)
        return Preview(
            f"POST {without_secrets(self._endpoint.url)}", {"content-type": CONTENT_TYPE, **signed}, body.decode()
        )

    def close(self) -> None:
        """Close the connections; a try that is under way fails at once."""
        self._caller.close()
