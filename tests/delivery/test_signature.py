from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from detector.delivery.signature import key_of, new_secret, signed_headers
from detector.errors import DeliveryError

keys = st.binary(min_size=24, max_size=64)
bodies = st.text().map(str.encode)
ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


def written(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


@given(st.lists(keys, min_size=1, max_size=3), ids, bodies)
def test_the_official_library_verifies_with_any_of_the_secrets(
    secrets: list[bytes], event_id: str, body: bytes
) -> None:
    headers = signed_headers([key_of(written(key)) for key in secrets], event_id, datetime.now(UTC), body)
    for key in secrets:
        Webhook(written(key)).verify(body, headers, json_parse=False)


@given(keys, keys, ids, bodies, bodies)
def test_it_refuses_another_secret_body_id_or_time(
    key: bytes, other: bytes, event_id: str, body: bytes, other_body: bytes
) -> None:
    now = datetime.now(UTC)
    headers = signed_headers([key], event_id, now, body)
    forged = [
        (other, headers, body),
        (key, headers, other_body),
        (key, headers | {"webhook-id": event_id + "x"}, body),
        (key, headers | {"webhook-timestamp": str(int(now.timestamp()) - 1)}, body),
        (key, signed_headers([key], event_id, now - timedelta(minutes=6), body), body),
    ]
    for secret, sent, content in forged:
        if (secret, sent, content) == (key, headers, body):
            continue
        with pytest.raises(WebhookVerificationError):
            Webhook(written(secret)).verify(content, sent, json_parse=False)


def test_new_secrets_are_good_and_different() -> None:
    secrets = {new_secret() for _ in range(10)}
    assert len(secrets) == 10
    assert all(len(key_of(secret)) == 32 for secret in secrets)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "canary4711",
        "whsec_",
        "whsec_canary4711!",
        "whsec_canary4711",
        "WHSEC_" + "A" * 32,
        "whsec_" + "A" * 200,
        "whsec_路口",
    ],
)
def test_a_wrong_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(DeliveryError, match="webhook secret") as caught:
        key_of(secret)
    assert "canary4711" not in f"{caught.value} {caught.value.__cause__}"
