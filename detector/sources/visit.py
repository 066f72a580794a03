"""A patrol visit (轮巡): open the camera's stream, take the first good picture, leave."""

from __future__ import annotations

import time

from detector.core.frame import Frame
from detector.errors import SourceError, SourceUnreadable
from detector.sources.container import shown
from detector.sources.options import Clock, StreamOptions, VisitOptions
from detector.sources.picture import small_grey, without_street
from detector.sources.video import VideoSource

TRIES = 3
"""Keyframes looked at in one visit. A decoder settles with the second; who is still plain then is covered or dark."""


def visit(url: str, camera_id: str, options: VisitOptions, clock: Clock) -> Frame:
    """Open, take one picture, close, whatever happens.

    Takes the first keyframe that decodes without damage and can show a street (not one colour, not half decoded, not
    the gateway's logo). If the first few cannot, the last of them is returned all the same: a covered lens is the
    camera's condition, not a failed visit, and is told by ConditionWatch.

    Raises SourceUnreachable as open_video does, and SourceUnreadable if no keyframe could be decoded in time.
    """
    started = time.monotonic()
    source = VideoSource(
        url,
        camera_id,
        StreamOptions(
            interval_s=0.0,
            open_timeout_s=options.open_timeout_s,
            read_timeout_s=options.read_timeout_s,
            no_picture_s=options.good_picture_s,
            max_width=options.max_width,
            max_clock_offset_s=options.max_clock_offset_s,
        ),
        clock,
        keyframes_only=True,
    )
    frame: Frame | None = None
    try:
        for _ in range(TRIES):
            try:
                found = source.read()
            except SourceError:
                if frame is None:
                    raise
                break  # a plain picture tells more of the camera than that the next one did not come
            if found is None:
                break
            frame = found
            if without_street(small_grey(frame.image), options.logos) is None:
                break
            if time.monotonic() - started > options.good_picture_s:
                break
    finally:
        source.close()
    if frame is None:
        raise SourceUnreadable(f"{shown(url)}: ended before a picture could be decoded")
    return frame
