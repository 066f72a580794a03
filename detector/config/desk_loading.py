"""Reading a desk's settings and all that they name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

from detector.config.categories import CategoriesFile, examine_categories, load_categories
from detector.config.desk import DeskSettings
from detector.config.finding import Finding, did_you_mean, written_key
from detector.config.marked_yaml import Document, KeyPath, read_yaml
from detector.config.routing import ExaminedRouting, examine_routing
from detector.config.validating import validate
from detector.core.category import Category
from detector.core.joining import DISTANCES_M
from detector.core.routing import Routing
from detector.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ExaminedDesk:
    """What came of reading a desk's settings."""

    settings: DeskSettings | None  # None when there is an error among the findings
    routing: Routing
    categories: Mapping[str, Category]
    findings: tuple[Finding, ...]


def load_desk(path: Path | None, environment: Mapping[str, str] | None = None) -> ExaminedDesk:
    """Read a desk's settings; all defaults when there is no file.

    Raises ConfigError with one line per error: file, line, key, what is wrong and a suggestion.
    """
    if path is None:
        settings = DeskSettings()
        return ExaminedDesk(settings, Routing(), load_categories(settings.categories), ())
    examined = examine_desk(path, environment)
    if examined.settings is None:
        wrong = [str(finding) for finding in examined.findings if finding.severity == "error"]
        raise ConfigError("\n".join(wrong))
    return examined


def examine_desk(path: Path, environment: Mapping[str, str] | None = None, today: date | None = None) -> ExaminedDesk:
    """Read a desk's settings and return all that is wrong instead of raising.

    `environment`: what `${NAME}` may refer to; the process environment when not given.
    """
    document = read_yaml(path)
    broken = bool(document.findings) and not document.data
    settings = None if broken else validate(document, DeskSettings, os.environ if environment is None else environment)
    if settings is None:
        return ExaminedDesk(None, Routing(), {}, document.in_order())
    written, file = examine_categories(settings.categories)
    routes = ExaminedRouting(Routing(), ())
    if settings.routing is not None:
        routes = examine_routing(settings.routing, None if file is None else file.categories)
    _check(document, settings, file)
    findings = [*document.in_order(), *written.in_order(), *routes.findings, *_doubtful(document, settings, routes)]
    if any(finding.severity == "error" for finding in findings):
        return ExaminedDesk(None, Routing(), {}, tuple(findings))
    return ExaminedDesk(settings, routes.routing or Routing(), load_categories(settings.categories), tuple(findings))


def _check(document: Document, settings: DeskSettings, file: CategoriesFile | None) -> None:
    named: list[tuple[KeyPath, str]] = [(("deadlines", key), key) for key in settings.deadlines]
    named += [(("dispatch", "thresholds", key), key) for key in settings.dispatch.thresholds]
    named += [(("joining", "distances_m", key), key) for key in settings.joining.distances_m if key not in DISTANCES_M]
    for path, key in named:
        if file is not None and key not in file.categories:
            document.find(path, f'there is no category "{key}"', did_you_mean(key, file.categories))
    for path, value in _switches(settings):
        if value is True:
            document.find(path, "is a score or false", "e.g. 0.8")
    ends = [moment for span in settings.office.hours for moment in span]
    if time(0) in ends[1:] or ends != sorted(set(ends)):
        document.find(("office", "hours"), "must follow each other within a day, before midnight")
    twice = set(settings.office.days_off) & set(settings.office.days_on)
    for day in sorted(twice):
        document.find(("office", "days_on"), f"{day} is named in days_off too")
    for number, (one, other) in enumerate(settings.joining.overlaps):
        if one.camera == other.camera:
            document.find(("joining", "overlaps", number), "pairs a camera with itself", "name two cameras")
    waits = [level.after for level in settings.escalation]
    if waits != sorted(set(waits)):
        document.find(("escalation",), "each step must come later than the one before")


def _switches(settings: DeskSettings) -> Iterator[tuple[KeyPath, float | bool]]:
    yield ("dispatch", "threshold"), settings.dispatch.threshold
    for key, value in settings.dispatch.thresholds.items():
        yield ("dispatch", "thresholds", key), value


def _doubtful(document: Document, settings: DeskSettings, routes: ExaminedRouting) -> Iterator[Finding]:
    if settings.dispatch.automatic and not (routes.routing is None or routes.routing.routes):
        mark = document.mark(("dispatch", "automatic"))
        message = "has no effect without routes: all cases will wait for a person"
        key = written_key(("dispatch", "automatic"))
        yield Finding(mark.file, mark.line, key, message, "name a file of routes in `routing`", "warning")
