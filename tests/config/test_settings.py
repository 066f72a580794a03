from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from detector.config import CameraSettings, Settings, check_settings, load_settings, shipped
from detector.errors import ConfigError

CANARY = "c4n4ry-pa55"
SECRET = "whsec_" + base64.b64encode(CANARY.encode() * 3).decode()
ENVIRONMENT = {"CAMERA_PASSWORD": CANARY, "DISPATCH_SECRET": SECRET}

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str) -> Path:
        file = tmp_path / "fleet.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write_file


def errors_of(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(file, ENVIRONMENT)
    return str(caught.value).replace(f"{file.parent}/", "").splitlines()


def test_the_example_loads_and_joins_both_lists_of_cameras() -> None:
    settings = load_settings(shipped("configs/example.yaml"), ENVIRONMENT)
    assert [camera.id for camera in settings.cameras] == [
        "east-gate",
        "school-road",
        "station-square",
        "alley-01",
        "alley-02",
    ]
    assert settings.plan(settings.cameras[0]).interval == timedelta(seconds=10)
    assert settings.plan(settings.cameras[1]).interval == timedelta(seconds=30)
    assert settings.plan(settings.cameras[3]).mode == "patrol"
    assert settings.plan(settings.cameras[3]).period == timedelta(minutes=15)
    assert settings.endpoints[0].secrets[0].get_secret_value() == SECRET


def test_an_empty_file_is_all_defaults_placed_beside_it(write: Write) -> None:
    file = write("")
    settings = load_settings(file)
    assert settings.evidence.directory == file.parent / "var/evidence"
    assert settings.database == f"sqlite:///{file.parent}/var/detector.db"
    assert settings.categories == shipped("configs/categories.yaml")
    assert settings.timezone_of(load_one("id: a\nurl: rtsp://h/x", write)) == "Asia/Shanghai"


def load_one(camera: str, write: Write) -> CameraSettings:
    lines = camera.splitlines()
    text = "cameras:\n  - " + "\n    ".join(lines)
    return load_settings(write(text), ENVIRONMENT).cameras[0]


def test_a_section_with_nothing_in_it_is_not_given(write: Write) -> None:
    settings = load_settings(write("patrol:\n  # concurrent: 3\nevidence:\ncameras:\n"))
    assert settings.patrol.concurrent == 16
    assert settings.cameras == ()


def test_all_errors_of_a_file_at_once_each_with_line_key_and_suggestion(write: Write) -> None:
    file = write(
        """\
sampling:
  mode: strem
  intervall: 30s
cameras:
  - id: a
    url: rtps://u:p@h/x
  - url: rtsp://h/y
    perod: 3 min
    id: b
  - {id: "b c", latitude: 100, url: 5}
endpoints:
  - name: desk
    url: ftp://x
    secrets: [whsec_short, "file:none"]
    events: [problem.opend]
model:
  batch_size: big
timezone: Asia/Shangai
api: [1]
patrool: {}
"""
    )
    expected = [
        'fleet.yaml:2: sampling.mode: must be one of stream, patrol; did you mean "stream"?',
        'fleet.yaml:3: sampling.intervall: unknown key; did you mean "interval"?',
        'fleet.yaml:6: cameras[0].url: "rtps" is no scheme',
        'fleet.yaml:8: cameras[1].perod: unknown key; did you mean "period"?',
        "fleet.yaml:10: cameras[2].id: must match",
        "fleet.yaml:10: cameras[2].url: must be text; put it in quotes",
        "fleet.yaml:10: cameras[2].latitude: must be less than or equal to 90",
        "fleet.yaml:13: endpoints[0].url: must be an http:// or https:// address",
        "fleet.yaml:14: endpoints[0].secrets[0]: what follows whsec_",
        "fleet.yaml:14: endpoints[0].secrets[1]: secret file none cannot be read",
        'fleet.yaml:15: endpoints[0].events[0]: "problem.opend" matches no event',
        "fleet.yaml:17: model.batch_size: must be a valid integer",
        'fleet.yaml:18: timezone: "Asia/Shangai" is no IANA time zone; did you mean "Asia/Shanghai"?',
        "fleet.yaml:19: api: must be a mapping of keys to values",
        'fleet.yaml:20: patrool: unknown key; did you mean "patrol"?',
    ]
    lines = errors_of(file)
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start)


def test_a_missing_key_is_reported_where_its_camera_begins(write: Write) -> None:
    assert errors_of(write("cameras:\n  - id: a\n  - id: b\n    url: rtsp://h/x\n")) == [
        "fleet.yaml:2: cameras[0].url: is missing"
    ]


def test_camera_ids_are_unique_over_both_lists(write: Write, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("id,url\nb,rtsp://h/1\na,rtsp://h/2\n", encoding="utf-8")
    file = write("cameras:\n  - {id: a, url: 'rtsp://h/x'}\ncameras_file: more.csv\n")
    assert errors_of(file) == ['more.csv:3: cameras[2].id: "a" is taken by fleet.yaml:2; give each its own']


def test_half_a_position_is_refused(write: Write) -> None:
    assert errors_of(write("cameras:\n  - {id: a, url: 'rtsp://h/x', latitude: 3}\n")) == [
        "fleet.yaml:2: cameras[0].latitude: needs latitude and longitude, or neither"
    ]


def test_relative_addresses_start_from_the_file(write: Write, tmp_path: Path) -> None:
    assert load_one("id: a\nurl: clips/a.mp4", write).url.get_secret_value() == str(tmp_path / "clips/a.mp4")
    assert load_one("id: a\nurl: file:///data/a.mp4", write).url.get_secret_value() == "/data/a.mp4"


def test_secrets_come_from_files_and_the_environment(write: Write, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n", encoding="utf-8")
    text = "endpoints:\n  - {name: d, url: 'https://d/x', secrets: ['file:key', '${DISPATCH_SECRET}']}\n"
    (endpoint,) = load_settings(write(text), ENVIRONMENT).endpoints
    assert [secret.get_secret_value() for secret in endpoint.secrets] == [SECRET, SECRET]


def test_no_secret_shows_in_a_repr_or_an_error(write: Write) -> None:
    good = (
        "database: postgresql://u:${CAMERA_PASSWORD}@h/d\n"
        "cameras:\n  - {id: a, url: 'rtsp://u:${CAMERA_PASSWORD}@h/x'}\n"
        "endpoints:\n  - {name: d, url: 'https://u:${CAMERA_PASSWORD}@h/x', secrets: ['${DISPATCH_SECRET}']}\n"
    )
    settings = load_settings(write(good), ENVIRONMENT)
    assert CANARY in settings.database
    for text in (repr(settings), str(settings), repr(settings.cameras), settings.cameras[0].model_dump_json()):
        assert CANARY not in text
        assert SECRET not in text
    bad = good.replace("postgresql", "oracle").replace("rtsp:", "rtps:").replace("https:", "ftp:")
    file = write(bad.replace("${DISPATCH_SECRET}", f"{CANARY}{SECRET}"))
    text = "\n".join(errors_of(file))
    assert len(text.splitlines()) == 4
    assert CANARY not in text
    assert SECRET not in text


def test_an_error_carries_no_cause_that_shows_the_input(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(f"cameras:\n  - {{id: a, url: 'rtps://u:{CANARY}@h/x'}}\n"))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_an_endpoint_wants_what_its_patterns_match(write: Write) -> None:
    text = "endpoints:\n  - {name: d, url: 'https://d/x', secrets: ['${DISPATCH_SECRET}']}\n"
    (endpoint,) = load_settings(write(text), ENVIRONMENT).endpoints
    assert endpoint.wants("problem.opened")
    assert endpoint.wants("camera.health")
    assert not endpoint.wants("detection.observed")


def checked(text: str, write: Write, labels: list[str] | None = None) -> list[str]:
    file = write(text)
    settings = load_settings(file, ENVIRONMENT)
    return [
        f"{finding.severity} {finding}".replace(f"{file.parent}/", "") for finding in check_settings(settings, labels)
    ]


def test_check_finds_what_would_not_work(write: Write, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    lines = checked(
        """\
model: {path: bundle}
patrol: {opens_per_second: 0.1}
cameras:
  - {id: a, url: none.mp4, period: 3 min}
  - {id: b, url: 'rtsp://h/x', mode: patrol, period: 2 s}
  - {id: c, url: 'rtsp://h/x', enabled: false}
evidence: {keep_days_by_category: {exposed_garbag: 3}}
endpoints:
  - {name: d, url: 'http://192.0.2.1/x', secrets: ['${DISPATCH_SECRET}']}
sampling: {logos: [away.png]}
""",
        write,
    )
    told = "\n".join(lines)
    for expected in (
        "warning fleet.yaml:4: cameras[0].url: there is no file or folder none.mp4",
        "warning fleet.yaml:4: cameras[0].period: has no effect in mode stream; use interval",
        "warning fleet.yaml:2: patrol.opens_per_second: the patrolled cameras ask for 0.5 visits per second",
        "warning fleet.yaml:6: cameras[2].url: is the address of camera b too",
        "warning fleet.yaml:9: endpoints[0].url: is not encrypted",
        "note fleet.yaml:7: evidence.public_url: is not set",
        "error fleet.yaml:10: sampling.logos[0]: there is no picture away.png",
        'keep_days_by_category.exposed_garbag: is no category; did you mean "exposed_garbage"?',
    ):
        assert expected in told
    assert "model" not in told


def test_check_names_labels_that_the_model_does_not_have(write: Write, tmp_path: Path) -> None:
    categories = tmp_path / "categories.yaml"
    categories.write_text(
        "categories:\n"
        "  mess:\n    names: {en: Mess}\n    labels:\n      - garbage\n      - garbge\n"
        "  far:\n    names: {en: Far}\n    labels: [zebra]\n",
        encoding="utf-8",
    )
    lines = checked("categories: categories.yaml\n", write, ["garbage", "bin"])
    lines = [line.removeprefix("warning ") for line in lines if "label" in line]
    assert lines == [
        'categories.yaml:6: categories.mess.labels[1]: the model has no label "garbge"; did you mean "garbage"?',
        'categories.yaml:9: categories.far.labels[0]: the model has no label "zebra": it sees nothing of far',
    ]
    lines = checked("categories: categories.yaml\n", write, ["bin"])
    assert any(line.startswith("error categories.yaml:1: categories: no category is made of") for line in lines)


PLACED = "latitude: 34.26, longitude: 108.94"


@pytest.mark.parametrize(
    ("cameras", "told"),
    [
        ([f"id: a, {PLACED}", "id: b", "id: c, enabled: false"], "1 of 2 cameras have no position (b)"),
        (["id: a", "id: b", "id: c", "id: d"], "4 of 4 cameras have no position (a, b, c, ...)"),
        ([f"id: a, {PLACED}", "id: c, enabled: false", "id: d, moving: true"], None),
    ],
)
def test_one_note_tells_of_all_cameras_over_which_the_sun_is_unknown(
    write: Write, cameras: list[str], told: str | None
) -> None:
    listed = "".join(f"  - {{{camera}, url: 'rtsp://h/{n}'}}\n" for n, camera in enumerate(cameras))
    found = [line for line in checked(f"cameras:\n{listed}", write) if "position" in line]
    by_day = "what is told by day only (illegal_ad, road_damage) is judged there by night too"
    assert found == (
        [] if told is None else [f"note fleet.yaml:1: cameras: {told}: {by_day}; give their latitude and longitude"]
    )


def test_without_categories_that_are_told_by_day_only_no_position_is_missed(write: Write, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "extends: default\ncategories: {illegal_ad: {enabled: false}, road_damage: {light: any}}\n", encoding="utf-8"
    )
    lines = checked("cameras: [{id: a, url: 'rtsp://h/1'}]\ncategories: own.yaml\n", write)
    assert not [line for line in lines if "position" in line]


def test_settings_made_by_hand_can_be_checked() -> None:
    assert any("no camera" in finding.message for finding in check_settings(Settings()))
