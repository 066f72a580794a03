"""The categories of problems: data, extended and renumbered by cities without touching code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from detector.config.finding import did_you_mean
from detector.config.layers import read_layers
from detector.config.marked_yaml import Document
from detector.config.shipped import shipped
from detector.config.strict import Strict
from detector.config.validating import validate
from detector.config.values import Duration, PositiveDuration
from detector.core.category import Category, ClearingPolicy, Clock, ConfirmationPolicy, Deadline, Light, OnLeaving
from detector.errors import ConfigError

Score = Annotated[float, Field(gt=0, le=1)]


class ConfirmSettings(Strict):
    """How sure we must be before a suspicion becomes a case."""

    min_score: Score = ConfirmationPolicy().min_score
    """Score that a first sighting needs."""
    keep_score: Score = ConfirmationPolicy().keep_score
    """Score that is enough where the problem is already known."""
    looks: int = Field(default=ConfirmationPolicy().looks, ge=1)
    """Sightings needed ..."""
    of: int = Field(default=ConfirmationPolicy().of, ge=1)
    """... among the last so many ok looks."""
    dwell: Duration = ConfirmationPolicy().dwell
    """Time from the first to the last sighting."""
    forget_after: PositiveDuration = ConfirmationPolicy().forget_after
    """A longer gap between sightings starts the suspicion anew."""


class ClearSettings(Strict):
    """How sure we must be that it is gone."""

    looks: int = Field(default=ClearingPolicy().looks, ge=1)
    """Ok looks in a row without it ..."""
    after: Duration = ClearingPolicy().after
    """... spread over at least this long."""
    reopen_within: Duration = ClearingPolicy().reopen_within
    """Seen again in the same place within this time, it is the same problem."""
    on_leaving: OnLeaving = ClearingPolicy().on_leaving
    """`keep_case`: it drives off, and its picture proves the offence: its case stays with people though it is gone."""


class DeadlineSettings(Strict):
    """How long the department has once the case is dispatched."""

    limit: PositiveDuration
    """Of the hours that the clock counts; five workdays are `5 days` on the clock `workdays`."""
    clock: Clock = Clock.WORKING_HOURS
    """`emergency` counts every hour, `working_hours` office hours of workdays, `workdays` whole workdays."""


class StandardSettings(Strict):
    """A version of a standard, or a city's own list, that gives categories their codes."""

    title: str = ""
    """Its name."""
    verified: bool = True
    """false: its codes come from public sources and have not been compared with its text."""


class CategorySettings(Strict):
    """One kind of problem."""

    names: dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")], str] = Field(min_length=1)
    """Language tag to name."""
    labels: tuple[str, ...] = Field(min_length=1)
    """Labels of the model that make it."""
    codes: dict[str, Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]+$")]] = Field(default_factory=dict)
    """Version of a standard to code; each version is one of `standards`."""
    confirm: ConfirmSettings = Field(default_factory=ConfirmSettings)
    clear: ClearSettings = Field(default_factory=ClearSettings)
    min_scores: dict[str, Score] = Field(default_factory=dict)
    """Label to a score of its own for a first sighting."""
    review: bool | tuple[str, ...] = False
    """true: a person looks before it is dispatched, e.g. where the model has seen synthetic pictures only; or a list of
    the labels for which that holds."""
    light: Light = Light.ANY
    """`day`: while the sun is down at the camera (its `position` given), looks neither find nor clear it."""
    deadline: DeadlineSettings | None = None
    """The city's time limit."""
    risk: int = Field(default=2, ge=1, le=3)
    """1 can wait, 3 somebody may be hurt: how soon a patrolled camera is visited again (`patrol.by_risk`)."""
    at_least: int = Field(default=1, ge=1, le=100)
    """So many of them must stand together, e.g. bicycles; they then make one problem."""
    needs: str | None = Field(default=None, pattern=r"^(zone|outside):[a-z_]+$")
    """The place that labels alone cannot tell, `zone:KIND` or `outside:KIND`; it makes a case only there."""
    enabled: bool = True
    """false: left out."""


class CategoriesFile(Strict):
    """A file of categories."""

    extends: str | None = None
    """`default` (the categories that come with the product) or another file, over which this one is laid."""
    standards: dict[str, StandardSettings] = Field(default_factory=dict)
    """Where codes come from."""
    categories: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], CategorySettings]


def load_categories(path: Path) -> dict[str, Category]:
    """Read a file of categories; those that are not enabled are left out.

    Raises ConfigError with one line per error: file, line, key, what is wrong and a suggestion.
    """
    document, settings = examine_categories(path)
    if settings is None:
        raise ConfigError("\n".join(str(finding) for finding in document.in_order()))
    return {key: _category(key, value) for key, value in settings.categories.items() if value.enabled}


def examine_categories(path: Path) -> tuple[Document, CategoriesFile | None]:
    """Read a file of categories; the document holds what is wrong, and then there are no settings."""
    document = read_layers(path, shipped("configs/categories.yaml"))
    broken = bool(document.findings) and not document.data
    settings = None if broken else validate(document, CategoriesFile, {})
    if settings is not None:
        _check_across_keys(document, settings)
    return document, None if document.findings else settings


def _check_across_keys(document: Document, settings: CategoriesFile) -> None:
    owners: dict[str, str] = {}
    for key, category in settings.categories.items():
        here = ("categories", key)
        confirm = category.confirm
        if confirm.keep_score > confirm.min_score:
            document.find((*here, "confirm", "keep_score"), f"is above min_score ({confirm.min_score})")
        if confirm.looks > confirm.of:
            document.find((*here, "confirm", "looks"), f"asks for {confirm.looks} of only {confirm.of} looks")
        for standard in category.codes:
            if standard not in settings.standards:
                hint = did_you_mean(standard, settings.standards) or "describe it under standards"
                document.find((*here, "codes", standard), "is none of the standards", hint)
        for label in category.min_scores:
            if label not in category.labels:
                document.find((*here, "min_scores", label), "is no label of this category")
        for label in category.review if isinstance(category.review, tuple) else ():
            if label not in category.labels:
                document.find((*here, "review"), f'"{label}" is no label of this category')
        if not category.enabled or category.needs is not None:
            continue
        for index, label in enumerate(category.labels):
            if label in owners:
                document.find((*here, "labels", index), f'"{label}" already makes {owners[label]}')
            owners[label] = key


def _category(key: str, given: CategorySettings) -> Category:
    deadline = given.deadline
    return Category(
        id=key,
        names=dict(given.names),
        labels=frozenset(given.labels),
        confirmation=ConfirmationPolicy(**given.confirm.model_dump()),
        clearing=ClearingPolicy(**given.clear.model_dump()),
        codes=dict(given.codes),
        review=given.review is True,
        review_labels=frozenset(given.review if isinstance(given.review, tuple) else ()),
        min_scores=dict(given.min_scores),
        light=given.light,
        deadline=Deadline(deadline.limit, deadline.clock) if deadline is not None else None,
        risk=given.risk,
        at_least=given.at_least,
        needs=given.needs,
    )
