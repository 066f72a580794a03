"""From an event of the core to the bytes that are sent."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Literal

from detector.core.camera import Camera
from detector.core.category import Category, Doubt, OnLeaving
from detector.core.detection import BoundingBox
from detector.core.event import CameraHealthEvent, CaseEvent, DetectionEvent, Event, LateCase, ProblemEvent, type_of
from detector.core.geo import GeoPoint
from detector.core.problem import Place, Problem, ProblemStatus
from detector.core.secrets import one_line
from detector.delivery import wire
from detector.errors import DeliveryError

log = logging.getLogger(__name__)

DEFAULT_SOURCE = "urn:street-detector"


def cloud_event(
    event: Event,
    *,
    source: str = DEFAULT_SOURCE,
    category: Category | None = None,
    camera: Camera | None = None,
    evidence_url: str | None = None,
    evidence_reason: str | None = None,
    note: str | None = None,
) -> bytes:
    """Encode an event as a CloudEvents 1.0 JSON document in UTF-8.

    source: URI reference of this installation; with the event's id it is unique.
    category: the problem's category as configured; without it names are missing and a person must look.
    note: what a person wrote about the problem.

    Should overlong configured names make the document exceed 64 KiB, it goes without them: the case matters more.
    Raises DeliveryError when it is too big even so.
    """
    body = _built(event, source, category, camera, evidence_url, evidence_reason, note).model_dump_json().encode()
    if len(body) <= wire.LARGEST:
        return body
    log.warning("too big with its names, sent without them", extra={"event_id": event.id})
    nameless = None if category is None else replace(category, names={})
    body = _built(event, source, nameless, None, evidence_url, evidence_reason, note).model_dump_json().encode()
    if len(body) > wire.LARGEST:
        raise DeliveryError(f"event {event.id} has {len(body)} bytes, more than {wire.LARGEST}")
    return body


def subject_of(event: Event) -> str:
    """The thing whose events keep their order: a problem, or a camera."""
    match event:
        case ProblemEvent():
            return event.problem.id
        case CaseEvent():
            return event.case.problem_id
        case _:
            return event.camera_id


def _built(
    event: Event,
    source: str,
    category: Category | None,
    camera: Camera | None,
    evidence_url: str | None,
    evidence_reason: str | None,
    note: str | None,
) -> wire.CloudEvent:
    where = None if camera is None else _camera(camera)
    short_type = type_of(event)
    id_, subject, time, schema = event.id, subject_of(event), event.occurred_at, wire.schema_id(short_type)
    match event:
        case ProblemEvent():
            if evidence_url is None and evidence_reason is None:
                evidence_reason = "no picture was made"
            evidence = wire.Evidence(url=evidence_url, reason=_line(evidence_reason))
            problem_data = _problem(event, category, where, evidence, note)
            model = wire.PROBLEM_EVENTS[event.kind]
            return model(id=id_, source=source, subject=subject, time=time, dataschema=schema, data=problem_data)
        case CameraHealthEvent():
            health = wire.CameraHealthData(
                camera_id=event.camera_id,
                camera=where,
                status=event.status,
                previous=event.previous,
                reason=_line(event.reason),
            )
            return wire.CameraHealth(id=id_, source=source, subject=subject, time=time, dataschema=schema, data=health)
        case DetectionEvent():
            found = event.detection
            detection = wire.DetectionData(
                camera_id=event.camera_id,
                camera=where,
                label=found.label,
                score=_score(found.score),
                place=_place(Place(found.box, event.frame_size, found.ground)),
                model_version=event.model_version,
            )
            return wire.DetectionObserved(
                id=id_, source=source, subject=subject, time=time, dataschema=schema, data=detection
            )
        case CaseEvent():
            case_data = _case(event.case, category, where)
            kind = wire.CASE_EVENTS[event.kind]
            return kind(id=id_, source=source, subject=subject, time=time, dataschema=schema, data=case_data)


def _case(case: LateCase, category: Category | None, camera: wire.CameraData | None) -> wire.CaseData:
    return wire.CaseData(
        case_id=case.case_id,
        problem_id=case.problem_id,
        status="open",
        stage=case.stage,
        category=case.category,
        category_names={} if category is None else dict(category.names),
        codes=dict(case.codes) or ({} if category is None else dict(category.codes)),
        camera_id=case.camera_id,
        camera=camera,
        district=case.district,
        street=case.street,
        department=_line(case.department),
        department_code=case.department_code,
        dispatched_at=case.dispatched_at,
        due_at=case.due_at,
        escalated=case.escalated,
        escalated_to=_line(case.escalated_to),
        escalated_at=case.escalated_at,
    )


def _problem(
    event: ProblemEvent,
    category: Category | None,
    camera: wire.CameraData | None,
    evidence: wire.Evidence,
    note: str | None,
) -> wire.ProblemData:
    problem = event.problem
    configured = {} if category is None else dict(category.codes)
    doubts = (Doubt.ALWAYS,) if category is None else category.doubts(problem.label)
    return wire.ProblemData(
        problem_id=problem.id,
        revision=problem.revision,
        status=problem.status,
        category=problem.category,
        category_names={} if category is None else dict(category.names),
        codes=dict(problem.codes) or configured,
        rule=problem.rule,
        label=problem.label,
        camera_id=problem.camera_id,
        camera=camera,
        place=_place(problem.place),
        first_seen=problem.first_seen,
        last_seen=problem.last_seen,
        opened_at=problem.opened_at,
        cleared_at=problem.cleared_at,
        cleared_reason=_cleared_reason(problem, category),
        cleared_rule=problem.allowed_by if problem.status is ProblemStatus.CLEARED else None,
        reopened=problem.reopened,
        score=_score(problem.best_score),
        looks=problem.looks,
        sightings=problem.sightings,
        count=problem.count,
        also=dict(problem.also),
        model_version=problem.model_version,
        review=bool(doubts),
        review_because=list(doubts),
        note=_line(note),
        evidence=evidence,
    )


def _cleared_reason(problem: Problem, category: Category | None) -> Literal["gone", "left", "allowed"] | None:
    if problem.status is not ProblemStatus.CLEARED:
        return None
    if problem.allowed_by is not None:
        return "allowed"
    kept = category is not None and category.clearing.on_leaving is OnLeaving.KEEP_CASE
    return "left" if kept else "gone"


def _place(place: Place) -> wire.PlaceData:
    width, height = place.frame_size
    return wire.PlaceData(
        box=_box(place.box), frame_size=wire.FrameSize(width=width, height=height), ground=_ground(place.ground)
    )


def _box(box: BoundingBox) -> wire.Box:
    # a hundredth of a pixel is finer than any model is
    left, top, right, bottom = (round(float(edge), 2) for edge in (box.left, box.top, box.right, box.bottom))
    return wire.Box(left=left, top=top, right=right, bottom=bottom)


def _ground(point: GeoPoint | None) -> wire.Ground | None:
    if point is None:
        return None
    error = None if point.error_m is None else round(point.error_m, 1)
    return wire.Ground(latitude=point.latitude, longitude=point.longitude, error_m=error)


def _camera(camera: Camera) -> wire.CameraData:
    return wire.CameraData(
        name=camera.name or None, district=camera.district or None, position=_ground(camera.position)
    )


def _score(score: float) -> float:
    return round(min(1.0, max(0.0, float(score))), 4)


def _line(text: str | None) -> str | None:
    return None if text is None else one_line(text)
