from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import prcoords
import pytest
from fastapi.testclient import TestClient

from detector.errors import BundleError, StoreError
from detector.intake.app import IntakeOptions, create_intake
from detector.intake.judging import Intake
from detector.store import Store
from tests.intake.conftest import HERE, PHOTO, Desk, Model, picture_bytes

TOKEN = "canary4711"
FIELDS = {"latitude": str(HERE.latitude), "longitude": str(HERE.longitude), "taken_at": "2026-07-01T19:59:00"}


def options(**changes: Any) -> IntakeOptions:
    given: dict[str, Any] = {
        "tokens": ["other", TOKEN],
        "timezone": "Asia/Shanghai",
        "photos_per_minute": 100,
        "max_bytes": 2_000_000,
        "at_once": 2,
    }
    return IntakeOptions(**(given | changes))


@pytest.fixture
def client(intake: Intake) -> Iterator[TestClient]:
    with TestClient(create_intake(intake, options(), lambda: 0.0)) as made:
        yield made


def post(client: TestClient, photo: bytes | None = PHOTO, token: str | None = TOKEN, **fields: str) -> Any:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    files = {} if photo is None else {"photo": ("p.jpg", photo, "image/jpeg")}
    return client.post("/photos", headers=headers, data=FIELDS | fields, files=files)


def test_a_photo_is_judged(client: TestClient, store: Store) -> None:
    answer = post(client)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert told["status"] == "ok"
    assert told["case"] is None
    assert told["detections"] == [
        {"label": "garbage", "score": 0.8, "box": {"left": 40.0, "top": 60.0, "right": 200.0, "bottom": 180.0}}
    ]
    assert told["suggestions"] == [
        {
            "category": "exposed_garbage",
            "names": {"zh": "暴露垃圾"},
            "codes": {"2026": "06010"},
            "label": "garbage",
            "score": 0.8,
            "case": True,
            "rule": "category:exposed_garbage",
            "duplicate_of": None,
        }
    ]
    assert store.problems() == []


def test_a_case_if_asked(client: TestClient, store: Store, desk: Desk) -> None:
    answer = post(client, open_case="true", note="by the\nschool whsec_abcdef", reporter="13800000000")
    assert answer.status_code == 201
    case = answer.json()["case"]
    [problem] = store.problems()
    assert (case["problem_id"], case["category"], case["review"]) == (problem.id, "exposed_garbage", True)
    assert case["evidence"]["url"] == "https://evidence.example/x.jpg"
    assert problem.first_seen.isoformat() == "2026-07-01T11:59:00+00:00"  # on the clock of the city
    [(_, report)] = desk.told
    assert report.note == "by the school whsec_***"
    again = post(client, picture_bytes(seed=7), open_case="true")
    assert (again.status_code, again.json()["case"]) == (200, None)
    assert again.json()["suggestions"][0]["duplicate_of"] == {"problem_id": problem.id, "distance_m": 0.0}


def test_positions_of_chinese_maps_are_converted(client: TestClient, store: Store) -> None:
    there = prcoords.wgs_gcj((HERE.latitude, HERE.longitude))
    post(client, open_case="true", coordinates="gcj02", latitude=str(there.lat), longitude=str(there.lon))
    [problem] = store.problems()
    assert problem.place.ground is not None
    assert problem.place.ground.latitude == pytest.approx(HERE.latitude, abs=1e-6)
    assert problem.place.ground.longitude == pytest.approx(HERE.longitude, abs=1e-6)


@pytest.mark.parametrize("token", [None, "", "wrong", "canary471", "other2"])
def test_without_a_token_nothing_is_read(client: TestClient, model: Model, token: str | None) -> None:
    answer = post(client, token=token)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert TOKEN not in answer.text
    assert model.calls == 0


def test_a_door_without_a_lock_is_not_made(intake: Intake) -> None:
    for tokens in ([], [""]):
        with pytest.raises(ValueError, match="token"):
            create_intake(intake, options(tokens=tokens), lambda: 0.0)


def test_too_many_photos(intake: Intake) -> None:
    now = [0.0]
    with TestClient(create_intake(intake, options(photos_per_minute=2), lambda: now[0])) as client:
        statuses = [post(client).status_code for _ in range(3)]
        last = post(client)
        assert post(client, reporter="somebody else").status_code == 200
        now[0] = 30.0
        assert post(client).status_code == 200
    assert statuses == [200, 200, 429]
    assert (last.status_code, last.headers["retry-after"]) == (429, "30")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"latitude": "91"}, "latitude: "),
        ({"latitude": "nan"}, "latitude: "),
        ({"longitude": "east"}, "longitude: "),
        ({"taken_at": "yesterday"}, "taken_at: "),
        ({"taken_at": "2036-07-01T12:00:00Z"}, "taken_at: lies in the future"),
        ({"note": "x" * 501}, "note: "),
        ({"open_case": "perhaps"}, "open_case: "),
        ({"coordinates": "mars"}, "coordinates: "),
        ({"category": "heap"}, "category: there is no heap"),
        ({"colour": "red"}, "colour: "),
    ],
)
def test_wrong_fields_are_named(client: TestClient, model: Model, fields: dict[str, str], reason: str) -> None:
    answer = post(client, **fields)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(reason)
    assert model.calls == 0


def test_forms_that_are_none(client: TestClient) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert post(client, None).status_code == 415  # without a file it is not sent as multipart
    no_file = {"photo": (None, "text"), "latitude": (None, "1")}
    assert client.post("/photos", headers=headers, files=no_file).json()["detail"].startswith("photo: ")
    two = [("photo", ("a.jpg", PHOTO)), ("photo", ("b.jpg", PHOTO))]
    assert client.post("/photos", headers=headers, data=FIELDS, files=two).status_code == 400
    kind = {"content-type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x\r\n", b"\x00" * 100, b"--x\r\ncontent-disposition: form-data\r\n\r\na\r\n--x--\r\n"):
        assert client.post("/photos", headers=headers | kind, content=body).status_code in (400, 422)
    broken = {"content-type": "multipart/form-data"}
    assert client.post("/photos", headers=headers | broken, content=b"x").status_code == 400
    many = [(f"f{number}", (None, "x")) for number in range(40)]
    assert client.post("/photos", headers=headers, files=many).status_code == 400


def test_too_much_is_refused_whatever_is_announced(client: TestClient, model: Model) -> None:
    big = PHOTO + bytes(3_000_000)
    assert post(client, big).status_code == 413
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "multipart/form-data; boundary=x"}
    start = b'--x\r\ncontent-disposition: form-data; name="photo"; filename="p.jpg"\r\n\r\n'

    def unannounced() -> Iterator[bytes]:
        yield start
        for _ in range(100):
            yield bytes(65_536)

    assert client.post("/photos", headers=headers, content=unannounced()).status_code == 413
    lying = headers | {"content-length": "ten"}
    assert client.post("/photos", headers=lying, content=b"x").status_code == 400
    assert model.calls == 0


def test_no_photo_touches_a_disk_before_it_is_redacted(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starlette puts uploads over 1 MB into temporary files unless told otherwise."""

    def rollover(_self: object) -> None:
        raise AssertionError("written to a temporary file")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", rollover)
    assert post(client, PHOTO + bytes(1_800_000)).status_code == 200


@pytest.mark.parametrize(("error", "status"), [(StoreError("locked"), 503), (BundleError("broken"), 500)])
def test_what_goes_wrong_on_our_side_is_told(
    client: TestClient, intake: Intake, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fails(_report: object) -> None:
        raise error

    monkeypatch.setattr(intake, "take", fails)
    answer = post(client)
    assert (answer.status_code, answer.json()["detail"]) == (status, str(error))


def test_the_reporter_is_kept_nowhere(client: TestClient, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="detector")
    answer = post(client, open_case="true", reporter="13812345678")
    assert answer.status_code == 201
    assert "13812345678" not in f"{answer.text} {caplog.text} {store.problems()} {store.deliveries()}"


def test_health_and_the_description_of_the_door(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    body = client.get("/openapi.json").json()["paths"]["/photos"]["post"]["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["photo", "latitude", "longitude", "taken_at"]
    assert schema["properties"]["coordinates"]["enum"] == ["wgs84", "cgcs2000", "gcj02", "bd09"]
