"""Late cases of a real desk, asked over HTTP, in the outbox once each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import jsonschema
import pytest
from standardwebhooks import Webhook

from detector.api.server import ServerHandle, serve_in_thread
from detector.core.category import Clock, Deadline
from detector.core.deadline import Office
from detector.core.event import CaseEventKind, LateCase, events_of_late
from detector.core.routing import Department, Route, routing_of
from detector.delivery.cloudevent import cloud_event
from detector.delivery.contract import event_schemas
from detector.delivery.desk_link import DeskLink
from detector.delivery.facts import facts_of
from detector.delivery.samples import samples
from detector.desk import DeskOptions, create_desk
from detector.desk.ledger import Ledger
from detector.desk.plan import Escalation, Plan
from detector.store import DeliveryState, Store, open_store
from detector.worker.late import LateCases
from tests.store.making import a_problem

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PROBLEM = json.loads(samples()["problem.opened"])["data"]["problem_id"]
PLAN = Plan(
    office=Office(ZoneInfo("Asia/Shanghai"), lambda _: True),
    deadline=Deadline(timedelta(hours=2), Clock.EMERGENCY),
    routing=routing_of([Department("s", "环卫所")], [Route("all", "s", frozenset({"exposed_garbage"}))], []),
    automatic=True,
    threshold=0.5,
    escalations=(Escalation(timedelta(hours=1), "区督查科"), Escalation(timedelta(days=1), "市城管委")),
)


class Time:
    """A wall clock that the test sets."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def desk(tmp_path: Path, time: Time) -> Iterator[ServerHandle]:
    """A desk with one case that was dispatched at once and is due after two hours."""
    options = DeskOptions(f"sqlite:///{tmp_path}/desk.db", [SECRET], plan=PLAN, clock=time, escalate_every_s=3600.0)
    handle = serve_in_thread(create_desk(options), "127.0.0.1", 0)
    body = samples()["problem.opened"]
    at, name = datetime.now(UTC), json.loads(body)["id"]
    signed = Webhook(SECRET).sign(name, at, body.decode())
    headers = {
        "content-type": "application/cloudevents+json",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signed,
    }
    answer = httpx.post(f"{handle.url}/events", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    yield handle
    handle.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/street.db")
    store.record(datetime.now(UTC), [a_problem(PROBLEM)])
    yield store
    store.close()


def late_cases(store: Store, time: Time, wants: str = "case.") -> LateCases:
    def words(event: Any, _evidence: Any, camera: Any, category: Any) -> bytes:
        return cloud_event(event, source="urn:test", camera=camera, category=category)

    def subscribers(event_type: str) -> tuple[str, ...]:
        return ("bureau",) if event_type.startswith(wants) else ()

    return LateCases(store, subscribers, words, dict, dict, time)


def told(store: Store) -> list[dict[str, Any]]:
    """What is on its way to the endpoint, oldest first."""
    claimed = store.claim_due(datetime.now(UTC) + timedelta(days=9), 100, "w", timedelta(minutes=1))
    return [json.loads(one.body) for one in sorted(claimed, key=lambda one: one.id)]


def test_an_overdue_case_is_told_once_and_each_escalation_too(
    desk: ServerHandle, store: Store, time: Time, tmp_path: Path
) -> None:
    link, late = DeskLink(desk.url), late_cases(store, time)
    assert link.late() == ()
    start, time.now = time.now, time.now + timedelta(hours=2, minutes=1)
    assert [late.tell(link.late()) for _ in range(3)] == [1, 0, 0]
    assert late_cases(store, time).tell(link.late()) == 1, "a restarted worker does not know"
    assert len(store.deliveries()) == 1, "but the outbox does"
    time.now += timedelta(hours=1)
    ledger = Ledger(f"sqlite:///{tmp_path}/desk.db", PLAN)
    assert ledger.escalate(time.now) == 1
    assert late.tell(link.late()) == 1
    time.now += timedelta(days=1)
    assert ledger.escalate(time.now) == 1
    assert late.tell(link.late()) == 1
    ledger.close()
    link.close()

    deliveries = store.deliveries(DeliveryState.PENDING)
    assert sorted(one.type for one in deliveries) == ["case.escalated", "case.escalated", "case.overdue"]
    assert {one.subject for one in deliveries} == {PROBLEM}, "in line with the events of the problem"
    [first] = told(store)  # the others wait behind it
    jsonschema.Draft202012Validator(event_schemas()["case.overdue"]).validate(first)
    assert first["type"] == "org.street-detector.case.overdue.v1"
    data = first["data"]
    assert (data["problem_id"], data["department"], data["stage"]) == (PROBLEM, "环卫所", "dispatch")
    assert datetime.fromisoformat(first["time"]) == datetime.fromisoformat(data["due_at"])
    assert datetime.fromisoformat(data["due_at"]) == start + timedelta(hours=2)


def test_cases_of_other_installations_are_left_to_them_and_nobody_is_told_what_he_did_not_ask_for(
    desk: ServerHandle, store: Store, time: Time, tmp_path: Path
) -> None:
    time.now += timedelta(hours=3)
    link = DeskLink(desk.url)
    found = link.late()
    link.close()
    assert len(found) == 1
    other = open_store(f"sqlite:///{tmp_path}/other.db")
    assert late_cases(other, time).tell(found) == 0
    other.close()
    assert not late_cases(store, time, wants="problem.").wanted
    escalated = late_cases(store, time, wants="case.escalated")
    assert escalated.wanted
    assert escalated.tell(found) == 0
    assert escalated.tell([replace(one, escalated=1) for one in found]) == 1


def test_ids_follow_from_the_case_its_deadline_and_the_escalation() -> None:
    case = LateCase("c", "p", "cam", "exposed_garbage", datetime(2026, 7, 1, 8, tzinfo=UTC))
    [overdue] = events_of_late(case)
    again, escalated = events_of_late(replace(case, escalated=1, stage="handle"))
    assert (again.id, again.kind) == (overdue.id, CaseEventKind.OVERDUE)
    twice = events_of_late(replace(case, escalated=2))[1]
    later = events_of_late(replace(case, due_at=datetime(2026, 7, 2, 8, tzinfo=UTC)))[0]
    assert len({overdue.id, escalated.id, twice.id, later.id}) == 4


def test_what_a_platform_of_its_own_can_be_told() -> None:
    facts = facts_of(samples()["case.escalated"], "case.escalated")
    assert (facts["department"], facts["escalated_to"], facts["escalated"]) == ("环卫所", "区督查科", 1)
    assert facts["due_at"] == datetime(2026, 7, 1, 13, 30, tzinfo=UTC)
    assert (facts["district"], facts["category_name"], facts["code"]) == ("莲湖区", "暴露垃圾", "06010")
