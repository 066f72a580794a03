"""Several cameras, one case: the reports of all its problems as one story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from detector.core.geo import GeoPoint
from detector.core.joining import Sighting, Turn
from detector.core.stages import Move
from detector.desk.course import Action, Report, in_order
from detector.desk.wire import EvidenceData, Kind

SHOWS_PROBLEM = frozenset({Kind.OPENED, Kind.UPDATED, Kind.REOPENED})
_SAYS: Mapping[Kind, bool | None] = {
    **dict.fromkeys(SHOWS_PROBLEM, True),
    Kind.CLEARED: False,
    Kind.DISMISSED: None,
}


@dataclass(frozen=True, slots=True)
class Source:
    """One camera's problem in a case."""

    problem_id: str
    camera_id: str
    camera_name: str | None
    label: str | None
    box: tuple[float, float, float, float] | None  # left, top, right, bottom in pixels of the original frame
    frame_size: tuple[int, int] | None  # width, height, pixels
    latitude: float | None  # degrees, WGS-84
    longitude: float | None
    score: float | None  # best so far, 0..1
    model_version: str | None
    first_seen: datetime
    last_seen: datetime
    revision: int  # of its newest event
    there: bool | None  # what it says: there, gone, or none at all
    category: str = ""  # that this camera tells; that of the case may be another one
    error_m: float | None = None  # of that place on the ground, metres, as cameras on drones and vehicles tell it
    left: bool = False  # gone, of a kind that drives off: its case stays all the same


def sighting_of(reports: Iterable[Report]) -> Sighting:
    """The life of one problem. Where it stands is where it was opened: places move, what belongs together does not.

    Raises ValueError for no reports.
    """
    history = in_order(reports)
    if not history:
        raise ValueError("a problem of which nothing was told")
    data = history[0].data
    place, foot = data.place, None
    if place.box is not None and place.frame_size is not None and all(place.frame_size):
        (left, _, right, bottom), (width, height) = place.box, place.frame_size
        foot = ((left + right) / 2 / width, bottom / height)
    ground = GeoPoint(place.ground.latitude, place.ground.longitude, place.ground.error_m) if place.ground else None
    turns = tuple(Turn(at, _SAYS.get(report.kind)) for at, report in _timed(history))
    return Sighting(data.problem_id, data.category, data.camera_id, turns, foot, ground, tuple(sorted(data.also)))


def source_of(reports: Iterable[Report]) -> Source:
    """One problem as a source of its case."""
    history = in_order(reports)
    data = history[-1].data
    ground = data.place.ground
    return Source(
        problem_id=data.problem_id,
        camera_id=data.camera_id,
        camera_name=data.camera.name if data.camera else None,
        label=data.label,
        box=data.place.box,
        frame_size=data.place.frame_size,
        latitude=ground.latitude if ground else None,
        longitude=ground.longitude if ground else None,
        score=max((report.data.score for report in history if report.data.score is not None), default=None),
        model_version=data.model_version,
        first_seen=min(report.data.first_seen for report in history),
        last_seen=max(report.data.last_seen for report in history),
        revision=data.revision,
        there=_SAYS.get(history[-1].kind),
        category=data.category,
        error_m=ground.error_m if ground else None,
        left=history[-1].kind is Kind.CLEARED and data.cleared_reason == "left",
    )


def by_problem(reports: Iterable[Report]) -> dict[str, list[Report]]:
    """The reports of each problem, each once, oldest first; problems by their opening."""
    found: dict[str, list[Report]] = {}
    for report in in_order(reports):
        found.setdefault(report.data.problem_id, []).append(report)
    return dict(sorted(found.items(), key=lambda item: (item[1][0].at, item[0])))


def leading(histories: Iterable[Sequence[Report]]) -> Sequence[Report]:
    """The reports of the source by whose name the case goes: by far most cases have one name only.

    Of several it is the name under which the thing was seen in most sightings of all cameras until each told of it,
    other names that a camera saw included; among equals the one told first.
    """
    known = list(histories)
    seen: Counter[str] = Counter()
    for history in known:
        data = history[0].data
        seen.update({data.category: data.sightings or 1} | dict(data.also))
    return max(known, key=lambda history: seen[history[0].data.category])  # max keeps the first of equals


def one_story(reports: Iterable[Report]) -> list[Report]:
    """The reports of all sources in the order of capture time, oldest first, each once.

    The revisions of one problem stay in order even when their times do not.
    """
    timed = [
        (at, problem, number, report)
        for problem, history in by_problem(reports).items()
        for number, (at, report) in enumerate(_timed(history))
    ]
    return [report for *_, report in sorted(timed, key=lambda one: one[:3])]


def newest_picture(reports: Iterable[Report]) -> EvidenceData:
    """The newest of their pictures; where there is none, why the last one has none."""
    newest = EvidenceData()
    for report in reports:
        if report.data.evidence.url is not None or newest.url is None:
            newest = report.data.evidence
    return newest


def as_told(story: Sequence[Report], actions: Iterable[Action]) -> tuple[list[Report], list[Action]]:
    """What the sources say together, numbered through, and the actions with the number that their authors could see.

    The thing is gone when every source that saw it says so. A second camera that finds it while the first still sees
    it confirms it; one that finds it after all had said gone tells that it is back. What is withdrawn is withdrawn for
    all: only a person does that.
    """
    told: list[Report] = []
    sees: set[str] = set()
    begun = False
    place: dict[str, int] = {}
    for number, report in enumerate(story, start=1):
        problem, kind = report.data.problem_id, report.kind
        place[report.id] = number
        if kind in SHOWS_PROBLEM:
            if begun and kind is not Kind.UPDATED:
                kind = Kind.UPDATED if sees else Kind.REOPENED
            sees.add(problem)
            begun = True
        elif kind is Kind.DISMISSED:
            sees.clear()
        else:
            sees.discard(problem)
            if sees:
                continue  # another source still sees it
        told.append(replace(report, kind=kind, data=report.data.model_copy(update={"revision": number})))
    return told, _numbered(story, place, actions)


def _numbered(story: Sequence[Report], place: Mapping[str, int], actions: Iterable[Action]) -> list[Action]:
    found = []
    known = 0
    for number, action in enumerate(united(actions), start=1):
        seen = dict(action.seen)
        known = max(
            [known, *(place[r.id] for r in story if r.data.revision <= seen.get(r.data.problem_id, -1))],
        )
        found.append(replace(action, revision=known, number=number))
    return found


def as_seen_by(problem_id: str, actions: Iterable[Action]) -> list[Action]:
    """Actions on a problem that was split off, numbered through, with the revision of it that their authors could see.

    Before it was split off they were recorded under the case it was in, with the revisions of that.
    """
    found = []
    known = 0
    for number, action in enumerate(united(actions), start=1):
        known = max(known, dict(action.seen).get(problem_id, 0))
        found.append(replace(action, revision=known, number=number))
    return found


def in_part(problems: Collection[str], actions: Iterable[Action]) -> list[Action]:
    """The actions as the case of these problems sees them: a split takes its own problems out, or others from it."""
    return [
        replace(action, move=Move.PARTED)
        if action.move is Move.SPLIT and action.details.problems and not set(problems) & set(action.details.problems)
        else action
        for action in actions
    ]


def united(actions: Iterable[Action]) -> list[Action]:
    """Actions that were recorded under several cases before these became one, in the order of doing."""
    under: dict[str, list[Action]] = {}
    for action in sorted({action.id: action for action in actions}.values(), key=lambda a: (a.number, a.id)):
        under.setdefault(action.under, []).append(action)
    timed = []
    for name, acted in under.items():
        latest: datetime | None = None
        for action in acted:
            latest = action.at if latest is None else max(latest, action.at)
            timed.append((latest, action.number, name, action))
    return [action for *_, action in sorted(timed, key=lambda one: one[:3])]


def _timed(history: Sequence[Report]) -> list[tuple[datetime, Report]]:
    """With the time of each, none earlier than that of the one before."""
    timed: list[tuple[datetime, Report]] = []
    for report in history:
        timed.append((max(report.at, timed[-1][0]) if timed else report.at, report))
    return timed
