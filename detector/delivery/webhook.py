"""Hands events to an HTTP endpoint: one signed POST per event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from detector import __version__
from detector.core.secrets import HIDDEN, one_line
from detector.delivery.deadline import DeadlineTransport
from detector.delivery.endpoint import Endpoint
from detector.delivery.signature import signed_headers
from detector.delivery.wire import CONTENT_TYPE
from detector.ports import Attempt

_ENOUGH = 4096  # bytes of an answer that are read: only a person who looks into a failure needs them
_LONGEST_ERROR = 300  # characters


def now_utc() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


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
        self._transport = transport or DeadlineTransport(endpoint.at_once)
        self._client = httpx.Client(
            transport=self._transport,
            timeout=endpoint.timeout_s,
            follow_redirects=False,
            headers={"user-agent": f"street-detector/{__version__}", "content-type": CONTENT_TYPE},
        )

    def send(self, event_id: str, event_type: str, body: bytes) -> Attempt:
        """POST one event; accepted means a 2xx answer within the endpoint's timeout."""
        headers = signed_headers(self._keys, event_id, self._clock(), body)
        try:
            with (
                self._transport.limit(self._endpoint.timeout_s),
                self._client.stream("POST", self._endpoint.url, content=body, headers=headers) as response,
            ):
                # a short answer is thereby read to its end, so that the connection can be used again
                return self._attempt(response, _beginning(response))
        except httpx.TimeoutException:
            return Attempt(False, error=f"no answer within {self._endpoint.timeout_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Attempt(False, error=self._clean(f"{type(error).__name__}: {error}"))

    def close(self) -> None:
        """Close the connections; a try that is under way fails at once."""
        self._client.close()

    def _attempt(self, response: httpx.Response, excerpt: bytes) -> Attempt:
        status = response.status_code
        if response.is_success:
            return Attempt(True, status)
        wish = retry_after(response.headers.get("retry-after"), self._clock())
        text = f"{status} {response.reason_phrase}".strip()
        if response.is_redirect:
            text += " (redirects are not followed: configure the final URL)"
        else:
            text += f": {excerpt.decode(errors='replace')}" if excerpt.strip() else ""
        return Attempt(False, status, self._clean(text), wish, gone=status == HTTPStatus.GONE)

    def _clean(self, text: str) -> str:
        """One printable line without secrets, whatever the endpoint has sent."""
        for secret in self._endpoint.secrets:
            text = text.replace(secret, HIDDEN)
        return one_line(text.replace(self._endpoint.url, HIDDEN), _LONGEST_ERROR)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds until the time a `Retry-After` header names (RFC 9110, 10.2.3: seconds, or an HTTP date).

    None when there is no such header or it cannot be understood; never negative.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000" and obsolete forms: the header's dates are always UTC
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _beginning(response: httpx.Response) -> bytes:
    """The first bytes of an answer; the rest of a longer one is left unread and its connection closed."""
    taken = b""
    for chunk in response.iter_raw():
        taken += chunk
        if len(taken) > _ENOUGH:
            break
    return taken[:_ENOUGH]
