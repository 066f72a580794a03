"""Why the rules decided as they did, in words: the steps that `RuleBook.decide` walks, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from detector.core.calendar import why_not
from detector.core.category import Category
from detector.core.rules import Effect, Outcome, Permit, Rule, RuleBook, Spot, Step
from detector.core.zones import WATCH, Zone


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was considered, and why it did or did not decide."""

    subject: str  # as in Outcome.rule, e.g. permit:night-market
    decided: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """An outcome and the way to it."""

    outcome: Outcome
    zones: tuple[str, ...]  # ids of the zones that the spot stands in and that concern the category
    reasons: tuple[Reason, ...]  # in the order considered; the last one decided


def explain(book: RuleBook, category: Category, spot: Spot, local: datetime) -> Explanation:
    """What `book.decide` says, and why; `local` is the time on the street's own clock."""
    steps = list(book.steps(category, spot, local))
    reasons = tuple(_reason(step, category, spot, local) for step in steps)
    here = tuple(zone.id for zone in book.zones_at(spot, category.id))
    outcome = steps[-1].outcome
    assert outcome is not None  # noqa: S101 - promised by `steps`
    return Explanation(outcome, here, reasons)


def _reason(step: Step, category: Category, spot: Spot, local: datetime) -> Reason:
    decided = step.outcome is not None
    match step.subject:
        case Zone() as zone:
            return Reason(f"zone:{zone.id}", decided, "stands in a zone to ignore")
        case Permit() as permit:
            return Reason(f"permit:{permit.id}", decided, _of_permit(permit, local))
        case Rule() as rule:
            why = _of_place(rule) if not step.place_fits else why_not(rule.windows, rule.validity, local)
            return Reason(f"rule:{rule.id}", decided, why or ("a case by this rule" if rule.case else "no case by it"))
        case Category() if decided and not step.place_fits:
            return Reason(f"needs:{category.needs}", True, _of_need(category.needs or "", spot))
        case Category():
            return Reason(f"category:{category.id}", True, "nothing speaks against it: a case under its usual code")
        case camera_id:
            words = "stands in an area to watch" if step.place_fits else "stands outside all areas to watch"
            return Reason(f"{WATCH}:{camera_id}", decided, words)


def _of_permit(permit: Permit, local: datetime) -> str:
    why = why_not(permit.windows, permit.validity, local)
    if why is not None:
        return why
    if permit.effect is Effect.BAN:
        return f"a ban holds now: permits of rank {permit.rank} and below do not count"
    return "holds now" + (f", for {permit.holder}" if permit.holder else "")


def _of_place(rule: Rule) -> str:
    wants = [f"inside {rule.inside}"] if rule.inside is not None else []
    wants += [f"outside {rule.outside}"] if rule.outside is not None else []
    return f"does not stand {' and '.join(wants)}"


def _of_need(need: str, spot: Spot) -> str:
    what, _, kind = need.partition(":")
    unknown = "" if spot.ground is not None else " (zones on the map count only where the position is known)"
    if what == "zone":
        return f"does not stand in a zone of kind {kind}{unknown}"
    return f"stands in a zone of kind {kind}, or none of that kind is known here{unknown}"
