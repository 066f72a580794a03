"""The life cycle at work: one ok look and the known problems of its camera in, changed problems and events out.

Everything is counted in ok looks and measured in capture time, never in frames x fps, so a restart, a dead camera
or a night without light neither confirms nor clears anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from detector.core.category import Category
from detector.core.changing import Change as Change
from detector.core.changing import moved
from detector.core.clearing import REMEMBERED, is_over, looks_needed
from detector.core.confirming import Due, confirmed, sighted
from detector.core.detection import Detection
from detector.core.look import Look, LookStatus
from detector.core.matching import PASSING, associate, hidden
from detector.core.opinions import Decide as Decide
from detector.core.opinions import Standing, counted, one_opinion, opinions, turns
from detector.core.parts import ALONE, Beside, began, parts
from detector.core.problem import Place, Problem, ProblemStatus, Trigger
from detector.core.rules import Outcome
from detector.core.several import several

PLACE_FOLLOWS = 0.2
"""Share by which a known place moves towards a new sighting: boxes breathe, heaps grow, cameras sag."""

FITS = 0.5
"""IoU from which a sighting moves a place: a part of the thing, or a car passing before it, says nothing about it. A
suspicion follows whatever counts as a sighting of it: it may have begun with that car."""

UPDATE_EVERY = timedelta(minutes=15)
"""Least capture time between two `updated` events that only tell a better sighting."""

CHECK_AFTER = timedelta(minutes=1)
"""A problem that somebody says is done must still be seen so long after the question, to be told again."""

UPDATE_GAIN = 0.1
"""Rise of the best score that is worth an `updated` event (a better picture for the dispatcher)."""

NOTHING_ASKED: Mapping[str, datetime] = MappingProxyType({})


def labels_alone(category: Category, _place: Place) -> Outcome:
    """What is decided without zones and permits: a case wherever labels are enough to tell."""
    if not category.told_by_labels:
        return Outcome(False, f"needs:{category.needs}")
    return Outcome(True, f"category:{category.id}", category.codes)


def judge(
    look: Look,
    known: Sequence[Problem],
    categories: Mapping[str, Category],
    new_id: Callable[[], str],
    decide: Decide = labels_alone,
    asked: Mapping[str, datetime] = NOTHING_ASKED,
) -> list[Change]:
    """Apply one look to the known problems of its camera.

    `known`: suspected, open, recently cleared and still silenced problems of that camera; a look older than a problem's
    newest one does not move it. `categories`: by id. `new_id` gives the ids of new suspicions. What `decide` calls no
    case counts as not seen, so a stall that becomes legal at 18:00 is cleared soon after.
    `asked`: problem id -> when somebody wanted to know whether it is really gone; one that is not is told again.
    Returns one Change per problem that the look touched; nothing at all when the look is not ok.
    """
    if look.status is not LookStatus.OK or look.size is None:
        return []
    size = look.size
    known = [replace(one, place=one.place.at(size)) for one in known]  # pixels of this look's frame, from here on
    passing = [d for d in look.detections if d.label in PASSING]  # of another category's opinion or not, it hides
    tracked = [
        Standing(one.category, one.place.box, one.status is ProblemStatus.OPEN, one.also)
        for one in known
        if not one.out_of_view
    ]
    category_of = opinions(categories, size, decide)
    names = {id(detection): category_of(detection) for detection in look.detections}
    said = [  # each opinion that would start a suspicion
        Standing(name, d.box)
        for d in look.detections
        if (name := names[id(d)]) and d.score >= categories[name].score_needed(d.label, known=False)
    ]
    look = replace(look, detections=tuple(one_opinion(look.detections, lambda d: names[id(d)], tracked)))
    found = [
        change
        for category in categories.values()
        for change in _Judgement(look, size, category, decide, asked, passing, said).changes(known, new_id)
    ]
    return confirmed(found, known)


def reject(problem: Problem, at: datetime, silence: timedelta) -> Change:
    """A person says that this is no problem; what is seen at that place is ignored for `silence` from `at` on.

    Raises ValueError when the problem is dismissed already.
    """
    return moved(replace(problem, silent_until=at + silence), Trigger.REJECTED, at)


def turned_away(known: Sequence[Problem], at: datetime) -> list[Change]:
    """The camera of these problems shows something else from now on.

    Suspicions fade. What is open stays open, out of view: it is neither cleared nor found again by looking, and people
    decide about it.
    """
    changes = []
    for problem in known:
        if problem.status is ProblemStatus.SUSPECTED:
            changes.append(moved(problem, Trigger.FADED, at))
        elif not problem.out_of_view:
            changes.append(Change(replace(problem, out_of_view=True)))
    return changes


@dataclass(frozen=True, slots=True)
class _Judgement:
    """One look through the eyes of one category."""

    look: Look
    size: tuple[int, int]
    category: Category
    decide: Decide
    asked: Mapping[str, datetime]
    passing: Sequence[Detection]
    said: Sequence[Standing]

    def changes(self, known: Sequence[Problem], new_id: Callable[[], str]) -> Iterator[Change | Due]:
        category, look = self.category, self.look
        visible = [
            d
            for d in look.detections
            if d.label in category.labels and d.score >= category.score_needed(d.label, known=True)
        ]
        group = None
        if category.at_least > 1:
            group = several(visible, category.at_least, lambda thing: self.decide(category, self._place(thing)))
            visible = group.groups
        places = [p for p in known if p.category == category.id and not p.out_of_view]
        places = [p for p in places if not is_over(p, category.clearing, look.at)]
        if not visible and not places:
            return
        least = [0.0 if group is not None else self._least(p) for p in places]
        matches = associate([p.place.box for p in places], visible, turns(places), least)
        told = parts(places, visible, matches.seen)
        for index, problem in enumerate(places):
            silent = problem.status is ProblemStatus.DISMISSED and bool(category.clearing.reopen_within)
            if silent or problem.last_looked >= look.at:
                continue  # a silenced false alarm, or news older than what is known: holds its place, does not move
            if index in told.absorbed:
                yield moved(replace(problem, last_looked=look.at), Trigger.FADED, look.at)
            elif index in matches.seen:
                found = matches.seen[index]
                outcome = self.decide(category, problem.place) if group is None else group.outcomes[found]
                yield self._found(problem, visible[found], outcome, told.about(index))
            elif not self._hidden(problem):
                yield self._not_seen(problem, None if group is None else group.allowed(problem.place.box))
        for index in matches.new:
            detection = visible[index]
            place = self._place(detection)
            if detection.score < category.score_needed(detection.label, known=False):
                continue
            outcome = self.decide(category, place) if group is None else group.outcomes[index]
            if outcome.case:
                since = began(detection.box, places, matches.seen, look.at)
                yield self._suspect(detection, place, outcome, new_id(), since)

    def _least(self, problem: Problem) -> float:
        """How much a sighting must be like a problem. What is open is also shown by a part of it; a suspicion is not.
        Of what moves through the view nothing is the same that does not fit: else the traffic of a street adds up.
        """
        moves = self.category.labels <= PASSING
        match problem.status:
            case ProblemStatus.SUSPECTED:
                return 1 + FITS if moves else 1.0
            case ProblemStatus.CLEARED if moves:
                return 1 + FITS
            case _:
                return 0.0

    def _hidden(self, problem: Problem) -> bool:
        """Whether something stands before its place; what fits a place is no passer-by, but what it is or was."""
        own, place = self.category.labels, problem.place.box
        others = [d.box for d in self.passing if d.label not in own or d.box.iou(place) < FITS]
        return hidden(place, others)

    def _place(self, detection: Detection) -> Place:
        return Place(detection.box, self.size, detection.ground)

    def _suspect(
        self, detection: Detection, place: Place, outcome: Outcome, problem_id: str, since: datetime
    ) -> Change | Due:
        at = self.look.at
        suspicion = Problem(
            id=problem_id,
            category=self.category.id,
            label=detection.label,
            camera_id=self.look.camera_id,
            place=place,
            status=ProblemStatus.SUSPECTED,
            first_seen=since,
            last_seen=at,
            last_looked=at,
            looks=1,
            sightings=1,
            best_score=detection.score,
            recent=(True,),
            model_version=self.look.model_version,
            rule=outcome.rule,
            codes=outcome.codes,
            count=detection.count,
            also=counted({}, self.category.id, detection.box, self.said),
        )
        return sighted(suspicion, self.category.confirmation, ALONE)

    def _found(self, problem: Problem, detection: Detection, outcome: Outcome, beside: Beside) -> Change | Due:
        """Something is where the problem was; it still has to be a case, and worth a return."""
        if problem.status is ProblemStatus.DISMISSED:  # the false alarm is still there
            recent = self._remembered(problem, True)
            return Change(replace(problem, last_looked=self.look.at, recent=recent, missing_since=None, missed=0))
        returns = problem.status is ProblemStatus.CLEARED and not any(self._lately(problem))
        if not outcome.case or (
            # a weak hint does not start a return, as it starts no suspicion
            returns and detection.score < self.category.score_needed(detection.label, known=False)
        ):
            return self._not_seen(problem, None if outcome.case else outcome.rule)
        return self._seen(problem, detection, outcome, returns, beside)

    def _seen(
        self, problem: Problem, detection: Detection, outcome: Outcome, returns: bool, beside: Beside
    ) -> Change | Due:
        at, policy = self.look.at, self.category.confirmation
        unsure = problem.status is not ProblemStatus.OPEN
        anew = returns or (unsure and at - problem.last_seen > policy.forget_after)
        other_offence = dict(outcome.codes) != dict(problem.codes)
        better = detection.score > problem.best_score
        fits = problem.status is ProblemStatus.SUSPECTED or problem.place.box.iou(detection.box) >= FITS
        follows = 1.0 if beside.whole else (PLACE_FOLLOWS if fits else 0.0)
        problem = replace(
            problem,
            label=detection.label if better else problem.label,
            place=Place(
                problem.place.box.moved_towards(detection.box, follows),
                self.size,
                detection.ground or problem.place.ground,
            ),
            first_seen=at if anew else problem.first_seen,
            last_seen=at,
            last_looked=at,
            looks=problem.looks + 1,
            sightings=problem.sightings + 1,
            best_score=max(problem.best_score, detection.score),
            recent=(True,) if anew else self._remembered(problem, True),
            missing_since=None,
            missed=0,
            allowed_by=None,
            count=detection.count,
            also=counted({} if anew else problem.also, problem.category, detection.box, self.said),
            model_version=self.look.model_version,
            rule=outcome.rule,
            codes=outcome.codes,
        )
        if unsure:
            return sighted(problem, policy, beside)
        if other_offence or _much_better(problem, at) or self._still_there(problem):
            return moved(problem, Trigger.CHANGED, at)
        return Change(problem)

    def _still_there(self, problem: Problem) -> bool:
        """Whether somebody asked, has not been told since, and the newest looks all see it."""
        asked = self.asked.get(problem.id)
        if asked is None or (problem.announced_at is not None and problem.announced_at > asked):
            return False
        newest = problem.recent[-self.category.confirmation.looks :]
        return all(newest) and self.look.at - asked >= CHECK_AFTER

    def _lately(self, problem: Problem) -> Sequence[bool]:
        return problem.recent[-self.category.confirmation.of :]

    def _remembered(self, problem: Problem, seen: bool) -> tuple[bool, ...]:
        return (*problem.recent, seen)[-max(REMEMBERED, self.category.confirmation.of) :]

    def _not_seen(self, problem: Problem, allowed_by: str | None) -> Change:
        """`allowed_by`: the rule by which what stands there is no case, when something does."""
        at, confirmation, clearing = self.look.at, self.category.confirmation, self.category.clearing
        since = problem.missing_since or at
        problem = replace(
            problem,
            last_looked=at,
            looks=problem.looks + 1,
            recent=self._remembered(problem, False),
            missing_since=since,
            missed=problem.missed + 1,
            allowed_by=allowed_by or problem.allowed_by,
        )
        if problem.status is ProblemStatus.SUSPECTED and problem.missed >= confirmation.of:
            return moved(problem, Trigger.FADED, at)
        needed = clearing.looks if problem.allowed_by else looks_needed(clearing, problem.recent)  # seen is no chance
        gone = problem.missed >= needed and at - since >= clearing.after
        if problem.status is ProblemStatus.OPEN and gone:
            return moved(problem, Trigger.ALLOWED if problem.allowed_by else Trigger.GONE, at)
        rejected = problem.status is ProblemStatus.DISMISSED
        return Change(replace(problem, cleared_at=at) if rejected and gone else problem)


def _much_better(problem: Problem, at: datetime) -> bool:
    return (
        problem.best_score >= problem.announced_score + UPDATE_GAIN
        and problem.announced_at is not None
        and at - problem.announced_at >= UPDATE_EVERY
    )
