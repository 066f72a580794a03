"""What a single photo shows, and the one problem that it may open.

A photo is one look of a camera that exists for this look only, `photo:<id>`. It goes the way of all looks: detections,
thresholds, rules and permits at the photo's place and time, the table of the life cycle, an event in the outbox. What
differs is the confirmation, one look instead of several over some minutes, and therefore every such problem asks for a
person (`review`). Nobody looks there again by itself, so it is never seen to be gone: it ends in the dispatch system.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from detector.core.category import Category, ConfirmationPolicy
from detector.core.detection import Detection
from detector.core.event import Event, event_id
from detector.core.frame import Frame
from detector.core.geo import GeoPoint
from detector.core.judging import Change, Decide, judge
from detector.core.look import Look, LookStatus
from detector.core.problem import Place, Problem
from detector.core.rules import Outcome
from detector.core.several import several
from detector.errors import PhotoRefused
from detector.intake.photo import read_photo
from detector.ports import Detector
from detector.sources.picture import is_dark, small_grey, without_street
from detector.store import OutboxEntry, Store
from detector.store.nearby import open_near, silenced_near

CAMERA = "photo:"
"""Camera ids that begin so belong to photos."""

AHEAD = timedelta(minutes=10)
"""By so much the clock of a phone may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody sent."""

    photo: bytes = field(repr=False)
    position: GeoPoint  # where the phone was: the problem is near
    taken_at: datetime  # aware
    note: str = ""
    category: str | None = None  # what the reporter takes it for
    open_case: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """An open problem that a photo shows once more."""

    problem: Problem
    distance_m: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A category that the photo shows, and what would become of it."""

    category: Category
    best: Detection
    outcome: Outcome
    known: Known | None  # the problem is open already


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a report."""

    photo_id: str
    look: Look
    suggestions: tuple[Suggestion, ...]  # best score first
    opened: Problem | None = None
    entries: tuple[OutboxEntry, ...] = ()
    reason: str | None = None  # why there is no case although one was asked for


Tell = Callable[[Sequence[Event], Look, Frame, Report], list[OutboxEntry]]
"""Keeps the redacted picture and writes the events down for whoever wants them."""


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """What photos are judged by."""

    max_pixels: int
    same_within_m: float
    remember: timedelta  # how long a problem known from photos alone counts as the same
    oldest: timedelta  # photo that is accepted


class Intake:
    """Judges photos. Thread-safe; one per database, since two could open the same problem twice."""

    def __init__(
        self,
        model: Callable[[], Detector],
        store: Store,
        categories: Callable[[], Mapping[str, Category]],
        decide: Callable[[Look], Decide],
        tell: Tell,
        rules: IntakeRules,
        clock: Callable[[], datetime],
    ) -> None:
        self._model, self._store, self._categories, self._decide = model, store, categories, decide
        self._tell, self._rules, self._clock = tell, rules, clock
        self._seeing = threading.Lock()  # decoding and detecting, one at a time: they need memory and all cores
        self._opening = threading.Lock()

    def take(self, report: Report) -> Judged:
        """Judge a report and open a case if it asks for one. Raises PhotoRefused, DetectorError, StoreError."""
        self._refuse_wrong_times(report)
        if report.category is not None and report.category not in self._categories():
            raise PhotoRefused(422, f"category: there is no {report.category}")
        frame, look = self._look(report)
        photo_id = look.camera_id.removeprefix(CAMERA)
        suggestions = self._suggestions(look, report)
        judged = Judged(photo_id, look, suggestions)
        if not report.open_case:
            return judged
        wanted = [one for one in suggestions if report.category in (None, one.category.id)]
        if not wanted:
            return replace(judged, reason=look.reason or "nothing of that kind was recognised")
        with self._opening:
            return self._open(judged, frame, wanted[0], report)

    def _refuse_wrong_times(self, report: Report) -> None:
        age = self._clock() - report.taken_at
        if age < -AHEAD:
            raise PhotoRefused(422, "taken_at: lies in the future")
        if age > self._rules.oldest:
            raise PhotoRefused(422, f"taken_at: more than {self._rules.oldest.days} days ago")

    def _look(self, report: Report) -> tuple[Frame, Look]:
        with self._seeing:
            image = read_photo(report.photo, self._rules.max_pixels)
        camera_id = CAMERA + event_id("photo", hashlib.sha256(report.photo).hexdigest())
        frame = Frame(camera_id, report.taken_at, image)
        grey = small_grey(image)
        if is_dark(grey):
            return frame, Look(camera_id, report.taken_at, LookStatus.DARK, reason="too little light to see by")
        nothing = without_street(grey)
        if nothing is not None:
            return frame, Look(camera_id, report.taken_at, LookStatus.COVERED, reason=nothing)
        model = self._model()
        with self._seeing:
            [found] = model.detect([image])
        placed = tuple(replace(one, ground=report.position) for one in found)
        version = model.model_version
        look = Look(camera_id, report.taken_at, LookStatus.OK, placed, model_version=version, size=frame.size)
        return frame, look

    def _suggestions(self, look: Look, report: Report) -> tuple[Suggestion, ...]:
        decide, found = self._decide(look), []
        for category in self._categories().values():
            seen = [
                one
                for one in look.detections
                if one.label in category.labels and one.score >= category.score_needed(one.label, known=False)
            ]
            if not seen or look.size is None:
                continue
            best, outcome = _shown(category, seen, look.size, decide)
            found.append(Suggestion(category, best, outcome, self._known(category, report)))
        return tuple(sorted(found, key=lambda one: (not one.outcome.case, -one.best.score, one.category.id)))

    def _known(self, category: Category, report: Report) -> Known | None:
        """The nearest open problem of the category, if it is near enough to be the same."""
        for distance, problem in open_near(self._store, report.position, self._rules.same_within_m, [category.id]):
            of_photos = problem.camera_id.startswith(CAMERA)
            if not of_photos or abs(report.taken_at - problem.last_seen) <= self._rules.remember:
                return Known(problem, distance)
        return None

    def _rejected(self, category: Category, report: Report) -> bool:
        """Whether a person has rejected what a photo showed here, and that still holds.

        A false alarm of a camera is one spot of its view; taken for the whole neighbourhood it would silence too much.
        """
        near = silenced_near(self._store, report.position, self._rules.same_within_m, [category.id], report.taken_at)
        return any(problem.camera_id.startswith(CAMERA) for _, problem in near)

    def _open(self, judged: Judged, frame: Frame, suggestion: Suggestion, report: Report) -> Judged:
        problem_id = event_id(judged.photo_id, suggestion.category.id)
        before = self._store.problem(problem_id)
        if before is not None:
            return replace(judged, reason=f"this very photo was sent before: problem {before.id}")
        known = self._known(suggestion.category, report)  # another report may have come in between
        if known is not None:
            reason = f"known already, {known.distance_m:.0f} m away: problem {known.problem.id}"
            return replace(judged, reason=reason)
        if self._rejected(suggestion.category, report):
            return replace(judged, reason="a person has looked at such a photo of this place and rejected it")
        if not suggestion.outcome.case:
            return replace(judged, reason=f"no case here and now: {suggestion.outcome.rule}")
        change = self._opened(judged.look, suggestion, problem_id)
        if change is None or change.event is None:
            return replace(judged, reason="not sure enough")
        entries = self._tell([change.event], judged.look, frame, report)
        self._store.record(self._clock(), [change.problem], entries)
        return replace(judged, opened=change.problem, entries=tuple(entries))

    def _opened(self, look: Look, suggestion: Suggestion, problem_id: str) -> Change | None:
        """The life cycle's own answer to one look that is enough."""
        policy = suggestion.category.confirmation
        at_once = ConfirmationPolicy(policy.min_score, policy.keep_score, 1, 1, timedelta(0), policy.forget_after)
        category = replace(suggestion.category, confirmation=at_once, at_least=1)  # a group was made one already
        alone = replace(look, detections=(suggestion.best,))
        changes = judge(alone, [], {category.id: category}, lambda: problem_id, lambda *_: suggestion.outcome)
        return changes[0] if changes else None


def _shown(
    category: Category, seen: Sequence[Detection], size: tuple[int, int], decide: Decide
) -> tuple[Detection, Outcome]:
    """The surest thing of a category, or group of things where it asks for several, and whether that is a case."""

    def outcome_of(thing: Detection) -> Outcome:
        return decide(category, Place(thing.box, size, thing.ground))

    best = max(seen, key=lambda one: one.score)
    if category.at_least == 1:
        return best, outcome_of(best)
    together = several(seen, category.at_least, outcome_of)
    if not together.groups:
        alone = outcome_of(best)
        return best, Outcome(False, f"at_least:{category.at_least}") if alone.case else alone
    return max(zip(together.groups, together.outcomes, strict=True), key=lambda pair: pair[0].score)
