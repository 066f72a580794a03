"""A case is what the events of one problem add up to, in whatever order and however often they arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from detector.core.event import event_id
from detector.core.stages import Move, Stage
from detector.desk.course import (
    Action,
    Reason,
    Report,
    Step,
    by_person,
    course,
    dispatch_of,
    done_at,
    in_order,
    last_move,
    left_at,
    since_split,
    stage_after,
)
from detector.desk.sources import (
    SHOWS_PROBLEM,
    Source,
    as_seen_by,
    as_told,
    by_problem,
    in_part,
    leading,
    newest_picture,
    one_story,
    source_of,
)
from detector.desk.wire import EvidenceData, Kind


class CaseStatus(StrEnum):
    """What became of the problem, as far as the desk knows."""

    OPEN = "open"
    CLEARED = "cleared"  # seen gone, by a camera or a person
    DISMISSED = "dismissed"  # was none: the detector or a person says so
    MERGED = "merged"  # another case is about the same thing


class Finding(StrEnum):
    """The newest verdict of a person."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    RELABELLED = "relabelled"


FINDINGS = {
    Move.FILED: Finding.CONFIRMED,  # when a person does it
    Move.CONFIRMED: Finding.CONFIRMED,
    Move.REFUSED: Finding.REJECTED,
    Move.REJECTED: Finding.REJECTED,
    Move.RELABELLED: Finding.RELABELLED,
}
"""The moves that say whether the detector was right."""


@dataclass(frozen=True, slots=True)
class Case:
    """One problem as the dispatcher sees it, by however many cameras.

    Times are aware UTC: of capture, or of the desk where a person acted. Camera and place are those of the camera that
    told of it first, category and label those of the name that `leading` finds; all are among the sources.
    """

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
    review_because: tuple[str, ...] = ()  # why: always, synthetic (rendered pictures only), poor; see `Doubt`
    before: EvidenceData = field(default_factory=EvidenceData)  # picture of the problem
    after: EvidenceData = field(default_factory=EvidenceData)  # picture of the cleared place
    camera_name: str | None = None
    district: str | None = None
    rule: str | None = None  # id of the rule that made it a case
    department: str | None = None  # who has it
    department_code: str | None = None  # unified social credit code
    route: str | None = None  # id of the route that decided who was sent
    dispatched_at: datetime | None = None
    due_at: datetime | None = None  # None while nobody is sent, or without a limit
    done_at: datetime | None = None  # when the department said so, or it was seen gone before
    escalated: int = 0  # times since it was dispatched
    escalated_to: str | None = None
    escalated_at: datetime | None = None
    automatic: bool = False  # the desk filed and dispatched it by itself, at some time
    held: str | None = None  # why the desk did not, while it waits for a person
    told: str = ""  # category that the detector told; `category` is what a person made of it
    finding: Finding | None = None
    judged_at: datetime | None = None
    reason: Reason | None = None  # why it was rejected
    merged_into: str | None = None  # id of the case
    street: str | None = None  # id of the street it lies in, where the desk knows streets
    cell: str | None = None  # unit cell of the grid, 15 characters
    left_at: datetime | None = None  # what drives off has done so, and the case waits for people all the same
    cleared_by: str | None = None  # permit, zone or rule by which it is no case any more; None: gone, or not cleared
    sources: tuple[Source, ...] = ()  # every camera's problem, the first one first

    def overdue(self, now: datetime) -> bool:
        """Whether the department is, or was, late."""
        if self.due_at is None or self.status in (CaseStatus.DISMISSED, CaseStatus.MERGED):
            return False
        return (self.done_at or now) > self.due_at

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
    return fold_joined(history, actions)


def steps_of(reports: Iterable[Report], actions: Iterable[Action] = ()) -> list[Step]:
    """The way of a case with one source or several."""
    story = one_story(reports)
    return course(*_as_one(story, list(by_problem(story)), actions))


def _as_one(
    story: list[Report], problems: Sequence[str], actions: Iterable[Action]
) -> tuple[list[Report], list[Action]]:
    """What is told and done as the story of one problem."""
    acted = in_part(problems, actions)
    if len(problems) > 1:
        return as_told(story, acted)
    if any(action.under not in ("", case_id(problems[0])) for action in acted):
        acted = as_seen_by(problems[0], acted)
    return story, acted


def fold_joined(reports: Iterable[Report], actions: Iterable[Action] = ()) -> Case:
    """As `fold`, for the reports of all problems that are one thing. The case is that of the problem told first.

    Raises ValueError for no reports.
    """
    story, actions = one_story(reports), list(actions)
    if not story:
        raise ValueError("a case is made of reports")
    histories = by_problem(story)
    history = next(iter(histories.values()))
    data, named = history[-1].data, leading(histories.values())[-1].data
    told, acted = _as_one(story, list(histories), actions)
    steps = course(told, acted)
    status, since = _status(steps)
    sent = dispatch_of(steps)
    own = since_split(steps)
    judged = _judged(own)
    relabelled = next((step for step in reversed(own) if step.move is Move.RELABELLED and not step.void), None)
    category = (relabelled.details.category if relabelled else None) or named.category
    told_above = _since(sent, steps)
    opened = next((report for report in history if report.kind is Kind.OPENED), None)
    ground = data.place.ground
    return Case(
        id=case_id(data.problem_id),
        problem_id=data.problem_id,
        status=status,
        stage=stage_after(steps),
        category=category,
        category_names=named.category_names if category == named.category else {},
        codes=named.codes if category == named.category else {},
        label=named.label,
        camera_id=data.camera_id,
        box=data.place.box,
        frame_size=data.place.frame_size,
        latitude=ground.latitude if ground else None,
        longitude=ground.longitude if ground else None,
        score=max(
            (r.data.score for r in story if r.data.score is not None and named.category == r.data.category),
            default=None,
        ),
        model_version=data.model_version,
        first_seen=min(report.data.first_seen for report in story),
        last_seen=max(report.data.last_seen for report in story),
        opened_at=opened.at if opened else min(report.data.first_seen for report in history),
        cleared_at=since if status is CaseStatus.CLEARED else None,
        dismissed_at=since if status is CaseStatus.DISMISSED else None,
        changed_at=max([*(each[-1].at for each in histories.values()), *(step.at for step in steps)]),
        reopened=sum(report.kind is Kind.REOPENED for report in told),
        revision=data.revision,
        review=named.review,
        review_because=named.review_because,
        before=newest_picture(report for report in story if report.kind in SHOWS_PROBLEM),
        after=newest_picture(
            report for report in story if status is CaseStatus.CLEARED and report.kind is Kind.CLEARED
        ),
        camera_name=data.camera.name if data.camera else None,
        district=data.camera.district if data.camera else None,
        rule=named.rule,
        department=sent.details.department if sent else None,
        department_code=sent.details.department_code if sent else None,
        route=sent.details.route if sent else None,
        dispatched_at=sent.at if sent else None,
        due_at=sent.details.due_at if sent else None,
        done_at=done_at(steps) if sent else None,
        escalated=len(told_above),
        escalated_to=told_above[-1].details.department if told_above else None,
        escalated_at=told_above[-1].at if told_above else None,
        automatic=_automatic(own),
        held=_held(steps, relabelled),
        told=named.category,
        finding=_finding(judged, category == named.category),
        judged_at=judged.at if judged else None,
        reason=judged.details.reason if judged else None,
        merged_into=_merged_into(steps),
        left_at=left_at(steps),
        cleared_by=_cleared_by(story) if status is CaseStatus.CLEARED else None,
        sources=tuple(source_of(each) for each in histories.values()),
    )


def _judged(steps: Sequence[Step]) -> Step | None:
    """The newest verdict of a person that says whether the detector was right."""
    return next((s for s in reversed(steps) if s.move in FINDINGS and by_person(s) and not s.void), None)


def _finding(judged: Step | None, as_told: bool) -> Finding | None:
    """Whoever files or confirms a case that was relabelled says that it is what it was relabelled to."""
    found = FINDINGS[judged.move] if judged else None
    return found if found in (None, Finding.REJECTED) else Finding.CONFIRMED if as_told else Finding.RELABELLED


def _since(sent: Step | None, steps: Sequence[Step]) -> list[Step]:
    """Escalations since somebody was sent."""
    later = steps[steps.index(sent) :] if sent else ()
    return [step for step in later if step.move is Move.ESCALATED and not step.void]


def _automatic(steps: Sequence[Step]) -> bool:
    """Whether it was ever filed and dispatched without a person."""
    filed: Step | None = None
    for step in steps:
        if step.void:
            continue
        if step.move is Move.FILED:
            filed = step
        elif step.move is Move.DISPATCHED and not by_person(step) and filed is not None and not by_person(filed):
            return True
    return False


def _held(steps: Sequence[Step], relabelled: Step | None) -> str | None:
    last = last_move(steps)
    if last is None or last.move is not Move.HELD:
        return None
    if relabelled is not None and steps.index(relabelled) > steps.index(last):
        return f"relabelled by {relabelled.by}, and not filed yet"
    return last.details.note


def _cleared_by(story: Iterable[Report]) -> str | None:
    """What allows it now, if the newest word of a camera is that it stands there and is no case any more."""
    newest = max((report for report in story if report.kind is Kind.CLEARED), key=lambda r: (r.at, r.id), default=None)
    return newest.data.cleared_rule if newest is not None and newest.data.cleared_reason == "allowed" else None


def _merged_into(steps: Sequence[Step]) -> str | None:
    last = last_move(steps)
    return last.details.other_case if last is not None and last.move is Move.MERGED else None


def _status(steps: Sequence[Step]) -> tuple[CaseStatus, datetime | None]:
    """What the stage says about the street, and since when if the case is closed."""
    last = last_move(steps)
    if last is None or last.stage is not Stage.CLOSE:
        return CaseStatus.OPEN, None
    if last.move is Move.MERGED:
        return CaseStatus.MERGED, last.at
    none = last.move in (Move.REFUSED, Move.REJECTED, Move.DISMISSED)
    return (CaseStatus.DISMISSED if none else CaseStatus.CLEARED), last.at
