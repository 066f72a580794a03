"""From the cameras of the settings to what opens, judges and places their pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from detector.assembly.memories import Memories
from detector.assembly.surroundings import utc_now
from detector.config import CameraSettings, Settings
from detector.config.cameras import marks_of
from detector.config.values import scheme_of
from detector.core.camera import Camera, SamplingMode
from detector.core.detection import Detection
from detector.core.frame import Frame
from detector.core.geo import GeoPoint
from detector.core.ground import GroundPlane, Share
from detector.core.look import Condition, LookStatus
from detector.core.pinhole import ground_of
from detector.errors import ConfigError, SourceError
from detector.ports import FrameSource
from detector.sources.condition import ConditionOptions, ConditionWatch
from detector.sources.options import StreamOptions, VisitOptions
from detector.sources.picture import fingerprint, small_grey
from detector.sources.pictures import PictureFolder, read_picture
from detector.sources.telemetry.whereabouts import whereabouts_of
from detector.sources.video import open_video
from detector.sources.visit import visit
from detector.worker.reader import Judgement

STALE_LOOKS = 2  # a picture older than so many intervals is stale, however short `sampling.max_age` is
FROZEN_S, FROZEN_LOOKS = 60.0, 4  # the very same picture for so long, and for so many intervals
STILL_S, STILL_FROZEN = 600.0, 10  # next to no change for so long, and for so many times as long as above


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
        marks=() if camera.moving else marks_of(camera.ground),
        moving=camera.moving,
        telemetry=str(camera.telemetry),
        mount=camera.mount,
        realtime=scheme_of(url) is not None,
        started_at=_moment_at(camera.started_at, settings.timezone_of(camera)),
    )


def _moment_at(moment: datetime | None, timezone: str) -> datetime | None:
    """A moment as written: on the clock of `timezone` unless it names an offset."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=ZoneInfo(timezone))


class Lenses:
    """How cameras are opened and judged, by the settings. May be changed while cameras are read."""

    def __init__(self, settings: Settings, memories: Memories | None = None) -> None:
        """`memories`: what watches of live cameras begin with. Raises ConfigError as logos_of does."""
        self.memories = memories
        self.change(settings, logos_of(settings))

    def change(self, settings: Settings, logos: frozenset[int]) -> None:
        """Judge by these settings from the next picture on, and open by them from the next opening on."""
        sampling = settings.sampling
        self._open_s = sampling.open_timeout.total_seconds()
        self._read_s = sampling.read_timeout.total_seconds()
        self._max_age_s = sampling.max_age.total_seconds()
        self._logos = logos

    def open(self, camera: Camera) -> FrameSource:
        """Open a camera for `stream` sampling; folders of pictures and files are read in order."""
        whereabouts = None
        if camera.moving:
            live = camera.realtime
            whereabouts = whereabouts_of(camera.id, camera.url, camera.telemetry, camera.mount, live=live)
        if Path(camera.url).is_dir():
            return PictureFolder(Path(camera.url), camera.id, zone=ZoneInfo(camera.timezone), whereabouts=whereabouts)
        options = StreamOptions(
            interval_s=camera.interval_s,
            open_timeout_s=self._open_s,
            read_timeout_s=self._read_s,
            realtime=camera.realtime,
            started_at=camera.started_at,
        )
        return open_video(camera.url, camera.id, options, utc_now, whereabouts)

    def visit(self, camera: Camera) -> Frame:
        """One picture for `patrol` sampling."""
        return visit(camera.url, camera.id, VisitOptions(self._open_s, self._read_s, logos=self._logos), utc_now)

    def condition(self, camera: Camera) -> Judgement:
        """A judge of one camera's condition; pictures of files have no age, and none before them count."""
        watch = ConditionWatch(self._options(camera), utc_now)
        memories = self.memories if camera.realtime else None

        def judged(frame: Frame) -> Condition:
            nonlocal memories
            if memories is not None:
                memories.take_up(camera.id, watch)  # here, on the camera's own thread: thousands start at once
                memories = None
            watch.options = self._options(camera)
            views = watch.views_learnt
            status, reason = watch.judge(frame)
            if watch.views_learnt > views:
                return Condition(LookStatus.MOVED, "this view is the normal one from now on", new_view=True)
            return Condition(status, reason)

        return judged

    def _options(self, camera: Camera) -> ConditionOptions:
        frozen_s = max(FROZEN_S, FROZEN_LOOKS * camera.interval_s)
        return ConditionOptions(
            max_age_s=max(self._max_age_s, STALE_LOOKS * camera.interval_s) if camera.realtime else None,
            frozen_after_s=frozen_s,
            still_after_s=max(STILL_S, STILL_FROZEN * frozen_s),
            fixed=not camera.moving,
            logos=self._logos,
        )


def logos_of(settings: Settings) -> frozenset[int]:
    """Fingerprints of the pictures in `sampling.logos`. Raises ConfigError naming one that cannot be read."""
    try:
        return frozenset(fingerprint(small_grey(read_picture(path))) for path in settings.sampling.logos)
    except SourceError as error:
        raise ConfigError(f"sampling.logos: {error}") from error


class Places:
    """Gives detections their place on the ground: by the pose of a moving camera, and for cameras whose picture has
    been matched with the map.
    """

    def __init__(self, cameras: Mapping[str, Camera]) -> None:
        self._planes = {camera.id: GroundPlane(camera.marks) for camera in cameras.values() if camera.marks}

    def __call__(self, frame: Frame, detections: Sequence[Detection]) -> tuple[Detection, ...]:
        """The detections of a frame, with their ground points."""
        placed = self._ground_of(frame)
        if placed is None:
            return tuple(detections)
        width, height = frame.size
        feet = ((detection, detection.box.foot) for detection in detections)
        return tuple(replace(d, ground=placed((x / width, y / height))) for d, (x, y) in feet)

    def _ground_of(self, frame: Frame) -> Callable[[Share], GeoPoint | None] | None:
        pose = frame.pose
        if pose is not None:
            return lambda point: ground_of(pose, point, frame.size)
        plane = self._planes.get(frame.camera_id)
        return None if plane is None else plane.ground_of


def refuse_without_cameras(settings: Settings) -> None:
    """Raises ConfigError when there is nothing to look at."""
    if not any(camera.enabled for camera in settings.cameras):
        raise ConfigError("the settings name no enabled camera: add some under `cameras` or in `cameras_file`")
