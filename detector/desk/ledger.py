"""The desk's own book: every event it was given, and the case files and camera states they add up to.

It is the book of another system that happens to live in the same program: own database file, own tables,
nothing shared with the detector's store.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from detector.core.event import event_id
from detector.core.stages import BY_PEOPLE, VERDICTS, Move, next_stage
from detector.core.sureness import Threshold, fit
from detector.desk import queries
from detector.desk.case import FINDINGS, Case, case_id, steps_of
from detector.desk.course import DESK, Details, Step
from detector.desk.deciding import decide
from detector.desk.figures import Figures, figures
from detector.desk.filing import (
    Received,
    put_camera,
    put_verdict,
    reports_of,
)
from detector.desk.joined import apart_from, problems_of, put_apart, regroup, waived
from detector.desk.plan import Plan
from detector.desk.queries import EVERYTHING, CameraState, CaseFilter, Counts, Page, Told
from detector.desk.sources import one_story
from detector.desk.streets import StreetLine, cases_of, lines
from detector.desk.tables import ACTION, EVENT, READING, VERDICT, open_book, open_engine
from detector.desk.telling import told_of_sources
from detector.desk.wire import CameraHealthData, IncomingEvent, ProblemData
from detector.desk.working import Deed, all_actions, completed, next_number, put_deed, work_out
from detector.errors import StoreError


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with all that led to it."""

    case: Case
    received: list[Received]  # oldest event first
    steps: list[Step]
    merged: list[Case]  # others that are about the same thing
    apart: list[str]  # ids of cases that have been split off from it, or it from them


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event that was handed in."""

    new: bool  # False: it had been received before and nothing was done
    case_id: str | None = None


class Ledger:
    """One database file. Methods may be called from any thread; all raise StoreError when the file refuses."""

    def __init__(self, database_url: str, plan: Plan | None = None) -> None:
        """Open the book, creating the file and its folder when there is none.

        Raises ConfigError when `database_url` is not `sqlite:///PATH`, StoreError when the file cannot be used.
        """
        self.plan = plan or Plan()
        self._engine = open_engine(database_url)
        self._writing = threading.Lock()  # waiting here is fair and cheap; waiting in SQLite is neither
        self._known: dict[str, tuple[object, Threshold]] = {}
        try:
            with self._write() as connection:
                if open_book(connection, database_url):
                    told = select(EVENT.c.problem_id).where(EVENT.c.problem_id.is_not(None)).distinct()
                    for problem_id in sorted(connection.scalars(told)):
                        for first in regroup(connection, problem_id, self.plan.joining):
                            work_out(connection, self.plan, first)
        except StoreError:
            self.close()
            raise

    def receive(self, incoming: IncomingEvent, now: datetime) -> Receipt:
        """Keep the event and bring its case or camera up to date, in one transaction that is on disk on return.

        A fresh case is dispatched or held by the desk in the same transaction. An event whose id is already in the
        book changes nothing.
        """
        problem_id = incoming.data.problem_id if isinstance(incoming.data, ProblemData) else None
        case = None
        with self._write() as connection:
            row = insert(EVENT).values(
                id=incoming.id, source=incoming.source, type=incoming.type, subject=incoming.subject,
                problem_id=problem_id, time=incoming.time, received_at=now, body=incoming.body,
            )  # fmt: skip
            if connection.execute(row.on_conflict_do_nothing()).rowcount == 0:
                known = queries.case_of(connection, case_id(problem_id)) if problem_id else None
                return Receipt(new=False, case_id=known.id if known else None)
            if problem_id:
                brought = [
                    self._bring_up_to_date(connection, first, now)
                    for first in regroup(connection, problem_id, self.plan.joining)
                ]
                case = brought[0].id
            elif isinstance(incoming.data, CameraHealthData):
                put_camera(connection, incoming, incoming.data)
        return Receipt(new=True, case_id=case)

    def act(self, wanted: str, *deeds: Deed, now: datetime) -> Case | None:
        """Move the case with that id, or say something about it; None when there is none. On disk on return.

        Several deeds are done together or not at all, and the desk decides nothing between them. A dispatch gets its
        deadline here. Returns what is left of a case of which a problem was split off. Raises ValueError when the case
        stands where one of them cannot be done.
        """
        with self._write() as connection:
            case = queries.case_of(connection, wanted)
            if case is None or connection.scalar(select(ACTION.c.id).where(ACTION.c.id == deeds[0].id)):
                return case
            firsts = [case.problem_id]
            for number, deed in enumerate(deeds):
                if number:
                    case, *_ = [work_out(connection, self.plan, first)[0] for first in firsts]
                next_stage(case.stage, deed.move)
                details = completed(connection, self.plan, case, deed, now)
                put_deed(connection, case, replace(deed, details=details), now)
                if deed.move in VERDICTS or (deed.move in FINDINGS and deed.move in BY_PEOPLE):
                    for told in told_of_sources(case, deed.id, deed.move, deed.by, details, now):
                        put_verdict(connection, str(told["id"]), case.id, now, told)
                firsts = [case.problem_id]
                if details.problems:
                    stay = [s.problem_id for s in case.sources if s.problem_id not in details.problems]
                    put_apart(connection, deed.id, details.problems, stay, now)
                    firsts = regroup(connection, stay[0], self.plan.joining)
            left, *_ = [self._bring_up_to_date(connection, first, now) for first in firsts]
            return left

    def escalate(self, now: datetime) -> int:
        """Write down every escalation that is due and not yet written; returns how many."""
        written = 0
        with self._write() as connection:
            for case in queries.to_escalate(connection, now):
                before = written
                for level in self.plan.escalations[case.escalated :]:
                    if case.due_at is None or case.due_at + level.after > now:
                        break
                    name = event_id("escalated", case.id, case.due_at.isoformat(), level.after, level.to)
                    if connection.scalar(select(ACTION.c.id).where(ACTION.c.id == name)) is None:
                        put_deed(connection, case, Deed(name, Move.ESCALATED, DESK, Details(department=level.to)), now)
                        written += 1
                if written > before:
                    work_out(connection, self.plan, case.problem_id)
        return written

    def waive(self, now: datetime) -> int:
        """Close what waits for the word of cameras that have not been able to see for long; returns how many."""
        with self._write() as connection:
            found = waived(connection, self.plan.joining.waived_after, now)
            for case, moves, why in found:
                for move in moves:
                    name = event_id("waived", case.id, next_number(connection, case), move)
                    put_deed(connection, case, Deed(name, move, DESK, Details(note=why)), now)
                work_out(connection, self.plan, case.problem_id)
        return len(found)

    def give_up(self, now: datetime) -> int:
        """Close what has left and nobody has decided on for as long as the plan keeps it; returns how many."""
        with self._write() as connection:
            found = [case for case in queries.kept(connection) if case.changed_at + self.plan.kept_for <= now]
            for case in found:
                name = event_id("given up", case.id, next_number(connection, case))
                why = f"has left, and nothing was decided since {case.changed_at:%Y-%m-%d}"
                put_deed(connection, case, Deed(name, Move.VANISHED, DESK, Details(note=why)), now)
                work_out(connection, self.plan, case.problem_id)
        return len(found)

    def cases(self, wanted: CaseFilter = EVERYTHING, *, now: datetime, limit: int = 50, offset: int = 0) -> Page:
        """Open cases first, then newest opening first."""
        with self._read() as connection:
            return queries.cases(connection, wanted, now, limit, offset)

    def case(self, wanted: str) -> CaseFile | None:
        """The case with that id and its history; None when there is none."""
        with self._read() as connection:
            case = queries.case_of(connection, wanted)
            if case is None:
                return None
            problems = problems_of(connection, case.problem_id)
            received = {entry.report.id: entry for one in problems for entry in reports_of(connection, one)}
            ordered = one_story(entry.report for entry in received.values())
            steps = steps_of(ordered, all_actions(connection, problems))
            return CaseFile(
                case,
                [received[report.id] for report in ordered],
                steps,
                queries.merged_into(connection, case.id),
                apart_from(connection, problems),
            )

    def counts(self, now: datetime) -> Counts:
        """How many cases stand where."""
        with self._read() as connection:
            return queries.counts(connection, now)

    def choices(self) -> tuple[list[str], list[str]]:
        """Categories and cameras that have cases, sorted."""
        with self._read() as connection:
            return queries.choices(connection)

    def cameras(self, *, limit: int = 200, offset: int = 0) -> list[CameraState]:
        """Cameras that cannot see first, then by id."""
        with self._read() as connection:
            return queries.cameras(connection, limit, offset)

    def verdicts(self, after: int, limit: int) -> list[Told]:
        """What people decided, from behind the cursor `after` on, oldest first."""
        with self._read() as connection:
            return queries.verdicts_after(connection, after, limit)

    def figures(self, since: datetime, now: datetime) -> list[Figures]:
        """Automatic dispatch and its precision by category, of cases opened since then."""
        with self._read() as connection:
            found = figures(connection, since, now)
            return [
                replace(one, threshold=self._threshold(connection, one.category, now))
                for one in found
                if one.category is not None
            ]

    def streets(self, since: datetime, now: datetime) -> list[StreetLine]:
        """Streets, and cameras at none, with cases opened since then, those with most first."""
        with self._read() as connection:
            return lines(connection, self.plan.routing.streets, since, now)

    def street_cases(self, street: str, since: datetime) -> list[Case]:
        """Cases of a street since then, newest first, without those that were none."""
        with self._read() as connection:
            return cases_of(connection, street, since)

    def threshold(self, category: str, now: datetime) -> Threshold:
        """From which score on `category` is dispatched without a person."""
        with self._read() as connection:
            return self._threshold(connection, category, now)

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    # --- within a transaction ------------------------------------------------------------------------------------

    def _bring_up_to_date(self, connection: Connection, problem_id: str, now: datetime) -> Case:
        case, steps = work_out(connection, self.plan, problem_id)
        decisions = decide(case, steps, self.plan, self._threshold(connection, case.told, now), now)
        for move, details in decisions:
            name = event_id("desk", case.id, "action", next_number(connection, case), move)
            put_deed(connection, case, Deed(name, move, DESK, details), now)
        return work_out(connection, self.plan, problem_id)[0] if decisions else case

    def _threshold(self, connection: Connection, category: str, now: datetime) -> Threshold:
        plan = self.plan
        newest = connection.scalar(select(func.max(VERDICT.c.number)))
        stamp = (newest, now.date())  # nothing but a verdict, and its ageing, moves a threshold
        known = self._known.get(category)
        if known is not None and known[0] == stamp:
            return known[1]
        judged = queries.judged(connection, category, now - plan.window)
        threshold = fit(judged, plan.demand, plan.default_threshold(category))
        self._known[category] = stamp, threshold
        return threshold

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._writing, _own_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with (
            _own_errors(),
            self._engine.connect().execution_options(**{READING: True}) as connection,
        ):
            yield connection


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(f"the desk's ledger: {cause}") from error
