"""A mapping file: how a platform with an interface of its own wants to be told, without any code."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from detector.config.endpoints import EVENT_TYPES, EventPattern
from detector.config.finding import Finding, did_you_mean
from detector.config.marked_yaml import Document, KeyPath, read_yaml
from detector.config.sinks import Secret
from detector.config.strict import Strict
from detector.config.validating import validate
from detector.config.values import Timezone
from detector.core.coordinates import CoordinateSystem
from detector.errors import ConfigError

Scalar = bool | int | float | str


class Fact(NamedTuple):
    """One thing that an event tells."""

    kind: Literal["text", "number", "boolean", "time"]
    of: Literal["any", "problem", "camera", "case", "problem case"] = (
        "problem"  # events that tell it, by their first word
    )


FACTS: dict[str, Fact] = {
    "event_id": Fact("text", "any"),
    "event_type": Fact("text", "any"),
    "source": Fact("text", "any"),
    "subject": Fact("text", "any"),
    "occurred_at": Fact("time", "any"),
    "sent_at": Fact("time", "any"),
    "camera_id": Fact("text", "any"),
    "camera_name": Fact("text", "any"),
    "district": Fact("text", "any"),
    "latitude": Fact("number", "any"),
    "longitude": Fact("number", "any"),
    "position_of": Fact("text", "any"),
    **dict.fromkeys(("problem_id", "category", "category_name", "code"), Fact("text", "problem case")),
    **dict.fromkeys(("rule", "label", "note"), Fact("text")),
    **dict.fromkeys(("cleared_reason", "cleared_rule"), Fact("text")),
    **dict.fromkeys(("evidence_url", "evidence_reason", "evidence_base64", "model_version"), Fact("text")),
    "status": Fact("text", "any"),
    **dict.fromkeys(("first_seen", "last_seen", "opened_at", "cleared_at"), Fact("time")),
    **dict.fromkeys(("revision", "reopened", "score", "looks", "sightings", "count"), Fact("number")),
    **dict.fromkeys(("box_left", "box_top", "box_right", "box_bottom", "frame_width", "frame_height"), Fact("number")),
    "review": Fact("boolean"),
    "previous": Fact("text", "camera"),
    "reason": Fact("text", "camera"),
    **dict.fromkeys(
        ("case_id", "stage", "department", "department_code", "escalated_to", "street"), Fact("text", "case")
    ),
    **dict.fromkeys(("dispatched_at", "due_at", "escalated_at"), Fact("time", "case")),
    "escalated": Fact("number", "case"),
}
"""Everything that can be sent; docs/sinks.md says what each is."""

_XML_NAME = re.compile(r"[^\W\d][\w-]*(:[^\W\d][\w-]*)?$")
_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")
_PATH = re.compile(r"@?[^\s.\[\]@]+(\[\d{1,3}\])*(\.@?[^\s.\[\]@]+(\[\d{1,3}\])*)*$")


def _fact(name: str) -> str:
    if name not in FACTS:
        raise ValueError(f'"{name}" is nothing that an event tells; {did_you_mean(name, FACTS) or "see docs/sinks.md"}')
    return name


def _text(value: str) -> str:
    for name in _PLACEHOLDER.findall(value):
        _fact(name)
    return value


def _path(value: str) -> str:
    if not _PATH.match(value):
        raise ValueError("must be names joined by dots, `[0]` for a place in a list, e.g. case.images[0].url")
    return value


Name = Annotated[str, AfterValidator(_fact)]
Place = Annotated[str, AfterValidator(_path)]


class FieldMapping(Strict):
    """One field of a request, and what goes into it: a fact, a fixed value, or a text with facts in it."""

    to: Place
    """Its name; dots lead inwards, `[0]` into a list; in XML a last part `@name` is an attribute."""
    fact: Name | None = None
    """What an event tells, by name."""
    value: Scalar | None = None
    """A fixed value."""
    text: Annotated[str, AfterValidator(_text)] | None = None
    """A text with facts in braces, e.g. `{camera_name}: {category_name}`."""
    table: str | None = None
    """Translate by this table."""
    time: str | None = None
    """How a time is written: `iso`, `epoch_s`, `epoch_ms`, or a strftime format such as `%Y-%m-%d %H:%M:%S`."""
    digits: int | None = Field(default=None, ge=0, le=12)
    """Decimals of a number."""
    longest: int | None = Field(default=None, ge=1)
    """Cut a text after so many characters."""
    type: Literal["text", "number", "boolean"] | None = None
    """What it is written as in JSON, where that differs."""
    default: Scalar | None = None
    """Instead of a fact that is not known or not in the table."""
    optional: bool = False
    """Leave the field out when the fact is not known; otherwise the event cannot be sent."""

    @model_validator(mode="after")
    def _one_source(self) -> FieldMapping:
        if sum(one is not None for one in (self.fact, self.value, self.text)) != 1:
            raise ValueError("needs exactly one of fact, value and text")
        return self


class Message(Strict):
    """One kind of request."""

    on: tuple[EventPattern, ...] = Field(min_length=1)
    """Events it is made for; the first message that fits an event is used, events that none fits are not sent."""
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    path: Annotated[str, AfterValidator(_text)] = ""
    """What follows the endpoint's `url`; facts in braces are filled in."""
    fields: tuple[FieldMapping, ...] = Field(min_length=1)

    def wants(self, event_type: str) -> bool:
        """Whether it is made for e.g. `problem.opened`."""
        return any(fnmatchcase(event_type, pattern) for pattern in self.on)


class ReplyTest(Strict):
    """What to look for in an answer (JSON or XML)."""

    status: tuple[int, ...] = ()
    """HTTP statuses; any 2xx when none are given."""
    field: Place | None = None
    """A field of the answer ..."""
    equals: tuple[Scalar, ...] = ()
    """... and the values that it may have."""

    @model_validator(mode="after")
    def _whole(self) -> ReplyTest:
        if (self.field is None) != (not self.equals):
            raise ValueError("`field` and `equals` belong together")
        return self


class MappingFile(Strict):
    """How one platform wants to be told."""

    format: Literal["json", "xml", "form"] = "json"
    root: str = "request"
    """Name of the outermost XML element."""
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    """Of request bodies."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Sent with each request; `${NAME}` keeps keys out of this file. They are never shown."""
    coordinates: CoordinateSystem = CoordinateSystem.WGS84
    """What latitude and longitude are written in."""
    timezone: Timezone = "Asia/Shanghai"
    """On whose clock times are written."""
    language: str = "zh"
    """Of category names."""
    standard: str | None = None
    """Whose code the fact `code` is; the first that a category has when not given."""
    tables: dict[str, dict[str, Scalar]] = Field(default_factory=dict)
    """Name to translations, e.g. of category ids to the platform's own codes."""
    messages: tuple[Message, ...] = Field(min_length=1)
    success: ReplyTest = ReplyTest()
    """Answers that accept."""
    refused: ReplyTest | None = None
    """Answers that refuse for good: the event becomes a dead letter at once."""
    receipt: dict[str, Place] = Field(default_factory=dict)
    """What to remember of an answer: name to field, e.g. `case_id: data.id`."""


@dataclass(frozen=True, slots=True)
class ExaminedMapping:
    """What came of reading a mapping file."""

    mapping: MappingFile | None  # None when there is an error among the findings
    findings: tuple[Finding, ...]


def load_mapping(path: Path, environment: Mapping[str, str] | None = None) -> MappingFile:
    """Read a mapping file. Raises ConfigError with one line per error: file, line, key, what is wrong."""
    examined = examine_mapping(path, environment)
    if examined.mapping is None:
        raise ConfigError("\n".join(str(finding) for finding in examined.findings))
    return examined.mapping


def examine_mapping(path: Path, environment: Mapping[str, str] | None = None) -> ExaminedMapping:
    """Read a mapping file and return all that is wrong with it instead of raising."""
    document = read_yaml(path)
    broken = bool(document.findings) and not document.data
    mapping = None if broken else validate(document, MappingFile, os.environ if environment is None else environment)
    if mapping is not None:
        for where, message, hint in _unfit(mapping):
            document.find(where, message, hint)
    return ExaminedMapping(None if document.findings else mapping, _once(document))


def _once(document: Document) -> tuple[Finding, ...]:
    """Without repetitions: a list of fields that several messages share is told once."""
    told: dict[tuple[Path, int | None, str], Finding] = {}
    for finding in document.in_order():
        told.setdefault((finding.file, finding.line, finding.message), finding)
    return tuple(told.values())


def _unfit(mapping: MappingFile) -> Iterator[tuple[KeyPath, str, str | None]]:
    if mapping.format == "xml" and not _XML_NAME.match(mapping.root):
        yield ("root",), f'"{mapping.root}" is no name in XML', None
    for number, message in enumerate(mapping.messages):
        types = [one for one in EVENT_TYPES if message.wants(one)]
        taken: list[list[str]] = []
        for index, field in enumerate(message.fields):
            here: KeyPath = ("messages", number, "fields", index)
            parts = [field.to] if mapping.format == "form" else re.findall(r"[^.\[]+|\[\d+\]", field.to)
            if any(other[: len(parts)] == parts or parts[: len(other)] == other for other in taken):
                yield (*here, "to"), f"{field.to} has a value already, or lies inside of a field that has one", None
            taken.append(parts)
            if mapping.format == "xml":
                for part in parts:
                    if not part.startswith("[") and not _XML_NAME.match(part.removeprefix("@")):
                        yield (*here, "to"), f'"{part}" is no name in XML', None
            if field.table is not None and field.table not in mapping.tables:
                hint = did_you_mean(field.table, mapping.tables)
                yield (*here, "table"), f'there is no table "{field.table}" under `tables`', hint
            if field.fact is None:
                continue
            fact = FACTS[field.fact]
            if field.time is not None and fact.kind != "time":
                yield (*here, "time"), f"{field.fact} is no time", None
            if field.digits is not None and fact.kind != "number":
                yield (*here, "digits"), f"{field.fact} is no number", None
            silent = [one for one in types if not _tells(one, fact)]
            if silent and not field.optional and field.default is None:
                hint = "make it `optional`, give it a `default`, or make a message of its own for those events"
                yield (*here, "fact"), f"{', '.join(silent)} does not tell {field.fact}", hint


def _tells(event_type: str, fact: Fact) -> bool:
    return fact.of == "any" or event_type.partition(".")[0] in fact.of.split()
