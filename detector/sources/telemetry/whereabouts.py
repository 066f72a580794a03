"""Where the camera of one opened source was when each of its pictures was taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from detector.core.geo import Pose
from detector.core.track import Fix, Mount, course_at, fitted, pose_at
from detector.errors import SourceError, SourceUnreadable
from detector.logs import logger
from detector.sources.telemetry.dji import read_srt
from detector.sources.telemetry.klv import pose_of
from detector.sources.telemetry.reading import Reading, Times

log = logger(__name__)

KEPT_FIXES = 600
"""Fixes of a stream that are remembered, 10 s of one that sends 60 a second; older ones are of pictures long gone."""

JUMP_S = 5.0
"""A data stream whose times go back by more has begun anew."""

READERS: dict[str, Callable[[Path], Reading]] = {".srt": read_srt}
"""Suffix in lower case -> reader of files of positions."""


def read_track(file: Path) -> Reading:
    """The positions in a file of any kind that is known. Raises SourceUnreachable or SourceUnreadable naming it."""
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise SourceUnreadable(f"{file}: is no file of positions that is known ({', '.join(sorted(READERS))})")
    return reader(file)


def beside(video: Path) -> Path | None:
    """The file of positions that has the name of a video, in any case of the suffix; None where there is none."""
    for suffix in READERS:
        for spelt in (suffix.upper(), suffix):
            if (found := video.with_suffix(spelt)).is_file() and found != video:
                return found
    return None


def whereabouts_of(camera_id: str, address: str, telemetry: str, mount: Mount, *, live: bool) -> Whereabouts | None:
    """How the poses of a moving camera's pictures are known; None where nothing is to be looked for.

    `telemetry`: `none`, the path of a file of positions, or `auto`: the file beside a video, else the data stream in
    it. A file that cannot be read is told in the log: its pictures then have no pose.
    """
    if telemetry == "none":
        return None
    file = Path(telemetry)
    if telemetry == "auto":
        found = None if live else beside(Path(address.removeprefix("file://")))
        if found is None:
            return Whereabouts(camera_id, mount)
        file = found
    try:
        reading = read_track(file)
    except SourceError as error:
        log.warning("no positions can be read", camera_id=camera_id, reason=str(error))
        return None
    tell = log.warning if reading.broken or not reading.fixes else log.info
    tell("positions read", camera_id=camera_id, found=str(reading))
    return Whereabouts(camera_id, mount, reading)


class Whereabouts:
    """Gives each picture its pose, from a file of positions or from the data stream beside the video."""

    def __init__(self, camera_id: str, mount: Mount, reading: Reading | None = None) -> None:
        """`reading`: None to listen to the data stream of the container."""
        self._camera_id = camera_id
        self._mount = mount
        self._reading = reading
        self._fixes: list[Fix] = [] if reading is None else list(reading.fixes)
        self._known: bool | None = None  # whether the last picture had a pose
        self.broken = 0  # packets that could not be read

    def listen(self, container: InputContainer) -> Stream | None:
        """The data stream whose packets `take` wants; None where there is none, or a file is used instead."""
        if self._reading is not None:
            return None
        return next((stream for stream in container.streams if _is_klv(stream)), None)

    def take(self, packet: Packet[Stream], at: float | None) -> None:
        """A packet of that stream; `at`: its presentation time on the clock of the video, seconds."""
        if at is None or packet.size == 0:
            return
        try:
            pose = pose_of(bytes(packet))
        except ValueError as error:
            self.broken += 1
            if self.broken == 1:
                log.warning("its positions are broken", camera_id=self._camera_id, reason=str(error))
            return
        if pose is not None:
            self._add(Fix(at, pose))

    def pose(self, pts_s: float | None, since_start_s: float | None, moment: datetime) -> Pose | None:
        """The pose of a picture, by its presentation time, by the time since the first one, and when it was taken."""
        if self._reading is None:
            at = pts_s
        else:
            at = since_start_s if self._reading.times is Times.PICTURES else moment.timestamp()
        pose = None if at is None else pose_at(self._fixes, at)
        self._tell(pose is not None)
        if pose is None or at is None:
            return None
        return fitted(pose, self._mount, course_at(self._fixes, at))

    def _add(self, fix: Fix) -> None:
        if self._fixes and fix.at < self._fixes[-1].at:
            if fix.at > self._fixes[-1].at - JUMP_S:
                return  # out of order
            self._fixes.clear()
        self._fixes.append(fix)
        if len(self._fixes) > 2 * KEPT_FIXES:
            del self._fixes[:-KEPT_FIXES]

    def _tell(self, known: bool) -> None:
        if known is self._known:
            return
        if not known:
            log.warning("no position for its pictures: what is seen there has no place", camera_id=self._camera_id)
        elif self._known is not None:
            log.info("its position is known again", camera_id=self._camera_id)
        self._known = known


def _is_klv(stream: Stream) -> bool:
    return stream.type == "data" and stream.name == "klv"
