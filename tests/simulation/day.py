"""One day: cameras look, the real life cycle judges, the real desk keeps cases, crews and reviewers do their work."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from detector.assembly import judging_by
from detector.config.categories import load_categories
from detector.config.rules import examine_rules
from detector.config.shipped import shipped
from detector.config.workdays import workday_calendar
from detector.core.category import Category
from detector.core.clearing import is_over
from detector.core.deadline import Office
from detector.core.event import CameraHealthEvent, ProblemEvent
from detector.core.health import CameraState, observe
from detector.core.joining import Joining
from detector.core.judging import judge, reject
from detector.core.problem import Problem, ProblemStatus
from detector.core.routing import Department, Route, routing_of
from detector.core.rules import RuleBook, Spot
from detector.core.stages import Move, Stage
from detector.delivery.cloudevent import cloud_event
from detector.desk.case import Case, CaseStatus
from detector.desk.course import NOTHING, Details, Reason
from detector.desk.ledger import Ledger
from detector.desk.plan import Plan
from detector.desk.wire import read_event
from detector.desk.working import Deed
from tests.simulation import assumptions as a
from tests.simulation.city import GATE, City, Thing, built, spot_of_box
from tests.simulation.seeing import CITY_TIME, SIZE, box_in, look

REMEMBERED = timedelta(days=7)


@dataclass(slots=True)
class Life:
    """What happened to one thing, as the measurement asks."""

    present: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    run: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    owed: datetime | None = None  # when it had been seen so well and long that a case was due
    silenced: bool = False  # at a place that a person's rejection keeps silent
    follows: bool = False  # at a gate, where the case of a truck before it had not been cleared yet


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it went to the desk, for the replay."""

    body: bytes
    at: datetime


class Day:
    """A simulated city; `run` lets the time pass."""

    def __init__(
        self, cameras: int, hours: float, seed: int, database: Path, *, start: datetime, reviewed: bool = True
    ) -> None:
        """`reviewed`: False lifts the rule that categories learned from synthetic pictures wait for a person."""
        self.chance = random.Random(seed)
        self.start, self.hours = start, hours
        self.city: City = built(cameras, start, hours, self.chance)
        found = load_categories(shipped("configs/categories.yaml"))
        if not reviewed:
            found = {key: replace(one, review=False, review_labels=frozenset()) for key, one in found.items()}
        self.categories: Mapping[str, Category] = found
        standards = ["GB/T 47678.5-2026", "GB/T 30428.2-2013"]
        document, rules = examine_rules(shipped("configs/rules.yaml"), found, standards)
        assert not document.findings
        self.book = RuleBook(self.city.zones, self.city.permits, rules)
        self.judging = judging_by(found, self.book, {view.camera.id: view.camera for view in self.city.views})
        self.plan = plan(found, self.city)
        self.ledger = Ledger(f"sqlite:///{database}", self.plan)
        self.known: dict[str, dict[str, Problem]] = defaultdict(dict)
        self.states = {view.camera.id: CameraState(view.camera.id) for view in self.city.views}
        self.asked: dict[str, datetime] = {}
        self.lives: dict[int, Life] = {thing.id: Life() for thing in self.city.things}
        self.number_of = {view.camera.id: number for number, view in enumerate(self.city.views)}
        self.told: list[Told] = []
        self.clears: list[tuple[str, datetime, datetime]] = []  # problem, last seen, when the worker said it was gone
        self.problems: dict[str, Problem] = {}
        self.about: dict[str, Thing] = {}  # problem id -> what stood there when it was told last
        self.looks = 0
        self.waiting: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self.worked_on: set[tuple[str, int, str]] = set()
        self.handled: set[str] = set()  # ids of cases that a crew works on
        self.cursor = 0
        self._counter = 0

    def run(self, progress: Callable[[float], None] = lambda _: None) -> None:
        """All looks of the day, and what people do meanwhile."""
        phases = sorted(
            ((first + turn) * view.camera.interval_s, number)
            for number, view in enumerate(self.city.views)
            for first in [self.chance.random()]
            for turn in range(round(a.LOOK_EVERY_S / view.camera.interval_s))
        )
        rounds = int(self.hours * 3600 / a.LOOK_EVERY_S)
        for number in range(rounds):
            begins = self.start + timedelta(seconds=number * a.LOOK_EVERY_S)
            for phase, camera in phases:
                at = begins + timedelta(seconds=phase)
                self._until(at)
                self._look(camera, at)
            self._feed_back()
            self.ledger.waive(begins)
            self.ledger.give_up(begins)
            progress((number + 1) / rounds)
        self._until(begins + timedelta(hours=2))

    # --- the street and the worker --------------------------------------------------------------------------------

    def _look(self, number: int, at: datetime) -> None:
        view = self.city.views[number]
        there = [(spot, thing) for spot, things in view.spots.items() for thing in things if self._is_there(thing, at)]
        shown = look(view, at, there, self.chance)
        camera = view.camera.id
        self.states[camera], health = observe(self.states[camera], shown.look)
        self.looks += 1
        if health is not None:
            self._send(health)
        decide, told = self.judging.rules(shown.look), self.judging.categories_at(shown.look)
        known = self.known[camera]
        changes = judge(shown.look, list(known.values()), told, self._new_id, decide, self.asked)
        for change in changes:
            self._keep(change.problem)
            if change.event is not None:
                if change.event.kind.value == "cleared":
                    self.clears.append((change.problem.id, change.problem.last_seen, at))
                elif change.event.kind.value in ("opened", "reopened"):
                    self._remember(change.problem, there, at)
                self._send(change.event)
        judged = [(spot, thing) for spot, thing in there if thing.category in told]
        self._note(number, at, judged, shown.clear, shown.found)
        if self.looks % 50 == 0:
            for problem in [p for p in known.values() if _is_past(p, at)]:
                del known[problem.id]

    def _keep(self, problem: Problem) -> None:
        self.problems[problem.id] = problem
        if problem.status is ProblemStatus.DISMISSED and problem.silent_until is None:
            self.known[problem.camera_id].pop(problem.id, None)
        else:
            self.known[problem.camera_id][problem.id] = problem

    def _remember(self, problem: Problem, there: Sequence[tuple[int, Thing]], at: datetime) -> None:
        here = spot_of_box(problem.place.box)
        for spot, thing in there:
            own = thing.category == problem.category
            if spot == here and (own or box_in(spot, thing, at).iou(problem.place.box) >= 0.5):
                self.about[problem.id] = thing

    def _is_there(self, thing: Thing, at: datetime) -> bool:
        life = self.lives[thing.id]
        if not life.present:
            if thing.appears <= at < thing.goes:
                life.present.append((thing.appears, None))
            return bool(life.present)
        begun, ended = life.present[-1]
        if ended is None and at >= thing.goes and len(life.present) == 1:
            self._take_away(thing, thing.goes)
            ended = thing.goes
        return begun <= at and (ended is None or at < ended)

    def _take_away(self, thing: Thing, at: datetime) -> None:
        """It goes; some come back within two hours, once, and stay until somebody comes."""
        life = self.lives[thing.id]
        begun, ended = life.present[-1]
        if ended is not None:
            return
        life.present[-1] = begun, at
        if thing.comes_again and len(life.present) == 1:
            life.present.append((at + timedelta(minutes=self.chance.uniform(5, 110)), None))

    def _note(
        self,
        number: int,
        at: datetime,
        there: Sequence[tuple[int, Thing]],
        clear: frozenset[int],
        found: frozenset[int],
    ) -> None:
        """Whether a case is due by now: as many clear looks in a row as are asked for, all of which saw it."""
        camera = self.city.views[number].camera.id
        for spot, thing in there:
            if not thing.real or thing.id not in clear:
                continue
            life, category = self.lives[thing.id], self.categories[thing.category]
            if life.owed is not None:
                continue
            run = life.run[camera]
            if thing.id not in found or not self.is_case(thing, number, spot, at):
                run.clear()
                continue
            run.append(at)
            policy = category.confirmation
            if len(run) >= policy.of and run[-1] - run[-policy.of] >= policy.dwell:
                life.owed = at
                life.silenced = self._is_silent(camera, spot, at)
                life.follows = self.city.views[number].gate and spot == GATE and self._is_taken(camera, thing)

    def is_case(self, thing: Thing, number: int, spot: int, at: datetime) -> bool:
        """What zones, permits and rules say of the thing itself at that time, in that camera's picture."""
        category = self.categories[thing.category]
        if thing.label not in category.labels:
            return False
        x, y = box_in(spot, thing, at).foot
        here = Spot(self.city.views[number].camera.id, (x / SIZE[0], y / SIZE[1]))
        return self.book.decide(category, here, at.astimezone(CITY_TIME)).case

    def _is_silent(self, camera: str, spot: int, at: datetime) -> bool:
        return any(
            p.status is ProblemStatus.DISMISSED
            and not is_over(p, self.categories[p.category].clearing, at)
            and spot_of_box(p.place.box) == spot
            for p in self.known[camera].values()
        )

    def _is_taken(self, camera: str, thing: Thing) -> bool:
        """Whether the case of a truck before it is open there: what follows so closely is told apart by nobody."""
        return any(
            p.status is ProblemStatus.OPEN
            and p.category == thing.category
            and spot_of_box(p.place.box) == GATE
            and self.about.get(p.id) is not thing
            for p in self.known[camera].values()
        )

    def _new_id(self) -> str:
        self._counter += 1
        return f"problem-{self._counter:06d}"

    # --- the way to the desk ----------------------------------------------------------------------------------------

    def _send(self, event: ProblemEvent | CameraHealthEvent) -> None:
        told = event.problem if isinstance(event, ProblemEvent) else None
        camera_id = event.problem.camera_id if isinstance(event, ProblemEvent) else event.camera_id
        category = None if told is None else self.categories[told.category]
        view = self.city.views[self.number_of[camera_id]]
        body = cloud_event(event, category=category, camera=view.camera, evidence_reason="simulated")
        self.told.append(Told(body, event.occurred_at))
        for _ in range(1 + (self.chance.random() < a.EVENT_TWICE)):
            self._later(event.occurred_at, a.EVENT_LAG_S / 60, lambda now: self._arrive(body, now))

    def _arrive(self, body: bytes, now: datetime) -> None:
        receipt = self.ledger.receive(read_event(body, now), now)
        if receipt.case_id is not None and receipt.new:
            found = self.ledger.case(receipt.case_id)
            assert found is not None
            self._work(found.case, now)

    # --- people -----------------------------------------------------------------------------------------------------

    def _work(self, case: Case, now: datetime) -> None:
        """Let whoever has the case begin, once for each time that it is theirs."""
        if case.status is not CaseStatus.OPEN:
            return
        turn = (case.id, case.reopened, case.stage.value)
        if case.stage in (Stage.COLLECT, Stage.FILE) and turn not in self.worked_on:
            self.worked_on.add(turn)
            self._later(now, a.REVIEW_M, lambda at: self._review(case.id, at))
        elif case.stage is Stage.DISPATCH and turn not in self.worked_on:
            self.worked_on.add(turn)
            self._later(now, a.TAKE_UP_M, lambda at: self._do(case.id, at, Move.TAKEN_UP))
        elif case.stage is Stage.HANDLE and case.id not in self.handled:
            self.handled.add(case.id)
            self._later(now, a.HANDLE_M, lambda at: self._handle(case.id, at))

    def _review(self, case_id: str, now: datetime) -> None:
        case = self._case(case_id)
        if case.status is not CaseStatus.OPEN or case.stage not in (Stage.COLLECT, Stage.FILE):
            return
        right = self.is_right(case) == (self.chance.random() < a.REVIEW_RIGHT)
        if right and case.stage is Stage.COLLECT:
            self._do(case_id, now, Move.FILED)
        elif not right:
            self._do(case_id, now, Move.REFUSED, Details(reason=Reason.NOT_THERE))

    def _handle(self, case_id: str, now: datetime) -> None:
        self.handled.discard(case_id)
        case = self._case(case_id)
        if case.status is not CaseStatus.OPEN or case.stage is not Stage.HANDLE:
            return
        if not self.is_right(case):
            self._do(case_id, now, Move.REJECTED, Details(reason=Reason.NOT_THERE))
            return
        if self.chance.random() < a.CREW_VERDICT:
            self._do(case_id, now, Move.CONFIRMED)
        if self.chance.random() >= a.SAID_DONE:
            for thing in self.things_of(case):
                self._take_away(thing, now)
        self._do(case_id, now, Move.REPORTED)
        self._do(case_id, now, Move.CHECKED)
        for source in case.sources:
            self.asked[source.problem_id] = now

    def _do(self, case_id: str, now: datetime, move: Move, details: Details = NOTHING) -> None:
        self._counter += 1
        try:
            moved = self.ledger.act(case_id, Deed(f"deed-{self._counter:06d}", move, "somebody", details), now=now)
        except ValueError:
            return  # overtaken by what the cameras saw
        assert moved is not None
        self._work(moved, now)

    def _feed_back(self) -> None:
        """Verdicts go back to the worker, which takes back what was rejected and stays silent there."""
        for one in self.ledger.verdicts(self.cursor, 500):
            self.cursor = one.number
            problem = self.problems[str(one.told["problem_id"])]
            if one.told["decision"] != "rejected" or problem.status is ProblemStatus.DISMISSED:
                continue
            at = max(datetime.fromisoformat(str(one.told["at"])), problem.last_looked)
            change = reject(problem, at, REMEMBERED)
            self._keep(change.problem)
            if change.event is not None:
                self._send(change.event)

    def is_right(self, case: Case) -> bool:
        """Whether it is what the detector says."""
        return any(thing.category == case.told for thing in self.things_of(case))

    def things_of(self, case: Case) -> list[Thing]:
        """The real things that the case is about, whatever category it says."""
        found = {thing.id: thing for s in case.sources if (thing := self.thing_of(s.problem_id)) is not None}
        return [thing for thing in found.values() if thing.real]

    def thing_of(self, problem_id: str) -> Thing | None:
        """What stood, or was imagined, where the problem was when it was told."""
        return self.about.get(problem_id)

    def _case(self, case_id: str) -> Case:
        found = self.ledger.case(case_id)
        assert found is not None
        return found.case

    def _later(self, now: datetime, mean_minutes: float, what: Callable[[datetime], None]) -> None:
        at = now + timedelta(minutes=self.chance.expovariate(1 / mean_minutes))
        self._counter += 1
        heapq.heappush(self.waiting, (at, self._counter, what))

    def _until(self, at: datetime) -> None:
        while self.waiting and self.waiting[0][0] <= at:
            due, _, what = heapq.heappop(self.waiting)
            what(due)


def _is_past(problem: Problem, at: datetime) -> bool:
    """As the store, which no longer hands them to the judge."""
    if problem.status is ProblemStatus.CLEARED:
        return problem.cleared_at is not None and at - problem.cleared_at > REMEMBERED
    return problem.status is ProblemStatus.DISMISSED and (problem.silent_until is None or problem.silent_until < at)


def plan(categories: Mapping[str, Category], city: City) -> Plan:
    """A desk that dispatches by itself whatever is sure enough."""
    departments = [Department("sanitation", "环卫"), Department("enforcement", "城管"), Department("roads", "市政")]
    sweepers = frozenset({"exposed_garbage", "bin_overflow", "rubble_pile", "piled_materials", "open_burning"})
    roads = frozenset({"road_damage", "manhole_abnormal", "road_ponding"})
    routes = [
        Route("all", "enforcement"),
        Route("rubbish", "sanitation", categories=sweepers),
        Route("roads", "roads", categories=roads),
    ]
    return Plan(
        office=Office(CITY_TIME, workday_calendar("CN")),
        deadlines={key: one.deadline for key, one in categories.items() if one.deadline is not None},
        routing=routing_of(departments, routes),
        joining=Joining(
            returns_within={key: one.clearing.reopen_within for key, one in categories.items()},
            overlaps=tuple(city.overlaps),
        ),
        automatic=True,
        threshold=0.7,
        thresholds={key: None for key, one in categories.items() if one.review},
        names={key: one.names for key, one in categories.items()},
        labels={key: one.labels for key, one in categories.items()},
    )
