"""What the desk lets in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.desk import DeskOptions, create_desk
from detector.errors import ConfigError, StoreError

OFFICIAL = "application/cloudevents+json"


def total(desk: Any) -> int:
    return int(desk.client.get("/cases.json").json()["total"])


def test_an_event_becomes_a_case(desk: Any, make: Any) -> None:
    answer = desk.send(make.problem())
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "accepted"
    listed = desk.client.get("/cases.json").json()
    assert listed["total"] == 1
    case = listed["cases"][0]
    assert case["id"] == answer.json()["case_id"]
    assert (case["status"], case["category"], case["camera_id"]) == ("open", "exposed_garbage", "cam-1")
    assert case["codes"] == {"GB/T 47678.5-2026": "06010"}


def test_the_log_names_the_event_and_no_secret(desk: Any, make: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="detector.desk")
    event = make.problem()
    desk.send(event)
    desk.send(event, secret=make.other_secret)
    records = [record for record in caplog.records if record.name.startswith("detector.desk")]
    assert [record.levelname for record in records] == ["INFO", "WARNING"]
    assert vars(records[0])["event_id"] == event["id"]
    assert not [secret for secret in (make.secret, make.other_secret) if secret.removeprefix("whsec_") in caplog.text]


def test_a_wrong_secret_is_refused_and_nothing_is_kept(desk: Any, make: Any) -> None:
    assert desk.send(make.problem(), secret=make.other_secret).status_code == 401
    assert total(desk) == 0
    assert desk.send(make.problem()).json()["outcome"] == "accepted"


def test_either_secret_is_believed_while_one_is_being_replaced(make_desk: Any, make: Any) -> None:
    desk = make_desk(secrets=[make.other_secret, make.secret])
    assert desk.send(make.problem(problem="a")).status_code == 200
    assert desk.send(make.problem(problem="b"), secret=make.other_secret).status_code == 200
    assert total(desk) == 2


def test_a_sender_may_sign_with_two_secrets_at_once(desk: Any, make: Any) -> None:
    event = make.problem()
    body = json.dumps(event).encode()
    headers = make.signed(body, event["id"])
    foreign = make.signed(body, event["id"], make.other_secret)["webhook-signature"]
    headers["webhook-signature"] = f"{foreign} {headers['webhook-signature']}"
    assert desk.client.post("/events", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize("minutes", [-6, 6])
def test_old_and_future_timestamps_are_refused(desk: Any, make: Any, minutes: int) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    assert desk.send(make.problem(), at=at).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,***"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "inf"},
        {"webhook-timestamp": "yesterday"},
        {"webhook-id": "another"},
        {"webhook-id": ""},
    ],
)
def test_tampered_headers_are_refused(desk: Any, make: Any, change: dict[str, str]) -> None:
    body = json.dumps(make.problem()).encode()
    headers = make.signed(body, make.problem()["id"]) | change
    assert desk.client.post("/events", content=body, headers=headers).status_code == 401
    assert total(desk) == 0


def test_a_changed_body_is_refused(desk: Any, make: Any) -> None:
    event = make.problem()
    headers = make.signed(json.dumps(event).encode(), event["id"])
    event["data"]["category"] = "open_burning"
    answer = desk.client.post("/events", content=json.dumps(event).encode(), headers=headers)
    assert answer.status_code == 401


def test_a_repeated_event_is_welcomed_and_changes_nothing(desk: Any, make: Any) -> None:
    desk.send(make.problem())
    before = desk.client.get("/cases.json").json()
    later = datetime.now(UTC) + timedelta(seconds=60)  # a retry renews the timestamp and keeps the id
    again = desk.send(make.problem(), at=later)
    assert (again.status_code, again.json()["outcome"]) == (200, "duplicate")
    assert again.json()["case_id"] == before["cases"][0]["id"]
    assert desk.client.get("/cases.json").json() == before
    case = before["cases"][0]["id"]
    assert len(desk.client.get(f"/cases/{case}.json").json()["history"]) == 1


def test_the_event_id_must_be_the_webhook_id(desk: Any, make: Any) -> None:
    assert desk.send(make.problem(), webhook_id="another").status_code == 400
    assert total(desk) == 0


def without(event: dict[str, Any], *path: str) -> dict[str, Any]:
    parent = event
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    return event


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (("id",), "id"),
        (("source",), "source"),
        (("specversion",), "specversion"),
        (("time",), "time"),
        (("data",), "data"),
        (("data", "problem_id"), "problem_id"),
        (("data", "revision"), "revision"),
        (("data", "camera_id"), "camera_id"),
        (("data", "category"), "category"),
        (("data", "first_seen"), "first_seen"),
    ],
)
def test_a_missing_field_is_named(desk: Any, make: Any, path: tuple[str, ...], named: str) -> None:
    answer = desk.send(without(make.problem(), *path), webhook_id=make.problem()["id"])
    assert answer.status_code == 400
    assert named in answer.json()["detail"]
    assert total(desk) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("score", 1.5),
        ("score", float("nan")),
        ("revision", -1),
        ("revision", 2**40),
        ("first_seen", "2026-03-02T01:00:00"),
        ("place", {"box": [1, 2, 3]}),
        ("place", {"ground": {"latitude": 91, "longitude": 0}}),
        ("camera_id", ""),
        ("category", {"$ne": 1}),
    ],
)
def test_a_wrong_value_is_refused_without_repeating_it(desk: Any, make: Any, field: str, value: Any) -> None:
    answer = desk.send(make.problem(**{field: value}))
    assert answer.status_code == 400
    assert field in answer.json()["detail"]
    assert total(desk) == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"', b"[" * 60_000])
def test_what_is_no_json_object_is_malformed(desk: Any, make: Any, body: bytes) -> None:
    headers = {"content-type": OFFICIAL}
    if body != b"\xff\xfe":  # the library can only sign text
        headers = make.signed(body, "x")
    answer = desk.client.post("/events", content=body, headers=headers)
    assert answer.status_code == (401 if body == b"\xff\xfe" else 400)


def test_only_cloudevents_are_taken(desk: Any, make: Any) -> None:
    body = json.dumps(make.problem()).encode()
    headers = make.signed(body, make.problem()["id"])
    for content_type in ("application/json", "text/plain", ""):
        changed = headers | {"content-type": content_type}
        assert desk.client.post("/events", content=body, headers=changed).status_code == 415
    with_charset = headers | {"content-type": "Application/CloudEvents+JSON; charset=utf-8"}
    assert desk.client.post("/events", content=body, headers=with_charset).status_code == 200


def test_a_large_body_is_refused_by_its_announced_length(make_desk: Any, make: Any) -> None:
    desk = make_desk(max_body_bytes=2000)
    assert desk.send(make.problem()).status_code == 200
    answer = desk.send(make.problem(problem="big", label="x" * 2000))
    assert answer.status_code == 413
    assert total(desk) == 1


def test_a_large_body_of_unannounced_length_is_refused(make_desk: Any) -> None:
    desk = make_desk(max_body_bytes=2000)
    chunks = (b"x" * 1000 for _ in range(3))
    answer = desk.client.post("/events", content=chunks, headers={"content-type": OFFICIAL})
    assert answer.status_code == 413


def test_event_types_of_later_versions_are_kept_and_not_guessed_at(desk: Any, make: Any) -> None:
    event = make.problem() | {"type": "org.street-detector.problem.opened.v9", "data": {"new": 1}}
    answer = desk.send(event)
    assert (answer.status_code, answer.json()["case_id"]) == (200, None)
    assert total(desk) == 0
    assert desk.send(event).json()["outcome"] == "duplicate"


def test_single_detections_make_no_case(desk: Any, make: Any) -> None:
    event = make.problem() | {"type": "org.street-detector.detection.observed.v1"}
    assert desk.send(event).status_code == 200
    assert total(desk) == 0


def test_unknown_fields_do_no_harm(desk: Any, make: Any) -> None:
    event = make.problem(newfangled={"a": 1}) | {"traceparent": "00-1-2-03"}
    assert desk.send(event).status_code == 200


def test_the_ledger_outlives_the_desk(make_desk: Any, make: Any) -> None:
    first = make_desk()
    first.send(make.problem())
    shown = first.client.get("/cases.json").json()
    second = make_desk()
    assert second.client.get("/cases.json").json() == shown
    assert second.send(make.problem()).json()["outcome"] == "duplicate"


@pytest.mark.parametrize("secrets", [[], ["whsec_"], ["whsec_%%%"], ["whsec_MDEyMzQ1"], ["whsec_a"]])
def test_unusable_secrets_are_told_without_showing_them(tmp_path: Path, secrets: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        create_desk(DeskOptions(f"sqlite:///{tmp_path}/desk.db", secrets))
    assert all(secret not in str(refused.value) for secret in secrets if len(secret) > 6)


@pytest.mark.parametrize("url", ["desk.db", "sqlite://", "sqlite:///:memory:", "postgresql://user:canary@db/desk"])
def test_only_a_sqlite_file_is_a_ledger(make: Any, url: str) -> None:
    with pytest.raises(ConfigError, match="sqlite:///PATH") as refused:
        create_desk(DeskOptions(url, [make.secret]))
    assert "canary" not in str(refused.value)


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path, make: Any) -> None:
    (tmp_path / "desk.db").write_bytes(b"not a database at all, " * 100)
    with pytest.raises(StoreError, match="ledger"):
        create_desk(DeskOptions(f"sqlite:///{tmp_path}/desk.db", [make.secret]))


def test_options_do_not_print_their_secrets(make: Any) -> None:
    options = DeskOptions("sqlite:///x.db", [make.secret], token="canary")
    assert make.secret not in repr(options)
    assert "canary" not in repr(options)
