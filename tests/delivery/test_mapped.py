"""Platforms that are told by a mapping file."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import cv2
import numpy as np
import prcoords
import pytest

from detector.config.endpoints import EndpointSettings
from detector.config.mapping import FACTS, examine_mapping, load_mapping
from detector.delivery.attachment import pictures_of
from detector.delivery.endpoint import endpoint_of
from detector.delivery.mapped import Mapped
from detector.delivery.mapping import at, facts_for, parts_of, reply_of
from detector.delivery.memory import ShortMemory
from detector.delivery.samples import samples
from detector.errors import ConfigError, DeliveryError
from detector.evidence.archive import Archive
from detector.evidence.picture import encode
from detector.ports import Attempt
from tests.servers.platform import Answer, Platform, platform

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
EXAMPLE = Path("configs/mapping.example.yaml")
OPENED = samples()["problem.opened"]
EVENT_ID = str(json.loads(OPENED)["id"])


@contextmanager
def sink_for(state: Platform, file: Path, memory: ShortMemory | None = None, **changes: Any) -> Iterator[Mapped]:
    picture = changes.pop("picture", lambda _: None)
    settings = EndpointSettings.model_validate(
        {
            "name": "bureau",
            "kind": "mapped",
            "url": state.url,
            "timeout": "30 s",
            "mapped": {"file": str(file), **changes},
        }
    )
    assert settings.mapped is not None
    mapping = load_mapping(file, {"BUREAU_KEY": "canary4711"})
    sink = Mapped(endpoint_of(settings), settings.mapped, mapping, memory or ShortMemory(), picture, lambda: NOW)
    try:
        yield sink
    finally:
        sink.close()


def send(sink: Mapped, event_type: str = "problem.opened") -> Attempt:
    body = samples()[event_type]
    return sink.send(json.loads(body)["id"], event_type, body)


def a_mapping(folder: Path, text: str) -> Path:
    file = folder / "mapping.yaml"
    file.write_text(text, encoding="utf-8")
    return file


# --- requests -----------------------------------------------------------------------------------------------------


def test_the_example_makes_the_requests_that_it_describes(root: Path) -> None:
    with platform() as state, sink_for(state, root / EXAMPLE) as sink:
        attempts = [send(sink, one) for one in ("problem.opened", "problem.cleared", "problem.updated")]
    assert [one.accepted for one in attempts] == [True, True, True]
    assert attempts[0].receipt["case_id"] == "C-1"
    assert "no message for problem.updated" in attempts[2].receipt["skipped"]
    opened, cleared = state.requests
    assert (opened.method, opened.path) == ("POST", "/api/cases")
    assert opened.headers["x-app-key"] == "canary4711"
    assert opened.headers["content-type"] == "application/json; charset=utf-8"
    there = prcoords.wgs_gcj((34.25841, 108.92875))
    assert json.loads(opened.body) == {
        "requestId": EVENT_ID,
        "case": {
            "outerId": "0198f3c2-6d2e-7c41-9b0a-3f5d1c8e7a10",
            "event": "01",
            "source": "AI",
            "bigClass": "06",
            "smallClass": "06010",
            "title": "莲湖区 东门二号 暴露垃圾",
            "confidence": 0.87,
            "needReview": False,
            "foundAt": "2026-07-01 16:40:00",
            "sentAt": 1782896400000,
            "location": {
                "x": pytest.approx(there.lon, abs=1e-6),
                "y": pytest.approx(there.lat, abs=1e-6),
                "text": "莲湖区 东门二号",
            },
            "pictures": [{"url": f"https://evidence.example/2026/07/01/{EVENT_ID}.jpg"}],
        },
    }
    assert (cleared.method, cleared.path) == ("PUT", "/api/cases/0198f3c2-6d2e-7c41-9b0a-3f5d1c8e7a10/cleared")
    assert json.loads(cleared.body)["clearedAt"] == "2026-07-01 18:30:00"


def test_xml_in_the_encoding_of_an_old_platform(tmp_path: Path) -> None:
    file = a_mapping(
        tmp_path,
        """
format: xml
root: Record
encoding: gb18030
coordinates: bd09
messages:
  - on: ["problem.*"]
    fields:
      - {to: "Case.@id", fact: problem_id}
      - {to: Case.Name, fact: category_name}
      - {to: "Case.Point[0]", fact: longitude, digits: 5}
      - {to: "Case.Point[1]", fact: latitude, digits: 5}
      - {to: Case.Note, text: "<&> {camera_name}"}
      - {to: Case.Ok, value: true}
success: {field: Body.Code, equals: [0]}
receipt: {number: Body.Id}
""",
    )
    reply = "<?xml version='1.0' encoding='GBK'?><r><Body><Code>0</Code><Id>七</Id></Body></r>".encode("gbk")
    with platform(lambda _: Answer(body=reply)) as state, sink_for(state, file) as sink:
        attempt = send(sink)
    assert attempt.receipt["number"] == "七"
    [request] = state.requests
    assert "暴露垃圾".encode("gb18030") in request.body
    declaration, _, text = request.body.decode("gb18030").partition("\n")
    assert declaration == "<?xml version='1.0' encoding='gb18030'?>"
    record = ET.fromstring(text)
    case = record.find("Case")
    assert record.tag == "Record"
    assert case is not None
    assert case.get("id") == "0198f3c2-6d2e-7c41-9b0a-3f5d1c8e7a10"
    assert case.findtext("Note") == "<&> 东门二号"
    assert case.findtext("Ok") == "true"
    there = prcoords.wgs_bd((34.25841, 108.92875))
    points = [float(one.text or "") for one in case.findall("Point")]
    assert points == [pytest.approx(there.lon, abs=1e-5), pytest.approx(there.lat, abs=1e-5)]


def test_forms(tmp_path: Path) -> None:
    fields = "[{to: name, fact: category_name}, {to: n, fact: score}, {to: t, fact: first_seen, time: epoch_s}]"
    file = a_mapping(tmp_path, f"format: form\nmessages:\n  - on: ['problem.*']\n    fields: {fields}\n")
    with platform() as state, sink_for(state, file) as sink:
        assert send(sink).accepted
    assert parse_qs(state.requests[0].body.decode()) == {"name": ["暴露垃圾"], "n": ["0.8731"], "t": ["1782894600"]}


def test_the_picture_itself_where_a_link_is_not_enough(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "evidence")
    jpeg = encode(np.zeros((32, 32, 3), np.uint8), {"event": EVENT_ID})
    link = f"https://evidence.example/{archive.write(EVENT_ID, datetime(2026, 7, 2, tzinfo=UTC), jpeg)}"
    file = a_mapping(
        tmp_path, "messages:\n  - on: ['*']\n    fields: [{to: picture, fact: evidence_base64, optional: true}]\n"
    )
    event = json.loads(OPENED)
    event["data"]["evidence"]["url"] = link
    picture = pictures_of(archive, "https://evidence.example/")
    with platform() as state, sink_for(state, file, picture=picture) as sink:
        assert sink.send("e1", "problem.opened", json.dumps(event).encode()).accepted
        assert send(sink).accepted  # that one is not in the archive
    content = base64.b64decode(json.loads(state.requests[0].body)["picture"])
    assert content == jpeg
    assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).shape == (32, 32, 3)
    assert json.loads(state.requests[1].body) == {}
    for elsewhere in ("https://other.example/x.jpg", "../../etc/passwd", "https://evidence.example/../x"):
        assert picture(elsewhere) is None


def test_facts_are_those_that_the_file_may_name(root: Path) -> None:
    mapping = load_mapping(root / EXAMPLE, {"BUREAU_KEY": "x"})
    for event_type in ("problem.opened", "camera.health", "detection.observed"):
        facts = facts_for(mapping, samples()[event_type], event_type, NOW, lambda _: None)
        assert set(facts) == set(FACTS)


# --- answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "accepted", "final"),
    [
        (Answer(200, b'{"code": 0}'), True, False),
        (Answer(200, b'{"code": "200"}'), True, False),
        (Answer(200, b'{"code": 500, "msg": "busy"}'), False, False),
        (Answer(200, b'{"code": 4001}'), False, True),
        (Answer(200, b"OK"), False, False),
        (Answer(200, b"[" * 60_000), False, False),
        (Answer(500, b'{"code": 0}'), False, False),
        (Answer(422, b"no such class"), False, True),
        (Answer(302), False, False),
    ],
)
def test_what_an_answer_means(root: Path, answer: Answer, accepted: bool, final: bool) -> None:
    with platform(lambda _: answer) as state, sink_for(state, root / EXAMPLE) as sink:
        attempt = send(sink)
    assert (attempt.accepted, attempt.status, attempt.final) == (accepted, answer.status, final)
    assert accepted == (attempt.error is None)


def test_an_accepted_event_is_not_sent_again(root: Path) -> None:
    with platform() as state, sink_for(state, root / EXAMPLE) as sink:
        first, second = send(sink), send(sink)
    assert first.receipt == second.receipt
    assert len(state.requests) == 1


@pytest.mark.parametrize(("when_unsure", "requests"), [("again", 2), ("ask", 1)])
def test_after_a_lost_answer(root: Path, when_unsure: str, requests: int) -> None:
    memory = ShortMemory()
    answers = iter([Answer(cut=True), Answer(), Answer()])
    with (
        platform(lambda _: next(answers)) as state,
        sink_for(state, root / EXAMPLE, memory, when_unsure=when_unsure) as sink,
    ):
        lost, second = send(sink), send(sink)
        assert len(state.requests) == requests
        assert (lost.accepted, second.accepted, second.final) == (False, requests == 2, requests == 1)
        if when_unsure == "ask":
            memory.keep(EVENT_ID, second.receipt)  # as the courier does; then a person redelivers
            assert send(sink).accepted


def test_a_refusal_leaves_no_doubt(root: Path) -> None:
    answers = iter([Answer(200, b'{"code": 500}'), Answer()])
    with platform(lambda _: next(answers)) as state, sink_for(state, root / EXAMPLE, when_unsure="ask") as sink:
        assert not send(sink).accepted
        assert send(sink).accepted


ENTITY = b"<!DOCTYPE x [<!ENTITY a 'b'>]><r><a>&a;</a></r>"


@pytest.mark.parametrize("body", [ENTITY, b"<r", b"", b"\xff", b"<a>" * 20_000 + b"</a>" * 20_000])
def test_answers_that_are_none(body: bytes) -> None:
    assert reply_of(body) is None


def test_paths() -> None:
    assert parts_of("a.b[0][1].@c") == ["a", "b", 0, 1, "@c"]
    assert at({"a": [{"b": 1}, {"b": True}]}, "a[1].b") == "true"
    assert at({"a": None}, "a") is None
    assert at({"a": [1]}, "a[3]") is None
    assert at("text", "a.b") is None


# --- what cannot be sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("{to: a, fact: cleared_at}", "field a: the event does not tell cleared_at"),
        ("{to: a, fact: category, table: t}", 'field a: table t has no "exposed_garbage"'),
        ("{to: a, fact: label, type: number}", '"garbage" is no number'),
    ],
)
def test_a_field_without_a_value_is_a_dead_letter_that_names_it(tmp_path: Path, field: str, message: str) -> None:
    text = f"tables: {{t: {{x: y}}}}\nmessages:\n  - on: ['problem.opened']\n    fields: [{field}]\n"
    with platform() as state, sink_for(state, a_mapping(tmp_path, text)) as sink:
        attempt = send(sink)
        with pytest.raises(DeliveryError):
            sink.preview(EVENT_ID, "problem.opened", OPENED)
    assert (attempt.accepted, attempt.final) == (False, True)
    assert message in (attempt.error or "")
    assert state.requests == []


TWO_FIELDS = """messages:
- on: [problem.opened]
  fields:
  - {to: a, fact: score, time: iso}
  - {to: b, fact: label, digits: 2}
"""


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("messages: []\n", ["1: messages: needs at least 1"]),
        (
            "messages:\n  - on: [problem.opened]\n    fields:\n      - {to: a, fact: catgory}\n",
            ['4: messages[0].fields[0].fact: "catgory" is nothing that an event tells; did you mean "category"?'],
        ),
        (
            "tables: {class: {a: b}}\nmessages:\n- on: ['problem.*']\n  fields: [{to: a, fact: code, table: clas}]\n",
            ['4: messages[0].fields[0].table: there is no table "clas" under `tables`; did you mean "class"?'],
        ),
        (
            TWO_FIELDS,
            [
                "4: messages[0].fields[0].time: score is no time",
                "5: messages[0].fields[1].digits: label is no number",
            ],
        ),
        (
            "messages:\n  - on: [problem.opened, camera.health]\n    fields:\n      - {to: a, fact: label}\n",
            ["4: messages[0].fields[0].fact: camera.health does not tell label; make it"],
        ),
        (
            "messages:\n  - on: [problem.opened]\n    fields:\n      - {to: a, fact: label, value: b}\n",
            ["4: messages[0].fields[0]: needs exactly one of fact, value and text"],
        ),
        (
            "messages:\n  - on: [problem.open]\n    fields:\n      - {to: 'a b', text: '{x}'}\n",
            ['2: messages[0].on[0]: "problem.open" matches no event', "4: messages[0].fields[0].to", "4: messages[0]"],
        ),
        (
            "messages:\n- on: ['*']\n  path: '/{problem}'\n  fields: [{to: a, value: 1}]",
            ['3: messages[0].path: "problem" is nothing that an event tells; did you mean "problem_id"?'],
        ),
        (
            "messages:\n- on: ['*']\n  fields: [{to: a.b, value: 1}, {to: a, value: 1}, {to: 'c[0]', value: 1}]",
            ["3: messages[0].fields[1].to: a has a value already"],
        ),
        (
            "format: xml\nroot: a b\nmessages:\n- on: ['*']\n  fields: [{to: 1a.@b, value: 1}, {to: 案件.x, value: 1}]",
            ['2: root: "a b" is no name in XML', '5: messages[0].fields[0].to: "1a" is no name in XML'],
        ),
        (
            "headers: {key: '${BUREAU_KYE}'}\nmessages:\n  - on: ['*']\n    fields: [{to: a, value: 1}]\n",
            ["1: headers.key: environment variable BUREAU_KYE is not set"],
        ),
        (
            "sucess: {}\nmessages:\n  - on: ['*']\n    fields: [{to: a, value: 1}]\n",
            ['1: sucess: unknown key; did you mean "success"?'],
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_told_by_line_and_key(tmp_path: Path, text: str, findings: list[str]) -> None:
    file = a_mapping(tmp_path, text)
    told = [str(finding).removeprefix(f"{file}:") for finding in examine_mapping(file, {}).findings]
    assert len(told) == len(findings), told
    for one, wanted in zip(told, findings, strict=True):
        assert one.startswith(wanted)
    with pytest.raises(ConfigError):
        load_mapping(file, {})


def test_an_address_with_a_gap_is_not_used(tmp_path: Path) -> None:
    text = "messages:\n- on: ['*']\n  path: '/{problem_id}'\n  fields: [{to: a, text: ' {district} {camera_id} '}]\n"
    with platform() as state, sink_for(state, a_mapping(tmp_path, text)) as sink:
        health = send(sink, "camera.health")
        assert send(sink).accepted
    assert (health.final, health.error) == (True, "path /{problem_id}: the event does not tell problem_id")
    assert json.loads(state.requests[0].body) == {"a": "莲湖区 east-gate-2"}


def test_the_preview_shows_the_request_and_no_secret(root: Path) -> None:
    with platform() as state, sink_for(state, root / EXAMPLE) as sink:
        shown = sink.preview(EVENT_ID, "problem.opened", OPENED)
        assert sink.preview("x", "camera.health", samples()["camera.health"]).note
    assert shown.line == f"POST {state.url}/cases"
    assert json.loads(shown.body)["case"]["event"] == "01"
    assert shown.headers["X-App-Key"] == "***"
    assert "canary4711" not in str(shown)
    assert state.requests == []
