"""Trying what an installation depends on, one thing after another."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from detector.core.secrets import scrub
from detector.errors import DetectorError

LITTLE_DISK = 2 * 1024**3  # bytes; a week of evidence of a few hundred cases a day


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was tried."""

    what: str
    ok: bool
    found: str
    advice: str = ""


def examine(config: Path, limit: int | None) -> Iterator[Examined]:
    """Try everything that a settings file names; `limit`: how many cameras at most, None for all."""
    from detector.config import load_settings

    settings = load_settings(config)
    yield _model(settings.model.path, settings.model.backend)
    yield _database(settings.database)
    yield _disk(settings.evidence.directory)
    yield _clock()
    for endpoint in settings.endpoints:
        yield _endpoint(endpoint.name, endpoint.url.get_secret_value())
    for camera in islice((c for c in settings.cameras if c.enabled), limit):
        timeout = settings.sampling.open_timeout.total_seconds()
        interval = settings.plan(camera).interval.total_seconds()
        yield try_camera(camera.id, camera.url.get_secret_value(), timeout, interval)


def try_camera(name: str, url: str, timeout_s: float, interval_s: float | None = None) -> Examined:
    """Open one camera and describe what it sends; `interval_s`: the wanted time between looks, if known."""
    from detector.sources.options import CLOCK_OFF_S
    from detector.sources.probe import probe

    try:
        report = probe(url, open_timeout_s=timeout_s, read_timeout_s=timeout_s)
    except DetectorError as error:
        return Examined(name, False, scrub(str(error)), "check address, password and network")
    width, height = report.size
    gop_s = report.gop_s or report.gop_at_least_s
    gop = f"keyframe each {report.gop_s:.1f} s" if report.gop_s else f"no keyframe for {report.gop_at_least_s:.1f} s"
    clock = "own clock" if report.has_clock else "no clock of its own"
    advice = report.remark or ""
    offset = report.clock_offset_s
    if offset is not None and abs(offset) > CLOCK_OFF_S:
        clock = f"own clock, {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}"
        advice = advice or "set the camera's clock by NTP: it is not believed, pictures are timed by when they come"
    found = f"{report.codec} {width}x{height}, {report.fps or 0:.0f} fps, {gop}, {clock}"
    if interval_s is not None and gop_s > interval_s:
        advice = f"all frames must be decoded: set the keyframe distance to {interval_s:.0f} s or less"
    return Examined(name, True, found, advice)


def _model(path: Path, backend: str) -> Examined:
    from detector.evidence.redact import unseen_by
    from detector.inference.open import open_detector

    try:
        detector = open_detector(path, backend)
    except DetectorError as error:
        return Examined("model", False, str(error), "name another bundle under `model.path`")
    unseen = " and ".join(unseen_by(detector.labels))
    advice = f"it does not know {unseen}: faces and plates are found less often without" if unseen else ""
    return Examined("model", True, f"{detector.model_version}, {len(detector.labels)} labels, self-test passed", advice)


def _database(url: str) -> Examined:
    from detector.store import open_store

    try:
        store = open_store(url)
        waiting = store.outbox_depth()
        store.close()
    except DetectorError as error:
        return Examined("database", False, scrub(str(error)), "check `database`")
    return Examined("database", True, f"{scrub(url.partition(':')[0])}, {waiting} deliveries waiting")


def _disk(folder: Path) -> Examined:
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free / 1e9:.1f} GB free for evidence in {folder}"
    return Examined("disk", free >= LITTLE_DISK, found, "" if free >= LITTLE_DISK else "make room or keep fewer days")


def _clock() -> Examined:
    now = datetime.now(UTC)
    sane = now.year >= 2026
    return Examined("clock", sane, now.isoformat(timespec="seconds"), "" if sane else "set the clock, run NTP")


def _endpoint(name: str, url: str) -> Examined:
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}
    address = (parts.hostname or "", parts.port or usual[parts.scheme])
    try:
        with socket.create_connection(address, timeout=5):
            pass
    except OSError as error:
        return Examined(
            f"endpoint {name}", False, f"{address[0]}:{address[1]}: {error}", "events wait until it answers"
        )
    return Examined(f"endpoint {name}", True, f"{address[0]}:{address[1]} answers")
