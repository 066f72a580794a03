"""A desk's settings turned into the plan it goes by."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from detector.config.desk import AreaSettings, DispatchSettings, JoiningSettings, OfficeSettings
from detector.config.desk_loading import ExaminedDesk
from detector.config.workdays import workday_calendar
from detector.core.category import Category, Deadline
from detector.core.deadline import Office
from detector.core.joining import Joining, Overlap
from detector.core.sureness import Demand
from detector.core.zones import WATCH, Zone, ring
from detector.desk.plan import Escalation, Plan
from detector.errors import ConfigError

log = logging.getLogger(__name__)


def plan_of(desk: ExaminedDesk) -> Plan:
    """Make the plan of settings without errors.

    Raises ConfigError for a country whose calendar is not known.
    """
    settings = desk.settings
    if settings is None:
        raise ConfigError("\n".join(str(finding) for finding in desk.findings))
    limits = {key: category.deadline for key, category in desk.categories.items() if category.deadline is not None}
    limits |= {key: Deadline(given.limit, given.clock) for key, given in settings.deadlines.items()}
    dispatch = settings.dispatch
    return Plan(
        office=_office(settings.office, settings.timezone),
        deadlines=limits,
        deadline=None if settings.deadline is None else Deadline(settings.deadline.limit, settings.deadline.clock),
        routing=desk.routing,
        joining=_joining(settings.joining, desk.categories),
        automatic=dispatch.automatic,
        demand=Demand(dispatch.target_precision, dispatch.confidence, dispatch.least_verdicts),
        threshold=_score(dispatch.threshold),
        thresholds={key: _score(given) for key, given in _thresholds(dispatch, desk).items()},
        window=dispatch.window,
        kept_for=dispatch.kept_for,
        escalations=tuple(Escalation(level.after, level.to) for level in settings.escalation),
        names={key: category.names for key, category in desk.categories.items()},
        labels={key: category.labels for key, category in desk.categories.items()},
    )


def _joining(given: JoiningSettings, categories: Mapping[str, Category]) -> Joining:
    """What comes back within the time in which it is reopened is the same for another camera too."""
    return Joining(
        given.distance_m,
        given.distances_m,
        {key: category.clearing.reopen_within for key, category in categories.items()},
        tuple(Overlap(_area(one), _area(other)) for one, other in given.overlaps),
        given.waived_after,
    )


def _area(given: AreaSettings) -> Zone:
    return Zone(f"overlap:{given.camera}", WATCH, (ring(given.area),), given.camera)


def _office(given: OfficeSettings, timezone: str) -> Office:
    calendar = workday_calendar(given.country, days_off=given.days_off, days_on=given.days_on)
    return Office(ZoneInfo(timezone), calendar, given.hours)


def _thresholds(dispatch: DispatchSettings, desk: ExaminedDesk) -> dict[str, float | bool]:
    """Those of the settings; a category that a person must always look at needs none."""
    always = {key: False for key, category in desk.categories.items() if category.review}
    return {**always, **dispatch.thresholds}


def _score(given: float | bool) -> float | None:
    return None if isinstance(given, bool) else given
