"""The code in docs/events.md does what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from detector.delivery import wire
from detector.delivery.samples import samples
from detector.delivery.signature import key_of, signed_headers
from tests.delivery.receiver import SECRET, receiver


def block(root: Path, language: str) -> str:
    text = (root / "docs" / "events.md").read_text(encoding="utf-8")
    found = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_every_type_is_described(root: Path) -> None:
    text = (root / "docs" / "events.md").read_text(encoding="utf-8")
    for event_type in wire.MODELS:
        assert f"| `{event_type}` | `{wire.cloud_type(event_type)}` |" in text


def test_the_receiver_in_python(root: Path) -> None:
    code: dict[str, Any] = {}
    exec(compile(block(root, "python"), "docs/events.md", "exec"), code)
    for number, body in enumerate(samples().values()):
        headers = signed_headers([key_of(SECRET)], f"e{number}", datetime.now(UTC), body)
        assert code["receive"](headers, body) == 204
        assert code["receive"](headers, body) == 204
        assert code["receive"](headers, body + b" ") == 401
    assert len(code["seen"]) == len(samples())


@pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("bash", "curl", "openssl")), reason="needs bash, curl and openssl"
)
def test_the_request_with_curl(root: Path, tmp_path: Path) -> None:
    sample = [
        sys.executable,
        "-c",
        "from detector.delivery.samples import samples\nfor s in samples().values(): print(s.decode())",
    ]
    lines = subprocess.run(sample, cwd=root, capture_output=True, check=True).stdout
    (tmp_path / "samples").write_bytes(lines)
    script = "detector() { cat samples; }\n" + block(root, "bash")
    with receiver() as state:
        subprocess.run(
            ["bash", "-euc", script], cwd=tmp_path, env={"URL": state.url, "PATH": "/usr/bin:/bin"}, check=True
        )
    assert state.unverified == []
    first = next(iter(samples().values()))
    assert [body for _, body in state.accepted] == [first]
