"""Which kept looks are worth a person's time, and why.

    hard_negative   a person rejected what the model saw here
    relabelled      a person said it is something else
    confirmed       a person confirmed it
    flickering      seen, not seen, seen again at one place of a fixed camera (or the reverse), which tells of doubt
    near_threshold  a score within MARGIN of the label's threshold
    rare            holds a label that is asked for
Taken in this order until a camera's share of the day is used up; near-duplicates of what is taken already are left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from detector.core.detection import Detection
from detector.evidence.looks import KeptLook
from detector.training.evaluation.predict import read_picture
from detector.training.likeness import NEAR, Hash, perceptual_hash
from detector.training.mining.verdicts import Verdict, verdict_on

MARGIN = 0.1
PRE_LABEL = 0.5
"""A detection nobody judged becomes a pre-label from this share of its threshold: deleting a box is faster than
drawing it.
"""


class Why(StrEnum):
    """Reasons, in order of worth."""

    HARD_NEGATIVE = "hard_negative"
    RELABELLED = "relabelled"
    CONFIRMED = "confirmed"
    FLICKERING = "flickering"
    NEAR_THRESHOLD = "near_threshold"
    RARE = "rare"


_WORTH = {why: rank for rank, why in enumerate(Why)}


@dataclass(frozen=True, slots=True)
class Mined:
    """A look worth labelling."""

    look: KeptLook
    why: tuple[Why, ...]  # most worth first
    boxes: tuple[Detection, ...]  # pre-labels: judged as people judged, the rest as the model saw it


@dataclass(frozen=True, slots=True)
class MiningRules:
    """What is asked for."""

    thresholds: Mapping[str, float]  # label -> operating threshold; others are not looked at
    per_camera_day: int = 20
    rare: frozenset[str] = frozenset()
    gap: timedelta = timedelta(minutes=10)  # looks further apart say nothing about flickering
    near: int = NEAR  # bits that near-duplicates may differ in


def mine(looks: Sequence[KeptLook], verdicts: Sequence[Verdict], rules: MiningRules) -> list[Mined]:
    """Choose among `looks`; the result is in time order. Pictures are opened only of those that might be taken."""
    flickering = _flickering(looks, rules)
    candidates = [
        mined
        for index, look in enumerate(looks)
        if (mined := _judge(look, verdicts, rules, index in flickering)) is not None
    ]
    candidates.sort(key=lambda mined: (_WORTH[mined.why[0]], mined.look.at, mined.look.camera_id))
    taken: list[Mined] = []
    used: Counter[tuple[str, str]] = Counter()
    hashes: dict[str, list[Hash]] = defaultdict(list)
    for mined in candidates:
        share = (mined.look.camera_id, mined.look.at.date().isoformat())
        if used[share] >= rules.per_camera_day:
            continue
        mark = perceptual_hash(read_picture(mined.look.path))
        known = hashes[mined.look.camera_id]
        if any((mark ^ other).bit_count() <= rules.near for other in known) and not _speaks_for_itself(mined, taken):
            continue
        known.append(mark)
        used[share] += 1
        taken.append(mined)
    return sorted(taken, key=lambda mined: (mined.look.at, mined.look.camera_id))


def _speaks_for_itself(mined: Mined, taken: Sequence[Mined]) -> bool:
    """A fixed camera's pictures are all alike: a verdict of a kind and label not yet taken from it counts as news."""
    if _WORTH[mined.why[0]] > _WORTH[Why.CONFIRMED]:
        return False
    wanted = (mined.look.camera_id, mined.why[0], {item.label for item in mined.boxes})
    return wanted not in [(other.look.camera_id, other.why[0], {item.label for item in other.boxes}) for other in taken]


def _judge(look: KeptLook, verdicts: Sequence[Verdict], rules: MiningRules, flickers: bool) -> Mined | None:
    why: set[Why] = {Why.FLICKERING} if flickers else set()
    boxes: list[Detection] = []
    for item in look.detections:
        said = verdict_on(verdicts, look.camera_id, look.at, item)
        threshold = rules.thresholds.get(item.label)
        if said is not None and said.decision == "rejected":
            why.add(Why.HARD_NEGATIVE)
        elif said is not None and said.decision == "relabelled" and said.label_now:
            why.add(Why.RELABELLED)
            boxes.append(replace(item, label=said.label_now))
        elif said is not None:
            why.add(Why.CONFIRMED)
            boxes.append(item)
        elif threshold is not None:
            if abs(item.score - threshold) <= MARGIN:
                why.add(Why.NEAR_THRESHOLD)
            if item.label in rules.rare and item.score >= threshold - MARGIN:
                why.add(Why.RARE)
            if item.score >= PRE_LABEL * threshold:
                boxes.append(item)
    if not why:
        return None
    return Mined(look, tuple(sorted(why, key=_WORTH.__getitem__)), tuple(boxes))


def _flickering(looks: Sequence[KeptLook], rules: MiningRules) -> set[int]:
    """Looks that disagree with both their neighbours of the same camera about something at one place."""
    by_camera: dict[str, list[int]] = defaultdict(list)
    for index in sorted(range(len(looks)), key=lambda index: looks[index].at):
        by_camera[looks[index].camera_id].append(index)
    found: set[int] = set()
    for order in by_camera.values():
        for before, here, after in zip(order, order[1:], order[2:], strict=False):
            three = looks[before], looks[here], looks[after]
            if three[2].at - three[0].at <= rules.gap and _disagrees(*three, rules):
                found.add(here)
    return found


def _disagrees(before: KeptLook, here: KeptLook, after: KeptLook, rules: MiningRules) -> bool:
    for item in _sure(before, rules):
        if _there(after, item, rules) and not _there(here, item, rules):
            return True
    return any(not _there(before, item, rules) and not _there(after, item, rules) for item in _sure(here, rules))


def _sure(look: KeptLook, rules: MiningRules) -> Iterator[Detection]:
    for item in look.detections:
        if item.score >= rules.thresholds.get(item.label, 2.0):
            yield item


def _there(look: KeptLook, wanted: Detection, rules: MiningRules) -> bool:
    return any(item.label == wanted.label and item.box.iou(wanted.box) >= 0.5 for item in _sure(look, rules))
