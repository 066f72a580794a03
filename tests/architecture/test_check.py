"""What scripts/check runs, run in CI too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKS = {
    "lint": ["ruff", "check", "--no-cache", "."],
    "format": ["ruff", "format", "--no-cache", "--check", "."],
    "types": ["mypy", "--strict", "detector"],
}


@pytest.mark.parametrize("check", list(CHECKS))
def test_nothing_is_found(check: str, root: Path) -> None:
    if check == "types":
        pytest.importorskip("torch", reason="types are checked against the extra `train`")
    program, *arguments = CHECKS[check]
    run = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_scripts_check_runs_them(root: Path) -> None:
    script = (root / "scripts" / "check").read_text("utf-8")
    for program, verb, *_ in CHECKS.values():
        assert f"run {program} {verb}" in script
