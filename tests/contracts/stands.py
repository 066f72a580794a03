"""For each kind of endpoint: a receiver that is not ours in what it understands, and the settings that reach it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.receiver import SECRET, receiver
from tests.delivery.receiver import Answer as WebhookAnswer
from tests.servers.mosquitto import NO_BROKER, PASSWORD, Mosquitto, Subscriber, broker_program
from tests.servers.open311 import open311_city
from tests.servers.platform import Answer, Request, platform

MAPPING = """
headers: {X-Key: canary4711}
messages:
  - on: [problem.opened]
    fields:
      - {to: id, fact: event_id}
      - {to: what, fact: category_name}
success: {field: code, equals: [0]}
receipt: {case_id: data.caseId}
"""


@dataclass
class Stand:
    """One receiver, and how to make it misbehave."""

    settings: dict[str, Any]  # of the endpoint
    cases: Callable[[], list[str]]  # event ids of the distinct cases that it has made
    secret: str  # in the settings; must show nowhere
    mood: list[str]  # one of well, refuse, hang
    gone: Callable[[], None] = lambda: None  # nobody is there any more
    wait: Callable[[int], object] = field(default=lambda _: None)  # until so many messages were heard


@contextmanager
def webhook(_folder: Path) -> Iterator[Stand]:
    mood = ["well"]
    answers = {
        "well": WebhookAnswer(),
        "refuse": WebhookAnswer(400, body=b"no such case"),
        "hang": WebhookAnswer(hang=True, accept=False),
    }
    with receiver(lambda *_: answers[mood[0]]) as state:
        url = state.url.replace("http://", "http://user:canary4711@")
        yield Stand({"url": url, "secrets": [SECRET]}, lambda: list(dict.fromkeys(state.ids)), "canary4711", mood)


@contextmanager
def open311(_folder: Path) -> Iterator[Stand]:
    mood = ["well"]

    with open311_city(api_key="canary4711", mishap=lambda: "hang" if mood[0] == "hang" else None) as city:
        codes = city.services

        def cases() -> list[str]:
            return [str(row["description"]).rpartition("ref: ")[2] for row in city.requests]

        class Mood(list[str]):
            def __setitem__(self, index: Any, value: Any) -> None:
                city.services = () if value == "refuse" else codes
                mood[0] = value

        options = {"api_key": "canary4711", "service_codes": {"exposed_garbage": "001"}}
        yield Stand({"url": city.url, "open311": options}, cases, "canary4711", Mood(mood))


@contextmanager
def mapped(folder: Path) -> Iterator[Stand]:
    mood = ["well"]
    answers = {"well": Answer(), "refuse": Answer(400, b'{"code": 4001}'), "hang": Answer(hang=True)}
    taken: list[str] = []

    def reply(request: Request) -> Answer:
        if mood[0] == "well":
            taken.append(json.loads(request.body)["id"])
        return answers[mood[0]]

    file = folder / "mapping.yaml"
    file.write_text(MAPPING, encoding="utf-8")
    with platform(reply) as state:
        yield Stand({"url": state.url, "mapped": {"file": str(file)}}, lambda: list(taken), "canary4711", mood)


@contextmanager
def mqtt(folder: Path) -> Iterator[Stand]:
    program = broker_program()
    if program is None:
        pytest.skip(NO_BROKER)
    place = folder / "mosquitto"
    place.mkdir()
    broker = Mosquitto(program, place).start(login=True, acl="topic readwrite #\nuser street\ntopic readwrite #\n")
    subscriber = Subscriber(broker, login=True)

    class Mood(list[str]):
        def __setitem__(self, index: Any, value: Any) -> None:
            match value:
                case "refuse":  # no message without a login, and everybody's is wrong now
                    (place / "passwords").write_text("")
                    broker.restart()
                case "hang":
                    broker.freeze()

    def cases() -> list[str]:
        return list(dict.fromkeys(json.loads(one.payload)["id"] for one in subscriber.heard))

    try:
        yield Stand({"url": broker.url_with_login}, cases, PASSWORD, Mood(["well"]), broker.kill, subscriber.wait_for)
    finally:
        broker.kill()
        subscriber.close()


STANDS: dict[str, Callable[[Path], AbstractContextManager[Stand]]] = {
    "webhook": webhook,
    "open311": open311,
    "mapped": mapped,
    "mqtt": mqtt,
}
"""`kind` to its stand: another sink is another line here."""
