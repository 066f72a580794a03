"""Every command shows how it is called, in the words it understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from detector.cli.main import app


def commands(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))
        else:
            assert isinstance(command, TyperCommand)
            yield (*path, name), command


TOP = typer.main.get_command(app)
assert isinstance(TOP, TyperGroup)
ALL = dict(commands(TOP))


def examples(command: TyperCommand) -> list[list[str]]:
    """The words of each line below `Examples:` that calls us, without `detector`, pipes and remarks."""
    _, _, below = re.split(r"^(Examples\b.*?:)", command.help or "", maxsplit=1, flags=re.MULTILINE)
    lines = (line.strip() for line in re.sub(r"\\\n\s*", "", below).splitlines())
    called = (re.split(r"\s[|>&(#]", line, maxsplit=1)[0] for line in lines if line.startswith("detector "))
    return [shlex.split(line)[1:] for line in called]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_a_command_has_an_example_of_itself(path: tuple[str, ...]) -> None:
    assert re.search(r"^Examples\b.*:", ALL[path].help or "", re.MULTILINE), "no line `Examples:`"
    assert any(words[: len(path)] == [*path] for words in examples(ALL[path]))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_examples_name_commands_and_options_that_there_are(path: tuple[str, ...]) -> None:
    for words in examples(ALL[path]):
        called = max((p for p in ALL if words[: len(p)] == [*p]), key=len)
        known = {name for option in ALL[called].params for name in (*option.opts, *option.secondary_opts)}
        assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known, words


SETTINGS = [path for path, command in ALL.items() if any(option.name == "config" for option in command.params)]


@pytest.mark.parametrize("path", SETTINGS, ids=" ".join)
def test_every_command_takes_its_settings_the_same_way(path: tuple[str, ...]) -> None:
    options = {name for option in ALL[path].params for name in option.opts}
    assert {"-c", "--config"} <= options


def test_there_are_such_commands() -> None:
    assert {("run",), ("check",), ("doctor",), ("intake",), ("desk",), ("problems",), ("cameras", "list")} <= {
        *SETTINGS
    }
