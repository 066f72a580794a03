"""The model, and what its detections are judged by: categories, zones, permits, rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from detector.config import Settings, load_categories
from detector.core.camera import Camera
from detector.core.category import Category
from detector.core.frame import Frame, Prepared
from detector.core.judging import Decide
from detector.core.look import Look
from detector.core.problem import Place
from detector.core.rules import Outcome, RuleBook, spot_of
from detector.core.sun import is_day
from detector.inference.open import open_detector
from detector.inference.swap import HotSwap
from detector.inference.yolo import YoloDetector
from detector.worker.deciding import Judging
from detector.worker.reader import Prepare

POOR_AP50 = 0.3
"""A label below this is more often wrong than right at any threshold that still finds something."""


def open_model(settings: Settings) -> HotSwap:
    """The model of the settings, checked and self-tested, ready to be exchanged while it works."""
    model = settings.model

    def opened(path: Path) -> YoloDetector:
        size = None if model.input_size is None else (model.input_size, model.input_size)
        return open_detector(path, model.backend, provider=model.provider, threads=model.threads, input_size=size)

    return HotSwap(opened(model.path), opened)


def prepared_by(model: HotSwap) -> Prepare:
    """The function that makes a frame ready for the model in force. Should another one look at it in the end, that one
    begins with the picture.
    """

    def prepared(frame: Frame) -> Frame:
        picture = model.prepare(frame.image)
        return replace(frame, prepared=picture) if isinstance(picture, Prepared) else frame

    return prepared


def _judged_by(categories: Mapping[str, Category], model: YoloDetector) -> dict[str, Category]:
    """Categories with the model's own threshold for each label to which the configuration gives none.

    A label that the model has only seen in synthetic pictures, or is poor at by its own figures, makes its problems go
    to a person first.
    """
    manifest = model.bundle.manifest
    thresholds = {label.name: label.threshold for label in manifest.labels}
    synthetic = model.bundle.synthetic_only
    poor = (
        frozenset(label.name for label in manifest.labels if label.ap50 is None or label.ap50 < POOR_AP50) - synthetic
    )
    return {
        category.id: replace(
            category,
            min_scores={
                **{name: thresholds[name] for name in category.labels if name in thresholds},
                **category.min_scores,
            },
            synthetic_labels=category.labels & synthetic,
            poor_labels=category.labels & poor,
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


class Daylight:
    """Tells whether a look was taken by day, by the sun over its camera; true where the position is not known."""

    def __init__(self, cameras: Mapping[str, Camera]) -> None:
        self._positions = {one.id: one.position for one in cameras.values() if one.position is not None}

    def __call__(self, look: Look) -> bool:
        position = self._positions.get(look.camera_id)
        return position is None or is_day(position, look.at)


def judging_by(categories: Mapping[str, Category], book: RuleBook, cameras: Mapping[str, Camera]) -> Judging:
    """All that looks are judged by."""
    moving = frozenset(camera.id for camera in cameras.values() if camera.moving)
    return Judging(categories, decided_by(book, cameras), Daylight(cameras), moving)


def judged_with(categories: Mapping[str, Category], model: HotSwap) -> dict[str, Category]:
    """Categories judged by the thresholds of the model in force."""
    current = model.current
    return _judged_by(categories, current) if isinstance(current, YoloDetector) else dict(categories)


def categories_of(settings: Settings, model: HotSwap) -> dict[str, Category]:
    """The categories of the settings, judged by the thresholds of the model in force. Raises ConfigError."""
    return judged_with(load_categories(settings.categories), model)
