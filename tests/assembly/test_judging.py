"""Categories are judged by what the model says of itself: thresholds, and labels that want a person first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.assembly.judging import POOR_AP50, judged_with
from detector.config.shipped import shipped
from detector.core.category import Category, Doubt
from detector.inference.bundle import LabelEntry, load_bundle
from detector.inference.open import open_detector
from detector.inference.swap import HotSwap
from detector.inference.yolo import YoloDetector

ENTRIES = (
    LabelEntry(name="garbage", threshold=0.31, ap50=POOR_AP50),
    LabelEntry(name="poster", threshold=0.5, synthetic_only=True, ap50=0.9),
    LabelEntry(name="crack", threshold=0.1, ap50=POOR_AP50 - 0.01),
    LabelEntry(name="bin", threshold=0.2, ap50=None),
)


@pytest.fixture(scope="module")
def shipped_model() -> YoloDetector:
    return open_detector(shipped("models/street-14"), threads=1)


def saying(model: YoloDetector, *entries: LabelEntry) -> HotSwap:
    manifest = model.bundle.manifest.model_copy(update={"labels": entries})
    other = object.__new__(YoloDetector)
    other.__dict__.update(model.__dict__)
    other.bundle = replace(model.bundle, manifest=manifest)
    return HotSwap(other, lambda _path: other)


def test_what_was_learned_from_rendered_pictures_or_is_poor_waits_for_a_person(shipped_model: YoloDetector) -> None:
    every = Category("any", {}, frozenset(entry.name for entry in ENTRIES), min_scores={"garbage": 0.8})
    judged = judged_with({"any": every}, saying(shipped_model, *ENTRIES))["any"]
    assert {entry.name for entry in ENTRIES if judged.needs_review(entry.name)} == {"poster", "crack", "bin"}
    assert {entry.name: judged.doubts(entry.name) for entry in ENTRIES} == {
        "garbage": (),
        "poster": (Doubt.SYNTHETIC,),
        "crack": (Doubt.POOR,),
        "bin": (Doubt.POOR,),
    }
    assert judged.min_scores == {"garbage": 0.8, "poster": 0.5, "crack": 0.1, "bin": 0.2}
    assert not every.needs_review("poster"), "what the configuration says stays as it is"


def test_no_rendered_label_of_the_shipped_model_is_sent_without_a_person(shipped_model: YoloDetector) -> None:
    synthetic = load_bundle(shipped("models/street-14")).synthetic_only
    assert synthetic
    every = {label: Category(label, {}, frozenset({label})) for label in shipped_model.labels}
    judged = judged_with(every, HotSwap(shipped_model, lambda _path: shipped_model))
    assert {label for label in judged if judged[label].needs_review(label)} >= synthetic
    assert {label for label in judged if Doubt.SYNTHETIC in judged[label].doubts(label)} == synthetic
