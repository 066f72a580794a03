"""Pictures and words of events, and the desk that answers."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from detector.config import Settings
from detector.core.camera import Camera
from detector.core.category import Category
from detector.core.event import Event, ProblemEvent
from detector.core.frame import Frame
from detector.core.look import Look
from detector.core.problem import EventKind
from detector.delivery.cloudevent import cloud_event
from detector.delivery.desk_link import DeskLink
from detector.evidence.picture import Caption
from detector.evidence.recorder import EvidenceRecorder
from detector.worker.herald import Evidence, Picture, Words


def picture_by(recorder: EvidenceRecorder, public_url: str | None, language: str = "zh") -> Picture:
    """The function that keeps the picture of an event and returns its link (its path in the archive without a URL)."""
    prefix = "" if public_url is None else f"{public_url.rstrip('/')}/"

    def keep(event: ProblemEvent, look: Look, frame: Frame, camera: Camera | None, category: Category | None) -> str:
        problem = event.problem
        gone = event.kind is EventKind.CLEARED
        names = {} if category is None else category.names
        caption = Caption(
            category_id=problem.category,
            category_name=names.get(language) or names.get("en") or problem.category,
            label=problem.label,
            score=None if gone else problem.best_score,
            camera_id=look.camera_id,
            camera_name=look.camera_id if camera is None else camera.name,
            at=frame.captured_at,
            timezone=ZoneInfo("UTC" if camera is None else camera.timezone),
        )
        return prefix + recorder.record(event.id, frame.image, look.detections, problem.place.box, caption)

    return keep


def words_of(site: str) -> Words:
    """The function that writes an event down as the CloudEvents document of installation `site`."""

    def written(event: Event, evidence: Evidence, camera: Camera | None, category: Category | None) -> bytes:
        return cloud_event(
            event,
            source=site,
            category=category,
            camera=camera,
            evidence_url=evidence.url,
            evidence_reason=evidence.reason,
        )

    return written


def desk_link_of(settings: Settings) -> DeskLink | None:
    """The desk that is asked for verdicts and checks, or None."""
    desk = settings.desk
    if desk.url is None:
        return None
    token = None if desk.token is None else desk.token.get_secret_value()
    return DeskLink(desk.url.get_secret_value(), token)


def keep_events_for(settings: Settings) -> timedelta:
    """How long settled events stay replayable: as long as their pictures."""
    return timedelta(days=settings.evidence.keep_days)
