"""Only events signed with one of the endpoint's secrets are believed (Standard Webhooks 1.0.0)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

from detector.errors import ConfigError, EventRefused


class SignatureCheck:
    """Checks a request against any of several secrets, so that a secret can be rotated without losing an event."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Take `whsec_...` secrets, at least one.

        Raises ConfigError when there is none or one is not `whsec_` and base64; the text never repeats a secret.
        """
        if not secrets:
            raise ConfigError("the desk needs at least one webhook secret (whsec_...)")
        self._webhooks: list[Webhook] = []
        for number, secret in enumerate(secrets, start=1):
            try:
                _check_length(secret)
                self._webhooks.append(Webhook(secret))
            except (EmptyWebhookSecretError, ValueError):  # the cause may quote the secret
                raise ConfigError(f"webhook secret {number} is not 'whsec_' and base64 of 24 to 64 bytes") from None

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the webhook id of a rightly signed request that is at most 5 minutes old or ahead.

        Raises EventRefused otherwise. The library meets malformed headers with ValueError (also as binascii.Error and
        UnicodeDecodeError), which means the same here: not signed by us.
        """
        wanted = {name: headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
        for webhook in self._webhooks:
            try:
                webhook.verify(body, wanted, json_parse=False)
            except (WebhookVerificationError, ValueError):
                continue
            return wanted["webhook-id"]
        raise EventRefused("the signature is missing, wrong, or older than five minutes")


def _check_length(secret: str) -> None:
    """Raise ValueError unless the key has the length that the standard asks for."""
    key = base64.b64decode(secret.removeprefix("whsec_") + "==")
    if not 24 <= len(key) <= 64:
        raise ValueError("key length")
