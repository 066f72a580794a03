"""Permits (who may do what, where and when) and events, which lie over them for a time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from detector.config.hours import Day, Times
from detector.config.marked_yaml import Document, KeyPath
from detector.config.plain_json import read_document
from detector.config.strict import Strict
from detector.config.validating import validate
from detector.config.zones import Identifier
from detector.core.rules import Effect

All = Literal["all"]
Named = Annotated[tuple[str, ...], Field(min_length=1)]


def _listed_or_all(value: object) -> object:
    if isinstance(value, str) and value != "all":
        raise ValueError('must be a list of ids, or "all"')
    return value


NamedOrAll = Annotated[Named | All, BeforeValidator(_listed_or_all)]

EVENT_RANK = 100
"""Rank of an event unless it says otherwise: above all standing permits."""


class PermitSettings(Times):
    """Somebody may do something somewhere at some hours."""

    holder: str = ""
    """To whom it was given."""
    categories: Named
    """What is no case while it holds."""
    zones: NamedOrAll
    """Where; `all` is everywhere."""
    rank: int = Field(default=0, ge=-1000, le=1000)
    """Higher ranks count first; only a ban of the same or a higher rank suspends it."""


class EventSettings(Times):
    """An exception for some days: a festival that allows, or a race that forbids, what is otherwise the rule."""

    effect: Effect
    """`allow`: no case while it holds; `ban`: permits of the same or a lower rank do not count meanwhile."""
    holder: str = ""
    """Who asked for it."""
    categories: NamedOrAll = "all"
    """What it concerns."""
    zones: NamedOrAll = "all"
    """Where."""
    first_day: Day
    """From this day on."""
    last_day: Day
    """Until the end of the hours that begin on this day."""
    rank: int = Field(default=EVENT_RANK, ge=-1000, le=1000)
    """Higher ranks count first."""


class PermitsFile(Strict):
    """A file of permits and events."""

    permits: dict[Identifier, PermitSettings] = Field(default_factory=dict)
    """Id to permit."""
    events: dict[Identifier, EventSettings] = Field(default_factory=dict)
    """Id to event; permits and events share their ids."""


Written = PermitSettings | EventSettings


class Permits:
    """The permits and events of some files as written, each with where it stands."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[Written, Document, KeyPath]] = {}
        self.documents: list[Document] = []

    def add(self, key: str, written: Written, document: Document, path: KeyPath) -> None:
        """Take one in; one whose id is taken, or that ends before it begins, becomes a finding of its document."""
        if key in self.found:
            _, other, where = self.found[key]
            document.find(path, f'"{key}" is taken by {other.place(where)}', "give each its own id")
            return
        if written.first_day and written.last_day and written.last_day < written.first_day:
            document.find((*path, "last_day"), f"is before the first day ({written.first_day})")
        self.found[key] = written, document, path


def read_permits(files: tuple[Path, ...]) -> Permits:
    """Read files of permits; what is wrong is in their documents' findings."""
    permits = Permits()
    for file in files:
        document = read_document(file)
        permits.documents.append(document)
        broken = bool(document.findings) and not document.data
        written = None if broken else validate(document, PermitsFile, {})
        if written is None:
            continue
        for key, permit in written.permits.items():
            permits.add(key, permit, document, ("permits", key))
        for key, event in written.events.items():
            permits.add(key, event, document, ("events", key))
    return permits
