from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from detector.config.endpoints import EndpointSettings
from detector.delivery.endpoint import Endpoint, endpoint_of, subscribers
from detector.errors import DeliveryError
from tests.delivery.receiver import NEXT_SECRET, SECRET

DESK = Endpoint("desk", "https://desk.example/events?key=canary4711", (SECRET,))


def test_who_is_told_what() -> None:
    map_ = replace(DESK, name="map", events=("problem.opened", "problem.cleared"))
    raw = replace(DESK, name="raw", events=("*", "detection.observed"))
    everything = replace(DESK, name="everything", events=("*",))
    all_ = [DESK, map_, raw, everything]
    assert subscribers("problem.opened", all_) == ("desk", "map", "raw", "everything")
    assert subscribers("problem.updated", all_) == ("desk", "raw", "everything")
    assert subscribers("camera.health", all_) == ("desk", "raw", "everything")
    assert subscribers("detection.observed", all_) == ("raw",)  # `*` does not name it
    assert replace(DESK, events=("detection.*",)).wants("detection.observed")


def test_it_does_not_show_its_url_or_secrets() -> None:
    assert "canary" not in repr(DESK)
    assert SECRET not in repr(DESK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"secrets": ()}, "at least one secret"),
        ({"secrets": (SECRET, "whsec_canary4711")}, "webhook secret"),
        ({"url": "ftp://canary4711@desk/"}, "http:// or https://"),
        ({"url": "http://"}, "http:// or https://"),
        ({"url": "http://desk:canary4711/"}, "http:// or https://"),
        ({"schedule": ()}, "starts with 0"),
        ({"schedule": (timedelta(seconds=5),)}, "starts with 0"),
        ({"schedule": (timedelta(0), timedelta(-1))}, "must be positive"),
        ({"timeout_s": 0.0}, "must be positive"),
        ({"at_once": 0}, "must be positive"),
    ],
)
def test_a_wrong_one_is_refused_without_showing_secrets(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DeliveryError, match=message) as caught:
        replace(DESK, **change)
    assert "'desk'" in str(caught.value)
    assert "canary4711" not in f"{caught.value} {caught.value.__cause__}"


def test_from_the_configuration() -> None:
    settings = EndpointSettings.model_validate(
        {
            "name": "desk",
            "url": DESK.url,
            "secrets": [SECRET, NEXT_SECRET],
            "events": ["problem.*"],
            "retry_schedule": ["0 s", "1 min"],
            "timeout": "3 s",
        }
    )
    schedule = (timedelta(0), timedelta(minutes=1))
    assert endpoint_of(settings) == Endpoint("desk", DESK.url, (SECRET, NEXT_SECRET), ("problem.*",), schedule, 3.0)
