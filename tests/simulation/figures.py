"""What came of a simulated day, against what really was in the street."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from detector.core.stages import Move, Stage
from detector.desk.case import Case, CaseStatus, Finding
from detector.desk.course import Step
from detector.desk.queries import EVERYTHING
from tests.simulation.day import Day

UNTIL_NOW = timedelta(days=365)


@dataclass(slots=True)
class Row:
    """One category, or all."""

    category: str
    cases: int = 0
    right: int = 0
    automatic: int = 0
    automatic_right: int = 0
    confirmed: int = 0  # verdicts on automatic ones
    rejected: int = 0
    owed: int = 0  # real things that were seen long and well enough
    lost: int = 0
    silenced: int = 0
    follows: int = 0  # owed at a gate where the case of a truck before it was open still: one case by docs/rules.md
    left: int = 0  # closed because it was gone, before anybody was sent
    drove_off: int = 0  # left before anybody was sent, of a kind whose case stays then
    drove_off_sent: int = 0  # of these, sent in the end
    drove_off_refused: int = 0  # of these, refused by a person
    duplicates: int = 0
    cleared: int = 0
    wrongly_cleared: int = 0
    back: int = 0  # of these, what had gone and come back since it was last seen
    two_sources: int = 0
    waits: list[timedelta] = field(default_factory=list)  # from the look that confirmed it until somebody was sent
    all_waits: list[timedelta] = field(default_factory=list)  # from when the thing appeared


def cases_of(day: Day) -> list[Case]:
    """All cases of the desk, by id."""
    found: list[Case] = []
    end = day.start + UNTIL_NOW
    while True:
        page = day.ledger.cases(EVERYTHING, now=end, limit=500, offset=len(found))
        found += page.cases
        if not page.cases:
            return sorted(found, key=lambda case: case.id)


def rows(day: Day) -> list[Row]:
    """By category, as the desk was told it; the first one sums up."""
    found: dict[str, Row] = {key: Row(key) for key in day.categories}
    about: dict[int, list[Case]] = defaultdict(list)
    for case in cases_of(day):
        row = found[case.told]
        row.cases += 1
        row.right += day.is_right(case)
        row.two_sources += len({source.camera_id for source in case.sources}) > 1
        if case.automatic:
            row.automatic += 1
            row.automatic_right += day.is_right(case)
            row.confirmed += case.finding is Finding.CONFIRMED
            row.rejected += case.finding in (Finding.REJECTED, Finding.RELABELLED)
        things = {t.id: t for s in case.sources if (t := day.thing_of(s.problem_id)) is not None}
        for thing in things.values():
            about[thing.id].append(case)
        steps = _steps(day, case)
        sent = next((step.at for step in steps if step.move is Move.DISPATCHED), None)
        row.left += sent is None and case.status is CaseStatus.CLEARED
        if _first(steps, Move.LEFT) < _first(steps, Move.DISPATCHED):
            row.drove_off += 1
            row.drove_off_sent += sent is not None
            row.drove_off_refused += case.finding is Finding.REJECTED and sent is None
        if sent is not None:
            row.waits.append(sent - case.opened_at)
            real = [t for t in things.values() if t.real]
            if real:
                row.all_waits.append(sent - min(t.appears for t in real))
    for thing in day.city.things:
        cases = sorted(about[thing.id], key=lambda case: case.opened_at)
        row, life = found[thing.category], day.lives[thing.id]
        row.duplicates += sum(both_open(day, one, other) for i, one in enumerate(cases) for other in cases[i + 1 :])
        if life.owed is not None:
            row.owed += 1
            if not cases:
                row.silenced += life.silenced
                row.follows += life.follows and not life.silenced
                row.lost += not life.silenced and not life.follows
    for problem_id, seen, at in day.clears:
        about_thing, row = day.thing_of(problem_id), found[day.problems[problem_id].category]
        row.cleared += 1
        if about_thing is not None and about_thing.real:
            number = day.number_of[day.problems[problem_id].camera_id]
            spots = day.city.views[number].spots
            spot = next(s for s, things in spots.items() if about_thing in things)
            here = [begun for begun, ended in day.lives[about_thing.id].present if _covers(begun, ended, at)]
            wrongly = bool(here) and day.is_case(about_thing, number, spot, at)
            row.wrongly_cleared += wrongly
            row.back += wrongly and seen < here[0]
    return [_sum(found.values()), *found.values()]


def _covers(begun: datetime, ended: datetime | None, at: datetime) -> bool:
    return begun <= at and (ended is None or at < ended)


def _steps(day: Day, case: Case) -> list[Step]:
    """Those that were not overtaken."""
    found = day.ledger.case(case.id)
    return [] if found is None else [step for step in found.steps if not step.void]


def _first(steps: list[Step], move: Move) -> int:
    """Where it was made first, after all where it never was."""
    return next((number for number, step in enumerate(steps) if step.move is move), len(steps))


def both_open(day: Day, one: Case, other: Case) -> bool:
    """Whether there was a time at which both waited for somebody; not what was merged with a later one by a person."""
    if one.status is CaseStatus.MERGED:
        return False
    mine, others = waited(one.opened_at, _steps(day, one)), waited(other.opened_at, _steps(day, other))
    return any(begun < end and since < ended for begun, ended in mine for since, end in others)


def waited(opened_at: datetime, steps: Sequence[Step]) -> list[tuple[datetime, datetime]]:
    """From when to when a case was open: more than once where what it is about went and came back."""
    never = datetime.max.replace(tzinfo=opened_at.tzinfo)
    found, since = list[tuple[datetime, datetime]](), opened_at
    closed = False
    for step in steps:
        if step.stage is Stage.CLOSE and not closed:
            found.append((since, step.at))
        elif step.stage is not Stage.CLOSE and closed:
            since = step.at
        closed = step.stage is Stage.CLOSE
    return found if closed else [*found, (since, never)]


def _sum(parts: Iterable[Row]) -> Row:
    total = Row("all")
    for part in parts:
        for name in Row.__slots__:
            if name != "category":
                setattr(total, name, getattr(total, name) + getattr(part, name))
    return total


def table(found: list[Row]) -> str:
    """As Markdown."""
    names = (
        *("category", "cases", "right", "sent without a person", "of these right", "verdicts on them", "owed", "lost"),
        *("silenced", "with another", "duplicates", "cleared", "wrongly", "back", "gone unsent", "of two cameras"),
        *("opened to sent p50 / p99", "appeared to sent p50 / p99"),
    )
    head = f"| {' | '.join(names)} |"
    lines = [head, "|---|" + "---:|" * (len(names) - 1)]
    for row in found:
        precision = "-" if not row.confirmed + row.rejected else f"{row.confirmed / (row.confirmed + row.rejected):.1%}"
        lines.append(
            f"| {row.category} | {row.cases} | {_share(row.right, row.cases)} | {_share(row.automatic, row.cases)} "
            f"| {_share(row.automatic_right, row.automatic)} | {precision} of {row.confirmed + row.rejected} "
            f"| {row.owed} | {row.lost} | {row.silenced} | {row.follows} | {row.duplicates} | {row.cleared} "
            f"| {row.wrongly_cleared} | {row.back} | {row.left} | {row.two_sources} "
            f"| {_times(row.waits)} | {_times(row.all_waits)} |"
        )
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _times(waits: list[timedelta]) -> str:
    if not waits:
        return "-"
    ordered = sorted(waits)
    middle, late = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{middle.total_seconds() / 60:.1f} / {late.total_seconds() / 60:.1f} min"
