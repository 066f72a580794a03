"""What people do with a case, through the desk's API."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient


def act(client: TestClient, case: str, move: str, **more: Any) -> Any:
    return client.post(f"/cases/{case}/moves", json={"move": move, **more})


@pytest.fixture
def case(desk: Any, make: Any) -> str:
    return str(desk.send(make.problem()).json()["case_id"])


def test_a_case_goes_its_way(desk: Any, make: Any, case: str) -> None:
    assert desk.client.get(f"/cases/{case}.json").json()["moves"] == ["dispatched", "refused"]
    for move in ("dispatched", "taken_up", "reported", "checked"):
        answer = act(desk.client, case, move, department="Sanitation 环卫所", by="li", note="by noon")
        assert answer.status_code == 200, answer.text
    assert (answer.json()["stage"], answer.json()["department"]) == ("verify", "Sanitation 环卫所")
    assert desk.client.get("/cases.json?stage=verify").json()["total"] == 1
    desk.send(make.problem("cleared", revision=2, minute=90))
    seen = desk.client.get(f"/cases/{case}.json").json()
    assert (seen["stage"], seen["status"]) == ("close", "cleared")
    assert [step["move"] for step in seen["steps"]] == [
        *("filed", "dispatched", "taken_up", "reported", "checked", "seen_gone"),
    ]
    assert {step["by"] for step in seen["steps"]} == {"camera", "li"}
    page = desk.client.get(f"/cases/{case}").text
    assert "Sanitation 环卫所" in page
    assert "by noon" in page


def test_what_is_impossible_now_changes_nothing(desk: Any, case: str) -> None:
    answer = act(desk.client, case, "reported")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "a case at stage file cannot be reported"
    assert [step["move"] for step in desk.client.get(f"/cases/{case}.json").json()["steps"]] == ["filed"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"move": "dispatched"}, 422),  # to whom?
        ({"move": "dispatched", "department": "  "}, 422),
        ({"move": "vanished"}, 422),  # only cameras see that
        ({"move": "returned"}, 422),
        ({"move": "evaporated"}, 422),
        ({"move": "refused", "id": "x"}, 422),
        ({"move": "refused", "stage": "close"}, 422),
        ({"move": "refused", "note": "x" * 2001}, 422),
        ({}, 422),
    ],
)
def test_senseless_requests_are_refused(desk: Any, case: str, body: dict[str, Any], status: int) -> None:
    assert desk.client.post(f"/cases/{case}/moves", json=body).status_code == status
    assert desk.client.get(f"/cases/{case}.json").json()["stage"] == "file"


def test_an_unknown_case_is_told(desk: Any) -> None:
    assert act(desk.client, "none", "refused").status_code == 404


def test_asking_twice_with_one_id_acts_once(desk: Any, case: str) -> None:
    for _ in range(2):
        answer = act(desk.client, case, "dispatched", department="sanitation", id="click-0001")
        assert (answer.status_code, answer.json()["stage"]) == (200, "dispatch")
    assert len(desk.client.get(f"/cases/{case}.json").json()["steps"]) == 2


def test_acting_needs_the_token_and_is_signed_with_its_name(make_desk: Any, make: Any) -> None:
    desk = make_desk(token="open-sesame")
    case = desk.send(make.problem()).json()["case_id"]
    assert act(desk.client, case, "refused").status_code == 401
    answer = desk.client.post(
        f"/cases/{case}/moves", json={"move": "refused", "by": "somebody else"}, auth=("li", "open-sesame")
    )
    assert answer.status_code == 200
    seen = desk.client.get(f"/cases/{case}.json", auth=("li", "open-sesame")).json()
    assert seen["steps"][-1]["by"] == "li"


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_a_form_on_a_foreign_page_cannot_act(desk: Any, case: str, content_type: str) -> None:
    answer = desk.client.post(
        f"/cases/{case}/moves", content=b'{"move": "refused"}', headers={"content-type": content_type}
    )
    assert answer.status_code == 415
    assert desk.client.get(f"/cases/{case}.json").json()["stage"] == "file"


def test_refused_cases_leave_the_queue_of_review(desk: Any, make: Any) -> None:
    case = desk.send(make.problem(review=True)).json()["case_id"]
    assert desk.client.get("/cases.json?stage=collect").json()["total"] == 1
    assert act(desk.client, case, "refused", note="legal breakfast stall").status_code == 200
    assert desk.client.get("/cases.json?stage=collect").json()["total"] == 0
    refused = desk.client.get("/cases.json?status=dismissed").json()["cases"]
    assert [one["id"] for one in refused] == [case]
    desk.send(make.problem("updated", revision=2, minute=500))  # the detector still sees it; it stays refused
    assert desk.client.get(f"/cases/{case}.json").json()["status"] == "dismissed"


def test_a_person_may_verify_on_the_spot(desk: Any, make: Any, case: str) -> None:
    for move in ("dispatched", "taken_up", "reported", "checked", "seen_gone"):
        answer = act(desk.client, case, move, department="sanitation")
        assert answer.status_code == 200
    assert (answer.json()["stage"], answer.json()["status"]) == ("close", "cleared")
    assert answer.json()["cleared_after_s"] > 0


def test_late_events_and_repetitions_lead_to_the_same_stage(make_desk: Any, make: Any, tmp_path: Path) -> None:
    """A person dispatches knowing revision 3; whatever order the other mail comes in, the case ends alike."""
    events = [make.problem(kind, revision=n, minute=n) for n, kind in enumerate(("opened", "cleared", "reopened"), 1)]
    seen = set()
    for number, order in enumerate(permutations(events[:2])):
        desk = make_desk(database_url=f"sqlite:///{tmp_path}/{number}.db")
        case = desk.send(events[2]).json()["case_id"]
        assert act(desk.client, case, "dispatched", department="sanitation").status_code == 200
        for event in (*order, *order):
            desk.send(event)
        steps = desk.client.get(f"/cases/{case}.json").json()["steps"]
        seen.add(tuple((step["move"], step["stage"], step["void"]) for step in steps))
    assert seen == {
        (
            ("filed", "file", False),
            ("vanished", "close", False),
            ("returned", "collect", False),
            ("filed", "file", False),
            ("dispatched", "dispatch", False),
        )
    }
