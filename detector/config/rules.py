"""Rules: what a category means inside a kind of zone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from detector.config.finding import did_you_mean
from detector.config.hours import Times
from detector.config.layers import read_layers
from detector.config.marked_yaml import Document
from detector.config.permits import Named
from detector.config.shipped import shipped
from detector.config.strict import Strict
from detector.config.validating import validate
from detector.config.workdays import CalendarSettings, kinds_by
from detector.config.zones import Identifier, Kind
from detector.core.calendar import DayKinds
from detector.core.rules import Rule


class RuleSettings(Times):
    """What categories mean inside or outside a kind of zone."""

    categories: Named
    """What it concerns."""
    inside: Kind | None = None
    """Kind of zone in which it must stand."""
    outside: Kind | None = None
    """Kind of zone in which it must not stand."""
    then: Literal["case", "no_case"]
    """What follows."""
    codes: dict[str, Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]+$")]] = Field(default_factory=dict)
    """Version of a standard to the code of such a case, where it is not the category's usual one."""
    rank: int = Field(default=0, ge=-1000, le=1000)
    """Higher ranks count first."""
    enabled: bool = True
    """false: left out."""


class RulesFile(Strict):
    """A file of rules."""

    extends: str | None = None
    """`default` (the rules that come with the product) or another file, over which this one is laid."""
    rules: dict[Identifier, RuleSettings] = Field(default_factory=dict)
    """Id to rule."""


def examine_rules(
    path: Path, categories: Iterable[str], standards: Iterable[str], kind_of: DayKinds | None = None
) -> tuple[Document, list[Rule]]:
    """Read a file of rules; the document holds what is wrong with it.

    `categories`, `standards`: those known. What the rules that come with the product say of other categories is left
    out: a city with a list of its own needs no file of rules to say so. `kind_of`: what the calendar makes of a day,
    that of China when not given.
    """
    kind_of = kind_of or kinds_by(CalendarSettings())
    default = shipped("configs/rules.yaml")
    document = read_layers(path, default)
    broken = bool(document.findings) and not document.data
    file = None if broken else validate(document, RulesFile, {})
    if file is None:
        return document, []
    known, coded = set(categories), set(standards)
    rules = []
    for key, given in file.rules.items():
        here = ("rules", key)
        for index, name in enumerate(given.categories):
            path_of_name = (*here, "categories", index)
            if name not in known and document.mark(path_of_name).file != default:
                document.find(path_of_name, f'there is no category "{name}"', did_you_mean(name, known))
        for standard in given.codes:
            path_of_code = (*here, "codes", standard)
            if standard not in coded and document.mark(path_of_code).file != default:
                document.find(path_of_code, "is none of the standards", did_you_mean(standard, coded))
        if given.codes and given.then == "no_case":
            document.find((*here, "codes"), "what is no case has no code")
        if given.inside is not None and given.inside == given.outside:
            document.find((*here, "outside"), f"nothing is inside and outside of {given.inside} at once")
        concerned = frozenset(given.categories) & known
        if given.enabled and concerned:
            rules.append(_rule(key, given, concerned, coded, kind_of))
    return document, rules


def _rule(key: str, given: RuleSettings, categories: frozenset[str], standards: set[str], kind_of: DayKinds) -> Rule:
    return Rule(
        id=key,
        categories=categories,
        inside=given.inside,
        outside=given.outside,
        windows=given.windows,
        validity=given.validity(kind_of),
        case=given.then == "case",
        codes={standard: code for standard, code in given.codes.items() if standard in standards},
        rank=given.rank,
    )
