"""One HTTP request with one time limit, and what came of it in words without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, quote_plus

import httpx

from detector import __version__
from detector.core.secrets import HIDDEN, one_line
from detector.delivery.deadline import DeadlineTransport

LONGEST_ERROR = 300  # characters
AGENT = f"street-detector/{__version__}"


def now_utc() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side answered, or why there is no answer."""

    status: int | None = None  # None: no answer
    reason: str = ""  # the status in words
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""  # its beginning
    error: str | None = None  # set when there is no answer
    sent: bool = True  # False: no connection came about, so nothing can have arrived

    @property
    def ok(self) -> bool:
        """A 2xx answer."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def lost(self) -> bool:
        """Whether the request may have been taken in although nobody said so.

        No answer to what was sent, a gateway that got none (502, 504), or a server that broke on the way (500).
        503 and 429 come from those who did not begin.
        """
        return self.sent if self.status is None else self.status in (500, 502, 504)


class Caller:
    """HTTP requests to one endpoint. Thread-safe; connections are kept alive; redirects are not followed."""

    def __init__(
        self,
        timeout_s: float,
        connections: int,
        secrets: Iterable[str],
        transport: DeadlineTransport | None = None,
        most_bytes: int = 4096,
    ) -> None:
        """`secrets`: what must never show in an error, addresses included; `most_bytes` of an answer are read."""
        self._timeout_s = timeout_s
        self._most = most_bytes
        # as they are, and as they look in addresses and forms; the longest first, as one may be part of another
        spelt = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
        self._secrets = sorted(spelt, key=len, reverse=True)
        self._transport = transport or DeadlineTransport(connections)
        self._client = httpx.Client(
            transport=self._transport,
            timeout=timeout_s,
            follow_redirects=False,
            headers={"user-agent": AGENT, "accept-encoding": "identity"},  # the beginning of an answer must be readable
        )

    def call(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        within_s: float | None = None,
    ) -> Reply:
        """Make a request; never raises for what the other side does. `within_s`: instead of the usual timeout."""
        limit_s = self._timeout_s if within_s is None else max(0.0, within_s)
        try:
            with (
                self._transport.limit(limit_s),
                self._client.stream(
                    method, url, content=body, headers=dict(headers or {}), params=query or None
                ) as response,
            ):
                # a short answer is thereby read to its end, so that the connection can be used again
                beginning = _beginning(response, self._most)
                return Reply(response.status_code, response.reason_phrase, response.headers, beginning)
        except httpx.TimeoutException as error:
            sent = not isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout))
            return Reply(error=f"no answer within {limit_s:.3g} s", sent=sent)
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:  # RuntimeError: closed meanwhile
            never = isinstance(error, (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL, RuntimeError))
            return Reply(error=self.clean(f"{type(error).__name__}: {error}"), sent=not never)

    def told(self, reply: Reply) -> str:
        """Why a reply is no success, in one line."""
        if reply.status is None:
            return reply.error or "no answer"
        text = f"{reply.status} {reply.reason}".strip()
        if 300 <= reply.status < 400:
            return text + " (redirects are not followed: configure the final URL)"
        said = reply.body.decode(errors="replace")
        return self.clean(f"{text}: {said}" if said.strip() else text)

    def clean(self, text: str) -> str:
        """One printable line without secrets, whatever the endpoint has sent."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return one_line(text, LONGEST_ERROR)

    def close(self) -> None:
        """Close the connections; a try that is under way fails at once. Safe to call twice."""
        self._client.close()


def joined(url: str, path: str) -> str:
    """`path` put behind the path of `url`; a query (some platforms want their key there) stays at the end."""
    base, mark, query = url.partition("?")
    return f"{base.rstrip('/')}{path}{mark}{query}" if path else url


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


def _beginning(response: httpx.Response, most: int) -> bytes:
    """The first bytes of an answer; the rest of a longer one is left unread and its connection closed."""
    taken = b""
    for chunk in response.iter_raw():
        taken += chunk
        if len(taken) > most:
            break
    return taken[:most]
