"""How far a figure would move on other streets: bootstrap over groups.

Pictures of one camera, video or site are alike, so groups are resampled, not pictures (Efron's percentile interval on
clusters). The seed is fixed by the caller: the same data give the same interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.training.evaluation.matching import Floats, LabelMatches
from detector.training.evaluation.precision import average_precision


@dataclass(frozen=True, slots=True)
class Interval:
    """The middle 95 % of AP50 over bootstrap samples."""

    low: float
    high: float
    groups: int  # groups that were resampled: with fewer than about ten the interval is itself a guess


def group_weights(groups: Sequence[str], samples: int, seed: int) -> Floats:
    """(samples, P): how often each picture stands in each sample of groups drawn with replacement."""
    _, number = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    count = int(number.max()) + 1 if len(number) else 0
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=samples) if count else 0
    weights: Floats = np.asarray(draws, dtype=np.float64)[:, number] if count else np.zeros((samples, 0))
    return weights


def interval(matches: LabelMatches, groups: Sequence[str], samples: int, seed: int) -> Interval | None:
    """Interval of the label's AP50; None without an object. `groups` (P,): group of each picture given to `match`."""
    names = np.asarray(groups, dtype=object).astype(str)
    relevant = np.zeros(len(names), dtype=np.bool_)
    relevant[matches.picture] = True
    relevant |= matches.objects > 0
    if not matches.instances:
        return None
    values = sampled(matches, group_weights(list(names[relevant]), samples, seed), relevant)
    if not len(values):
        return None
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high), len(np.unique(names[relevant])))


def sampled(matches: LabelMatches, weights: Floats, relevant: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """AP50 of each bootstrap sample that holds an object; `weights` (S, R) for the R pictures where `relevant`
    (P,) is true.
    """
    full = np.zeros(len(matches.objects))
    values: list[float] = []
    for row in weights:
        full[relevant] = row
        value = average_precision(matches, 0, full)
        if value is not None:
            values.append(value)
    return np.asarray(values)
