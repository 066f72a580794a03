from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detector.cli.main import app
from detector.errors import ConfigError

SETTINGS = """
endpoints:
  - name: bureau
    kind: mapped
    url: https://user:canary4711@platform.example/api?key=canary4711
    events: ["problem.*"]
    mapped: {file: mapping.yaml}
  - name: city
    kind: open311
    url: https://city.example/v2
    open311: {api_key: canary4711}
"""
MAPPING = """
headers: {X-Key: canary4711}
messages:
  - on: [problem.opened, problem.reopened]
    path: /cases
    fields: [{to: id, fact: problem_id}, {to: picture, fact: evidence_base64}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    file = tmp_path / "fleet.yaml"
    file.write_text(SETTINGS, encoding="utf-8")
    return file


def test_it_shows_what_would_be_sent_and_no_secret(config: Path) -> None:
    result = CliRunner().invoke(app, ["events", "preview", "-c", str(config), "--endpoint", "bureau", "--json"])
    assert result.exit_code == 0, result.output
    shown = {one["type"]: one["preview"] for one in json.loads(result.stdout)}
    assert list(shown) == [f"problem.{kind}" for kind in ("opened", "updated", "cleared", "dismissed", "reopened")]
    assert shown["problem.opened"]["line"] == "POST https://***@platform.example/api/cases?***"
    assert json.loads(shown["problem.opened"]["body"])["id"] == "0198f3c2-6d2e-7c41-9b0a-3f5d1c8e7a10"
    assert "no message for it" in shown["problem.cleared"]["note"]
    assert "canary4711" not in result.output


def test_it_says_what_could_not_be_sent(config: Path) -> None:
    command = ["events", "preview", "-c", str(config), "--endpoint", "city", "--type", "problem.opened"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert "no service code for category exposed_garbage" in result.output


def test_an_endpoint_that_is_not_there(config: Path) -> None:
    result = CliRunner().invoke(app, ["events", "preview", "-c", str(config), "--endpoint", "burau"])
    assert isinstance(result.exception, ConfigError)
    assert 'did you mean "bureau"?' in str(result.exception)
