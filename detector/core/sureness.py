"""From which score on a category may be dispatched without a person: what past verdicts prove.

Wanted is the lowest score above which the share of right alarms is at least the target, not as it happened to come out
but with confidence: the lower end of Wilson's interval (E. B. Wilson, JASA 22, 1927) must reach the target. As several
scores are tried, each is tried with its share of the allowed error (Bonferroni), so that the confidence holds for
whichever is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import inf, sqrt
from statistics import NormalDist

STEPS: tuple[float, ...] = tuple(step / 20 for step in range(19, 5, -1))
"""Scores that are tried: 0.95, 0.90, ... 0.30."""

BAND = 5
"""Fewer verdicts than this between two steps say nothing about the lower one."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An alarm on which a person has passed a verdict."""

    score: float  # best score when it was judged, 0..1
    right: bool  # it was what the detector said


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of automatic dispatch."""

    target: float = 0.9  # share of right ones among what is dispatched
    confidence: float = 0.95  # that the share is really reached
    least: int = 30  # verdicts without which nothing is concluded and the configured threshold holds


class Basis(StrEnum):
    """Where a threshold comes from."""

    VERDICTS = "verdicts"
    DEFAULT = "default"  # too few verdicts: the configured one
    UNDECIDED = (
        "undecided"  # verdicts that do not prove the target yet, and do not speak against it: the configured one
    )
    UNPROVEN = "unproven"  # verdicts enough, and no score at which they prove the target
    OFF = "off"  # nothing is dispatched without a person


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which score on the desk dispatches by itself."""

    score: float | None  # None: never
    basis: Basis
    verdicts: int = 0  # all verdicts that were looked at
    proven: float | None = None  # lower end of the precision at `score`, where it comes from verdicts

    def reached(self, score: float | None) -> bool:
        """Whether an alarm of that score is sure enough."""
        return self.score is not None and score is not None and score >= self.score


def lower_bound(right: int, total: int, confidence: float) -> float:
    """Wilson's one-sided lower bound of a share of which `right` of `total` were seen; 0 for none."""
    if total == 0:
        return 0.0
    z = NormalDist().inv_cdf(confidence)
    share, weight = right / total, z * z / total
    return max(0.0, (share + weight / 2 - z * sqrt(share * (1 - share) / total + weight / (4 * total))) / (1 + weight))


def fit(judged: Iterable[Judged], demand: Demand, default: float | None, steps: Sequence[float] = STEPS) -> Threshold:
    """The lowest of `steps` at which the verdicts prove the target.

    A step counts only with verdicts of its own, BAND of them between it and the next higher one, of which the target
    share is right: many good alarms further up prove nothing about a score of which nothing, or nothing good, is known.
    With fewer than `demand.least` verdicts it is `default`, and when that is None the category is off whatever the
    verdicts. With enough verdicts and no step that is proven it stays `default` as long as the target share of those
    from there up is right: a proof of 0.9 takes 66 verdicts without a mistake and some 150 with the usual few, and a
    record that is good so far must not be punished for being short. Where it is not good, nothing is dispatched: what
    is known to be bad does not fall back to what was hoped.
    """
    known = list(judged)
    if default is None:
        return Threshold(None, Basis.OFF, len(known))
    if len(known) < demand.least:
        return Threshold(default, Basis.DEFAULT, len(known))
    each = 1 - (1 - demand.confidence) / len(steps)
    best: tuple[float, float] | None = None
    for upper, step in pairwise([inf, *sorted(steps, reverse=True)]):
        band = [one.right for one in known if step <= one.score < upper]
        above = [one.right for one in known if one.score >= step]
        bound = lower_bound(sum(above), len(above), each)
        if len(band) >= BAND and sum(band) >= demand.target * len(band) and bound >= demand.target:
            best = step, bound
    if best is None:
        sent = [one.right for one in known if one.score >= default]
        if len(sent) >= BAND and sum(sent) >= demand.target * len(sent):
            return Threshold(default, Basis.UNDECIDED, len(known))
        return Threshold(None, Basis.UNPROVEN, len(known))
    return Threshold(best[0], Basis.VERDICTS, len(known), best[1])
