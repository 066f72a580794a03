"""Zones, permits and rules read together: what one file names must stand in another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from detector.config.categories import CategoriesFile, examine_categories
from detector.config.finding import Finding, did_you_mean
from detector.config.marked_yaml import Document, KeyPath
from detector.config.permits import EventSettings, Permits, Written, read_permits
from detector.config.rules import examine_rules
from detector.config.settings import Settings
from detector.config.zones import Zones, read_zones
from detector.core.rules import Effect, Permit, RuleBook
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
    document, rules = examine_rules(settings.rules.rules, known, categories.standards)
    for zone, where, path in zones.found.values():
        for index, category in enumerate(sorted(zone.categories)):
            if category not in known:
                _unknown(where, (*path, "categories", index), "category", category, known)
    for written, where, path in permits.found.values():
        _names(written, where, path, "categories", known)
        _names(written, where, path, "zones", zones.found)
    documents = [*zones.documents, *permits.documents, document]
    findings = tuple(chain.from_iterable(each.in_order() for each in documents))
    book = None
    if not any(finding.severity == "error" for finding in findings):
        everything = frozenset(known)
        found = [_permit(key, written, everything) for key, (written, _, _) in permits.found.items()]
        book = RuleBook((zone for zone, _, _ in zones.found.values()), found, rules)
    return ExaminedRules(book, findings, zones, permits, document)


def _names(written: Written, document: Document, path: KeyPath, key: str, known: Mapping[str, object]) -> None:
    names = getattr(written, key)
    for index, name in enumerate(() if names == "all" else names):
        if name not in known:
            _unknown(document, (*path, key, index), "category" if key == "categories" else "zone", name, known)


def _unknown(document: Document, path: KeyPath, what: str, name: str, known: Mapping[str, object]) -> None:
    hint = did_you_mean(name, known) or (None if known else f"no file of {what}s is named under `rules`")
    document.find(path, f'there is no {what} "{name}"', hint)


def _permit(key: str, written: Written, everything: frozenset[str]) -> Permit:
    return Permit(
        id=key,
        categories=everything if written.categories == "all" else frozenset(written.categories),
        zones=frozenset() if written.zones == "all" else frozenset(written.zones),
        windows=written.windows,
        validity=written.validity,
        effect=written.effect if isinstance(written, EventSettings) else Effect.ALLOW,
        rank=written.rank,
        holder=written.holder,
    )
