from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from detector.config.endpoints import EVENT_TYPES
from detector.core.camera import Camera
from detector.core.category import Category, ClearingPolicy, OnLeaving
from detector.core.event import CameraHealthEvent, ProblemEvent
from detector.core.look import LookStatus
from detector.core.problem import EventKind, Problem, ProblemStatus
from detector.delivery import contract, wire
from detector.delivery.cloudevent import cloud_event
from detector.delivery.samples import samples
from detector.errors import DeliveryError
from tests.store.making import NOON, a_problem
from tests.store.test_problems import problems

VALIDATORS = {
    event_type: jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for event_type, schema in contract.event_schemas().items()
}
CATEGORY = Category("c", {"zh-CN": "暴露垃圾"}, frozenset({"garbage"}), codes={"GB/T 47678.5-2026": "06010"})


def opened(problem: Problem, **given: Any) -> dict[str, Any]:
    event = ProblemEvent("e1", EventKind.OPENED, problem, NOON)
    document: dict[str, Any] = json.loads(cloud_event(event, **given))
    return document


def test_there_is_a_sample_and_a_schema_of_every_type() -> None:
    assert tuple(samples()) == tuple(wire.MODELS) == tuple(VALIDATORS)
    assert set(samples()) == set(EVENT_TYPES)


@pytest.mark.parametrize("event_type", wire.MODELS)
def test_samples_are_valid_and_of_their_own_type_only(event_type: str) -> None:
    document = json.loads(samples()[event_type])
    jsonschema.Draft202012Validator.check_schema(contract.event_schemas()[event_type])
    for other, validator in VALIDATORS.items():
        assert validator.is_valid(document) is (other == event_type)
    assert document["type"] == f"org.street-detector.{event_type}.v1"
    assert document["subject"] in (document["data"].get("problem_id"), document["data"]["camera_id"])
    assert document["dataschema"] == contract.event_schemas()[event_type]["$id"]


@given(problems, st.sampled_from(EventKind), st.datetimes(timezones=st.just(UTC)), st.none() | st.just(CATEGORY))
def test_any_problem_makes_a_valid_event(
    problem: Problem, kind: EventKind, at: datetime, category: Category | None
) -> None:
    problem = replace(problem, id=problem.id or "p")
    body = cloud_event(ProblemEvent("e1", kind, problem, at), category=category)
    VALIDATORS[f"problem.{kind.value}"].validate(json.loads(body))
    assert len(body) <= wire.LARGEST


def test_what_a_dispatcher_reads() -> None:
    document = opened(a_problem(revision=1, rule="r"), category=CATEGORY, evidence_url="https://e/1.jpg")
    data = document["data"]
    assert (document["id"], document["subject"], document["time"]) == ("e1", "p1", "2026-07-01T12:00:00.123456Z")
    assert data["place"]["box"] == {"left": 10, "top": 20, "right": 30.5, "bottom": 40}
    assert data["place"]["ground"] is None
    assert data["category_names"] == {"zh-CN": "暴露垃圾"}
    assert data["codes"] == {"GB/T 47678.5-2026": "06010"}
    assert data["evidence"] == {"url": "https://e/1.jpg", "reason": None}
    assert data["review"] is False


@pytest.mark.parametrize(
    ("allowed_by", "told"), [(None, ("gone", None)), ("permit:night-market", ("allowed", "permit:night-market"))]
)
def test_cleared_says_whether_it_is_gone_or_no_case_any_more(
    allowed_by: str | None, told: tuple[str, str | None]
) -> None:
    problem = a_problem(status=ProblemStatus.CLEARED, allowed_by=allowed_by)
    data = json.loads(cloud_event(ProblemEvent("e1", EventKind.CLEARED, problem, NOON)))["data"]
    assert (data["cleared_reason"], data["cleared_rule"]) == told
    keeps = replace(CATEGORY, clearing=ClearingPolicy(on_leaving=OnLeaving.KEEP_CASE))
    data = json.loads(cloud_event(ProblemEvent("e1", EventKind.CLEARED, problem, NOON), category=keeps))["data"]
    assert (data["cleared_reason"], data["cleared_rule"]) == (("left", None) if allowed_by is None else told)
    data = opened(replace(problem, status=ProblemStatus.OPEN, count=4), category=keeps)["data"]
    assert (data["cleared_reason"], data["cleared_rule"], data["count"]) == (None, None, 4)


def test_the_code_of_the_rule_goes_before_that_of_the_category() -> None:
    assert opened(a_problem(codes={"x": "09002"}), category=CATEGORY)["data"]["codes"] == {"x": "09002"}


def test_a_missing_picture_has_a_reason_and_an_unknown_category_needs_a_person() -> None:
    data = opened(a_problem())["data"]
    assert data["evidence"] == {"url": None, "reason": "no picture was made"}
    assert (data["review"], data["review_because"]) == (True, ["always"])
    assert opened(a_problem(), category=replace(CATEGORY, review=True))["data"]["review"] is True


def test_reasons_carry_no_secret_and_stay_short() -> None:
    reason = "cannot open rtsp://admin:canary4711@10.0.0.5/1?token=canary4711\n\x00\udcff" + "x" * 2000
    event = CameraHealthEvent("e1", "north", LookStatus.UNREACHABLE, None, NOON, reason)
    document = json.loads(cloud_event(event))
    assert "canary4711" not in json.dumps(document)
    assert len(document["data"]["reason"]) == 500
    VALIDATORS["camera.health"].validate(document)


def test_an_event_that_is_too_big_goes_without_names() -> None:
    huge = replace(CATEGORY, names={str(number): "x" * 1000 for number in range(70)})
    data = opened(a_problem(), category=huge, camera=Camera("north", "", name="y" * 70_000))["data"]
    assert (data["category_names"], data["camera"]) == ({}, None)
    assert (data["codes"], data["review"]) == (dict(CATEGORY.codes), False)
    with pytest.raises(DeliveryError, match="more than 65536"):
        opened(a_problem(rule="r" * 70_000))


def test_the_files_in_docs_are_current(root: Path) -> None:
    folder = root / "docs" / "events"
    for name, content in contract.files().items():
        assert (folder / name).read_text(encoding="utf-8") == content, (
            f"{name} is not current: python -m detector.delivery.contract docs/events"
        )
    assert {path.name for path in folder.iterdir()} == set(contract.files())


def test_writing_them_makes_the_same_files(tmp_path: Path) -> None:
    written = contract.write(tmp_path / "events")
    assert {path.name: path.read_text(encoding="utf-8") for path in written} == contract.files()


def test_the_asyncapi_document_holds_together(root: Path) -> None:
    document = yaml.safe_load((root / "docs" / "events" / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert document["asyncapi"] == "3.1.0"
    for reference in _references(document):
        if reference.startswith("#/"):
            part: Any = document
            for step in reference.removeprefix("#/").split("/"):
                part = part[step]
        else:
            assert (root / "docs" / "events" / reference).is_file()
    messages = document["components"]["messages"].values()
    assert [one["title"] for one in messages] == list(wire.MODELS)
    for one in messages:
        VALIDATORS[one["title"]].validate(one["examples"][0]["payload"])


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [found for inner in part.values() for found in _references(inner)]
    return [found for inner in part for found in _references(inner)] if isinstance(part, list) else []


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({}, []),
        ({"review": True}, ["always"]),
        ({"review_labels": frozenset({"garbage"})}, ["always"]),
        ({"synthetic_labels": frozenset({"garbage"})}, ["synthetic"]),
        ({"poor_labels": frozenset({"garbage"})}, ["poor"]),
        ({"review": True, "synthetic_labels": frozenset({"garbage"})}, ["always", "synthetic"]),
        (dict.fromkeys(("review_labels", "synthetic_labels", "poor_labels"), frozenset({"other"})), []),
    ],
)
def test_why_a_person_must_look_is_told(changes: dict[str, Any], because: list[str]) -> None:
    data = opened(a_problem(), category=replace(CATEGORY, **changes))["data"]
    assert (data["review"], data["review_because"]) == (bool(because), because)
