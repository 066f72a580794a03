"""A verdict in the words of others: the detector, which is to be silent where it was wrong, and those who train it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from detector.core.event import event_id
from detector.core.stages import Move
from detector.desk.case import Case
from detector.desk.course import Details
from detector.desk.sources import Source

DECISIONS = {
    Move.FILED: "confirmed",
    Move.CONFIRMED: "confirmed",
    Move.REFUSED: "rejected",
    Move.REJECTED: "rejected",
    Move.RELABELLED: "relabelled",
    Move.MERGED: "merged",
    Move.SPLIT: "split",
}

MINED = ("confirmed", "rejected", "relabelled")
"""Decisions that say something about a picture."""


def verdict_told(case: Case, verdict_id: str, move: Move, details: Details, by: str, now: datetime) -> dict[str, Any]:
    """The facts at the moment of the verdict, as JSON; what becomes of the case later does not alter them."""
    ground = None if case.latitude is None else {"latitude": case.latitude, "longitude": case.longitude}
    return {
        "id": verdict_id,
        "at": now.isoformat(),
        "by": by,
        "decision": DECISIONS[move],
        "reason": details.reason,
        "category_now": details.category,
        "label_now": details.label,
        "merged_into": details.other_case,
        "note": details.note,
        "case_id": case.id,
        "problem_id": case.problem_id,
        "revision": case.revision,
        "category": case.told,
        "label": case.label,
        "camera_id": case.camera_id,
        "place": {"box": case.box, "frame_size": case.frame_size, "ground": ground},
        "first_seen": case.first_seen.isoformat(),
        "last_seen": case.last_seen.isoformat(),
        "score": case.score,
        "model_version": case.model_version,
        "automatic": case.automatic,
    }


def told_of_sources(
    case: Case, verdict_id: str, move: Move, by: str, details: Details, now: datetime
) -> Iterator[dict[str, Any]]:
    """The verdict as told about each source: every camera is to be silent, or right, about its own picture. A split of
    some sources is told about these.
    """
    for number, source in enumerate(case.sources):
        if details.problems and source.problem_id not in details.problems:
            continue  # a split says something about what is split off
        own = replace(
            case,
            told=source.category or case.told,
            problem_id=source.problem_id,
            camera_id=source.camera_id,
            camera_name=source.camera_name,
            label=source.label,
            box=source.box,
            frame_size=source.frame_size,
            latitude=source.latitude,
            longitude=source.longitude,
            score=source.score,
            model_version=source.model_version,
            first_seen=source.first_seen,
            last_seen=source.last_seen,
            revision=source.revision,
        )
        name = verdict_id if number == 0 else event_id("verdict of source", verdict_id, source.problem_id)
        yield verdict_told(own, name, *_of_its_name(case, source, move, details), by, now)


def _of_its_name(case: Case, source: Source, move: Move, details: Details) -> tuple[Move, Details]:
    """A verdict as it is about a source: what is right of one name is wrong of another that a camera gave the thing."""
    if move is Move.RELABELLED and source.category == details.category:
        return Move.CONFIRMED, replace(details, category=None, label=None)
    if move in (Move.FILED, Move.CONFIRMED) and source.category != case.category:
        named = next((other for other in case.sources if other.category == case.category), None)
        return Move.RELABELLED, replace(details, category=case.category, label=named.label if named else None)
    return move, details


def for_mining(told: Iterable[Mapping[str, Any]]) -> str:
    """Lines that `detector mine --verdicts` reads.

    Left out are verdicts about no picture (merged, split), those on a problem without box or label, and those that say
    what it is but not by a label of the model.
    """
    lines = []
    for one in told:
        place = one["place"]["box"]
        relabelled = one["decision"] == "relabelled"
        if one["decision"] not in MINED or place is None or one["label"] is None:
            continue
        if relabelled and one["label_now"] is None:
            continue
        line = {
            "camera": one["camera_id"],
            "label": one["label"],
            "box": list(place),
            "from": one["first_seen"],
            "to": one["last_seen"],
            "decision": one["decision"],
            **({"label_now": one["label_now"]} if relabelled else {}),
        }
        lines.append(json.dumps(line, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)
