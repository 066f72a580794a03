"""Listing cases and cameras."""

from __future__ import annotations

import base64
from typing import Any

import pytest


@pytest.fixture
def busy(desk: Any, make: Any) -> Any:
    """Five cases and three cameras."""
    desk.send(make.problem(problem="p1", minute=1))
    desk.send(make.problem(problem="p2", minute=2, category="street_stall", camera_id="cam-2"))
    desk.send(make.problem(problem="p3", minute=3, review=True))
    for revision, kind in enumerate(("opened", "cleared"), start=1):
        desk.send(make.problem(kind, problem="p4", revision=revision, minute=4 + revision))
    desk.send(make.problem("dismissed", problem="p5", minute=9, camera_id="cam-2"))
    desk.send(make.camera("cam-1", "ok", 1))
    desk.send(make.camera("cam-2", "ok", 1))
    desk.send(make.camera("cam-2", "covered", 5, "one grey area"))
    desk.send(make.camera("cam-3", "ok", 2))
    return desk


@pytest.mark.parametrize(
    ("query", "problems"),
    [
        ("", ["p3", "p2", "p1", "p4", "p5"]),
        ("status=open", ["p3", "p2", "p1"]),
        ("status=cleared", ["p4"]),
        ("status=dismissed", ["p5"]),
        ("category=street_stall", ["p2"]),
        ("camera=cam-2", ["p2", "p5"]),
        ("camera=cam-2&status=open", ["p2"]),
        ("stage=collect", ["p3"]),
        ("stage=close", ["p4", "p5"]),
        ("category=none", []),
    ],
)
def test_filters(busy: Any, query: str, problems: list[str]) -> None:
    answer = busy.client.get(f"/cases.json?{query}").json()
    found = [case["problem_id"] for case in answer["cases"]]
    assert (found, answer["total"]) == (problems, len(problems))


def test_pages_cover_everything_once(busy: Any) -> None:
    found: list[str] = []
    for offset in range(0, 6, 2):
        answer = busy.client.get(f"/cases.json?limit=2&offset={offset}").json()
        assert answer["total"] == 5
        found += [case["problem_id"] for case in answer["cases"]]
    assert sorted(found) == ["p1", "p2", "p3", "p4", "p5"]


@pytest.mark.parametrize("query", ["status=lost", "stage=lost", "limit=0", "limit=501", "offset=-1", "limit=x"])
def test_senseless_queries_are_refused(desk: Any, query: str) -> None:
    assert desk.client.get(f"/cases.json?{query}").status_code == 422


def test_one_case_with_its_history(busy: Any, make: Any) -> None:
    case = busy.client.get("/cases.json?status=cleared").json()["cases"][0]
    answer = busy.client.get(f"/cases/{case['id']}.json").json()
    history, steps = answer.pop("history"), answer.pop("steps")
    assert [step["move"] for step in steps] == ["filed", "vanished"]
    assert (answer.pop("merged"), answer.pop("apart")) == ([], [])
    assert answer == case
    assert [entry["kind"] for entry in history] == ["opened", "cleared"]
    assert [entry["revision"] for entry in history] == [1, 2]
    assert history[0]["event_id"] == make.problem("opened", problem="p4")["id"]
    assert busy.client.get("/cases/none.json").status_code == 404


def test_the_newest_word_about_a_camera_counts_and_the_blind_come_first(busy: Any, make: Any) -> None:
    cameras = busy.client.get("/cameras.json").json()["cameras"]
    assert [(camera["id"], camera["status"]) for camera in cameras] == [
        ("cam-2", "covered"),
        ("cam-1", "ok"),
        ("cam-3", "ok"),
    ]
    assert cameras[0]["reason"] == "one grey area"
    busy.send(make.camera("cam-2", "dark", 3))  # older than what is known
    assert busy.client.get("/cameras.json").json()["cameras"] == cameras
    busy.send(make.camera("cam-2", "ok", 6))
    assert {c["status"] for c in busy.client.get("/cameras.json").json()["cameras"]} == {"ok"}


READING = ["/", "/cases.json", "/cameras.json", "/cases/x", "/cases/x.json", "/evidence/x.jpg"]


@pytest.mark.parametrize("path", READING)
def test_reading_needs_the_token_when_there_is_one(make_desk: Any, path: str) -> None:
    client = make_desk(token="open-sesame-花").client

    def status(authorization: str | None) -> int:
        headers = {"authorization": authorization.encode()} if authorization else {}
        return int(client.get(path, headers=headers).status_code)

    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    refused = client.get(path)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")
    for wrong in ("Bearer wrong", "Bearer ", "Basic %%%", basic("open-sesame-花"), basic("li:"), "open-sesame-花"):
        assert status(wrong) == 401
    assert status(basic("li:open-sesame-花")) in (200, 404)


def test_a_bearer_token_reads(make_desk: Any) -> None:
    client = make_desk(token="open-sesame").client
    assert client.get("/cases.json", headers={"authorization": "Bearer open-sesame"}).status_code == 200
    assert client.get("/cases.json", headers={"authorization": "Bearer open-sesam"}).status_code == 401


def test_events_and_health_need_no_reading_token(make_desk: Any, make: Any) -> None:
    desk = make_desk(token="open-sesame")
    assert desk.send(make.problem()).status_code == 200
    assert desk.client.get("/healthz").json() == {"status": "ok"}


def test_what_the_desk_offers_is_described_without_outside_help(desk: Any) -> None:
    paths = desk.client.get("/openapi.json").json()["paths"]
    assert {"/events", "/cases.json", "/cases/{case_id}.json", "/cameras.json", "/healthz"} <= set(paths)
    assert desk.client.get("/docs").status_code == 404
