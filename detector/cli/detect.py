"""One-off detection, for trying a model on whatever is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.output import ERR, Json, print_json, print_table
from detector.core.detection import Detection
from detector.core.frame import Frame
from detector.core.secrets import scrub, without_secrets
from detector.errors import ConfigError, SourceError
from detector.ports import FrameSource


def detect(
    targets: Annotated[list[str], typer.Argument(help="pictures, folders, video files or stream addresses")],
    model: Annotated[Path | None, typer.Option(help="folder of a bundle; none: the one that is shipped")] = None,
    save: Annotated[Path | None, typer.Option(help="folder for the pictures with their boxes, faces blurred")] = None,
    score: Annotated[
        float | None, typer.Option(min=0.01, max=1, help="least score; none: each label's own threshold")
    ] = None,
    every: Annotated[float, typer.Option(min=0, help="seconds between two pictures of a video")] = 2.0,
    most: Annotated[int, typer.Option(min=1, help="most pictures per target")] = 1000,
    as_json: Json = False,
) -> None:
    """Say what the model sees in pictures, folders, videos or streams.

    Exits with 1 when one of them could not be read; the others are told all the same.

    Examples:

      detector detect street.jpg --save out

      detector detect clips/ --json

      detector detect rtsp://192.0.2.11/stream1 --most 10
    """
    from detector.config import ModelSettings
    from detector.inference.open import open_detector
    from detector.inference.yolo import Limits

    path = model or ModelSettings().path
    detector = open_detector(path, limits=Limits(min_score=min(0.1, score or 0.1)))
    needed = {label.name: label.threshold if score is None else score for label in detector.bundle.manifest.labels}
    keeper = _Keeper(save) if save else None
    found: list[_Looked] = []
    failed: list[_Failed] = []
    for target in targets:
        try:
            for frame in _frames(target, every, most):
                seen = detector.detect([frame.image])[0]
                shown = [detection for detection in seen if detection.score >= needed[detection.label]]
                picture = keeper.keep(frame, seen, shown, len(found)) if keeper else None
                found.append(_Looked(frame.camera_id, frame.captured_at, tuple(shown), picture))
        except (SourceError, ConfigError) as error:
            failed.append(_Failed(without_secrets(target), scrub(str(error))))
            ERR.print(failed[-1].error, style="red", markup=False, highlight=False, soft_wrap=True)
    if as_json:
        print_json({"model": detector.model_version, "pictures": found, "failed": failed})
        raise typer.Exit(1 if failed else 0)
    rows = [
        (one.source, one.at, d.label, d.score, *map(round, (d.box.left, d.box.top, d.box.right, d.box.bottom)))
        for one in found
        for d in one.detections
    ]
    print_table(("source", "at", "label", "score", "left", "top", "right", "bottom"), rows, "nothing found")
    ERR.print(f"{len(found)} pictures looked at with {detector.model_version}")
    raise typer.Exit(1 if failed else 0)


@dataclass(frozen=True, slots=True)
class _Looked:
    """One picture and what was seen in it."""

    source: str
    at: datetime
    detections: tuple[Detection, ...]
    saved: str | None  # path of the picture with its boxes


@dataclass(frozen=True, slots=True)
class _Failed:
    """A target that could not be read, or not to its end."""

    source: str
    error: str


class _Keeper:
    """Writes what was looked at with boxes on it; like all pictures that are written, with faces and plates blurred."""

    def __init__(self, folder: Path) -> None:
        from detector.evidence.redact import Redactor

        self._folder = folder
        self._redactor = Redactor()

    def keep(self, frame: Frame, seen: list[Detection], shown: list[Detection], number: int) -> str:
        """Write the picture and return its path. Raises EvidenceError."""
        from detector.evidence.boxes import draw_detections
        from detector.evidence.picture import encode

        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{number:05d}-{Path(frame.camera_id).stem or 'stream'}.jpg"
        picture = draw_detections(self._redactor.redact(frame.image, seen), shown)
        file.write_bytes(encode(picture, {"source": frame.camera_id, "at": frame.captured_at.isoformat()}))
        return str(file)


def _frames(target: str, every_s: float, most: int) -> Iterator[Frame]:
    from detector.assembly import utc_now
    from detector.sources.options import StreamOptions
    from detector.sources.pictures import SUFFIXES, PictureFolder, captured_at, read_picture
    from detector.sources.video import open_video

    path, name = Path(target), without_secrets(target)
    if "://" not in target and not path.exists():
        raise ConfigError(f"{target}: no such file or folder, and no address")
    if path.suffix.lower() in SUFFIXES and path.is_file():
        yield Frame(name, captured_at(path), read_picture(path))
        return
    source: FrameSource = (
        PictureFolder(path, name)
        if path.is_dir()
        else open_video(target, name, StreamOptions(interval_s=every_s), utc_now)
    )
    try:
        for _ in range(most):
            frame = source.read()
            if frame is None:
                return
            yield frame
    finally:
        source.close()
