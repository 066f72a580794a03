"""All commands under one roof."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from detector import __version__
from detector.cli import (
    cameras,
    configuration,
    dataset,
    deliveries,
    detect,
    endpoints,
    evaluate,
    events,
    export,
    intake,
    mine,
    model,
    promote,
    rules,
    running,
    train,
)
from detector.cli.output import ERR
from detector.core.secrets import scrub
from detector.errors import DetectorError

app = typer.Typer(
    name="detector",
    help="Watches street cameras, turns what it sees into problems, and hands them to a dispatch system.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(running.run)
app.command()(running.desk)
app.command()(intake.intake)
app.command()(running.demo)
app.command()(detect.detect)
app.command()(configuration.check)
app.command()(configuration.doctor)
app.add_typer(cameras.app, name="cameras")
app.add_typer(rules.app, name="rules")
app.command()(deliveries.problems)
app.command()(deliveries.verdict)
app.command()(deliveries.deliveries)
app.command()(deliveries.redeliver)
app.add_typer(events.app, name="events")
app.add_typer(endpoints.app, name="endpoints")
app.add_typer(model.app, name="model")
app.add_typer(dataset.app, name="dataset")
app.command()(train.train)
app.command()(export.export)
app.command()(evaluate.evaluate)
app.command()(promote.compare)
app.command()(promote.promote)
app.command()(promote.rollback)
app.command()(mine.mine)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run a command; what is wrong on purpose is one clear line and exit code 2, not a traceback."""
    try:
        app()
    except DetectorError as error:
        ERR.print(scrub(str(error)), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            # `detector problems | head`: nobody reads on, which is no error
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        elif error.filename is None:
            raise
        else:
            ERR.print(f"{error.filename}: {error.strerror}", style="red", markup=False, highlight=False, soft_wrap=True)
            sys.exit(2)
