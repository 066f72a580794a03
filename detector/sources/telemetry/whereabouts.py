"""Where the camera of one opened source was when each of its pictures was taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from detector.core.geo import Pose
from detector.core.track import Fix, Mount, course_at, fitted, pose_at
from detector.errors import SourceError, SourceUnreadable
from detector.logs import logger
from detector.sources.telemetry.dji import read_srt
from detector.sources.telemetry.gpmf import fixes_of
from detector.sources.telemetry.gpx import read_gpx
from detector.sources.telemetry.klv import pose_of
from detector.sources.telemetry.reading import Reading, Times

log = logger(__name__)

KEPT_FIXES = 600
"""Fixes of a stream that are remembered, 10 s of one that sends 60 a second; older ones are of pictures long gone."""

JUMP_S = 5.0
"""A data stream whose times go back by more has begun anew."""

READERS: dict[str, Callable[[Path], Reading]] = {".srt": read_srt, ".gpx": read_gpx}
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
        self._whole = reading is not None  # whether all fixes are known from the beginning
        self._decode: Callable[[bytes, float, float], list[Fix]] = _klv
        self._known: bool | None = None  # whether the last picture had a pose
        self.broken = 0  # packets that could not be read

    def listen(self, container: InputContainer) -> Stream | None:
        """The data stream whose packets `take` wants; None where there is none, or a file is used instead."""
        if self._reading is not None:
            return None
        for stream in container.streams:
            for is_one, decode in ((_is_klv, _klv), (_is_gpmf, fixes_of)):
                if is_one(stream):
                    self._decode = decode
                    return None if self._read_ahead(container, stream.index) else stream
        return None

    def take(self, packet: Packet[Stream], at: float | None) -> None:
        """A packet of that stream; `at`: its presentation time on the clock of the video, seconds."""
        if at is None or packet.size == 0:
            return
        length = float((packet.duration or 0) * (packet.time_base or 0))
        try:
            found = self._decode(bytes(packet), at, length)
        except ValueError as error:
            self.broken += 1
            if self.broken == 1:
                log.warning("its positions are broken", camera_id=self._camera_id, reason=str(error))
            return
        for fix in found:
            self._add(fix)

    def _read_ahead(self, container: InputContainer, index: int) -> bool:
        """Read the whole data stream of an MP4 file first, which its index makes cheap: it lags behind the pictures."""
        if "mp4" not in container.format.name or not container.name.startswith("file:"):
            return False
        self._whole = True
        try:
            with av.open(container.name) as other:
                for stream in other.streams:
                    if stream.index != index:
                        stream.discard = Discard.all
                for packet in other.demux(other.streams[index]):
                    at = None if packet.pts is None else float(packet.pts * (packet.time_base or 0))
                    self.take(packet, at)
        except av.FFmpegError as error:
            log.warning("its positions cannot be read", camera_id=self._camera_id, reason=str(error.strerror))
        return True

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
        if not self._whole and len(self._fixes) > 2 * KEPT_FIXES:
            del self._fixes[:-KEPT_FIXES]

    def _tell(self, known: bool) -> None:
        if known is self._known:
            return
        if not known:
            log.warning("no position for its pictures: what is seen there has no place", camera_id=self._camera_id)
        elif self._known is not None:
            log.info("its position is known again", camera_id=self._camera_id)
        self._known = known


def _klv(data: bytes, at: float, _length: float) -> list[Fix]:
    pose = pose_of(data)
    return [] if pose is None else [Fix(at, pose)]


def _is_klv(stream: Stream) -> bool:
    return stream.type == "data" and stream.name == "klv"


def _is_gpmf(stream: Stream) -> bool:
    """Cameras name the track; PyAV does not tell its four-letter code (gpmd)."""
    return stream.type == "data" and "GoPro MET" in stream.metadata.get("handler_name", "")
