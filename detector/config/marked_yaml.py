"""YAML read with the line of every key and list item kept, so that an error can say where.

Plain scalars follow YAML 1.2: only `true` and `false` are booleans (`NO` is a country, `on` a word) and `18:30` is
text, not the number 1110. Anchors and aliases work; a document that expands to more than MAX_NODES values is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from detector.config.finding import Finding, Severity, written_key
from detector.core.secrets import scrub

KeyPath = tuple[str | int, ...]
MAX_NODES = 2_000_000
"""A fleet of 100,000 cameras with ten keys each fits; nested aliases that expand without end do not."""

_INT = re.compile(r"[-+]?[0-9]+$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULL = {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value stands."""

    file: Path
    line: int  # 1-based


@dataclass(slots=True)
class Document:
    """The data of a file, and where each part of it stands."""

    file: Path
    data: dict[str, Any] = field(default_factory=dict)
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    lined: bool = True  # False: where its parts stand is not known

    def find(
        self,
        path: KeyPath,
        message: str,
        suggestion: str | None = None,
    ) -> None:
        """Add an error about the value at `path`, at its line or that of the nearest thing around it."""
        self.findings.append(self.finding(path, message, suggestion, "error"))

    def finding(
        self, path: KeyPath, message: str, suggestion: str | None = None, severity: Severity = "warning"
    ) -> Finding:
        """A finding about the value at `path`, not added: one that does not keep the file from being used."""
        mark = self.mark(path)
        return Finding(mark.file, self._line(mark), written_key(path), message, suggestion, severity)

    def place(self, path: KeyPath) -> str:
        """`configs/fleet.yaml:12`, or the file alone where lines are not known."""
        mark = self.mark(path)
        line = self._line(mark)
        return str(mark.file) if line is None else f"{mark.file}:{line}"

    def in_order(self) -> tuple[Finding, ...]:
        """The findings from top to bottom, file by file."""
        return tuple(sorted(self.findings, key=lambda finding: (str(finding.file), finding.line or 0)))

    def _line(self, mark: Mark) -> int | None:
        return mark.line if self.lined else None

    def mark(self, path: KeyPath) -> Mark:
        """Where `path` stands, or the nearest thing around it that does."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, Mark(self.file, 1))


def read_yaml(file: Path, text: str | None = None) -> Document:
    """Read one YAML mapping; whatever is wrong with it is in the document's findings, nothing is raised.

    `text`: the content, when it does not come from `file`.
    """
    document = Document(file)
    try:
        content = file.read_text(encoding="utf-8-sig") if text is None else text
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except OSError as error:
        document.findings.append(Finding(file, None, "", f"cannot be read: {error.strerror}"))
        return document
    except UnicodeDecodeError as error:
        document.findings.append(Finding(file, None, "", f"is not UTF-8 (byte {error.start})", "save it as UTF-8"))
        return document
    except yaml.YAMLError as error:
        document.findings.append(_syntax_finding(file, error))
        return document
    if root is None:
        return document
    if not isinstance(root, yaml.MappingNode):
        document.findings.append(Finding(file, root.start_mark.line + 1, "", "must be a mapping of keys to values"))
        return document
    reader = _Reader(document)
    try:
        document.data = reader.mapping(root, ())
    except _TooMuch:
        document.data = {}
        document.findings.append(Finding(file, None, "", f"expands to over {MAX_NODES} values"))
    return document


class _TooMuch(Exception):
    """The document has more values than anybody would write."""


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MAX_NODES

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._document.marks.setdefault(path, Mark(self._document.file, line))
                self._document.find(path, "a key must be plain text")
                continue
            key = key_node.value
            here = (*path, key)
            if key in values:
                first = self._document.marks[here].line
                self._document.findings.append(
                    Finding(
                        self._document.file,
                        line,
                        written_key(here),
                        f"given twice, first in line {first}",
                        "keep one of them",
                    )
                )
                continue
            self._document.marks[here] = Mark(self._document.file, line)
            values[key] = self.value(value_node, here)
        return values

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._left -= 1
        if self._left < 0 or len(path) > 50:
            raise _TooMuch
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            items = []
            for index, item in enumerate(node.value):
                here = (*path, index)
                self._document.marks[here] = Mark(self._document.file, item.start_mark.line + 1)
                items.append(self.value(item, here))
            return items
        return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:  # quoted or block: text
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.match(text) and not re.match(r"[-+]?0[0-9]", text):  # 06010 is a code, not a number
        return int(text)
    if _FLOAT.match(text) and not re.match(r"[-+]?0[0-9]", text):
        return float(text)
    return text


def _syntax_finding(file: Path, error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "is not valid YAML"
    context = getattr(error, "context", None)
    message = f"{problem} ({context})" if context else str(problem)
    return Finding(file, mark.line + 1 if mark else None, "", scrub(message))


def overlay(base: Document, top: Document) -> Document:
    """`top` laid over `base`: mappings are merged key by key, everything else is replaced."""
    merged = Document(top.file, {}, dict(base.marks), [*base.findings, *top.findings])
    merged.data = _merge(base.data, top.data)
    for path, mark in top.marks.items():
        merged.marks[path] = mark
    return merged


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in top.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = _merge(below, value)
        else:
            result[key] = value
    return result
