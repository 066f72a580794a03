"""May a candidate replace the model in production? Decided on the same pictures, label by label and slice by slice.

Blocked when
  - AP50 of a label, over everything or on a slice, lies below the production model's bootstrap interval there,
  - a label of the production model is gone,
  - a label the candidate claims from real pictures has too few validation objects to say anything (unless waived
  by name),
  - a floor of the recipe is not reached,
  - the exported file does not agree with the network it came from (parity), or nobody compared them (unless waived),
  - the bundle fails its self-test.
Slices with few objects or few groups are shown, but do not decide: their interval is itself a guess.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from detector.errors import DatasetError
from detector.training.evaluation.confidence import Interval
from detector.training.evaluation.measure import Evaluation
from detector.training.written import read_written


@dataclass(frozen=True, slots=True)
class GateRules:
    """What is asked of a candidate."""

    min_instances: int = 10  # validation objects per label; one object more or less moves recall by a tenth
    slice_instances: int = 20  # objects a slice needs to decide
    slice_groups: int = 8  # cameras, sites or videos a slice (or label) needs to decide
    floors: Mapping[str, float] | None = None  # `label` or `label@set` -> least AP50
    waived: frozenset[str] = frozenset()  # labels that may have too few objects; said in the history


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a candidate is blocked."""

    kind: str  # regression, missing_label, too_few, floor, parity, self_test
    label: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of both models."""

    label: str
    part: str  # `all` or the slice's name
    candidate: float
    production: float | None
    interval: Interval | None  # of the production model's figure
    instances: int
    decides: bool  # enough objects and groups

    @property
    def fell(self) -> bool:
        """Whether the candidate lies below production's interval."""
        return self.interval is not None and self.candidate < self.interval.low


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's decision with everything it looked at."""

    reasons: tuple[Reason, ...]
    table: tuple[Comparison, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the candidate."""
        return not self.reasons


def decide(
    candidate: Evaluation,
    production: Evaluation | None,
    *,
    rules: GateRules,
    claimed: Collection[str],
    synthetic_only: Collection[str] = (),
    failures: Sequence[Reason] = (),
) -> Verdict:
    """Compare two evaluations of the same pictures (with slices); `production` None: there is nothing to beat yet.

    `claimed`: labels of the candidate; `synthetic_only`: those of them without any real picture, of which nothing is
    asked. `failures`: what was found before any picture was looked at (parity, self-test).
    """
    table = tuple(_table(candidate, production, rules))
    reasons = [*failures, *_few(candidate, rules, claimed, synthetic_only), *_floors(candidate, rules)]
    if production is not None:
        for label, item in production.labels.items():
            if item.known and not (label in candidate.labels and candidate.labels[label].known):
                text = f"{label} is in the production model but not in the candidate"
                reasons.append(Reason("missing_label", label, text))
    for row in table:
        if row.decides and row.fell and row.interval is not None:
            text = (
                f"{row.label} on {row.part}: AP50 {row.candidate:.3f} lies below production's interval "
                f"{row.interval.low:.3f}-{row.interval.high:.3f} (was {row.production:.3f}, {row.instances} objects)"
            )
            reasons.append(Reason("regression", row.label, text))
    return Verdict(tuple(reasons), table)


class _Floors(RootModel[dict[str, Annotated[float, Field(ge=0.0, le=1.0)]]]):
    """Least AP50 by `label` or `label@set`."""


def read_floors(path: Path) -> dict[str, float]:
    """Floors from a YAML file of lines `label: AP50`, or `label@set: AP50` for one set alone; raises DatasetError."""
    return read_written(path, _Floors).root


def read_parity(path: Path, model: str) -> list[Reason]:
    """What the report of `detector export` says against the exported file, whose SHA-256 is `model`.

    A missing report, or one about another file, speaks against it too: nobody compared this file with its network.
    Raises DatasetError when the file is no report.
    """
    if not path.exists():
        text = f"no parity report at {path}: export the model again, which writes it, or waive it (--without-parity)"
        return [Reason("parity", None, text)]
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        passed, text, about = bool(report["passed"]), str(report["text"]), str(report["model"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: no parity report of `detector export` ({error})") from error
    if about != model:
        text = f"{path} is about another file ({about[:12]}, not {model[:12]}): export the model again"
        return [Reason("parity", None, text)]
    return [] if passed else [Reason("parity", None, f"exported file and network disagree: {text}")]


def _table(candidate: Evaluation, production: Evaluation | None, rules: GateRules) -> Iterator[Comparison]:
    for label, item in candidate.labels.items():
        before = production.labels.get(label) if production else None
        beaten = before if before is not None and before.known else None
        yield Comparison(
            label,
            "all",
            item.ap50,
            beaten.ap50 if beaten else None,
            beaten.interval if beaten else None,
            item.instances,
            _enough(item.instances, beaten.interval if beaten else None, rules.min_instances, rules.slice_groups),
        )
        parts = {part.name: part for part in beaten.slices} if beaten else {}
        for part in item.slices:
            old = parts.get(part.name)
            yield Comparison(
                label,
                part.name,
                part.ap50,
                old.ap50 if old else None,
                old.interval if old else None,
                part.instances,
                _enough(part.instances, old.interval if old else None, rules.slice_instances, rules.slice_groups),
            )


def _enough(instances: int, interval: Interval | None, least: int, groups: int) -> bool:
    return instances >= least and interval is not None and interval.groups >= groups


def _few(
    candidate: Evaluation, rules: GateRules, claimed: Collection[str], synthetic_only: Collection[str]
) -> Iterator[Reason]:
    for label in sorted(set(claimed) - set(synthetic_only) - rules.waived):
        found = candidate.labels[label].instances if label in candidate.labels else 0
        if found < rules.min_instances:
            text = f"{label} has {found} validation objects, {rules.min_instances} are needed to say anything"
            yield Reason("too_few", label, text)


def _floors(candidate: Evaluation, rules: GateRules) -> Iterator[Reason]:
    for name, floor in (rules.floors or {}).items():
        label, _, source = name.partition("@")
        figures = candidate.labels.get(label)
        reached = figures.ap50 if figures else None
        if source and figures:
            reached = next((part.ap50 for part in figures.slices if part.name == f"source={source}"), None)
        if reached is None:
            yield Reason("floor", label, f"{name} was not measured, a floor of {floor:.2f} is asked")
        elif reached < floor:
            yield Reason("floor", label, f"{name} has AP50 {reached:.3f}, a floor of {floor:.2f} is asked")
