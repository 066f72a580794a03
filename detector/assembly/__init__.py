"""Configuration to live objects: the only place that knows every adapter."""

from detector.assembly.cameras import Lenses, Places, cameras_of, logos_of, refuse_without_cameras
from detector.assembly.judging import (
    Daylight,
    RulesOfLook,
    categories_of,
    decided_by,
    judged_with,
    judging_by,
    open_model,
    prepared_by,
)
from detector.assembly.memories import Memories
from detector.assembly.outlets import Outlets
from detector.assembly.reloading import tell_what_waits
from detector.assembly.surroundings import default_worker_id, new_id, open_store_of, utc_now
from detector.assembly.telling import desk_link_of, keep_events_for, picture_by, words_of
from detector.assembly.watching import facts_of, gauges_of

__all__ = [
    "Daylight",
    "Lenses",
    "Memories",
    "Outlets",
    "Places",
    "RulesOfLook",
    "cameras_of",
    "categories_of",
    "decided_by",
    "default_worker_id",
    "desk_link_of",
    "facts_of",
    "gauges_of",
    "judged_with",
    "judging_by",
    "keep_events_for",
    "logos_of",
    "new_id",
    "open_model",
    "open_store_of",
    "picture_by",
    "prepared_by",
    "refuse_without_cameras",
    "tell_what_waits",
    "utc_now",
    "words_of",
]
