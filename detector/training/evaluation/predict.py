"""Run a detector over labelled pictures, exactly as the worker would, and keep what it said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.errors import DatasetError
from detector.ports import Detector
from detector.training.headers import decodable_size
from detector.training.labelled import LabelledPicture

Progress = Callable[[int], None]
"""Called with the number of pictures just done."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model said about each picture, in the order of the pictures."""

    model_version: str
    detections: tuple[tuple[Detection, ...], ...]
    brightness: tuple[float, ...]  # mean grey value of each picture, 0..255


def read_picture(path: Path) -> Image:
    """The picture as (H, W, 3) uint8 BGR; raises DatasetError when it is too large or cannot be decoded.

    Orientation tags (EXIF) are not applied: labels were drawn on the pixels as stored, whose size the header gives.
    """
    decodable_size(path)
    image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise DatasetError(f"{path}: the picture cannot be decoded; replace or remove the file")
    return np.asarray(image, dtype=np.uint8)


def predict(
    detector: Detector, pictures: Sequence[LabelledPicture], *, batch: int = 8, progress: Progress | None = None
) -> Predictions:
    """Detect in all pictures, `batch` at a time. Raises DatasetError for an unreadable picture."""
    found: list[tuple[Detection, ...]] = []
    brightness: list[float] = []
    for start in range(0, len(pictures), batch):
        images = [read_picture(picture.path) for picture in pictures[start : start + batch]]
        found.extend(tuple(seen) for seen in detector.detect(images))
        brightness.extend(float(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).mean()) for image in images)
        if progress is not None:
            progress(len(images))
    return Predictions(detector.model_version, tuple(found), tuple(brightness))


def write_predictions(path: Path, pictures: Sequence[LabelledPicture], predictions: Predictions) -> None:
    """Write one JSON line per picture: picture, brightness, detections [label, score, left, top, right, bottom]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"model": predictions.model_version, "pictures": len(pictures)}) + "\n")
        for picture, seen, light in zip(pictures, predictions.detections, predictions.brightness, strict=True):
            row = {"picture": _key(picture), "brightness": round(light, 2), "detections": [_row(item) for item in seen]}
            file.write(json.dumps(row) + "\n")


def read_predictions(path: Path, pictures: Sequence[LabelledPicture]) -> Predictions:
    """Read predictions back for the same pictures; raises DatasetError when one is missing or a line is malformed."""
    rows: dict[str, tuple[float, tuple[Detection, ...]]] = {}
    model = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            if number == 1:
                model = str(row["model"])
                continue
            seen = tuple(_detection(item) for item in row["detections"])
            rows[row["picture"]] = (float(row["brightness"]), seen)
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{path}:{number}: not written by --save-predictions ({error})") from error
    try:
        chosen = [rows[_key(picture)] for picture in pictures]
    except KeyError as error:
        raise DatasetError(f"{path}: has no line for {error.args[0]}; run the model again on this data") from error
    return Predictions(model, tuple(seen for _, seen in chosen), tuple(light for light, _ in chosen))


def _key(picture: LabelledPicture) -> str:
    return f"{picture.source}/{picture.split}/{picture.path.name}"


def _row(item: Detection) -> list[object]:
    box = item.box
    return [item.label, item.score, box.left, box.top, box.right, box.bottom]


def _detection(row: Iterable[object]) -> Detection:
    label, *numbers = row
    score, left, top, right, bottom = (float(str(number)) for number in numbers)
    return Detection(str(label), BoundingBox(left, top, right, bottom), score)
