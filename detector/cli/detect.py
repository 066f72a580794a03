"""One-off detection, for trying a model on whatever is at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Protocol

import typer

from detector.cli.output import ERR, Json, JsonDocument, plain, print_json_line, print_table
from detector.core.detection import Detection
from detector.core.frame import Frame
from detector.core.secrets import scrub, without_secrets
from detector.errors import ConfigError, SourceError
from detector.ports import FrameSource

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 + SIGINT."""


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
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="print one JSON object a line: each picture, each failure")
    ] = False,
) -> None:
    """Say what the model sees in pictures, folders, videos or streams.

    With --json and --json-lines each picture is written as soon as it has been looked at: --json makes one document of
    all, --json-lines is for programs that read on while a long video is looked at. Exits with 1 when one of the targets
    could not be read; the others are told all the same. Ctrl-C ends it in order.

    Examples:

      detector detect street.jpg --save out

      detector detect clips/ --json

      detector detect day.mp4 --every 10 --json-lines | jq -c .detections

      detector detect rtsp://192.0.2.11/stream1 --most 10
    """
    from detector.config import ModelSettings
    from detector.inference.open import open_detector
    from detector.inference.yolo import Limits

    path = model or ModelSettings().path
    detector = open_detector(path, limits=Limits(min_score=min(0.1, score or 0.1)))
    needed = {label.name: label.threshold if score is None else score for label in detector.bundle.manifest.labels}
    keeper = _Keeper(save) if save else None
    teller: _Teller = _Lines() if json_lines else (_Document if as_json else _Table)(detector.model_version)
    looked, failed, stopped = 0, False, False
    try:
        for target in targets:
            try:
                for frame in _frames(target, every, most):
                    seen = detector.detect([frame.image])[0]
                    shown = tuple(detection for detection in seen if detection.score >= needed[detection.label])
                    picture = keeper.keep(frame, seen, shown, looked) if keeper else None
                    teller.tell(_Looked(frame.camera_id, frame.captured_at, shown, picture, detector.model_version))
                    looked += 1
            except (SourceError, ConfigError) as error:
                failed = True
                failure = _Failed(without_secrets(target), scrub(str(error)))
                teller.regret(failure)
                ERR.print(failure.error, style="red", markup=False, highlight=False, soft_wrap=True)
    except KeyboardInterrupt:
        stopped = True
    teller.end()
    if not (as_json or json_lines):
        ERR.print(f"{looked} pictures looked at with {detector.model_version}")
    raise typer.Exit(INTERRUPTED if stopped else int(failed))


@dataclass(frozen=True, slots=True)
class _Looked:
    """One picture and what was seen in it."""

    source: str
    at: datetime
    detections: tuple[Detection, ...]
    saved: str | None  # path of the picture with its boxes
    model: str = field(repr=False)  # name and version; told once where there is one document of all


@dataclass(frozen=True, slots=True)
class _Failed:
    """A target that could not be read, or not to its end."""

    source: str
    error: str


class _Teller(Protocol):
    """Writes down what was seen."""

    def tell(self, looked: _Looked) -> None: ...

    def regret(self, failed: _Failed) -> None: ...

    def end(self) -> None: ...


class _Lines:
    """An object a line, each complete in itself."""

    def tell(self, looked: _Looked) -> None:
        print_json_line({"model": looked.model, **plain(looked)})

    def regret(self, failed: _Failed) -> None:
        print_json_line(failed)

    def end(self) -> None:
        """Everything has been written."""


class _Document:
    """One object with all pictures, then all failures."""

    def __init__(self, model: str) -> None:
        self._document = JsonDocument({"model": model}, "pictures")
        self._failed: list[_Failed] = []

    def tell(self, looked: _Looked) -> None:
        self._document.add(looked)

    def regret(self, failed: _Failed) -> None:
        self._failed.append(failed)

    def end(self) -> None:
        self._document.end({"failed": self._failed})


class _Table:
    """A row for each detection, at the end: the columns are as wide as what stands in them."""

    def __init__(self, _model: str) -> None:
        self._rows: list[tuple[object, ...]] = []

    def tell(self, looked: _Looked) -> None:
        for d in looked.detections:
            box = (round(d.box.left), round(d.box.top), round(d.box.right), round(d.box.bottom))
            self._rows.append((looked.source, looked.at, d.label, d.score, *box))

    def regret(self, failed: _Failed) -> None:
        """It stands on stderr."""

    def end(self) -> None:
        print_table(("source", "at", "label", "score", "left", "top", "right", "bottom"), self._rows, "nothing found")


class _Keeper:
    """Writes what was looked at with boxes on it; like all pictures that are written, with faces and plates blurred."""

    def __init__(self, folder: Path) -> None:
        from detector.evidence.redact import Redactor

        self._folder = folder
        self._redactor = Redactor()

    def keep(self, frame: Frame, seen: Sequence[Detection], shown: Sequence[Detection], number: int) -> str:
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
