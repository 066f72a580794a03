"""Looks kept for training: redacted, whole, with what was seen inside; nothing without redaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.core.look import Look, LookStatus
from detector.errors import EvidenceError
from detector.evidence.archive import Archive
from detector.evidence.looks import LookRecorder, kept_looks

AT = datetime(2026, 3, 1, 8, 0, 5, tzinfo=UTC)
SEEN = (Detection("garbage", BoundingBox(10, 20, 60, 70), 0.81), Detection("person", BoundingBox(0, 0, 9, 30), 0.3))
LOOK = Look("cam-1", AT, LookStatus.OK, SEEN, "street@0123456789ab", (240, 180))


def street() -> Image:
    return np.full((180, 240, 3), (60, 120, 180), np.uint8)


def blacken(image: Image, detections: Sequence[Detection]) -> Image:
    copy = image.copy()
    for item in detections:
        if item.label == "person":
            copy[int(item.box.top) : int(item.box.bottom), int(item.box.left) : int(item.box.right)] = 0
    return copy


def test_a_look_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    recorder = LookRecorder(Archive(tmp_path), blacken)
    path = recorder.keep(LOOK, street())
    assert recorder.keep(LOOK, street()) == path, "the same look is the same file"
    (kept,) = kept_looks(tmp_path)
    assert (kept.camera_id, kept.at, kept.model_version) == ("cam-1", AT, "street@0123456789ab")
    assert kept.detections == SEEN
    picture = cv2.imread(str(kept.path))
    assert picture is not None
    assert picture.shape == (180, 240, 3)
    assert picture[5, 4].max() < 30, "redacted"
    assert abs(int(picture[60, 60, 2]) - 180) < 4, "nothing is drawn on it"


def test_nothing_is_written_when_redaction_fails_or_the_look_is_blind(tmp_path: Path) -> None:
    def broken(image: Image, detections: Sequence[Detection]) -> Image:
        raise RuntimeError("no weights")

    with pytest.raises(EvidenceError, match="no weights"):
        LookRecorder(Archive(tmp_path), broken).keep(LOOK, street())
    dark = Look("cam-1", AT, LookStatus.DARK)
    with pytest.raises(EvidenceError, match="dark"):
        LookRecorder(Archive(tmp_path), blacken).keep(dark, street())
    assert list(tmp_path.rglob("*.jpg")) == []


def test_retention_deletes_them_and_other_evidence_is_passed_over(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    LookRecorder(archive, blacken).keep(LOOK, street())
    good, jpeg = cv2.imencode(".jpg", street())
    assert good
    archive.write("an-event", AT, jpeg.tobytes())
    assert len(list(kept_looks(tmp_path))) == 1
    assert archive.purge(datetime(2026, 3, 20, tzinfo=UTC), {"look": 14}, 365).deleted == 1
    assert list(kept_looks(tmp_path)) == []
