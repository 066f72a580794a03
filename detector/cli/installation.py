"""Which installation a command is about: its settings file, and the names in it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from detector.config.finding import did_you_mean
from detector.errors import ConfigError

DEFAULT_CONFIG = Path("configs/detector.yaml")


def _there(path: Path | None) -> Path | None:
    return None if path is None else _file(path)


def _file(path: Path) -> Path:
    if path.is_file():
        return path
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name the settings file in it")
    if path == DEFAULT_CONFIG:
        raise typer.BadParameter(
            f"there is no {path} here: name another settings file, or begin with the example: "
            f"cp configs/example.yaml {path}"
        )
    raise typer.BadParameter(f"there is no file {path}")


ConfigArgument = Annotated[
    Path | None, typer.Argument(help="settings file", show_default=str(DEFAULT_CONFIG), callback=_there)
]
"""For commands that are about the settings as such: `detector check fleet.yaml`. With NamedConfig and `named_once`."""

NamedConfig = Annotated[
    Path | None, typer.Option("--config", "-c", help="the settings file, as all commands take it", callback=_there)
]

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="settings file", callback=_there)]
"""For commands that are about something in the installation."""

OptionalConfig = Annotated[Path | None, typer.Option("--config", "-c", help="settings file", callback=_there)]


def named_once(argument: Path | None, option: Path | None) -> Path:
    """The settings file of a command that takes it either way; the default when it is not named at all.

    Raises typer.BadParameter when two files are named, or when the default is not there.
    """
    if argument is not None and option is not None and argument.resolve() != option.resolve():
        raise typer.BadParameter(f"two settings files are named, {argument} and {option}: which of them?")
    return _file(argument or option or DEFAULT_CONFIG)


def insist_on(what: str, name: str | None, known: Collection[str]) -> None:
    """Raises ConfigError when a name is given that is not known, e.g. of an endpoint; tells which one was meant."""
    if name is None or name in known:
        return
    few = f"there are {', '.join(sorted(known))}" if 0 < len(known) <= 10 else f"there are {len(known)}"
    hint = did_you_mean(name, known) or (few if known else "there is none")
    raise ConfigError(f'no {what} "{name}"; {hint}')
