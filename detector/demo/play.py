"""A whole installation on loopback, watching the footage that comes with the product."""

from __future__ import annotations

import base64
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from rich.console import Console

from detector.config import load_settings
from detector.config.desk_loading import load_desk
from detector.core.problem import ProblemStatus
from detector.demo.stream import serve
from detector.desk_service import open_desk
from detector.errors import DetectorError
from detector.logs import configure
from detector.service import Service
from detector.store import DeliveryState

HERE = Path(__file__).parent
CLIP = HERE / "street.mp4"
CATEGORIES = HERE / "categories.yaml"
DESK = HERE / "desk.yaml"
INTERVAL_S = 2.0

console = Console(stderr=True, emoji=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to."""

    looks: dict[str, int]  # by status
    problems: dict[str, int]  # by status
    delivered: int  # events the desk has taken
    cases: int  # at the desk
    opened_and_cleared: int  # cases that have been opened and then cleared

    @property
    def convincing(self) -> bool:
        """Whether the whole line worked once: a case was opened and cleared."""
        return self.opened_and_cleared > 0

    def lines(self) -> list[str]:
        """For people."""
        looks = ", ".join(f"{count} {status}" for status, count in sorted(self.looks.items())) or "none"
        problems = ", ".join(f"{count} {status}" for status, count in sorted(self.problems.items())) or "none"
        return [
            f"looks             {looks}",
            f"problems          {problems}",
            f"events delivered  {self.delivered}",
            f"cases             {self.cases}, opened and cleared: {self.opened_and_cleared}",
        ]


def play(*, seconds: float | None, headless: bool, port: int, model: Path | None, keep: Path | None) -> Summary:
    """Run the demo for `seconds`, or until Ctrl-C; its folder is `keep`, or a temporary one.

    `port`: of the desk's page on loopback, 0 for any. Raises DetectorError when a part cannot be started.
    """
    configure(level="warning")
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="street-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        stream = serve(CLIP)
        stack.callback(stream.stop)
        desk = open_desk(folder / "desk", [secret], desk=load_desk(DESK), evidence=folder / "evidence", port=port)
        stack.callback(desk.stop)
        service = Service(load_settings(_settings(folder, stream.url, f"{desk.url}/events", secret, model)))
        stack.callback(service.stop)
        service.start()
        console.print(f"camera   {stream.url}", highlight=False)
        console.print(f"worker   {service.url}/", highlight=False)
        console.print(f"[bold]cases    {desk.url}/[/]  (open this; Ctrl-C ends)", highlight=False)
        _watch(service, ending, seconds, headless)
        summary = _summary(service, desk.url)
        for line in summary.lines():
            console.print(line, highlight=False)
    return summary


def _settings(folder: Path, camera: str, endpoint: str, secret: str, model: Path | None) -> Path:
    path = folder / "fleet.yaml"
    written: dict[str, object] = {
        "site": "demo",
        "timezone": "Asia/Shanghai",
        "database": "sqlite:///street.db",
        "evidence": {"directory": "evidence", "keep_days": 1},
        "categories": str(CATEGORIES),
        "sampling": {"interval": INTERVAL_S},
        "cameras": [{"id": "demo-street", "name": "示范街 Demo street", "url": camera}],
        "endpoints": [{"name": "desk", "url": endpoint, "secrets": [secret], "events": ["problem.*", "camera.health"]}],
        "desk": {"url": endpoint.removesuffix("/events"), "every": 2, "silence": "10 min"},
        "api": {"port": 0},
    }
    if model is not None:
        written["model"] = {"path": str(model.resolve())}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        yaml.safe_dump(written, out, allow_unicode=True)
    return path


def _watch(service: Service, ending: threading.Event, seconds: float | None, headless: bool) -> None:
    end = None if seconds is None else time.monotonic() + seconds
    told: dict[str, tuple[ProblemStatus, int]] = {}
    while not ending.wait(1.0):
        if end is not None and time.monotonic() >= end:
            return
        for problem in service.store.problems(limit=200):
            if problem.revision and told.get(problem.id) != (problem.status, problem.revision):
                told[problem.id] = (problem.status, problem.revision)
                clock = problem.last_looked.astimezone().strftime("%H:%M:%S")
                console.print(f"{clock}  {problem.category} {problem.status.value} ({problem.best_score:.2f})")


def _summary(service: Service, desk_url: str) -> Summary:
    # what was seen last may still be on its way
    deadline = time.monotonic() + 5.0
    while service.store.outbox_depth() and time.monotonic() < deadline:
        time.sleep(0.1)
    try:
        answer = httpx.get(f"{desk_url}/cases.json", params={"limit": 500}, timeout=10.0)
        answer.raise_for_status()
        cases = answer.json()["cases"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise DetectorError(f"the desk does not tell its cases: {error}") from error
    return Summary(
        looks=service.metrics.looks_by_status(),
        problems=dict(Counter(problem.status.value for problem in service.store.problems(limit=10_000))),
        delivered=len(service.store.deliveries(DeliveryState.DELIVERED, limit=10_000)),
        cases=len(cases),
        opened_and_cleared=sum(case["status"] == "cleared" and case["opened_at"] is not None for case in cases),
    )
