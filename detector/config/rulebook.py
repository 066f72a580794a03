"""Zones, permits and rules read together: what one file names must stand in another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

from detector.config.categories import CategoriesFile, examine_categories
from detector.config.finding import Finding, did_you_mean
from detector.config.marked_yaml import Document, KeyPath
from detector.config.permits import EventSettings, Permits, Written, read_permits
from detector.config.rules import examine_rules
from detector.config.settings import Settings
from detector.config.workdays import kinds_by
from detector.config.zones import Zones, read_zones
from detector.core.calendar import DayKinds, Holidays
from detector.core.rules import Effect, Permit, Rule, RuleBook
from detector.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ExaminedRules:
    """What came of reading the files of `rules`."""

    book: RuleBook | None  # None when there is an error among the findings
    findings: tuple[Finding, ...]
    zones: Zones
    permits: Permits
    rules: Document


def load_rules(settings: Settings) -> RuleBook:
    """Read the zones, permits and rules of an installation.

    Raises ConfigError with one line per error: file, line, key, what is wrong and a suggestion.
    """
    examined = examine_rulebook(settings)
    if examined.book is None:
        wrong = [str(finding) for finding in examined.findings if finding.severity == "error"]
        raise ConfigError("\n".join(wrong))
    return examined.book


def examine_rulebook(settings: Settings, categories: CategoriesFile | None = None) -> ExaminedRules:
    """Read the zones, permits and rules of an installation and return all that is wrong instead of raising.

    `categories`: the file of categories, where it has been read already.
    """
    if categories is None:
        read, categories = examine_categories(settings.categories)
        if categories is None:
            return ExaminedRules(None, read.in_order(), Zones(), Permits(), read)
    known = categories.categories
    zones = read_zones(settings.rules.zones)
    permits = read_permits(settings.rules.permits)
    kind_of = kinds_by(settings.rules.calendar)
    document, rules = examine_rules(settings.rules.rules, known, categories.standards, kind_of)
    for zone, where, path in zones.found.values():
        for index, category in enumerate(sorted(zone.categories)):
            if category not in known:
                _unknown(where, (*path, "categories", index), "category", category, known)
    for written, where, path in permits.found.values():
        _names(written, where, path, "categories", known)
        _names(written, where, path, "zones", zones.found)
    documents = [*zones.documents, *permits.documents, document]
    findings = (*chain.from_iterable(each.in_order() for each in documents), *_calendar(settings, permits, rules))
    book = None
    if not any(finding.severity == "error" for finding in findings):
        everything = frozenset(known)
        found = [_permit(key, written, everything, kind_of) for key, (written, _, _) in permits.found.items()]
        book = RuleBook((zone for zone, _, _ in zones.found.values()), found, rules)
    return ExaminedRules(book, findings, zones, permits, document)


def asks_calendar(permits: Permits, rules: Iterable[Rule]) -> bool:
    """Whether anything depends on public holidays."""
    written = (permit.holidays is not Holidays.AS_WEEKDAY for permit, _, _ in permits.found.values())
    return any(written) or any(rule.validity.holidays is not None for rule in rules)


def _calendar(settings: Settings, permits: Permits, rules: Iterable[Rule]) -> Iterator[Finding]:
    """A country whose calendar is not known, where one is asked for."""
    if not asks_calendar(permits, rules):
        return
    try:
        kinds_by(settings.rules.calendar)(date(2026, 1, 1))
    except ConfigError as error:
        document = settings.document or Document(Path("settings"))
        yield document.finding(("rules", "calendar", "country"), str(error), severity="error")


def _names(written: Written, document: Document, path: KeyPath, key: str, known: Mapping[str, object]) -> None:
    names = getattr(written, key)
    for index, name in enumerate(() if names == "all" else names):
        if name not in known:
            _unknown(document, (*path, key, index), "category" if key == "categories" else "zone", name, known)


def _unknown(document: Document, path: KeyPath, what: str, name: str, known: Mapping[str, object]) -> None:
    hint = did_you_mean(name, known) or (None if known else f"no file of {what}s is named under `rules`")
    document.find(path, f'there is no {what} "{name}"', hint)


def _permit(key: str, written: Written, everything: frozenset[str], kind_of: DayKinds) -> Permit:
    return Permit(
        id=key,
        categories=everything if written.categories == "all" else frozenset(written.categories),
        zones=frozenset() if written.zones == "all" else frozenset(written.zones),
        windows=written.windows,
        validity=written.validity(kind_of),
        effect=written.effect if isinstance(written, EventSettings) else Effect.ALLOW,
        rank=written.rank,
        holder=written.holder,
    )
