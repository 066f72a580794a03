"""The desk and the detector are two systems: that they understand each other is tested, not imported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detector.core.event import event_id
from detector.delivery.samples import samples
from detector.desk.wire import CameraHealthData, Kind, ProblemData, read_event


@pytest.mark.parametrize("name", samples())
def test_every_event_of_the_detector_is_understood(make: Any, name: str) -> None:
    incoming = read_event(samples()[name], make.start)
    topic, _, kind = name.partition(".")
    if topic in ("detection", "case"):  # what it told itself, it need not be told
        assert incoming.kind is None
    else:
        assert incoming.kind is Kind(kind)
        assert isinstance(incoming.data, ProblemData if topic == "problem" else CameraHealthData)


def test_all_of_them_together_make_one_case(desk: Any) -> None:
    for body in reversed(samples().values()):
        assert desk.send(json.loads(body)).json()["outcome"] == "accepted"
    listed = desk.client.get("/cases.json").json()
    assert listed["total"] == 1
    case = listed["cases"][0]
    assert (case["status"], case["reopened"], case["revision"]) == ("dismissed", 1, 5)
    assert case["category_names"]["zh-CN"] == "暴露垃圾"
    assert (case["camera_name"], case["district"]) == ("东门二号", "莲湖区")
    assert case["place"]["ground"] == {"latitude": 34.25841, "longitude": 108.92875}
    assert case["place"]["frame_size"] == [1920, 1080]
    assert case["score"] == 0.9312
    assert case["rule"] == "category:exposed_garbage"
    cameras = desk.client.get("/cameras.json").json()["cameras"]
    assert [(camera["name"], camera["status"]) for camera in cameras] == [("东门二号", "dark")]
    page = desk.client.get(f"/cases/{case['id']}").text
    assert "东门二号" in page
    assert "34.258410, 108.928750" in page


def test_the_case_id_is_derived_and_so_stays(desk: Any) -> None:
    answer = desk.send(json.loads(samples()["problem.opened"])).json()
    assert answer["case_id"] == event_id("case", "0198f3c2-6d2e-7c41-9b0a-3f5d1c8e7a10")
