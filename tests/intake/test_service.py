"""The whole door: from a photo on the wire to a signed event at the desk and a redacted picture in the archive."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import PIL.Image
import pytest
import yaml

from detector.config import load_settings
from detector.errors import ConfigError
from detector.intake_service import IntakeService
from detector.store import DeliveryState
from tests.acceptance.drawn import colour_bundle
from tests.delivery.receiver import SECRET, receiver
from tests.delivery.test_courier import eventually
from tests.servers.open311 import open311_city
from tests.servers.platform import platform

TOKEN = "canary4711"
MARKET = [[110.99, 35.01], [111.01, 35.01], [111.01, 35.03], [110.99, 35.03], [110.99, 35.01]]


def red_street(seed: int = 1) -> bytes:
    """Garbage, to the colour network."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(20, 120, (30, 40, 3)).repeat(8, 0).repeat(8, 1)
    blocks += rng.integers(-8, 9, blocks.shape)
    blocks[:, :, 0] += 130
    buffer = io.BytesIO()
    PIL.Image.fromarray(blocks.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def write_settings(folder: Path, url: str, **changes: Any) -> Path:
    given = {
        "model": {"path": str(colour_bundle(folder / "colours"))},
        "database": "sqlite:///street.db",
        "evidence": {"directory": "evidence", "public_url": "https://evidence.example"},
        "endpoints": [{"name": "desk", "url": url, "secrets": [SECRET]}],
        "intake": {"port": 0, "tokens": ["${PHOTO_TOKEN}"]},
    }
    file = folder / "fleet.yaml"
    file.write_text(yaml.safe_dump(given | changes), encoding="utf-8")
    return file


def form(**changes: str) -> dict[str, str]:
    minute_ago = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    return {"latitude": "35.02", "longitude": "111.0", "taken_at": minute_ago, "open_case": "true"} | changes


def post(url: str | None, photo: bytes, **changes: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {TOKEN}"}
    return httpx.post(f"{url}/photos", headers=headers, data=form(**changes), files={"photo": photo}, timeout=60)


def test_a_photo_becomes_a_signed_event_with_a_redacted_picture(tmp_path: Path) -> None:
    with receiver() as state:
        service = IntakeService(load_settings(write_settings(tmp_path, state.url), {"PHOTO_TOKEN": TOKEN}))
        service.start()
        try:
            answer = post(service.url, red_street(), note="beside the school")
            again = post(service.url, red_street(2))
            assert eventually(lambda: state.accepted)
        finally:
            service.stop()
    assert (answer.status_code, again.status_code, state.unverified) == (201, 200, [])
    case = answer.json()["case"]
    [(event_id, body)] = state.accepted
    event = json.loads(body)
    data = event["data"]
    assert (event_id, event["id"]) == (case["event_id"],) * 2
    assert event["type"] == "org.street-detector.problem.opened.v1"
    assert (data["problem_id"], data["category"], data["review"]) == (case["problem_id"], "exposed_garbage", True)
    assert data["note"] == "beside the school"
    assert data["camera_id"] == f"photo:{answer.json()['photo_id']}"
    assert data["camera"] == {
        "name": "随手拍",
        "district": None,
        "position": {"latitude": 35.02, "longitude": 111.0, "error_m": None},
    }
    assert data["place"]["ground"] == {"latitude": 35.02, "longitude": 111.0, "error_m": None}
    assert data["evidence"]["url"].startswith("https://evidence.example/")
    pictures = list((tmp_path / "evidence").rglob("*.jpg"))
    assert [path.stem for path in pictures] == [event_id]  # of the photo that opened nothing none is kept
    image = cv2.imread(str(pictures[0]))
    assert image is not None
    assert image.shape[0] > 240  # the strip below the picture
    assert red_street() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_all_kinds_of_endpoints_are_told(tmp_path: Path) -> None:
    """What sinks need of the installation is there: the picture itself, and a memory that outlives the process."""
    mapping = (
        "messages:\n- on: [problem.opened]\n  fields: [{to: id, fact: event_id}, {to: jpeg, fact: evidence_base64}]\n"
    )
    (tmp_path / "mapping.yaml").write_text(mapping)
    with open311_city() as city, platform() as bureau:
        options = {"api_key": city.api_key, "default_service_code": "001"}
        endpoints = [
            {"name": "city", "kind": "open311", "url": city.url, "open311": options},
            {"name": "bureau", "kind": "mapped", "url": bureau.url, "mapped": {"file": "mapping.yaml"}},
        ]
        file = write_settings(tmp_path, "", endpoints=endpoints)
        service = IntakeService(load_settings(file, {"PHOTO_TOKEN": TOKEN}))
        service.start()
        try:
            case = post(service.url, red_street(), note="beside the school").json()["case"]
            assert eventually(lambda: len(service.store.deliveries(DeliveryState.DELIVERED)) == 2)
            assert service.store.redeliver(datetime.now(UTC), [case["event_id"]], include_delivered=True) == 2
            assert eventually(lambda: len(service.store.deliveries(DeliveryState.DELIVERED)) == 2)
            receipts = {one.endpoint: one.receipt for one in service.store.deliveries()}
        finally:
            service.stop()
    [form], [request] = city.posts, bureau.requests
    assert "beside the school" in form["description"]
    assert (receipts["city"] or {})["service_request_id"] == "293944"
    sent = json.loads(request.body)
    [picture] = (tmp_path / "evidence").rglob("*.jpg")
    assert (sent["id"], base64.b64decode(sent["jpeg"])) == (case["event_id"], picture.read_bytes())


def test_a_permit_of_the_place_holds(tmp_path: Path) -> None:
    (tmp_path / "zones.yaml").write_text("geojson: [zones.geojson]\n")
    zone = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [MARKET]},
                "properties": {"id": "works", "kind": "ignore"},
            }
        ],
    }
    (tmp_path / "zones.geojson").write_text(json.dumps(zone))
    with receiver() as state:
        file = write_settings(tmp_path, state.url, rules={"zones": ["zones.yaml"]})
        service = IntakeService(load_settings(file, {"PHOTO_TOKEN": TOKEN}))
        service.start()
        try:
            inside = post(service.url, red_street()).json()
            outside = post(service.url, red_street(2), latitude="35.05").json()
        finally:
            service.stop()
    assert (inside["case"], inside["reason"]) == (None, "no case here and now: zone:works")
    assert outside["case"]["rule"] == "category:exposed_garbage"


def test_another_model_is_taken_up(tmp_path: Path) -> None:
    file = write_settings(tmp_path, "http://127.0.0.1:1/")
    service = IntakeService(load_settings(file, {"PHOTO_TOKEN": TOKEN}))
    first = service.model.model_version
    service._take_up_a_new_model()
    assert service.model.model_version == first
    (tmp_path / "colours").rename(tmp_path / "old")
    other = colour_bundle(tmp_path / "colours", ("bin", "garbage", "cone"))
    assert other.is_dir()
    service._take_up_a_new_model()
    assert service.model.current.labels == ("bin", "garbage", "cone")
    service.store.close()


def test_without_a_token_it_does_not_start(tmp_path: Path) -> None:
    file = write_settings(tmp_path, "http://127.0.0.1:1/", intake={"port": 0})
    with pytest.raises(ConfigError, match=r"intake\.tokens"):
        IntakeService(load_settings(file, {}))


def test_the_command_takes_photos_until_it_is_ended(tmp_path: Path) -> None:
    with receiver() as state:
        file = write_settings(tmp_path, state.url)
        process = subprocess.Popen(
            [sys.executable, "-m", "detector", "intake", str(file)],
            env={**os.environ, "PHOTO_TOKEN": TOKEN, "COLUMNS": "200"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr is not None
            said = ""
            while "photos: http" not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            url = said.rpartition("photos: ")[2].strip().removesuffix("/photos")
            assert post(url, red_street()).status_code == 201
            assert eventually(lambda: state.accepted)
            process.send_signal(signal.SIGTERM)
            rest = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 0, said + rest
    assert TOKEN not in said + rest
