"""Commands that stay: the worker, the desk, the demo."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.ending import told_to_end
from detector.cli.installation import ConfigArgument, NamedConfig, named_once
from detector.cli.output import ERR, Json
from detector.errors import ConfigError

DRAIN_S = 10.0
"""What is being looked at when SIGTERM comes is judged and stored within this many seconds."""


def run(
    config: ConfigArgument = None,
    named: NamedConfig = None,
    worker_id: Annotated[
        str | None, typer.Option(help="name of this worker where several share a database; default: the host's name")
    ] = None,
    until_end: Annotated[bool, typer.Option(help="stop when all cameras were files and have ended")] = False,
) -> None:
    """Watch the cameras of a settings file until SIGTERM or Ctrl-C.

    SIGHUP reads the settings again: cameras and endpoints that did not change do not notice; an invalid file changes
    nothing. What takes effect at the next start only is told in the log.

    Examples:

      detector run configs/example.yaml

      kill -HUP $(pgrep -f "detector run")
    """
    from detector.config import load_settings
    from detector.logs import configure
    from detector.service import Service

    file = named_once(config, named)
    settings = load_settings(file)
    configure(level=settings.log.level, format=settings.log.format)
    service = Service(settings, worker_id=worker_id)
    ending, reload = told_to_end(), threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: reload.set())
    service.start()
    try:
        while not ending.wait(0.2):
            if reload.is_set():
                reload.clear()
                if service.reload(file):
                    configure(level=service.settings.log.level, format=service.settings.log.format)
            if until_end and service.finished():
                break
    finally:
        drained = service.stop(DRAIN_S)
    if not drained:
        ERR.print("stopped before everything seen was stored", style="yellow")
        raise typer.Exit(1)


def desk(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", help="the desk's settings: routes, deadlines, dispatch", exists=True, dir_okay=False
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="read the settings, tell what is wrong, and end")] = False,
    data: Annotated[Path | None, typer.Option(help="folder of the desk's database and access log")] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="file with one signing secret (whsec_...) per line; else $DETECTOR_DESK_SECRET")
    ] = None,
    evidence: Annotated[Path | None, typer.Option(help="folder of evidence pictures to show")] = None,
    evidence_url: Annotated[str | None, typer.Option(help="what evidence links in events begin with")] = None,
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA name; pages show times in it")] = None,
    as_json: Json = False,
) -> None:
    """Receive events and show the cases: the dispatch endpoint for those who have none yet.

    With settings it also routes, dispatches what it is sure of, and watches deadlines; an option here comes before
    the settings. A token for reading is taken from $DETECTOR_DESK_TOKEN when it is set.

    Examples:

      DETECTOR_DESK_SECRET=whsec_... detector desk --evidence var/evidence

      detector desk --config configs/desk.example.yaml --check
    """
    from dataclasses import replace

    from detector.config.desk import DeskSettings
    from detector.config.desk_loading import load_desk
    from detector.desk_service import DESK_TOKEN, desk_secrets, open_desk

    if check:
        raise typer.Exit(desk_check(config, as_json))
    examined = load_desk(config)
    settings = examined.settings or DeskSettings()
    if timezone is not None:
        examined = replace(examined, settings=settings.model_copy(update={"timezone": timezone}))
    written = [secret.get_secret_value() for secret in settings.secrets]
    ending = told_to_end()
    server = open_desk(
        data or settings.data,
        written if written and secret_file is None else desk_secrets(secret_file, os.environ),
        desk=examined,
        evidence=evidence or settings.evidence.directory,
        evidence_url=evidence_url or settings.evidence.url,
        host=host or settings.host,
        port=settings.port if port is None else port,
        token=os.environ.get(DESK_TOKEN),
    )
    ERR.print(f"desk: {server.url}")
    try:
        ending.wait()
    finally:
        server.stop()


def desk_check(config: Path | None, as_json: bool) -> int:
    """Tell what is wrong with a desk's settings; returns the exit code."""
    from datetime import UTC, datetime

    from detector.cli.configuration import tell_findings
    from detector.config.desk_loading import examine_desk
    from detector.config.finding import Finding
    from detector.config.workdays import calendar_fault
    from detector.desk.planning import plan_of

    if config is None:
        raise ConfigError("--check needs --config: without settings there is nothing to check")
    examined = examine_desk(config)
    findings = list(examined.findings)
    if examined.settings is not None:
        try:
            plan_of(examined)
            fault = calendar_fault(examined.settings.office, datetime.now(UTC).date(), "office")
        except ConfigError as error:
            findings.append(Finding(config, None, "office.country", str(error)))
        else:
            if fault is not None:
                findings.append(Finding(config, None, "office", fault, severity="warning"))
    return tell_findings(findings, as_json)


def demo(
    seconds: Annotated[
        float | None, typer.Option(min=10, help="end after this long; without it the demo runs until Ctrl-C")
    ] = None,
    headless: Annotated[
        bool, typer.Option(help="print a summary at the end; exit with 1 if no case was opened and cleared")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="port of the page; 0: any free one")] = 8900,
    model: Annotated[Path | None, typer.Option(help="folder of a bundle; none: the one that is shipped")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="folder to keep database and pictures in; default: thrown away")
    ] = None,
) -> None:
    """A street camera on loopback, the worker, the desk and its page, all on this machine.

    Examples:

      detector demo

      detector demo --seconds 90 --headless
    """
    from detector.demo.play import play

    if headless and seconds is None:
        raise ConfigError("--headless needs --seconds: nobody would end it otherwise")
    summary = play(seconds=seconds, headless=headless, port=port, model=model, keep=keep)
    if headless and not summary.convincing:
        raise typer.Exit(1)
