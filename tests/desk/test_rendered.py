"""What a model has learned from rendered pictures only: from its manifest to the desk's list, page and decision."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detector.assembly.judging import judged_with
from detector.config.shipped import shipped
from detector.core.category import Category
from detector.core.event import ProblemEvent
from detector.core.problem import EventKind
from detector.core.routing import Department, Route, Street, routing_of
from detector.delivery.cloudevent import cloud_event
from detector.inference.open import open_detector
from detector.inference.swap import HotSwap
from tests.desk.test_dispatching import Hands, only, plan
from tests.store.making import NOON, a_problem

REAL = "garbage"
ALWAYS = "a person must look at this kind before anybody is sent"


def test_no_rendered_label_of_the_shipped_model_is_sent_by_a_desk_that_sends_all_it_can(make_desk: Any) -> None:
    model = open_detector(shipped("models/street-14"), threads=1)
    rendered = sorted(model.bundle.synthetic_only)
    assert rendered
    assert REAL not in rendered
    labels = [REAL, *rendered]
    plain = {label: Category(label, {"en": label}, frozenset({label})) for label in labels}  # asks for nobody itself
    judged = judged_with(plain, HotSwap(model, lambda _path: model))
    routing = routing_of(
        [Department("sanitation", "环卫所")],
        [Route("all", "sanitation", frozenset(labels))],
        [Street("renmin", "人民路", cameras=frozenset({"cam-1"}))],
    )
    desk = make_desk(plan=plan(threshold=0.01, routing=routing), clock=Hands())
    for label in labels:
        problem = a_problem(label, category=label, label=label, camera_id="cam-1", best_score=0.99, revision=1)
        event = ProblemEvent(f"event-{label}", EventKind.OPENED, problem, NOON)
        assert desk.send(json.loads(cloud_event(event, category=judged[label]))).is_success
    sent = only(desk, f"category={REAL}")
    assert (sent["automatic"], sent["stage"], sent["review_because"]) == (True, "dispatch", [])
    assert "rendered pictures" not in desk.client.get(f"/cases/{sent['id']}").text
    listed = desk.client.get("/cases.json?stage=collect").json()["cases"]
    assert sorted(case["label"] for case in listed) == rendered
    page = desk.client.get("/").text
    for case in listed:
        label = case["label"]
        assert (case["automatic"], case["review"], case["review_because"]) == (False, True, ["synthetic"])
        assert case["held"] == f"a person must look first: the model has learned {label} from rendered pictures only"
        for text in (page, desk.client.get(f"/cases/{case['id']}").text):
            assert f"{label}: learned from rendered pictures only" in text
            assert "仅由合成图像学得" in text
    assert page.count("learned from rendered pictures only <span") == len(rendered)


def test_the_mark_stays_when_a_person_has_sent_somebody(make_desk: Any, make: Any) -> None:
    desk = make_desk(plan=plan(), clock=Hands())
    desk.send(make.problem(review=True, review_because=["synthetic"], label="ponding"))
    case = only(desk)["id"]
    assert desk.client.post(f"/cases/{case}/moves", json={"move": "filed", "by": "li"}).is_success
    assert only(desk)["stage"] == "dispatch"
    for page in ("/", f"/cases/{case}"):
        assert "ponding: learned from rendered pictures only" in desk.client.get(page).text


@pytest.mark.parametrize(
    ("because", "held", "shown"),
    [
        (["poor"], "a person must look first: the model is poor at garbage by its own figures", "模型对此不可靠"),
        (
            ["always", "synthetic"],
            f"{ALWAYS}; the model has learned garbage from rendered pictures only",
            "此类须人工审核",
        ),
        (["always"], ALWAYS, "此类须人工审核"),
        (["a later reason"], ALWAYS, "待审"),
        ([], ALWAYS, "待审"),  # told before there were reasons
    ],
)
def test_each_reason_is_said(make_desk: Any, make: Any, because: list[str], held: str, shown: str) -> None:
    desk = make_desk(plan=plan(), clock=Hands())
    desk.send(make.problem(review=True, review_because=because))
    case = only(desk)
    assert (case["held"], case["review_because"]) == (held, because)
    assert shown in desk.client.get(f"/cases/{case['id']}").text
