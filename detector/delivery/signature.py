"""Signing as Standard Webhooks 1.0.0 asks: HMAC-SHA256 over `id.timestamp.body`, one signature per secret."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from datetime import datetime

from detector.errors import DeliveryError

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes of key


def key_of(secret: str) -> bytes:
    """Decode `whsec_` + base64.

    Raises DeliveryError when it is not that or not 24 to 64 bytes; the text never repeats the secret.
    """
    if not secret.startswith(PREFIX):
        raise DeliveryError(f"a webhook secret must start with {PREFIX}")
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):  # the cause may quote the secret
        raise DeliveryError(f"what follows {PREFIX} in a webhook secret must be base64") from None
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise DeliveryError(f"a webhook secret must have {_SHORTEST} to {_LONGEST} bytes, not {len(key)}")
    return key


def new_secret() -> str:
    """A fresh random secret of 32 bytes."""
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def signed_headers(keys: Sequence[bytes], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three webhook headers; with several keys each gives a signature, so that a secret can be rotated.

    at: now, aware. A retry keeps the id and gets a new timestamp, or the receiver would find it too old.
    """
    timestamp = str(int(at.timestamp()))
    message = f"{event_id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode() for key in keys)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
