"""Who may read the desk: everybody who can reach it, or only those who know the token."""

from __future__ import annotations

import base64
import binascii
import hmac

from fastapi import HTTPException, Request

ANONYMOUS = "anonymous"


class ReaderGate:
    """A dependency of every reading route; its value is the reader's name for the access log.

    Programs send `Authorization: Bearer TOKEN`. A browser asks its user for a name and a password (HTTP
    Basic); the password is the token and the name says who looks, so that no login page and no cookie exist.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token.encode() if token else None

    def __call__(self, request: Request) -> str:
        """Return the reader's name.

        Raises HTTPException 401 when the token is missing or wrong.
        """
        name, given = _credentials(request.headers.get("authorization", ""))
        if self._token is None:
            return name or ANONYMOUS
        if given is not None and hmac.compare_digest(given, self._token):
            return name or "token"
        raise HTTPException(
            401,
            "this desk is read with a token",
            {"WWW-Authenticate": 'Basic realm="Street desk", charset="UTF-8"'},
        )


def _credentials(header: str) -> tuple[str | None, bytes | None]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return None, value.strip().encode()
    if scheme.lower() == "basic":
        try:
            name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None, None
        return name[:100] or None, password.encode() if colon else None
    return None, None
