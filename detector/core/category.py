"""What the bureau calls a problem, and when it counts as one. Instances come from configs/categories.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Light(StrEnum):
    """By what light a category can be told apart."""

    ANY = "any"  # any light that gives an ok look
    DAY = "day"  # daylight: fine texture or colour decides


class Clock(StrEnum):
    """Which hours count towards a deadline."""

    EMERGENCY = "emergency"  # every hour, nights and holidays too (紧急工作时)
    WORKING_HOURS = "working_hours"  # office hours of workdays (工作时)
    WORKDAYS = "workdays"  # whole workdays (工作日)


class OnLeaving(StrEnum):
    """What becomes of a case whose thing is seen to be gone before anybody has dealt with it."""

    CLOSE_CASE = "close_case"  # what is gone is cleared: there is nothing left to do
    KEEP_CASE = "keep_case"  # it has driven off; its picture proves the offence, and people decide


class Doubt(StrEnum):
    """Why a person must look before anybody is sent."""

    ALWAYS = "always"  # this kind of case always waits: the configuration says so, or a person's photo shows it
    SYNTHETIC = "synthetic"  # the model has learned the label from rendered pictures only
    POOR = "poor"  # the model's own figures say that it is poor at the label


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long the department has once the case is dispatched."""

    limit: timedelta  # of the hours that the clock counts; a workday is written as 24 h of `workdays`
    clock: Clock = Clock.WORKING_HOURS


@dataclass(frozen=True, slots=True)
class ConfirmationPolicy:
    """How sure we must be before a suspicion becomes a case."""

    min_score: float = 0.4  # score that a first sighting needs, 0..1
    keep_score: float = 0.25  # score that is enough where the problem is already known, 0..1
    looks: int = 3  # sightings needed ...
    of: int = 5  # ... among the last so many ok looks
    dwell: timedelta = timedelta(minutes=10)  # first to last sighting, capture time
    forget_after: timedelta = timedelta(hours=1)  # a longer gap between sightings starts the suspicion anew

    def __post_init__(self) -> None:
        if not 0 < self.keep_score <= self.min_score <= 1:
            raise ValueError("need 0 < keep_score <= min_score <= 1")
        if not 1 <= self.looks <= self.of:
            raise ValueError("need 1 <= looks <= of")


@dataclass(frozen=True, slots=True)
class ClearingPolicy:
    """How sure we must be that it is gone."""

    looks: int = 5  # ok looks in a row without it ...
    after: timedelta = timedelta(minutes=10)  # ... spread over at least this long, capture time
    reopen_within: timedelta = timedelta(hours=24)  # seen again in the same place within this: the same problem
    on_leaving: OnLeaving = OnLeaving.CLOSE_CASE


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of problem a bureau deals with."""

    id: str
    names: Mapping[str, str]  # language tag -> name
    labels: frozenset[str]  # model labels that make it
    confirmation: ConfirmationPolicy = ConfirmationPolicy()
    clearing: ClearingPolicy = ClearingPolicy()
    codes: Mapping[str, str] = field(default_factory=dict)  # standard version -> code
    review: bool = False  # a person must look before dispatch
    review_labels: frozenset[str] = frozenset()  # labels for which that holds although `review` is False
    synthetic_labels: frozenset[str] = frozenset()  # learned from rendered pictures only: it holds for these too
    poor_labels: frozenset[str] = frozenset()  # and for these, which the model is poor at
    min_scores: Mapping[str, float] = field(default_factory=dict)  # label -> its own min_score
    light: Light = Light.ANY
    deadline: Deadline | None = None
    risk: int = 2  # 1 (can wait) .. 3 (somebody may be hurt)
    at_least: int = 1  # so many must stand together; they are then one problem
    needs: str | None = None  # zone:KIND or outside:KIND, where alone it is a case; None = labels are enough

    @property
    def told_by_labels(self) -> bool:
        """Whether a detection of its labels is enough to suspect it; otherwise a rule must supply `needs`."""
        return self.needs is None

    def doubts(self, label: str) -> tuple[Doubt, ...]:
        """Why a person must look before a problem seen as `label` is dispatched; nothing where nobody must."""
        found = {
            Doubt.ALWAYS: self.review or label in self.review_labels,
            Doubt.SYNTHETIC: label in self.synthetic_labels,
            Doubt.POOR: label in self.poor_labels,
        }
        return tuple(doubt for doubt, holds in found.items() if holds)

    def needs_review(self, label: str) -> bool:
        """Whether a person must look before a problem seen as `label` is dispatched."""
        return bool(self.doubts(label))

    def score_needed(self, label: str, *, known: bool) -> float:
        """Score below which a detection of `label` is ignored; lower where the problem is `known` already."""
        first = self.min_scores.get(label, self.confirmation.min_score)
        return min(first, self.confirmation.keep_score) if known else first


def by_label(categories: Mapping[str, Category]) -> dict[str, Category]:
    """Index the categories that labels alone tell by the labels they are made of.

    Raises ValueError when two of them claim the same label.
    """
    index: dict[str, Category] = {}
    for category in categories.values():
        if not category.told_by_labels:
            continue
        for label in category.labels:
            if label in index:
                raise ValueError(f"label {label!r} belongs to both {index[label].id!r} and {category.id!r}")
            index[label] = category
    return index
