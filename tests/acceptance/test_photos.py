"""Real photos of inspectors, sent as people send them, with a small real model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from detector.config import load_settings
from detector.intake_service import IntakeService
from tests.delivery.receiver import receiver
from tests.delivery.test_courier import eventually
from tests.intake.test_service import TOKEN, post, write_settings


def test_real_photos_become_cases_that_a_person_must_look_at(shared: Path, starter: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    photos = sorted((shared / "data" / "bins-cn" / "images" / "val").glob("*.webp"))[:24]
    assert photos
    with receiver() as state:
        door = {"port": 0, "tokens": ["${PHOTO_TOKEN}"], "photos_per_minute": 1000}
        file = write_settings(tmp_path, state.url, model={"path": str(starter)}, intake=door)
        service = IntakeService(load_settings(file, {"PHOTO_TOKEN": TOKEN}))
        service.start()
        try:
            # a kilometre apart, so that none is taken for another's
            answers = [post(service.url, p.read_bytes(), latitude=f"{35 + n / 100}") for n, p in enumerate(photos)]
            again = [post(service.url, p.read_bytes(), latitude=f"{35 + n / 100}") for n, p in enumerate(photos)]
            cases = [one.json()["case"] for one in answers if one.status_code == 201]
            assert eventually(lambda: len(state.accepted) == len(cases))
        finally:
            service.stop()
    assert {one.status_code for one in answers} <= {200, 201}
    assert {one.json()["status"] for one in answers} == {"ok"}
    assert cases
    assert {one["category"] for one in cases} <= {"exposed_garbage", "bin_overflow"}
    assert [one.status_code for one in again] == [200] * len(photos)
    told = [json.loads(body)["data"] for _, body in state.accepted]
    assert sorted(one["problem_id"] for one in told) == sorted(one["problem_id"] for one in cases)
    assert all(one["review"] for one in told)
    kept = {path.stem for path in (tmp_path / "evidence").rglob("*.jpg")}
    assert kept == {one["event_id"] for one in cases}
