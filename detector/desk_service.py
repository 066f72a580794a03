"""The case desk as a process of its own: its secrets, its plan and the server it listens with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from detector.api.server import ServerHandle, serve_in_thread
from detector.config.desk import DeskSettings
from detector.config.desk_loading import ExaminedDesk, load_desk
from detector.desk.app import DeskOptions, create_desk
from detector.desk.planning import plan_of
from detector.errors import ConfigError

DESK_SECRET = "DETECTOR_DESK_SECRET"  # noqa: S105 - the name of a variable
DESK_TOKEN = "DETECTOR_DESK_TOKEN"  # noqa: S105 - the name of a variable


def desk_secrets(file: Path | None, environment: Mapping[str, str]) -> list[str]:
    """Signing secrets from a file (one per line) or from the environment (separated by spaces).

    Raises ConfigError when there are none.
    """
    try:
        text = environment.get(DESK_SECRET, "") if file is None else file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    secrets = text.split()
    if not secrets:
        where = f"${DESK_SECRET}" if file is None else str(file)
        raise ConfigError(
            f"the desk needs a signing secret in {where}, the same one that senders sign with; "
            "a new one: echo whsec_$(head -c 32 /dev/urandom | base64)"
        )
    return secrets


def open_desk(
    data: Path,
    secrets: list[str],
    *,
    desk: ExaminedDesk | None = None,
    evidence: Path | None = None,
    evidence_url: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8900,
    token: str | None = None,
) -> ServerHandle:
    """Serve a desk whose database and access log are in folder `data`; `port` 0 takes any free one.

    `desk`: its settings; the defaults when not given. Where to listen and what to serve is said here.
    """
    examined = desk or load_desk(None)
    settings = examined.settings or DeskSettings()
    options = DeskOptions(
        database_url=f"sqlite:///{data / 'desk.db'}",
        secrets=secrets,
        evidence_directory=evidence,
        evidence_base_url=evidence_url,
        access_log_directory=data / "access",
        access_log_days=settings.evidence.access_log_days,
        token=token,
        title=settings.title,
        worker_url=None if settings.worker_url is None else settings.worker_url.get_secret_value(),
        timezone=settings.timezone,
        plan=plan_of(examined),
    )
    data.mkdir(parents=True, exist_ok=True)
    return serve_in_thread(create_desk(options), host, port, name="desk")
