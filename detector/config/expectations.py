"""Expected outcomes of the rules: what a bureau writes down before it changes a permit, and checks afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from detector.config.marked_yaml import Mark, read_yaml
from detector.config.strict import Strict
from detector.config.validating import validate
from detector.core.rules import Outcome
from detector.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]


def parse_moment(value: object) -> datetime:
    """A moment in ISO 8601: on the street's own clock without an offset. Raises ValueError."""
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f'"{value}" is no moment such as 2026-05-01T20:00 or 2026-05-01T12:00Z') from None


class Expectation(Strict):
    """One sighting and what should come of it."""

    camera: str
    """Id of the camera."""
    category: str
    """Id of the category."""
    at: Annotated[datetime, BeforeValidator(parse_moment)]
    """On the camera's own clock, or with an offset."""
    point: tuple[Share, Share] = (0.5, 0.5)
    """[x, y] of the foot of the thing, as shares of the picture's width and height."""
    ground: tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]] | None = None
    """[latitude, longitude] of the ground under it, degrees, WGS-84."""
    expect: Literal["case", "no_case"]
    """What should come of it."""
    code: str | None = None
    """A code under which it should be a case, of whatever standard."""
    rule: str | None = None
    """What should decide, e.g. permit:night-market."""


class ExpectationsFile(Strict):
    """A table of expected outcomes."""

    expectations: tuple[Expectation, ...] = Field(min_length=1)
    """One sighting per item."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An expectation and where it stands."""

    wanted: Expectation
    mark: Mark


def load_expectations(file: Path) -> Sequence[Expected]:
    """Read a table. Raises ConfigError with one line per error."""
    document = read_yaml(file)
    broken = bool(document.findings) and not document.data
    table = None if broken else validate(document, ExpectationsFile, {})
    if table is None or document.findings:
        raise ConfigError("\n".join(str(finding) for finding in document.in_order()))
    return [Expected(wanted, document.mark(("expectations", index))) for index, wanted in enumerate(table.expectations)]


def unmet(wanted: Expectation, outcome: Outcome) -> str | None:
    """In words how an outcome differs from what was expected; None when it does not."""
    wrong = []
    if outcome.case != (wanted.expect == "case"):
        wrong.append(f"{'a case' if outcome.case else 'no case'} instead of {wanted.expect.replace('_', ' ')}")
    if wanted.rule is not None and outcome.rule != wanted.rule:
        wrong.append(f"decided by {outcome.rule} instead of {wanted.rule}")
    if wanted.code is not None and wanted.code not in outcome.codes.values():
        codes = ", ".join(outcome.codes.values()) or "no code"
        wrong.append(f"{codes} instead of code {wanted.code}")
    return "; ".join(wrong) or None
