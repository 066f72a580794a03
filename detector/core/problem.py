"""A problem in the street and the one table by which its status moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from detector.core.detection import BoundingBox
from detector.core.geo import GeoPoint


class ProblemStatus(StrEnum):
    """Where a problem stands in its life."""

    SUSPECTED = "suspected"  # seen, not yet sure
    OPEN = "open"  # confirmed; somebody should act
    CLEARED = "cleared"  # seen to be gone, or to be no case any more
    DISMISSED = "dismissed"  # was none: never confirmed, or a person said so


class Trigger(StrEnum):
    """What can happen to a problem."""

    CONFIRMED = "confirmed"  # seen often and long enough
    FADED = "faded"  # a suspicion that was not seen again
    CHANGED = "changed"  # still there, and the dispatcher should know more
    GONE = "gone"  # not seen in enough ok looks over enough time
    ALLOWED = "allowed"  # the same, but what was last seen there was no case: a permit began, a zone or rule changed
    RETURNED = "returned"  # confirmed anew at the place where it had been cleared
    REJECTED = "rejected"  # a person says it is no problem


class EventKind(StrEnum):
    """What the dispatch system is told."""

    OPENED = "opened"
    UPDATED = "updated"
    CLEARED = "cleared"
    DISMISSED = "dismissed"
    REOPENED = "reopened"


TRANSITIONS: dict[tuple[ProblemStatus, Trigger], tuple[ProblemStatus, EventKind | None]] = {
    (ProblemStatus.SUSPECTED, Trigger.CONFIRMED): (ProblemStatus.OPEN, EventKind.OPENED),
    (ProblemStatus.SUSPECTED, Trigger.FADED): (ProblemStatus.DISMISSED, None),
    (ProblemStatus.SUSPECTED, Trigger.REJECTED): (ProblemStatus.DISMISSED, None),
    (ProblemStatus.OPEN, Trigger.CHANGED): (ProblemStatus.OPEN, EventKind.UPDATED),
    (ProblemStatus.OPEN, Trigger.GONE): (ProblemStatus.CLEARED, EventKind.CLEARED),
    (ProblemStatus.OPEN, Trigger.ALLOWED): (ProblemStatus.CLEARED, EventKind.CLEARED),
    (ProblemStatus.OPEN, Trigger.REJECTED): (ProblemStatus.DISMISSED, EventKind.DISMISSED),
    (ProblemStatus.CLEARED, Trigger.RETURNED): (ProblemStatus.OPEN, EventKind.REOPENED),
    (ProblemStatus.CLEARED, Trigger.REJECTED): (ProblemStatus.DISMISSED, EventKind.DISMISSED),
}
"""(status, trigger) -> (new status, event to send or None). An edge that is not here does not exist."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a problem is: in the picture always, on the ground where the camera is placed on the map."""

    box: BoundingBox  # pixels of the original frame
    frame_size: tuple[int, int]  # (width, height) of that frame, pixels
    ground: GeoPoint | None = None
    width_m: float | None = None  # how wide the thing is, metres, where a moving camera could tell

    def at(self, size: tuple[int, int]) -> Place:
        """The same place in a frame of `size` (width, height), pixels: a camera may send its view in another size."""
        if size == self.frame_size:
            return self
        across, down = size[0] / self.frame_size[0], size[1] / self.frame_size[1]
        box = self.box
        scaled = BoundingBox(box.left * across, box.top * down, box.right * across, box.bottom * down)
        return replace(self, box=scaled, frame_size=size)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at one place, over time. All times are capture times, aware UTC."""

    id: str
    category: str
    label: str  # model label of the best sighting
    camera_id: str
    place: Place
    status: ProblemStatus
    first_seen: datetime  # start of the present suspicion or case
    last_seen: datetime
    last_looked: datetime  # newest ok look that judged it
    looks: int  # ok looks that judged it
    sightings: int  # ok looks that saw it
    best_score: float
    recent: tuple[bool, ...] = ()  # newest last: seen or not in the latest ok looks
    missing_since: datetime | None = None  # first ok look of the present run without it
    missed: int = 0  # ok looks in that run
    opened_at: datetime | None = None
    cleared_at: datetime | None = None
    reopened: int = 0  # times it came back
    revision: int = 0  # number of events sent about it
    announced_at: datetime | None = None  # capture time of the newest event
    announced_score: float = 0.0  # best_score at that event
    model_version: str | None = None  # model of the newest sighting
    rule: str = ""  # what made it a case, e.g. category:street_stall, rule:vending-outside-hours
    codes: Mapping[str, str] = field(default_factory=dict)  # standard version -> code under which it is a case
    allowed_by: str | None = None  # what is or was seen there since it counts as not seen was no case, by this rule
    count: int = 1  # things that stood together in the newest sighting, of categories that ask for several
    out_of_view: bool = False  # its camera has been turned: nothing that is seen says whether it is still there
    also: Mapping[str, int] = field(default_factory=dict)  # other category that the model gave it -> sightings with it
    silent_until: datetime | None = None  # rejected by a person: what is seen there until then is the same false alarm


def next_status(status: ProblemStatus, trigger: Trigger) -> tuple[ProblemStatus, EventKind | None]:
    """Look the move up in TRANSITIONS.

    Raises ValueError when there is no such edge.
    """
    try:
        return TRANSITIONS[status, trigger]
    except KeyError:
        raise ValueError(f"a problem that is {status.value} cannot be {trigger.value}") from None
