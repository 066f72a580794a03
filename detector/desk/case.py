"""A case is what the events of one problem add up to, in whatever order and however often they arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from detector.core.event import event_id
from detector.core.stages import Move, Stage
from detector.desk.course import Action, Report, Step, course, department_of, in_order, last_move, stage_after
from detector.desk.wire import EvidenceData, Kind


class CaseStatus(StrEnum):
    """What became of the problem, as far as the desk knows."""

    OPEN = "open"
    CLEARED = "cleared"  # seen gone, by a camera or a person
    DISMISSED = "dismissed"  # was none: the detector or a person says so


SHOWS_PROBLEM = frozenset({Kind.OPENED, Kind.UPDATED, Kind.REOPENED})


@dataclass(frozen=True, slots=True)
class Case:
    """One problem as the dispatcher sees it. Times are aware UTC: of capture, or of the desk where a person acted."""

    id: str
    problem_id: str
    status: CaseStatus
    stage: Stage
    category: str
    category_names: Mapping[str, str]  # language tag -> name
    codes: Mapping[str, str]  # version of the standard -> code
    label: str | None
    camera_id: str
    box: tuple[float, float, float, float] | None  # left, top, right, bottom in pixels of the original frame
    frame_size: tuple[int, int] | None  # width, height, pixels
    latitude: float | None  # degrees, WGS-84
    longitude: float | None
    score: float | None  # best so far, 0..1
    model_version: str | None
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime  # the opening event, or the first sighting while that event is still on its way
    cleared_at: datetime | None  # None unless cleared now
    dismissed_at: datetime | None  # None unless dismissed now
    changed_at: datetime  # newest event or action
    reopened: int  # times it came back
    revision: int  # of the newest event
    review: bool  # a person must look before dispatch
    before: EvidenceData = field(default_factory=EvidenceData)  # picture of the problem
    after: EvidenceData = field(default_factory=EvidenceData)  # picture of the cleared place
    camera_name: str | None = None
    district: str | None = None
    rule: str | None = None  # id of the rule that made it a case
    department: str | None = None  # who has it

    @property
    def cleared_after(self) -> timedelta | None:
        """From opening to clearing, None unless cleared."""
        return self.cleared_at - self.opened_at if self.cleared_at else None


def case_id(problem_id: str) -> str:
    """The case of a problem; derived, so that any order of arrival gives the same one."""
    return event_id("case", problem_id)


def fold(reports: Iterable[Report], actions: Iterable[Action] = ()) -> Case:
    """Add the reports of ONE problem, and what people did about it, up to its case.

    Depends on the set of reports and actions only: neither order nor repetition matters. The highest revision says
    what is true now; time and id break ties, which a detector that counts its revisions does not produce.
    Raises ValueError for no reports or for reports of several problems.
    """
    history = in_order(reports)
    if not history or len({report.data.problem_id for report in history}) != 1:
        raise ValueError("a case is made of the reports of exactly one problem")
    newest = history[-1]
    data = newest.data
    steps = course(history, actions)
    status, since = _status(steps)
    opened = next((report for report in history if report.kind is Kind.OPENED), None)
    ground = data.place.ground
    return Case(
        id=case_id(data.problem_id),
        problem_id=data.problem_id,
        status=status,
        stage=stage_after(steps),
        category=data.category,
        category_names=data.category_names,
        codes=data.codes,
        label=data.label,
        camera_id=data.camera_id,
        box=data.place.box,
        frame_size=data.place.frame_size,
        latitude=ground.latitude if ground else None,
        longitude=ground.longitude if ground else None,
        score=max((report.data.score for report in history if report.data.score is not None), default=None),
        model_version=data.model_version,
        first_seen=min(report.data.first_seen for report in history),
        last_seen=max(report.data.last_seen for report in history),
        opened_at=opened.at if opened else min(report.data.first_seen for report in history),
        cleared_at=since if status is CaseStatus.CLEARED else None,
        dismissed_at=since if status is CaseStatus.DISMISSED else None,
        changed_at=max([newest.at, *(step.at for step in steps)]),
        reopened=sum(report.kind is Kind.REOPENED for report in history),
        revision=data.revision,
        review=data.review,
        before=_newest_picture(report for report in history if report.kind in SHOWS_PROBLEM),
        after=_newest_picture(
            report for report in history if status is CaseStatus.CLEARED and report.kind is Kind.CLEARED
        ),
        camera_name=data.camera.name if data.camera else None,
        district=data.camera.district if data.camera else None,
        rule=data.rule,
        department=department_of(steps),
    )


def _status(steps: Sequence[Step]) -> tuple[CaseStatus, datetime | None]:
    """What the stage says about the street, and since when if the case is closed."""
    last = last_move(steps)
    if last is None or last.stage is not Stage.CLOSE:
        return CaseStatus.OPEN, None
    none = last.move in (Move.REFUSED, Move.DISMISSED)
    return (CaseStatus.DISMISSED if none else CaseStatus.CLEARED), last.at


def _newest_picture(reports: Iterable[Report]) -> EvidenceData:
    newest = EvidenceData()
    for report in reports:
        if report.data.evidence.url is not None or newest.url is None:
            newest = report.data.evidence
    return newest
