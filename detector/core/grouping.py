"""Things that are a problem only when several stand together, such as heaps of shared bicycles."""

from __future__ import annotations

from collections.abc import Sequence

from detector.core.detection import BoundingBox, Detection

REACH = 1.0
"""Two things stand together when the gap between their boxes is at most this share of their size."""


def groups(detections: Sequence[Detection], at_least: int) -> list[Detection]:
    """Each group of `at_least` or more as one detection, groups linked from neighbour to neighbour.

    Its box is the one around all its members, in pixels as theirs; its score, label and ground are those of the member
    with the `at_least`-th best score: as many are at least that sure. In no order that matters.
    """
    found = []
    for members in _linked(detections):
        if len(members) < at_least:
            continue
        decisive = sorted(members, key=_by_score)[at_least - 1]
        box = _around([each.box for each in members])
        found.append(Detection(decisive.label, box, decisive.score, decisive.ground, len(members)))
    return found


def _linked(detections: Sequence[Detection]) -> list[list[Detection]]:
    left = sorted(detections, key=_by_score)
    linked: list[list[Detection]] = []
    while left:
        group, waiting = [], [left.pop(0)]
        while waiting:
            one = waiting.pop()
            group.append(one)
            near = [other for other in left if _together(one.box, other.box)]
            left = [other for other in left if not _together(one.box, other.box)]
            waiting += near
        linked.append(group)
    return linked


def _together(one: BoundingBox, other: BoundingBox) -> bool:
    across = max(one.left, other.left) - min(one.right, other.right)
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    size = (max(one.width, one.height) + max(other.width, other.height)) / 2
    return max(across, down) <= REACH * size


def _around(boxes: Sequence[BoundingBox]) -> BoundingBox:
    return BoundingBox(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _by_score(detection: Detection) -> tuple[float, str, float, float]:
    return -detection.score, detection.label, detection.box.left, detection.box.top
