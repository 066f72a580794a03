"""Configuration to live objects: the only place that knows every adapter."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from detector.config import CameraSettings, Settings, load_categories, load_settings
from detector.config.cameras import marks_of
from detector.config.values import scheme_of
from detector.core.camera import Camera, SamplingMode
from detector.core.category import Category
from detector.core.detection import Detection
from detector.core.event import Event, ProblemEvent
from detector.core.frame import Frame
from detector.core.ground import GroundPlane
from detector.core.judging import Decide
from detector.core.look import Condition, Look, LookStatus
from detector.core.problem import EventKind, Place
from detector.core.rules import Outcome, RuleBook, spot_of
from detector.delivery.attachment import pictures_of
from detector.delivery.cloudevent import cloud_event
from detector.delivery.desk_link import DeskLink
from detector.delivery.sinks import Tools
from detector.errors import ConfigError
from detector.evidence.archive import Archive
from detector.evidence.picture import Caption
from detector.evidence.recorder import EvidenceRecorder
from detector.inference.open import open_detector
from detector.inference.swap import HotSwap
from detector.inference.yolo import YoloDetector
from detector.ports import FrameSource
from detector.sources.condition import ConditionOptions, ConditionWatch
from detector.sources.options import StreamOptions, VisitOptions
from detector.sources.pictures import PictureFolder
from detector.sources.video import open_video
from detector.sources.visit import visit
from detector.store import Store, open_store
from detector.store.receipts import Receipts
from detector.worker.herald import Evidence, Picture, Words
from detector.worker.reader import Judgement


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def new_id() -> str:
    """A random id for a new suspicion."""
    return str(uuid4())


def default_worker_id() -> str:
    """The host's name: the same after a restart, so that a worker finds its own cameras and claims again."""
    return socket.gethostname() or f"worker-{os.getpid()}"


@contextmanager
def open_store_of(config: Path) -> Iterator[Store]:
    """The store that a settings file names, for as long as the block lasts."""
    store = open_store(load_settings(config).database)
    try:
        yield store
    finally:
        store.close()


# --- cameras -----------------------------------------------------------------------------------------------------


def cameras_of(settings: Settings) -> dict[str, Camera]:
    """The cameras to look at, by id; disabled ones are left out."""
    return {camera.id: _camera(settings, camera) for camera in settings.cameras if camera.enabled}


def _camera(settings: Settings, camera: CameraSettings) -> Camera:
    plan = settings.plan(camera)
    url = camera.url.get_secret_value()
    interval = plan.interval if plan.mode == "stream" else plan.period
    return Camera(
        id=camera.id,
        url=url,
        name=camera.title,
        mode=SamplingMode(plan.mode),
        interval_s=interval.total_seconds(),
        timezone=settings.timezone_of(camera),
        position=camera.position,
        district=camera.district or "",
        marks=marks_of(camera.ground),
        realtime=scheme_of(url) is not None,
        started_at=moment_at(camera.started_at, settings.timezone_of(camera)),
    )


def moment_at(moment: datetime | None, timezone: str) -> datetime | None:
    """A moment as written: on the clock of `timezone` unless it names an offset."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=ZoneInfo(timezone))


class Lenses:
    """How cameras are opened, by the timeouts of the settings."""

    def __init__(self, settings: Settings) -> None:
        sampling = settings.sampling
        self._open_s = sampling.open_timeout.total_seconds()
        self._read_s = sampling.read_timeout.total_seconds()
        self._max_age_s = sampling.max_age.total_seconds()

    def open(self, camera: Camera) -> FrameSource:
        """Open a camera for `stream` sampling; folders of pictures and files are read in order."""
        if Path(camera.url).is_dir():
            return PictureFolder(Path(camera.url), camera.id, zone=ZoneInfo(camera.timezone))
        options = StreamOptions(
            interval_s=camera.interval_s,
            open_timeout_s=self._open_s,
            read_timeout_s=self._read_s,
            realtime=camera.realtime,
            started_at=camera.started_at,
        )
        return open_video(camera.url, camera.id, options, utc_now)

    def visit(self, camera: Camera) -> Frame:
        """One picture for `patrol` sampling."""
        return visit(camera.url, camera.id, VisitOptions(self._open_s, self._read_s), utc_now)

    def condition(self, camera: Camera) -> Judgement:
        """A fresh judge of one camera's condition; pictures of files have no age and cannot be frozen by it."""
        live = camera.realtime
        frozen_s = max(60.0, 4 * camera.interval_s)
        options = ConditionOptions(
            max_age_s=max(self._max_age_s, 2 * camera.interval_s) if live else None,
            frozen_after_s=frozen_s,
            still_after_s=max(600.0, 10 * frozen_s),
        )
        watch = ConditionWatch(options, utc_now)

        def judged(frame: Frame) -> Condition:
            views = watch.views_learnt
            status, reason = watch.judge(frame)
            if watch.views_learnt > views:
                return Condition(LookStatus.MOVED, "this view is the normal one from now on", new_view=True)
            return Condition(status, reason)

        return judged


class Places:
    """Gives detections their place on the ground, for cameras whose picture has been matched with the map."""

    def __init__(self, cameras: Mapping[str, Camera]) -> None:
        self._planes = {camera.id: GroundPlane(camera.marks) for camera in cameras.values() if camera.marks}

    def __call__(self, frame: Frame, detections: Sequence[Detection]) -> tuple[Detection, ...]:
        """The detections of a frame, with their ground points."""
        plane = self._planes.get(frame.camera_id)
        if plane is None:
            return tuple(detections)
        width, height = frame.size
        feet = ((detection, detection.box.foot) for detection in detections)
        return tuple(replace(d, ground=plane.ground_of((x / width, y / height))) for d, (x, y) in feet)


# --- what is judged, and by what ---------------------------------------------------------------------------------


def open_model(settings: Settings) -> HotSwap:
    """The model of the settings, checked and self-tested, ready to be exchanged while it works."""
    model = settings.model

    def opened(path: Path) -> YoloDetector:
        size = None if model.input_size is None else (model.input_size, model.input_size)
        return open_detector(path, model.backend, provider=model.provider, threads=model.threads, input_size=size)

    return HotSwap(opened(model.path), opened)


POOR_AP50 = 0.3
"""A label below this is more often wrong than right at any threshold that still finds something."""


def judged_by(categories: Mapping[str, Category], model: YoloDetector) -> dict[str, Category]:
    """Categories with the model's own threshold for each label to which the configuration gives none.

    A label that the model has only seen in synthetic pictures, or is poor at by its own figures, makes its problems go
    to a person first.
    """
    manifest = model.bundle.manifest
    thresholds = {label.name: label.threshold for label in manifest.labels}
    unsure = frozenset(
        label.name for label in manifest.labels if label.synthetic_only or label.ap50 is None or label.ap50 < POOR_AP50
    )
    return {
        category.id: replace(
            category,
            min_scores={
                **{name: thresholds[name] for name in category.labels if name in thresholds},
                **category.min_scores,
            },
            review_labels=category.review_labels | (category.labels & unsure),
        )
        for category in categories.values()
    }


def decided_by(book: RuleBook, cameras: Mapping[str, Camera]) -> RulesOfLook:
    """Zones and permits as they are at the time of a look, on the clock of the street where it was taken."""
    return RulesOfLook(book, {camera.id: ZoneInfo(camera.timezone) for camera in cameras.values()})


class RulesOfLook:
    """Turns a look into the decision function for everything seen in it."""

    def __init__(self, book: RuleBook, zones: Mapping[str, ZoneInfo]) -> None:
        self._book = book
        self._zones = zones

    def __call__(self, look: Look) -> Decide:
        """The decision function for one look."""
        local = look.at.astimezone(self._zones.get(look.camera_id, ZoneInfo("UTC")))

        def decide(category: Category, place: Place) -> Outcome:
            return self._book.decide(category, spot_of(look.camera_id, place), local)

        return decide


def categories_of(settings: Settings, model: HotSwap) -> dict[str, Category]:
    """The categories of the settings, judged by the thresholds of the model in force."""
    current = model.current
    categories = load_categories(settings.categories)
    return judged_by(categories, current) if isinstance(current, YoloDetector) else dict(categories)


# --- what is told ------------------------------------------------------------------------------------------------


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


def tools_of(settings: Settings, store: Store, archive: Archive) -> Tools:
    """What sinks need of this installation."""
    picture = pictures_of(archive, settings.evidence.public_url)
    return Tools(memory=lambda endpoint: Receipts(store, endpoint), picture=picture, site=settings.site)


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


def refuse_without_cameras(settings: Settings) -> None:
    """Raises ConfigError when there is nothing to look at."""
    if not any(camera.enabled for camera in settings.cameras):
        raise ConfigError("the settings name no enabled camera: add some under `cameras` or in `cameras_file`")
