"""`detector desk`: settings, their check, and a desk that really runs by them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from typer.testing import CliRunner

from detector.cli.main import app

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ROUTING = "departments: {a: {name: 环卫所}}\nroutes: [{id: all, to: a}]\n"


def write(folder: Path, more: str = "") -> Path:
    (folder / "routing.yaml").write_text(ROUTING, encoding="utf-8")
    file = folder / "desk.yaml"
    text = f"title: Lianhu desk\nport: 0\nsecrets: [{SECRET}]\nrouting: routing.yaml\ndispatch: {{automatic: true}}\n"
    file.write_text(text + more, encoding="utf-8")
    return file


def test_the_check_tells_faults_and_ends_with_1(tmp_path: Path) -> None:
    wrong = write(tmp_path, "escalatoin: []\n")
    answer = CliRunner().invoke(app, ["desk", "--config", str(wrong), "--check", "--json"])
    assert answer.exit_code == 1
    told = json.loads(answer.stdout)
    assert told["ok"] is False
    assert (told["findings"][0]["line"], told["findings"][0]["suggestion"]) == (6, 'did you mean "escalation"?')
    right = CliRunner().invoke(app, ["desk", "--config", str(write(tmp_path)), "--check"])
    assert right.exit_code == 0, right.output
    assert "usable" in right.stdout
    assert SECRET not in answer.output + right.output


def test_a_desk_runs_by_its_settings(tmp_path: Path) -> None:
    config = write(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "detector", "desk", "--config", str(config)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "200"},
    )
    try:
        assert process.stderr is not None
        url = process.stderr.readline().split()[-1]
        assert "Lianhu desk" in httpx.get(url).text
        summary = httpx.get(f"{url}/summary.json").json()
        assert (summary["automatic_dispatch"], summary["target_precision"]) == (True, 0.9)
        assert (tmp_path / "var" / "desk" / "desk.db").exists()
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=120)
    assert process.returncode == 0, rest
