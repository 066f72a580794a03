"""How commands speak: tables for people on stdout, JSON for programs, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from textwrap import indent
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

WIDE = 200
"""Columns where there is no terminal: rich would assume 80 and cut tables to them."""

# no emoji: `categories.yaml:100:` is a place in a file
OUT = Console(emoji=False, width=None if sys.stdout.isatty() else WIDE)
ERR = Console(stderr=True, highlight=False, emoji=False, width=None if sys.stderr.isatty() else WIDE)

Json = Annotated[bool, typer.Option("--json", help="print JSON on stdout instead of a table")]


def plain(value: object) -> Any:
    """Turn a value of the house into what `json` can write: dataclasses become objects, times ISO 8601 texts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.repr}
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Path():
            return str(value)
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _:
            return value


def print_json(value: object) -> None:
    """Write `value` as one JSON document."""
    typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def print_json_line(value: object) -> None:
    """Write `value` as one line, at once: for what is told while it happens."""
    typer.echo(json.dumps(plain(value), ensure_ascii=False))


class JsonDocument:
    """One JSON document of which one list is written while it grows, each item at once.

    The whole is, letter for letter, what `print_json` would have written at the end.
    """

    def __init__(self, first: dict[str, object], name: str) -> None:
        """Write what stands before the list `name`."""
        head = json.dumps(plain(first), ensure_ascii=False, indent=2).removesuffix("\n}")
        typer.echo(f"{head},\n  {json.dumps(name)}: [", nl=False)
        self._empty = True

    def add(self, item: object) -> None:
        """Write one more item of the list."""
        text = json.dumps(plain(item), ensure_ascii=False, indent=2)
        typer.echo(("" if self._empty else ",") + indent(f"\n{text}", "    "), nl=False)
        self._empty = False

    def end(self, rest: dict[str, object]) -> None:
        """Write what stands after the list, and close the document."""
        tail = json.dumps(plain(rest), ensure_ascii=False, indent=2).removeprefix("{")
        typer.echo(("]" if self._empty else "\n  ]") + "," + tail)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Write a table, or the line `empty` when there is nothing in it."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if cell is None else _short(cell) for cell in row))
    if table.row_count:
        OUT.print(table)
    else:
        OUT.print(empty)


def _short(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, float):
        return f"{cell:.2f}"
    return str(cell.value if isinstance(cell, Enum) else cell)
