"""What a new user gets wrong is told in one line that says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from detector.cli.main import app
from detector.errors import ConfigError
from detector.store import OutboxEntry, open_store
from tests.acceptance.drawn import colour_bundle, write_clip
from tests.sources.clips import now

SETTINGS = """
database: sqlite:///street.db
cameras:
  - {id: gate, url: rtsp://user:canary4711@127.0.0.1:1/x}
endpoints:
  - {name: bureau, url: http://127.0.0.1:1/events, secrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "fleet.yaml"
    file.write_text(SETTINGS)
    return file


@pytest.fixture
def used(config: Path) -> Path:
    """Settings whose database has one event that was given up."""
    store = open_store(str(config.with_name("street.db")))
    store.record(now(), [], [OutboxEntry("e1", "problem.opened", "p1", now(), b"{}", ("bureau", "old-bureau"))])
    store.bury(now(), "bureau", "test")
    store.close()
    return config


def ran(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(*words: str | Path) -> str:
    """The error of a command; main() makes it a line and exit code 2."""
    result = ran(*words)
    assert isinstance(result.exception, ConfigError), result.output
    return str(result.exception)


@pytest.mark.parametrize("command", ["check", "run", "doctor", "problems", "cameras list", "endpoints list"])
def test_without_settings_the_example_is_named(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = ran(*command.split())
    assert result.exit_code == 2
    told = " ".join(result.output.replace("│", " ").split())
    assert "cp configs/example.yaml configs/detector.yaml" in told


def test_a_folder_or_a_missing_file_is_no_settings_file(tmp_path: Path) -> None:
    assert "is a folder" in ran("check", tmp_path).output
    assert "there is no file" in ran("problems", "-c", tmp_path / "none.yaml").output


@pytest.mark.parametrize(
    "command",
    [["problems"], ["deliveries"], ["redeliver", "x"], ["verdict", "x", "reject"], ["endpoints", "enable", "bureau"]],
    ids=" ".join,
)
def test_before_the_first_start_there_is_no_database_and_none_is_made(config: Path, command: list[str]) -> None:
    assert "`detector run` makes it" in refused(*command, "-c", config)
    assert not config.with_name("street.db").exists()


def test_cameras_are_listed_before_the_first_start(config: Path) -> None:
    listed = json.loads(ran("cameras", "list", "-c", config, "--json").stdout)
    assert [(one["id"], one["url"], one["status"]) for one in listed] == [("gate", "rtsp://***@127.0.0.1:1/x", None)]
    assert not config.with_name("street.db").exists()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["problems", "--camera", "gaet"], 'no camera "gaet"; did you mean "gate"?'),
        (["problems", "--category", "exposed_garbag"], 'did you mean "exposed_garbage"?'),
        (["deliveries", "--endpoint", "burau"], 'did you mean "bureau"?'),
        (["redeliver", "--since", "2026-01-01", "--endpoint", "x"], 'no endpoint "x"; there are bureau, old-bureau'),
        (["redeliver", "e1", "e2"], "there is no event e2"),
        (["endpoints", "enable", "x"], 'no endpoint "x"'),
        (["endpoints", "give-up", "x"], 'no endpoint "x"'),
        (["cameras", "test", "gaet"], 'did you mean "gate"?'),
        (["verdict", "p9", "reject"], "there is no problem 'p9'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_unknown_names_are_told(used: Path, command: list[str], told: str) -> None:
    assert told in refused(*command, "-c", used)


@pytest.mark.parametrize(
    "words", [["relabel"], ["reject", "--category", "exposed_garbage"], ["merge"], ["confirm", "--into", "p1"]]
)
def test_a_verdict_that_says_too_little_or_too_much_is_refused(used: Path, words: list[str]) -> None:
    result = ran("verdict", "p1", *words, "-c", used)
    assert (result.exit_code, "needs --" in result.output) == (2, True)


def test_a_verdict_of_no_known_category_is_refused(used: Path) -> None:
    assert "did you mean" in refused("verdict", "p1", "relabel", "--category", "exposed_garbag", "-c", used)


def test_what_is_given_up_is_brought_back(used: Path) -> None:
    assert json.loads(ran("redeliver", "e1", "-c", used, "--json").stdout) == {"pending": 1}
    again = ran("redeliver", "e1", "-c", used)
    assert "0 deliveries" in again.output
    assert "--include-delivered" in again.output
    assert json.loads(ran("endpoints", "give-up", "old-bureau", "-c", used, "--json").stdout) == {"dead": 1}
    assert "nothing waits" in ran("endpoints", "give-up", "old-bureau", "-c", used).output
    assert json.loads(ran("endpoints", "enable", "bureau", "-c", used, "--json").stdout) == {"enabled": False}
    states = {one["endpoint"]: one["state"] for one in json.loads(ran("deliveries", "-c", used, "--json").stdout)}
    assert states == {"bureau": "pending", "old-bureau": "dead"}


@pytest.mark.parametrize("command", ["check", "doctor"])
def test_settings_are_named_as_an_argument_or_as_everywhere_else(command: str, config: Path) -> None:
    other = config.with_name("other.yaml")
    other.write_text("cameras: [")
    for words in ([config], ["-c", config], [config, "--config", config]):
        told = json.loads(ran(command, *words, "--json").stdout)
        known = told["ok"] if command == "check" else [one["what"] for one in told]
        assert known is True or "gate" in str(known), "it is this file that was read"
    twice = ran(command, config, "-c", other)
    assert twice.exit_code == 2
    assert "other.yaml" in twice.output.replace("\n", "")
    gone = ran(command, "-c", config.with_name("none.yaml"))
    assert (gone.exit_code, "there is no file" in gone.output) == (2, True)


def test_cameras_are_tested_by_their_id_in_the_usual_settings(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    config.rename(tmp_path / "configs" / "detector.yaml")
    monkeypatch.chdir(tmp_path)
    result = ran("cameras", "test", "gate", "--timeout", "1", "--json")
    assert result.exit_code == 1
    [tried] = json.loads(result.stdout)
    assert (tried["what"], tried["ok"]) == ("gate", False)
    assert "canary" not in result.output


def test_a_target_that_cannot_be_read_does_not_cost_the_others(tmp_path: Path) -> None:
    model, clip = colour_bundle(tmp_path / "colours"), write_clip(tmp_path / "clip.mp4", 4, range(4))
    result = ran(
        "detect", clip, tmp_path / "none.jpg", "rtsp://u:canary4711@127.0.0.1:1/x", clip, "--model", model, "--json"
    )
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert {Path(one["source"]).name for one in found["pictures"]} == {"clip.mp4"}
    assert [Path(one["source"]).name for one in found["failed"]] == ["none.jpg", "x"]
    assert "canary4711" not in result.output
    assert ran("detect", clip, "--model", model).exit_code == 0


def test_settings_without_cameras_are_of_no_use(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    file.write_text("cameras: []\n")
    result = ran("check", file)
    assert (result.exit_code, "no camera is enabled" in result.output) == (1, True)
    file.write_text("cameras: []\nintake: {tokens: [open-sesame-of-the-photos]}\n")
    result = ran("check", file)
    assert result.exit_code == 0, result.output
    assert "(warning)" in result.output


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command: list[Any] = [sys.executable, "-m", "detector", "events", "schema", tmp_path / "file" / "x"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert result.returncode == 2
    assert result.stderr.strip().endswith("Not a directory")
    assert len(result.stderr.strip().splitlines()) == 1
