"""Fixtures for every room, and a closing word on what could not be tested here."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import hypothesis
import PIL.Image
import pytest

pytest_plugins = ["tests.servers.rtsp", "tests.servers.mosquitto"]

# A busy machine may stop a test for as long as it likes, which says nothing of what is tested.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("unhurried")

# So may it a server under test: httpx would give up after 5 s. What tests ask has a minute unless they say otherwise;
# the product names a limit of its own wherever it asks.
PATIENCE_S = 60.0
for _ask in (httpx.Client.__init__, httpx.get, httpx.post, httpx.put, httpx.delete, httpx.request):
    assert _ask.__kwdefaults__ is not None
    _ask.__kwdefaults__["timeout"] = PATIENCE_S

ROOT = Path(__file__).resolve().parents[1]
NO_SHARED = "no shared data: put it beside the repository as ../shared or set STREET_SHARED"


_OPEN = PIL.Image.open


@pytest.fixture(autouse=True)
def pillow_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what ultralytics does to the whole process when a test imports it: it replaces PIL.Image.open."""
    monkeypatch.setattr(PIL.Image, "open", _OPEN)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real clips, labelled pictures and weights that are too big or not free enough for the repository."""
    folder = Path(os.environ.get("STREET_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(NO_SHARED)
    return folder.resolve()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly how many tests saw no real input."""
    skipped = terminalreporter.stats.get("skipped", [])
    unseen = sum(NO_SHARED in str(report.longrepr) for report in skipped)
    if unseen:
        terminalreporter.write_line(
            f"{unseen} tests need real data and were skipped: {NO_SHARED}", yellow=True, bold=True
        )
