"""Looking up a camera's host name with a deadline: FFmpeg's own look-up can neither be limited nor interrupted.

A resolver that does not answer holds a thread for 10 s and more, whatever the timeout of the opening (twice 5 s for
each name server, glibc's default). So the name is looked up here first, on a thread that may be left behind. FFmpeg
then asks once more, of a resolver that has just answered; the address keeps the name, which TLS and virtual hosts need.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from socket import getaddrinfo
from urllib.parse import urlsplit

from detector.core.secrets import without_secrets
from detector.errors import SourceUnreachable
from detector.sources.interrupt import called_off

PROXIED = frozenset({"http", "https", "rtsps", "rtmps"})
"""Kinds of addresses for which FFmpeg leaves the look-up to a proxy, if the environment names one."""

_ASK_AGAIN_S = 0.05  # how often a waiting thread asks whether it was called off


@dataclass(slots=True)
class _LookUp:
    """One question to the resolver, shared by all who ask it while it is under way."""

    answered: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None


class _Resolver:
    """At most one thread waits for an answer per name, however many openings give up meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, _LookUp] = {}

    def ask(self, host: str) -> _LookUp:
        with self._lock:
            question = self._under_way.get(host)
            if question is None:
                question = self._under_way[host] = _LookUp()
                threading.Thread(target=self._wait, args=(host, question), name="look-up", daemon=True).start()
            return question

    def _wait(self, host: str, question: _LookUp) -> None:
        try:
            getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            question.error = error
        with self._lock:
            del self._under_way[host]
        question.answered.set()


_resolver = _Resolver()


def look_up(address: str, timeout_s: float) -> None:
    """Return once the host of a stream's address can be looked up without waiting; at once if there is none to look up.

    Ends as if the time were over when the calling thread is called off (interrupt.py). Raises SourceUnreachable when
    there is no such host or no answer within `timeout_s`.
    """
    parts = urlsplit(address)
    host = parts.hostname
    if not host or _is_number(host) or (parts.scheme.lower() in PROXIED and "http_proxy" in os.environ):
        return
    question = _resolver.ask(host)
    deadline = time.monotonic() + timeout_s
    while not question.answered.wait(_ASK_AGAIN_S):
        if called_off() or time.monotonic() >= deadline:
            raise SourceUnreachable(
                f"{without_secrets(address)}: no answer from the name server within {timeout_s:g} s"
            )
    error = question.error
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        raise SourceUnreachable(
            f"{without_secrets(address)}: the name server cannot tell where this host is"
        ) from error
    if error is not None:
        raise SourceUnreachable(f"{without_secrets(address)}: there is no host of this name") from error


def _is_number(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
