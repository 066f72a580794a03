"""One street, one file: history, recurrence, hot spots."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from detector.core.routing import Street, routing_of
from detector.desk.plan import Plan

STREETS = [Street("renmin/1", "人民路", "莲湖区", "city", "610104001002003", frozenset({"cam-1", "cam-2"}))]
NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)


@pytest.fixture
def lively(make_desk: Any, make: Any) -> Any:
    """Two places with repeated cases in Renmin Road, one camera at no street, one false alarm, one merged case."""
    desk = make_desk(plan=Plan(routing=routing_of([], [], STREETS)), clock=lambda: NOW, timezone="Asia/Shanghai")
    box, elsewhere = [100, 100, 200, 200], [900, 100, 1000, 200]
    for number, (camera, place, day) in enumerate(
        [("cam-1", box, 0), ("cam-1", box, 1), ("cam-1", elsewhere, 1), ("cam-2", box, 1), ("cam-9", box, 0)]
    ):
        event = make.problem(
            problem=f"p{number}", camera_id=camera, minute=day * 1440, place={"box": place, "frame_size": [1920, 1080]}
        )
        assert desk.send(event).status_code == 200
    for revision, kind in enumerate(("cleared", "reopened", "cleared"), start=2):
        desk.send(
            make.problem(kind, problem="p2", revision=revision, minute=1440 + 60 * revision, camera_id="cam-1",
                         place={"box": elsewhere, "frame_size": [1920, 1080]})
        )  # fmt: skip
    desk.send(make.problem("dismissed", problem="p8", minute=10))
    desk.send(make.problem(problem="p7", minute=1440, camera_id="cam-2"))
    ids = {case["problem_id"]: case["id"] for case in desk.client.get("/cases.json").json()["cases"]}
    merged = {"decision": "merge", "into": ids["p3"]}
    assert desk.client.post(f"/cases/{ids['p7']}/verdicts", json=merged).json()["status"] == "merged"
    return desk


def test_the_list_of_streets(lively: Any) -> None:
    told = lively.client.get("/streets.json?days=30").json()
    assert [(one["id"], one["name"], one["cases"], one["open"], one["reopened"]) for one in told["streets"]] == [
        ("renmin/1", "人民路", 4, 3, 1),
        ("camera:cam-9", "cam-9", 1, 1, 0),
    ]
    page = lively.client.get("/streets").text
    assert 'href="/streets/renmin/1"' in page
    assert 'href="/streets/camera%3Acam-9"' in page


def test_the_file_of_a_street(lively: Any) -> None:
    told = lively.client.get("/streets/renmin/1.json?days=3").json()
    assert (told["name"], told["district"], told["owner"], told["total"]) == ("人民路", "莲湖区", "city", 4)
    assert [(day["day"], day["cases"]) for day in told["per_day"]] == [
        ("2026-03-02", 1),
        ("2026-03-03", 3),
        ("2026-03-04", 0),
    ]
    assert told["by_category"] == [{"category": "exposed_garbage", "cases": 4}]
    assert sum(told["by_hour"]) == told["by_hour"][9] == 4  # 01:00 UTC is nine in Shanghai
    spots = {(spot["times"], len(spot["cases"]), spot["box"][0]) for spot in told["hot_spots"]}
    assert spots == {(2, 1, 900), (2, 2, 100)}  # the first came back to its place
    assert told["reopened"] == 1
    assert told["median_cleared_after_s"] == 4 * 3600
    page = lively.client.get("/streets/renmin/1?days=3").text
    for expected in ("人民路", "road of city", "2×", "2026-03-03: 3"):
        assert expected in page


def test_how_long_clearing_took_is_the_median(make_desk: Any, make: Any) -> None:
    desk = make_desk(clock=lambda: NOW)
    for number, hours in enumerate((9, 1, 2, None)):
        desk.send(make.problem(problem=f"p{number}", camera_id="cam-1"))
        if hours is not None:
            desk.send(make.problem("cleared", problem=f"p{number}", revision=2, minute=60 * hours, camera_id="cam-1"))
    assert desk.client.get("/streets/camera:cam-1.json").json()["median_cleared_after_s"] == 2 * 3600


def test_a_camera_at_no_street_and_what_does_not_exist(lively: Any) -> None:
    told = lively.client.get("/streets/camera:cam-9.json").json()
    assert (told["name"], told["cameras"], told["total"]) == ("cam-9", ["cam-9"], 1)
    assert lively.client.get("/streets/camera:cam-1.json").status_code == 404
    assert lively.client.get("/streets/none").status_code == 404
    assert lively.client.get("/streets?days=0").status_code == 422


def test_cases_can_be_asked_for_by_street(lively: Any) -> None:
    assert lively.client.get("/cases.json?street=renmin/1").json()["total"] == 6  # false alarms and merged ones too
    assert lively.client.get("/?street=renmin/1").text.count('class="card ') == 6


def test_hostile_names_stay_text(make_desk: Any, make: Any) -> None:
    hostile = "<script>alert(1)</script>/../x?y#z"
    desk = make_desk(clock=lambda: NOW)
    desk.send(make.problem(camera_id=hostile))
    listed = desk.client.get("/streets").text
    assert "&lt;script&gt;alert(1)" in listed
    assert "<script>alert" not in listed
